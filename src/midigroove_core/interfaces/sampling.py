"""How codes are drawn: the settings that every model has, and those that a model declares.

Settings are asked for by name (`{"temperature": 0.7, "passes": 16}`); `read_sampling` checks them
against what the model declares and fills in what was not named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from midigroove_core import bounds
from midigroove_core.errors import InputError, MidigrooveError, nearest

Setting = bool | int | float | str

COMMON = ("temperature", "top_k", "top_p")
"""What every model has; `seed` is said beside them."""


@dataclass(frozen=True)
class SamplingConfig:
    """How a model draws codes.

    Attributes:
        temperature: divides the logits; 0 takes the most likely code (argmax).
        top_k: keep only the k most likely codes; 0 keeps all.
        top_p: keep the smallest set of codes whose probability reaches p (nucleus sampling,
            Holtzman et al. 2020, https://arxiv.org/abs/1904.09751); 1 keeps all.
        seed: seed of the draw; the same seed and batch give the same codes.
        extras: a value for each option that the model declares, see `Model.sampling_options`.
    """

    temperature: float = 0.5
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    extras: Mapping[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bounds.TEMPERATURE.check("temperature", self.temperature)
        bounds.COUNT.check("top_k", self.top_k)
        bounds.SHARE_ABOVE_0.check("top_p", self.top_p)
        bounds.SEED.check("seed", self.seed)

    @property
    def settings(self) -> dict[str, Setting]:
        """All but the seed, by name, as JSON: `read_sampling` of it is equal."""
        return {**{name: getattr(self, name) for name in COMMON}, **self.extras}


@dataclass(frozen=True)
class SamplingOption:
    """A setting of its own that a model declares, such as how many passes it takes.

    Attributes:
        name: as in `--sample NAME=VALUE`.
        default: taken when nothing is said; its type (bool, int, float or str) is the option's.
        help: a line for people.
        low, high: bounds of a number, both included; None for none.
        choices: what a text may be; empty for any.
    """

    name: str
    default: Setting
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name in (*COMMON, "seed") or not self.name.isidentifier():
            raise MidigrooveError(
                f"sampling option {self.name!r}: take a name that is none of "
                f"{', '.join(COMMON)}, seed and could be one of a variable"
            )
        self.check(self.default)

    def check(self, value: Any) -> Setting:
        """The value, whole numbers as float where one is wanted.

        Raises:
            InputError: of the wrong type, out of bounds, not a choice; names the option.
        """
        kind = type(self.default)
        _check_type(self.name, value, kind)
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        if kind in (int, float) and not low <= value <= high:
            raise InputError(f"{self.name} must lie in [{low:g}, {high:g}], got {value}")
        if self.choices and value not in self.choices:
            raise InputError(f"{self.name} is {value!r}; use one of {', '.join(self.choices)}")
        return float(value) if kind is float else value  # type: ignore[no-any-return]

    def to_json(self) -> dict[str, Any]:
        """All fields, for listings."""
        return asdict(self)


def read_sampling(
    asked: Mapping[str, Any],
    options: Sequence[SamplingOption] = (),
    *,
    defaults: Mapping[str, Any] | None = None,
    seed: int = 0,
    model_id: str = "",
) -> SamplingConfig:
    """Settings by name as a whole configuration.

    Args:
        asked: what was said, such as `{"temperature": 0.7}`.
        options: what the model declares besides `COMMON`.
        defaults: taken where nothing was said; where these say nothing either, the options'
            and those of `SamplingConfig` are.
        seed: of the draw.
        model_id: for messages.

    Raises:
        InputError: a name that there is not, or a value that does not fit; names it.
    """
    by_name = {option.name: option for option in options}
    known = [*COMMON, *by_name]
    values = {**(defaults or {}), **asked}
    for name in values:
        if name not in known:
            raise InputError(
                f"model {model_id}: no sampling setting {name!r}{nearest(name, known)}; "
                f"it has {', '.join(known)}"
            )
    extras = {name: o.check(values.get(name, o.default)) for name, o in by_name.items()}
    common = {name: values[name] for name in COMMON if name in values}
    return SamplingConfig(**common, seed=seed, extras=extras)


def check_common(settings: Mapping[str, Any]) -> None:
    """Raises InputError if a setting that every model has is out of its bounds."""
    SamplingConfig(**{name: settings[name] for name in COMMON if name in settings})


def gather_sampling(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a render or an evaluation by name, with `temperature` and so on said among them
    moved to their place in `sampling`."""
    rest = {name: value for name, value in settings.items() if name not in COMMON}
    said = {name: settings[name] for name in COMMON if settings.get(name) is not None}
    if said or "sampling" in rest:
        rest["sampling"] = {**(rest.get("sampling") or {}), **said}
    return rest


def _check_type(name: str, value: Any, kind: type) -> None:
    fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name} is {value!r}, expected {kind.__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{name} is {value}, expected a finite number")
