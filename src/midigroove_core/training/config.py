"""All settings of a training run, from presets, a TOML file and options, and back to TOML."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from midigroove_core import bounds
from midigroove_core.atomic import dump_json
from midigroove_core.device import check_device
from midigroove_core.errors import InputError, MismatchError, nearest
from midigroove_core.structured import convert_as, decode_toml_as, read_toml_as
from midigroove_core.takes.draw import STRATIFY_MODES
from midigroove_core.training.presets import PRESETS

_CHOICES = {
    "clips": ("beats", "seconds", "crops"),
    "stratify_mode": STRATIFY_MODES,
    "nonfinite": ("halt", "skip"),
    "schedule": ("cosine", "constant"),
    "precision": ("auto", "float32", "bfloat16"),
}
_BELOW_ONE = ("ema", "condition_dropout", "beta2")
_BOUNDS = {
    "beats": bounds.BEATS,
    "hop_beats": bounds.HOP_BEATS,
    "window_sec": bounds.SECONDS_ABOVE_0,
    "hop_sec": bounds.SECONDS,
    "max_clips": bounds.COUNT,
    "lead_sec": bounds.SECONDS,
    "context_sec": bounds.SECONDS,
    "crop_sec": bounds.SECONDS_ABOVE_0,
    "balance_drums": bounds.SHARE,
    "batch_size": bounds.AT_LEAST_ONE,
    "accumulate": bounds.AT_LEAST_ONE,
    "learning_rate": bounds.LEARNING_RATE,
    "weight_decay": bounds.COEFFICIENT,
    "beta2": bounds.SHARE,
    "final_rate": bounds.SHARE,
    "warmup": bounds.SHARE,
    "clip_norm": bounds.COEFFICIENT,
    "ema": bounds.SHARE,
    "condition_dropout": bounds.SHARE,
    "mask_grid": bounds.SHARE,
    "max_steps": bounds.AT_LEAST_ONE,
    "max_minutes": bounds.MINUTES,
    "eval_every": bounds.AT_LEAST_ONE,
    "eval_clips": bounds.COUNT,
    "patience": bounds.COUNT,
    "threads": bounds.THREADS,
    "loader_workers": bounds.COUNT,
    "hide_sketch": bounds.SHARE,
    "seed": bounds.SEED,
}
_NOT_IDENTITY = (
    "cache", "sketches", "out", "start_from", "accumulate", "device", "threads", "loader_workers",
    "tensorboard", "wandb", "trackio",
)  # fmt: skip
"""Fields that a resumed run may change: where things are and how they are shared out, not what is
computed."""

_LIMITS = ("max_steps", "max_minutes")
"""Fields of which a run may be given more, to go on."""


_DEEPEST = 8
"""Names in one `NAME.NAME=VALUE`."""


@dataclass(frozen=True)
class TrainConfig:
    """What to train, on what, and for how long.

    Attributes:
        cache: folder of the cache.
        out: folder of the run.
        preset: one of the model's presets, and the settings of `PRESETS` of that name, if there
            are any; the fields below win over it. "" is none.
        split, valid_split: splits of the cache to train on and to measure on.
        kits: train and measure on these kits alone; empty means all.
        model, model_args: model id, and arguments of the model's own.
        start_from: a checkpoint (`groove_model` is the one that ships), or a run's folder, whose
            weights a new run begins with, as far as they fit; `make_config` takes model and
            featurizer from it, too, if none is named.
        sampling: settings of drawing that renders and evaluations take if none are asked for.
        featurizer, featurizer_args: featurizer id and constructor arguments.
        clips: "beats" (windows of `beats` quarter notes that start `lead_sec` before the beat,
            with `context_sec` of what came before), "seconds" (windows of `window_sec`, from the
            start of a take on) or "crops" (`crop_sec` from anywhere).
        hop_beats, hop_sec: from one window to the next; 0 is its length, less makes them overlap.
        max_clips: train on so many clips, drawn; 0 takes all.
        stratify, stratify_mode: draw over any of drummer, style, kit, beat_type: "proportional" to
            what there is or "uniform"; clips to measure on then have the shares of training.
        balance_drums: share of crops that are drawn around a hit of an articulation, each one's
            turn in proportion to a root of how often it is struck, so that rare drums get theirs.
        batch_size: clips per step, of all processes together.
        accumulate: parts that a batch is cut into; each process works on its own one after the
            other, so that less memory is needed. What is drawn at random depends on how many parts
            there are (at least one per process), the sums do not.
        learning_rate, weight_decay, beta2: of AdamW.
        schedule: "cosine" (to `final_rate` of the learning rate) or "constant".
        warmup: share of the run over which the learning rate rises from 0.
        clip_norm: largest gradient norm; 0 does not clip.
        ema: decay of the averaged weights that are measured and saved; 0 saves the last weights.
        condition_dropout: how often each condition is hidden in training, so that it may be
            unknown when rendering.
        mask_grid: how likely each row of a clip's grid is to be 0 over a stretch of it in training
            (about a third of the clip), so that a model leans on no single one.
        sketches: a cache of sketches of the takes, see `datasets.sketches`, for a model that uses
            those; "" is none.
        hide_sketch: how often a model that uses sketches hears none in training.
        unnamed_kits: kits that get no name (`mixed_*` for all that begin so): they have to be
            heard.
        max_steps: length of the run in steps. This and `max_minutes` may be raised later on, and
            the run goes on with the schedule of one of that length.
        max_minutes: length in minutes, when that comes first; 0 sets no limit. The schedule ends
            with whichever limit comes first. Resuming is exact only without a time limit.
        eval_every: steps between measurements (and saved states).
        eval_clips: clips to measure on, spread over the validation split; 0 takes all.
        patience: stop after so many measurements without a better one; 0 never stops early.
        nonfinite: "halt" at a loss that is not finite, or "skip" the step: it changes nothing and
            is counted; a hundred of them in a row end the run all the same.
        precision: "bfloat16" autocast, "float32", or "auto": bfloat16 on GPUs that have it.
        compile: use torch.compile.
        device: "auto", "cpu", "cuda", ...
        threads: CPU threads; 0 leaves it to torch.
        loader_workers: processes that read batches; 0 reads them beside the training, which is
            enough where a step takes longer than reading its batch.
        seed: of weights, data order and dropout.
        tensorboard, wandb, trackio: also tell these of each measurement; each needs the extra of
            its name, such as midigroove[wandb].
    """

    cache: str
    out: str
    preset: str = ""
    split: str = "train"
    valid_split: str = "validation"
    kits: list[str] = field(default_factory=list)
    model: str = "parallel"
    model_args: dict[str, Any] = field(default_factory=dict)
    start_from: str = ""
    sampling: dict[str, Any] = field(default_factory=dict)
    featurizer: str = "expressive_grid"
    featurizer_args: dict[str, Any] = field(default_factory=dict)
    clips: str = "beats"
    beats: int = 4
    hop_beats: int = 0
    window_sec: float = 2.0
    hop_sec: float = 0.0
    max_clips: int = 0
    stratify: list[str] = field(default_factory=list)
    stratify_mode: str = "proportional"
    lead_sec: float = 0.1
    context_sec: float = 1.0
    crop_sec: float = 3.0
    balance_drums: float = 0.0
    batch_size: int = 16
    accumulate: int = 1
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    beta2: float = 0.98
    schedule: str = "cosine"
    final_rate: float = 0.05
    warmup: float = 0.05
    clip_norm: float = 1.0
    ema: float = 0.999
    condition_dropout: float = 0.1
    mask_grid: float = 0.0
    sketches: str = ""
    hide_sketch: float = 0.2
    unnamed_kits: list[str] = field(default_factory=list)
    max_steps: int = 20000
    max_minutes: float = 0.0
    eval_every: int = 500
    eval_clips: int = 256
    patience: int = 0
    nonfinite: str = "halt"
    precision: str = "auto"
    compile: bool = False
    device: str = "auto"
    threads: int = 0
    loader_workers: int = 0
    seed: int = 0
    tensorboard: bool = False
    wandb: bool = False
    trackio: bool = False

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(TrainConfig).items():
            convert_as(getattr(self, name), kind, f"training setting {name}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                self._refuse(name, f"use one of {', '.join(choices)}")
        for name, limits in _BOUNDS.items():
            limits.check(f"training setting {name}", getattr(self, name))
        for name in _BELOW_ONE:
            if getattr(self, name) == 1:
                self._refuse(name, "must be below 1")
        check_device(self.device)

    def _refuse(self, name: str, why: str) -> None:
        raise InputError(f"training setting {name} = {getattr(self, name)!r}: {why}")

    def to_dict(self) -> dict[str, Any]:
        """All fields as JSON."""
        return dataclasses.asdict(self)

    def identity(self) -> dict[str, Any]:
        """The fields that decide what is computed; two runs with equal ones are one run."""
        return {k: v for k, v in self.to_dict().items() if k not in _NOT_IDENTITY}


@dataclass(frozen=True)
class TrainResult:
    """How a run ended.

    Attributes:
        out: folder of the run.
        best, last: the checkpoints.
        steps: steps done in all.
        skipped: how many of them were left out, since their loss or gradients were not finite.
        stopped_by: "steps", "time" or "patience".
        best_step: step of `best`.
        valid_nll: what it costs on the validation clips in nats per code; None without a
            likelihood.
        valid_loss: mean of its own loss there; None where there is a likelihood.
        valid_nll_per_codebook, unigram_nll_per_codebook, bigram_nll_per_codebook: [K] nats; the
            latter two are what the codes cost without looking at the grid.
        minutes: wall-clock time of this call.
        steps_per_sec: steps a second of this call, measurements apart.
    """

    out: Path
    best: Path
    last: Path
    steps: int
    skipped: int
    stopped_by: str
    best_step: int
    valid_nll: float | None
    valid_loss: float | None
    valid_nll_per_codebook: list[float]
    unigram_nll_per_codebook: list[float]
    bigram_nll_per_codebook: list[float]
    minutes: float
    steps_per_sec: float


def make_config(
    file: str | Path | None = None, *, settings: Mapping[str, Any] | None = None, **options: Any
) -> TrainConfig:
    """Puts a configuration together: preset, then file, then options that are not None.

    A preset is looked up in the model; where none is named it is `small`, or else the model's
    first. With `start_from`, and neither a model nor a preset named, model, arguments and
    featurizer are those of that checkpoint. `model_args` and `featurizer_args` are merged key by
    key.

    Args:
        file: TOML with the fields of `TrainConfig`, or a recipe, whose `[train]` table is taken.
        settings: further fields, as `read_settings` gives them.
        options: fields of `TrainConfig`.

    Raises:
        InputError: an unknown preset or field, or a value of the wrong type; names it.
        PluginError: no such model.
    """
    from_file = {} if file is None else read_toml_as(file, dict[str, Any])
    if "train" in from_file:
        from_file = convert_as(from_file["train"], dict[str, Any], f"{file}: train")
    given = {name: value for name, value in options.items() if value is not None}
    given = merged(given, settings or {})
    values: dict[str, Any] = {}
    for layer in (_beneath({**from_file, **given}), from_file, given):
        values = merged(values, layer)
    known = {f.name for f in dataclasses.fields(TrainConfig)}
    for name in values:
        if name not in known:
            where = f"{file}: " if name in from_file else ""
            raise InputError(f"{where}unknown training setting {name!r}{nearest(name, known)}")
    for name in ("cache", "out"):
        if name not in values:
            raise InputError(f"training needs `{name}`: give it, or set it in the file")
    return TrainConfig(**values)


def _beneath(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a preset, or a checkpoint to start from, sets."""
    if said.get("start_from") and not {"model", "preset"} & set(said):
        from midigroove_core.checkpoint import read_metadata

        found = read_metadata(said["start_from"])
        return {
            "preset": "",
            "model": found.model.id,
            "model_args": found.model.args,
            "featurizer": found.featurizer.id,
            "featurizer_args": found.featurizer.config,
            "sampling": found.model.sampling,
        }
    from midigroove_core.registry import Registry

    for key in ("model", "preset"):
        convert_as(said.get(key, ""), str, f"training setting {key}")
    id = said.get("model", "parallel")
    presets = Registry().load("model", id).presets()
    name = said.get("preset")
    if name is None:
        name = "small" if "small" in presets else next(iter(presets), "")
    if name and name not in presets:
        there = f"use one of {', '.join(presets)}" if presets else "it has none"
        raise InputError(f"model {id}: no preset {name!r}{nearest(name, presets)}; {there}")
    return {**PRESETS.get(name, {}), "preset": name, "model_args": presets.get(name, {})}


def read_settings(settings: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts as nested tables; a name may have dots, a value is TOML or plain text.

    Raises:
        InputError: not of that form.
    """
    tables: dict[str, Any] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        parts = name.split(".")
        if not equals or not all(parts) or len(parts) > _DEEPEST:
            raise InputError(f"setting {text[:60]!r} is not of the form NAME=VALUE")
        found = _read_value(value, f"setting {name}")
        for part in reversed(parts):
            found = {part: found}
        tables = merged(tables, found)
    return tables


def _read_value(text: str, where: str) -> Any:
    """A TOML value; anything that is none, such as a name without quotes, is text."""
    try:
        table = decode_toml_as(f"value = {text}", dict[str, Any], where)
    except InputError as error:
        if isinstance(error.__cause__, tomllib.TOMLDecodeError):
            return text
        raise
    return table["value"] if len(table) == 1 else text


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two nested tables as one; where both have a value, the one from `above`."""
    result = dict(below)
    for name, value in above.items():
        both = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = merged(result[name], value) if both else value
    return result


def to_toml(config: TrainConfig) -> str:
    """A configuration as TOML; `make_config` of it is equal."""
    values = config.to_dict()
    tables = {name: value for name, value in values.items() if isinstance(value, dict)}
    # JSON writes strings, numbers, booleans and flat lists as TOML does.
    lines = [f"{k} = {dump_json(v, indent=None)}" for k, v in values.items() if k not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {_inline(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def check_same_run(path: Path, stored: TrainConfig, config: TrainConfig) -> str:
    """Compares the settings of a folder's run with those asked for; limits may have been raised.

    Returns:
        Which limits are raised, in words; "" where all is as it was.

    Raises:
        MismatchError: another setting, or a lowered limit; names the field and both values.
    """
    before, now = stored.identity(), config.identity()
    raised = []
    for name in now:
        if before[name] == now[name]:
            continue
        limit = name in _LIMITS
        if limit and _reach(now[name]) > _reach(before[name]):
            raised.append(f"{name} raised from {before[name]} to {now[name] or 'no limit'}")
            continue
        only = "it may only be raised; " if limit else ""
        raise MismatchError(
            f"{path}: its run has {name} = {before[name]!r}, now it is {now[name]!r}; {only}"
            f"choose another `out`, or start anew with `overwrite`"
        )
    return ", ".join(raised)


def _reach(limit: float) -> float:
    return limit or math.inf  # 0 is no limit


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f'"{key}" = {_inline(item)}' for key, item in value.items())
        return "{" + inner + "}"
    return dump_json(value, indent=None)
