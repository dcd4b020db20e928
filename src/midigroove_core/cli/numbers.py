"""Options that are numbers: what lies out of its bounds, or is no number, is one line."""

from __future__ import annotations

from typing import Any

import typer

from midigroove_core.bounds import Bounds


def number(bounds: Bounds, *names: str, **about: Any) -> Any:
    """A Typer option that takes a number inside bounds; the rest is as for `typer.Option`.

    Parsing raises InputError, which names the option, the bounds and what was given.
    """

    def check(param: typer.CallbackParam, value: Any) -> Any:
        if value is not None:
            bounds.check(max(param.opts, key=len), value)
        return value

    return typer.Option(*names, callback=check, **about)
