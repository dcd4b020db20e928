"""What may go wrong with one clip, and costs no other."""

from __future__ import annotations

from midigroove_core.errors import MidigrooveError

FAILURES = (MidigrooveError, ArithmeticError, LookupError, RuntimeError, ValueError)
"""What a model or codec raises when numbers or shapes do not fit, or memory does not suffice. It
costs the clip that it was raised for; anything else is a mistake in the program and is shown."""


def failure(what: str, error: Exception) -> str:
    """A reason in one line for what was left out."""
    kind = "" if isinstance(error, MidigrooveError) else f"{type(error).__name__}: "
    return f"{what}: {kind}{' '.join(str(error).split())}"
