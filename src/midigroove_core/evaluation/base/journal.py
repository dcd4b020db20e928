"""What happens besides figures: what is left out, and where the time goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from midigroove_core.scorecard.scores import Skip, Spent


@dataclass
class Journal:
    """What happens besides figures: what is left out, and where the time goes.

    Attributes:
        skips: in the order in which they came.
        spent: row -> seconds.
    """

    skips: list[Skip] = field(default_factory=list)
    spent: dict[str, Spent] = field(default_factory=dict)

    def skip(self, clip: str, row: str, reason: str) -> None:
        """Notes one clip of one row; `row` is "" when the clip is left out for all."""
        self.skips.append(Skip(clip, row, reason))

    def absorb(self, spent: dict[str, Spent]) -> None:
        """The time that another process took."""
        for row, other in spent.items():
            self.of(row).absorb(other)

    def of(self, row: str) -> Spent:
        """The time of a row so far, to add to."""
        return self.spent.setdefault(row, Spent())
