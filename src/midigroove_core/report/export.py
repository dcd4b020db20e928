"""Plots and tables as files for papers."""

from __future__ import annotations

from pathlib import Path

from midigroove_core.atomic import write_bytes, write_text
from midigroove_core.report.plots import make_plots
from midigroove_core.report.tables import other_tables, summary_tables
from midigroove_core.scorecard.files import Evaluation


def export_papers(evaluation: str | Path, folder: str | Path, *, latex: bool = False) -> list[Path]:
    """Every plot as PNG on white and every table as CSV and Markdown; with `latex` as LaTeX too.

    Raises:
        InputError: not an evaluation.
    """
    found = Evaluation.open(evaluation)
    folder = Path(folder)
    written = []
    for plots in make_plots(found).values():
        for plot in plots:
            write_bytes(folder / f"{plot.name}.png", plot.png())
            written.append(folder / f"{plot.name}.png")
    for table in [*summary_tables(found.summary), *other_tables(found).values()]:
        texts = {"csv": table.to_csv(), "md": table.to_markdown()}
        if latex:
            texts["tex"] = table.to_latex()
        for suffix, text in texts.items():
            written.append(folder / f"{table.name}.{suffix}")
            write_text(written[-1], text)
    return written
