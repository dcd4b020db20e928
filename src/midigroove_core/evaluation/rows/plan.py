"""Everything that plays in an evaluation: opened before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from midigroove_core.cache.baselines import fit_codes
from midigroove_core.evaluation.base.clipset import EvalClip, eval_clips
from midigroove_core.evaluation.base.config import LEAST_RATE, EvalConfig
from midigroove_core.evaluation.base.rows import RowKind
from midigroove_core.evaluation.base.scores import Journal
from midigroove_core.evaluation.base.selection import spread
from midigroove_core.evaluation.rows.code_rows import make_code_rows
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.evaluation.rows.decoding import Decoder
from midigroove_core.evaluation.rows.knee import KneeSource
from midigroove_core.evaluation.rows.played_audio import (
    RecordingSource,
    SamplerSource,
    SilenceSource,
)
from midigroove_core.evaluation.rows.played_codes import ReferenceCodesSource, SystemSource
from midigroove_core.evaluation.rows.recordings import Recordings
from midigroove_core.evaluation.rows.references import References
from midigroove_core.evaluation.rows.source import ClipBatch, RowSource
from midigroove_core.evaluation.rows.systems import System, batch_size, load_systems
from midigroove_core.metrics.codes import CodeModel
from midigroove_core.registry import Registry


@dataclass(frozen=True)
class Plan:
    """What plays.

    Attributes:
        clips: what is judged.
        systems: under test.
        models: unigram and bigram of each system's training codes; None without training takes.
        sources: every row.
        references: None when only codes are scored.
        knees: one per codec.
        journal: what is left out, and the time.
        batch_size: clips that are played together.
    """

    clips: tuple[EvalClip, ...]
    systems: tuple[System, ...]
    models: dict[str, CodeModel | None]
    sources: tuple[RowSource, ...]
    references: References | None
    knees: tuple[KneeSource, ...]
    journal: Journal
    batch_size: int

    def batches(self) -> Iterator[ClipBatch]:
        """The clips with their references, batch by batch."""
        for number, start in enumerate(range(0, len(self.clips), self.batch_size)):
            clips = self.clips[start : start + self.batch_size]
            references = {} if self.references is None else self.references.clips(clips)
            yield ClipBatch(number, clips, references)


def open_plan(config: EvalConfig, registry: Registry, message: Callable[[str], None]) -> Plan:
    """Opens systems, caches, codecs and recordings, and draws the clips.

    Raises:
        MidigrooveError: something that does not fit together, or no clips.
    """
    systems, groups = load_systems(config, registry)
    clips = eval_clips(
        [system.group.cache for system in systems],
        config.split,
        beats=config.beats,
        intersection=config.intersection,
        max_items=config.max_items,
        seed=config.seed,
    )
    message(
        f"{len(clips)} clips of {len({clip.entry.key for clip in clips})} takes, "
        f"{len({clip.entry.performance_key for clip in clips})} performances, "
        f"split {config.split}"
    )
    journal = Journal()
    references = _references(config, groups, journal, message) if config.audio_metrics else None
    longest_sec = max(clip.duration_sec for clip in clips)
    models = {group.oracle: _code_model(group) for group in groups}
    knees: list[KneeSource] = []
    if references is not None:
        chosen = frozenset(spread(len(clips), config.knee_items))
        knees = [KneeSource(group, chosen, references.sample_rate) for group in groups]
    return Plan(
        clips=tuple(clips),
        systems=tuple(systems),
        models={system.name: models[system.group.oracle] for system in systems},
        sources=tuple(_sources(config, systems, groups, models, references, journal, longest_sec)),
        references=references,
        knees=tuple(knees),
        journal=journal,
        batch_size=batch_size(systems, longest_sec),
    )


def _code_model(group: CodecGroup) -> CodeModel | None:
    """Unigram and bigram of the training codes; None for a cache without training takes."""
    train = group.cache.split("train")
    return fit_codes(group.cache, train) if train else None


def _references(
    config: EvalConfig,
    groups: Sequence[CodecGroup],
    journal: Journal,
    message: Callable[[str], None],
) -> References:
    rates = [group.cache.clock.sample_rate for group in groups]
    rate = config.sample_rate or max(LEAST_RATE, *rates)
    recordings = None
    if config.reference == "recording":
        recordings = Recordings(config.dataset, rate)
    else:
        message(f"the reference is the codec oracle of {groups[0].cache.path}, not recordings")
    return References(recordings, groups[0], rate, journal)


def _sources(
    config: EvalConfig,
    systems: Sequence[System],
    groups: Sequence[CodecGroup],
    models: dict[str, CodeModel | None],
    references: References | None,
    journal: Journal,
    longest_sec: float,
) -> Iterator[RowSource]:
    decoder = None if references is None else Decoder(references.sample_rate, journal)
    for group in groups:
        codes = make_code_rows(
            group.cache, config.rows, models[group.oracle], beats=config.beats,
            longest_sec=longest_sec, seed=config.seed,
        )  # fmt: skip
        for row in codes:
            yield ReferenceCodesSource(group, row, decoder, journal)
    for system in systems:
        yield SystemSource(system, decoder, journal)
    if references is None:
        return
    oracle = groups[0].oracle
    if references.recordings is not None:
        yield RecordingSource(oracle)
    if RowKind.SILENCE in config.rows:
        yield SilenceSource(oracle)
    if RowKind.SAMPLER in config.rows:
        yield SamplerSource(oracle, references.sample_rate, journal)
