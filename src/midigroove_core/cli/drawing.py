"""The options that say how codes are drawn, for every command that draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def read_sampling_options(
    sample: Sequence[str] | None,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
) -> dict[str, Any]:
    """Settings of drawing by name: those of `--sample NAME=VALUE`, and those with an option.

    Raises:
        InputError: a text that is not NAME=VALUE.
    """
    from midigroove_core.training.config import read_settings

    said = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    given = {name: value for name, value in said.items() if value is not None}
    return {**(read_settings(sample) if sample else {}), **given}
