"""Errors that a user can do something about.

The command line prints the message of a `MidigrooveError` as one line and exits with code 2. A
message says what is wrong, where (file, row, field), and what to do about it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MidigrooveError(Exception):
    """Something the user can mend: wrong input, a missing program, a wrong option.

    Its message is one line: what libraries and files have put into it is brought onto that.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(" ".join(part.strip() for part in str(message).splitlines()))


class InputError(MidigrooveError):
    """A file or value that cannot be used; inside a batch it becomes a counted skip."""


class MismatchError(MidigrooveError):
    """Two things that must agree do not (a cache and a codec, a checkpoint and a cache)."""


class PluginError(MidigrooveError):
    """A plugin that is missing, broken, or in conflict with another."""


class StoppedEarly(MidigrooveError):
    """A signal asked long work to end, and it has saved what it had: the same call goes on."""


def nearest(name: str, known: Iterable[str]) -> str:
    """ " (did you mean X?)" for a misspelt name, or "" where none of the known ones is near."""
    folded = {value.casefold(): value for value in known}
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return f" (did you mean {folded[found[0]]}?)" if found else ""
