"""Texts from files and names, made harmless for a terminal."""

from __future__ import annotations

import re

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """A text with what steers a terminal, or turns the order of its letters, as escapes.

    A name such as "\\x1b[2J" would else clear the screen, or hide what stands before it.
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
