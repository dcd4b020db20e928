"""A table of the report, and how it is written for papers: CSV, Markdown, LaTeX."""

from __future__ import annotations

from dataclasses import dataclass, field

from midigroove_core.csvfile import csv_text


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what is shown.
        value: what it is sorted by; None sorts last.
        bar: 0 to 100, how far between silence and oracle; None for no bar.
        muted: shown grey: not to be trusted.
    """

    text: str
    value: float | str | None = None
    bar: float | None = None
    muted: bool = False


@dataclass(frozen=True)
class Table:
    """A table with a name that is good for a file.

    Attributes:
        name: file name without suffix.
        title, note: above and below it.
        columns: heads.
        rows: cells.
        marks: row index -> CSS class, such as "system".
    """

    name: str
    title: str
    columns: list[str]
    rows: list[list[Cell]]
    note: str = ""
    marks: dict[int, str] = field(default_factory=dict)

    def to_csv(self) -> str:
        """As CSV, texts as shown."""
        return csv_text(self.columns, [[c.text for c in row] for row in self.rows])

    def to_markdown(self) -> str:
        """As a Markdown table under its title; what is not to be trusted is in italics."""
        lines = [f"**{self.title}**", "", "| " + " | ".join(self.columns) + " |"]
        lines.append("|" + "---|" * len(self.columns))
        for row in self.rows:
            cells = [c.text.replace("|", "\\|") for c in row]
            cells = [
                f"*{t}*" if c.muted and t != "-" else t for t, c in zip(cells, row, strict=True)
            ]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines) + "\n"

    def to_latex(self) -> str:
        """As a LaTeX tabular for the package booktabs."""
        lines = ["\\begin{tabular}{l" + "r" * (len(self.columns) - 1) + "}", "\\toprule"]
        lines.append(" & ".join(latex(name) for name in self.columns) + " \\\\")
        lines.append("\\midrule")
        lines += [" & ".join(latex(c.text) for c in row) + " \\\\" for row in self.rows]
        lines += ["\\bottomrule", "\\end{tabular}"]
        return "\n".join(lines) + "\n"


_LATEX = {
    "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_",
    "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
    "±": "$\\pm$", "≤": "$\\leq$", "↑": "$\\uparrow$", "↓": "$\\downarrow$", "→": "$\\rightarrow$",
    "–": "--",
}  # fmt: skip


def latex(text: str) -> str:
    """Text with LaTeX's special characters escaped."""
    return "".join(_LATEX.get(character, character) for character in text)
