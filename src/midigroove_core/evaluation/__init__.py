"""Evaluates systems against the MIDI, the recordings, the codec oracle and silence.

    scorecard = evaluate(["dac:runs/dac/best.safetensors:cache/dac"], out="eval/first")

writes an evaluation directory (docs/evaluation.md). Inside, data flows one way: `rows` play clips,
`scoring` judges what is played, and a frozen `Measured` comes out, which the room `scorecard`
sums up and writes; `output` has the folder around it, and `base` what all of them speak of.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.config import AudioSpec, EvalConfig, SystemSpec
from midigroove_core.interfaces.sampling import gather_sampling

if TYPE_CHECKING:
    from midigroove_core.progress import Progress
    from midigroove_core.scorecard.scorecard import Scorecard

__all__ = ["AudioSpec", "EvalConfig", "SystemSpec", "evaluate", "make_config"]


def evaluate(
    systems: Sequence[str | SystemSpec] | EvalConfig,
    out: str | Path | None = None,
    *,
    progress: Progress | None = None,
    **options: Any,
) -> Scorecard:
    """Runs an evaluation and writes its directory; torch is imported here, not before.

    Args:
        systems: texts `NAME:CHECKPOINT:CACHE[:CODEC]`, or a whole configuration; none where
            folders of `audio`, texts `NAME:FOLDER`, are judged.
        out: the directory; not with a configuration, which names its own.
        progress: told how far it is.
        options: fields of `EvalConfig`, such as `dataset="data/e-gmd"`.

    Returns:
        The figures; `.table()` has a row per system and reference.

    Raises:
        InputError: unknown options; `out` is taken; no clips.
        MidigrooveError: systems, caches and the dataset that do not fit together.
    """
    from midigroove_core.evaluation.pipeline import run_evaluation

    if isinstance(systems, EvalConfig):
        if out is not None or options:
            raise InputError("evaluate: give a configuration or options, not both")
        return run_evaluation(systems, progress)
    if isinstance(systems, str):
        raise InputError(f"evaluate: systems is a list; write [{systems!r}]")
    if out is None:
        raise InputError("evaluate: out is missing: the directory to write")
    specs = [SystemSpec.parse(item) if isinstance(item, str) else item for item in systems]
    return run_evaluation(make_config(specs, out, options), progress)


def make_config(
    systems: Sequence[SystemSpec], out: str | Path, options: dict[str, Any]
) -> EvalConfig:
    """A configuration from options by name; paths may be texts, lists stand for tuples, and
    `temperature`, `top_k` and `top_p` may be said without `sampling`.

    Raises:
        InputError: no such option; names it.
    """
    known = set(EvalConfig.__dataclass_fields__) - {"systems", "out"}
    chosen = gather_sampling(options)
    for name in chosen:
        if name not in known:
            raise InputError(f"no such option {name!r} of an evaluation")
    for name in ("dataset", "pred_dir"):
        if chosen.get(name) is not None:
            chosen[name] = Path(chosen[name])
    chosen["audio"] = tuple(
        AudioSpec.parse(item) if isinstance(item, str) else item for item in chosen.get("audio", ())
    )
    chosen["caches"] = tuple(Path(path) for path in chosen.get("caches", ()))
    for name in ("rows", "metrics"):
        if name in chosen:
            chosen[name] = tuple(chosen[name])
    return EvalConfig(tuple(systems), Path(out), **chosen)
