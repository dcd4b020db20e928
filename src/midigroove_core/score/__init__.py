"""Scores: MusicXML and what else partitura reads become performances, and performances notation.

`load_score` reads, `notate` writes, `Feel` gives a score a drummer's timing, and `to_partitura` and
`note_array` hand performances to other tools. partitura is imported on first use only.
"""
