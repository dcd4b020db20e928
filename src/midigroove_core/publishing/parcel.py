"""What is sent, before it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from midigroove_core.hub import Layout
from midigroove_core.hub.send import SentFile

CARD = "README.md"


@dataclass(frozen=True)
class Parcel:
    """A thing and its card, ready to go.

    Attributes:
        layout: what it is, and where it lies on the hub.
        files: all that is sent but the card.
        card: README.md.
        belongs: whether a file of that name is part of such a thing.
        notes: lines for whoever sends it: what is left out, what the card cannot say.
    """

    layout: Layout
    files: tuple[SentFile, ...]
    card: str
    belongs: Callable[[str], bool]
    notes: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of the files."""
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True)
class Said:
    """What only people know of what they publish.

    Attributes:
        repo: USER/NAME.
        license: of it; None for what the file says.
        data: one sentence on the data and its licence; "" for none.
    """

    repo: str
    license: str | None = None
    data: str = ""

    @property
    def name(self) -> str:
        """NAME of the repository."""
        return self.repo.split("/")[1]
