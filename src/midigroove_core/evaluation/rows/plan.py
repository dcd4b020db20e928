"""Everything that plays in an evaluation: opened before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from midigroove_core.cache.baselines import fit_codes
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip, eval_clips
from midigroove_core.evaluation.base.config import LEAST_RATE, EvalConfig
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.base.selection import spread
from midigroove_core.evaluation.base.takes import (
    CacheTakes,
    JudgedTake,
    TakeSource,
    judged_takes,
)
from midigroove_core.evaluation.rows.audio_folder import AudioFolder, AudioFolderSource
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
from midigroove_core.scorecard.records import CacheFacts, CodecLine, FolderFacts
from midigroove_core.scorecard.rows import RowKind

_RATE = 44100
"""Of the audio that is scored where no codec says another."""


@dataclass(frozen=True)
class Plan:
    """What plays.

    Attributes:
        source: of the takes.
        takes: of the judged split.
        clips: what is judged.
        systems: under test.
        folders: audio from elsewhere under test.
        caches: codecs that are judged without a model.
        models: unigram and bigram of each system's training codes; None without training takes.
        sources: every row.
        references: None when only codes are scored.
        knees: one per codec.
        codecs: what they are.
        journal: what is left out, and the time.
        batch_size: clips that are played together.
    """

    source: TakeSource
    takes: tuple[JudgedTake, ...]
    clips: tuple[EvalClip, ...]
    systems: tuple[System, ...]
    folders: tuple[FolderFacts, ...]
    caches: tuple[CacheFacts, ...]
    models: dict[str, CodeModel | None]
    sources: tuple[RowSource, ...]
    references: References | None
    knees: tuple[KneeSource, ...]
    codecs: tuple[CodecLine, ...]
    journal: Journal
    batch_size: int

    def batches(self, rank: int = 0, world: int = 1) -> Iterator[ClipBatch]:
        """The clips with their references, batch by batch: of these every `world`-th from `rank`
        on."""
        starts = range(0, len(self.clips), self.batch_size)
        for number in range(rank, len(starts), world):
            clips = self.clips[starts[number] : starts[number] + self.batch_size]
            if self.references is None:
                yield ClipBatch(number, clips)
            else:
                yield self.references.batch(number, clips)


def open_plan(config: EvalConfig, registry: Registry, message: Callable[[str], None]) -> Plan:
    """Opens systems, caches, codecs, folders and recordings, and draws the clips.

    Raises:
        MidigrooveError: something that does not fit together, or no clips.
    """
    journal = Journal()
    systems, groups = load_systems(config, registry)
    references = _references(config, groups, journal, message) if config.audio_metrics else None
    source = _takes(groups, references)
    folders = [AudioFolder(spec, source.split(config.split)) for spec in config.audio]
    takes = judged_takes(source, config.split, _among(config, groups, folders))
    clips = eval_clips(
        source, takes, cutting=config.cutting, max_items=config.max_items, seed=config.seed,
        journal=journal,
    )  # fmt: skip
    message(
        f"{len(clips)} clips of {len({clip.take.key for clip in clips})} takes, "
        f"{len({clip.take.performance_key for clip in clips})} performances, "
        f"split {config.split}"
    )
    longest_sec = max(clip.duration_sec for clip in clips)
    models = {group.oracle: _code_model(group) for group in groups}
    knees: list[KneeSource] = []
    if references is not None:
        chosen = frozenset(spread(len(clips), config.knee_items))
        knees = [KneeSource(group, chosen, references.sample_rate) for group in groups]
    of_systems = {system.group.oracle for system in systems}
    rows = _Rows(config, systems, groups, folders, models, references, journal, clips, longest_sec)
    return Plan(
        source=source,
        takes=tuple(takes),
        clips=tuple(clips),
        systems=tuple(systems),
        folders=tuple(folder.facts for folder in folders),
        caches=tuple(g.cache_facts for g in groups if g.oracle not in of_systems),
        models={system.name: models[system.group.oracle] for system in systems},
        sources=tuple(rows.open()),
        references=references,
        knees=tuple(knees),
        codecs=tuple(group.line for group in groups),
        journal=journal,
        batch_size=batch_size(systems, longest_sec),
    )


def _takes(groups: Sequence[CodecGroup], references: References | None) -> TakeSource:
    """The first system's cache, or where there is no cache, the dataset."""
    if groups:
        return CacheTakes(groups[0].cache)
    assert references is not None and references.recordings is not None
    return references.recordings.takes


def _among(
    config: EvalConfig, groups: Sequence[CodecGroup], folders: Sequence[AudioFolder]
) -> list[frozenset[str]]:
    """With `intersection`, the takes that each of what is judged has."""
    if not config.intersection:
        return []
    caches = [frozenset(entry.key for entry in group.cache.entries) for group in groups]
    return [*caches, *(frozenset(folder.files) for folder in folders)]


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
    rates = [group.cache.clock.sample_rate for group in groups] or [_RATE]
    rate = config.sample_rate or max(LEAST_RATE, *rates)
    recordings = None
    if config.reference == "recording":
        recordings = Recordings(config.dataset, rate, _channels(groups), config.dataset_options)
    elif groups:
        message(f"the reference is the codec oracle of {groups[0].cache.path}, not recordings")
    else:
        raise InputError("`reference` is oracle, but nothing that is judged has a codec")
    return References(recordings, groups[0] if groups else None, rate, journal)


def _channels(groups: Sequence[CodecGroup]) -> int:
    """What recordings and folders are read with: the most channels that a codec has."""
    return max((group.codec.channels for group in groups if group.codec is not None), default=1)


@dataclass(frozen=True)
class _Rows:
    """Opens the source of every row."""

    config: EvalConfig
    systems: Sequence[System]
    groups: Sequence[CodecGroup]
    folders: Sequence[AudioFolder]
    models: dict[str, CodeModel | None]
    references: References | None
    journal: Journal
    clips: Sequence[EvalClip]
    longest_sec: float

    def open(self) -> Iterator[RowSource]:
        """Rows of each codec, systems, folders, then what needs no codec."""
        references, journal = self.references, self.journal
        decoder = None if references is None else Decoder(references.sample_rate, journal)
        for group in self.groups:
            codes = make_code_rows(
                group.cache, self.config.rows, self.models[group.oracle],
                cutting=self.config.cutting, longest_sec=self.longest_sec, seed=self.config.seed,
            )  # fmt: skip
            for row in codes:
                yield ReferenceCodesSource(group, row, decoder, journal)
        for system in self.systems:
            yield SystemSource(system, decoder, journal, self.config.seeds)
        if references is not None:
            yield from self._heard(references)

    def _heard(self, references: References) -> Iterator[RowSource]:
        oracle = self.groups[0].oracle if self.groups else None
        rate, channels = references.sample_rate, _channels(self.groups)
        for folder in self.folders:
            yield AudioFolderSource(folder, rate, channels, oracle, self.journal)
        if references.recordings is not None:
            yield RecordingSource(oracle)
        if RowKind.SILENCE in self.config.rows:
            yield SilenceSource(oracle)
        if RowKind.SAMPLER in self.config.rows:
            yield SamplerSource(oracle, references, self.clips, self.journal)
