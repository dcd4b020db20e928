"""Names of kits, drummers and styles as people write them, found among those that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from midigroove_core.errors import InputError

Matches = Callable[[str, str], bool]
"""Whether a name that there is, is the one that is wanted."""


def plain(name: str) -> str:
    """A name without case, blanks and punctuation: `TR-808` and `tr808` are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def same(name: str, wanted: str) -> bool:
    """Whether two names are one, however they are written."""
    return name == wanted or (plain(name) == plain(wanted) != "")


def find_names(
    wanted: Iterable[str],
    there: Sequence[str],
    what: str,
    matches: Matches = same,
    where: str = "in the dataset; it",
) -> list[str]:
    """The names that are wanted, as they are spelt there, in the order of `there`.

    A text with commas that is no name itself is a list of names, and one with `*` in it is all
    names of that pattern (`mixed_*`). A name that is there as it is written means itself alone,
    also where others differ from it by a hyphen only.

    Args:
        wanted: names, or lists of names.
        there: names to choose from.
        what: such as "kit", for messages.
        matches: how names are compared.
        where: they are, for messages.

    Raises:
        InputError: a name that is not there; says what is.
    """
    found, missing = look_up(wanted, there, matches)
    if missing:
        raise InputError(f"no {what} {missing[0]!r} {where} has {listed(sorted(set(there)))}")
    return found


def look_up(
    wanted: Iterable[str], there: Sequence[str], matches: Matches = same
) -> tuple[list[str], list[str]]:
    """As `find_names`: the names that are there, and those wanted that are not."""
    found: set[str] = set()
    missing: list[str] = []
    for text in wanted:
        for name in [text] if _all(text, there, matches) else text.split(","):
            hits = _all(name.strip(), there, matches)
            found |= hits
            if not hits:
                missing.append(name.strip())
    return [name for name in there if name in found], missing


def _all(wanted: str, there: Sequence[str], matches: Matches) -> set[str]:
    hits = {name for name in there if matches(name, wanted)}
    if not hits and "*" in wanted:
        return {name for name in there if fnmatchcase(name.casefold(), wanted.casefold())}
    return {wanted} if wanted in hits and matches is same else hits


def listed(names: Sequence[str], most: int = 24) -> str:
    """Names for a message, the last ones counted where there are many."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
