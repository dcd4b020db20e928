"""The options that say how codes are drawn, for every command that draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from midigroove_core import bounds
from midigroove_core.cli.numbers import number

DRAWING = "How codes are drawn"
_AS_SAID: dict[str, Any] = {"show_default": "as the model says", "rich_help_panel": DRAWING}

Temperature = Annotated[
    float | None,
    number(
        bounds.TEMPERATURE, help="Below 1 draws likelier codes; 0 takes the likeliest.", **_AS_SAID
    ),
]
TopK = Annotated[
    int | None, number(bounds.COUNT, help="Draw from the k likeliest codes; 0: all.", **_AS_SAID)
]
TopP = Annotated[
    float | None,
    number(
        bounds.SHARE_ABOVE_0, help="Draw from codes that reach this probability; 1: all.",
        **_AS_SAID,
    ),
]  # fmt: skip
Sample = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="A setting of drawing that a model declares; repeatable.",
        rich_help_panel=DRAWING,
    ),
]


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
