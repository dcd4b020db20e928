"""Codecs beside each other, without a model: what the true codes lose when they are decoded.

    evaluate_codecs(["dac", "encodec:bandwidth=6"], "eval/codecs", dataset="data/e-gmd")

Each codec's codes of the judged split are cached once; then it is an evaluation like any other,
with an oracle row per codec, the knee, rates and speeds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from midigroove_core.cache.build import build_cache
from midigroove_core.cache.encoding import CacheSummary
from midigroove_core.coding.open import open_codec
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.config import EvalConfig
from midigroove_core.evaluation.codec_memory import codec_memory_mib
from midigroove_core.evaluation.pipeline import run_evaluation
from midigroove_core.interfaces.codec import Codec
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.scorecard.cost import EncodingCost
from midigroove_core.scorecard.records import number
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.scorecard import Scorecard
from midigroove_core.takes import open_dataset, select

ROWS = (RowKind.ORACLE, RowKind.SILENCE)


@dataclass(frozen=True)
class CodecSpec:
    """A codec with its options.

    Attributes:
        codec: id or family.
        options: texts `NAME=VALUE`, see `open_codec`.
    """

    codec: str
    options: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> CodecSpec:
        """Reads `CODEC[:NAME=VALUE...]`.

        Raises:
            InputError: not of that form.
        """
        codec, *options = text.split(":")
        if not codec or not all(re.fullmatch(r"[a-z_]+=.+", option) for option in options):
            raise InputError(f"codec {text!r}: write CODEC or CODEC:NAME=VALUE")
        return cls(codec, tuple(options))

    @property
    def folder(self) -> str:
        """Name of its cache."""
        return re.sub(r"[^A-Za-z0-9._=-]+", "_", "-".join((self.codec, *self.options)))


def evaluate_codecs(
    codecs: Sequence[str | CodecSpec],
    out: str | Path,
    *,
    dataset: str | Path | None = None,
    split: str = "test",
    max_takes: int | None = None,
    caches: str | Path | None = None,
    memory: bool = True,
    progress: Progress | None = None,
    **options: Any,
) -> Scorecard:
    """Judges codecs without a model, codecs of any rates in one table.

    Args:
        codecs: texts `CODEC[:NAME=VALUE...]`, such as "dac" or "encodec:bandwidth=6".
        out: directory of the evaluation.
        dataset: folder or csv of the recordings; None asks the environment.
        split: which takes.
        max_takes: at most so many of them, drawn with the seed.
        caches: folder of their codes, kept for the next time; `out`-caches by default.
        memory: start a process for each codec, to see how much it takes.
        progress: told how far it is.
        options: further fields of `EvalConfig`.

    Returns:
        The figures; the rows are called `oracle-CODEC`.

    Raises:
        MidigrooveError: a codec or dataset that is not there, or options that do not fit.
    """
    progress = progress or Silent()
    specs = [CodecSpec.parse(item) if isinstance(item, str) else item for item in codecs]
    if not specs:
        raise InputError("nothing to evaluate: name a `codec`")
    if len(set(specs)) < len(specs):
        raise InputError("a `codec` is named twice")
    out = Path(out)
    folder = Path(caches) if caches is not None else out.with_name(f"{out.name}-caches")
    paths = {spec: folder / spec.folder for spec in specs}
    place = Path(dataset) if dataset is not None else None
    config = EvalConfig(
        (), out, dataset=place, split=split, caches=tuple(paths.values()),
        **{"rows": ROWS, "long_items": 0, **options},
    )  # fmt: skip
    registry = Registry()
    opened = {spec: _open(spec, config, registry) for spec in specs}
    judged = select(
        open_dataset(place), splits=[split], max_takes=max_takes or None, seed=config.seed
    )
    encoding = []
    for spec, codec in opened.items():
        progress.message(f"{spec.folder}: codes of {len(judged.takes)} takes in {paths[spec]}")
        built = build_cache(
            judged, codec, paths[spec], device=config.device, progress=progress, registry=registry
        )
        cost = _cost(spec, codec, built)
        encoding.append(_with_memory(cost, spec, config) if memory else cost)
    return run_evaluation(config, progress, encoding=encoding)


def _open(spec: CodecSpec, config: EvalConfig, registry: Registry) -> Codec:
    path = _path(registry.entry("codec", spec.codec).id, config)
    return open_codec(spec.codec, options=spec.options, path=path, registry=registry)


def _path(codec_id: str, config: EvalConfig) -> str | None:
    """Where the weights of a codec lie, if it was said."""
    return config.codec_paths.get(codec_id, config.codec_paths.get(""))


def _with_memory(cost: EncodingCost, spec: CodecSpec, config: EvalConfig) -> EncodingCost:
    path = _path(cost.codec, config)
    found = codec_memory_mib(spec.codec, spec.options, path, config.device)
    return replace(cost, memory_mib=found)


def _cost(spec: CodecSpec, codec: Codec, built: CacheSummary) -> EncodingCost:
    """What encoding took in this run; nothing is known of codes that were there."""
    spent, heard = built.encode_sec, built.audio_sec
    if not heard:
        return EncodingCost(spec.folder, codec.codec_id, None, None, None)
    return EncodingCost(
        spec.folder, codec.codec_id, number(spent), number(heard), number(spent / heard)
    )
