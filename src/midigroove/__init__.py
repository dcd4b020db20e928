"""The names of `midigroove_core` under the name that one installs: `import midigroove`."""

from __future__ import annotations

from typing import Any

import midigroove_core

__all__ = list(midigroove_core.__all__)


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(midigroove_core, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
