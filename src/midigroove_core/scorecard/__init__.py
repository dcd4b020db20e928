"""An evaluation as figures: what was measured, what one reads of it, and the files of its folder.

`measured` is what an evaluation found, clip by clip; `summarise` makes of it what one reads
(`summary`), `writing` writes the files, `files` reads them back, and `tables` and `scorecard` show
them. Nothing here plays or hears anything, and nothing needs torch.
"""
