"""What `data verify` looks for in one take's files."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core import bounds
from midigroove_core.audio import (
    SILENCE,
    AudioInfo,
    ChannelPowers,
    audio_info,
    load_audio,
    read_blocks,
    save_blocks,
)
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.metrics.alignment import Alignment, align
from midigroove_core.midi import DrumPerformance, load_midi
from midigroove_core.takes import Dataset, Take
from midigroove_core.takes.reading import LOUDEST
from midigroove_core.takes.sound import audio_files, load_take

SHORTEST_SEC = 0.25
LENGTH_TOLERANCE_SEC = 0.1
"""How far the audio's length may be from the one that the dataset states."""
CLIPPED_RUN = 4
"""So many samples in a row at full scale are clipping; a lone one is a peak."""


@dataclass(frozen=True)
class Limits:
    """From where on an alignment is a finding.

    Attributes:
        offset_ms, residual_ms, drift_ms: largest that pass.
        match: least F1 that passes; below it the audio is of another performance.
    """

    offset_ms: float = 10.0
    residual_ms: float = 20.0
    drift_ms: float = 10.0
    match: float = 0.5

    def __post_init__(self) -> None:
        for name in ("offset_ms", "residual_ms", "drift_ms"):
            bounds.MILLISECONDS.check(name, getattr(self, name))
        bounds.SHARE.check("match", self.match)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a take.

    Attributes:
        kind: what it is, an id such as "silent".
        take: key of the take, or of the file or performance it is about.
        detail: the figures, for people.
    """

    kind: str
    take: str
    detail: str


@dataclass
class TakeReport:
    """What was found in one take."""

    key: str
    findings: list[Finding] = field(default_factory=list)
    alignment: Alignment | None = None
    audio_sec: float = 0.0

    def add(self, kind: str, detail: str) -> None:
        """Notes a finding."""
        self.findings.append(Finding(kind, self.key, detail))


Task = tuple[Path, list[Take], Limits | None]
"""Root, takes with one MIDI file, limits of the alignment (None: do not listen)."""


def check_takes(task: Task) -> list[TakeReport]:
    """Checks takes that share a MIDI file, which is read once."""
    root, takes, limits = task
    midi = root / takes[0].midi_path
    performance, problem = None, ("missing_midi", f"no file {takes[0].midi_path}")
    if midi.is_file():
        try:
            performance = load_midi(midi)
        except InputError as error:
            problem = ("unreadable_midi", str(error))
    reports = []
    for take in takes:
        report = TakeReport(take.key)
        if performance is None:
            report.add(*problem)
        else:
            _check_performance(report, performance)
        _check_files(report, Dataset("", root, [take]), take, performance, limits)
        reports.append(report)
    return reports


def _check_performance(report: TakeReport, performance: DrumPerformance) -> None:
    if performance.num_hits == 0:
        report.add("no_hits", "the MIDI file has no hit")
    known = load_drum_map().pitches
    unknown = Counter(pitch for pitch in performance.pitch.tolist() if pitch not in known)
    if unknown:
        listed = ", ".join(f"{pitch} ({count} hits)" for pitch, count in sorted(unknown.items()))
        report.add("unknown_pitch", f"no drum of a Roland module: pitch {listed}")


def _check_files(
    report: TakeReport,
    dataset: Dataset,
    take: Take,
    performance: DrumPerformance | None,
    limits: Limits | None,
) -> None:
    """Checks a take's audio; the sum of its stems as one file, where there is no other."""
    files = audio_files(dataset, take)
    missing = [path.relative_to(dataset.root).as_posix() for path in files if not path.is_file()]
    if missing:
        report.add("missing_audio", f"no file {missing[0]}")
    elif len(files) == 1:
        _check_audio(report, files[0], take, performance, limits)
    else:
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "sum.wav"
            try:
                info = audio_info(files[0])
                audio = load_take(dataset, take, info.sample_rate, info.channels)
            except InputError as error:
                report.add("unreadable_audio", str(error))
                return
            save_blocks(
                whole, [audio], info.sample_rate, channels=info.channels,
                num_samples=audio.shape[1], bit_depth="float",
            )  # fmt: skip
            _check_audio(report, whole, take, performance, limits)


def _check_audio(
    report: TakeReport,
    path: Path,
    take: Take,
    performance: DrumPerformance | None,
    limits: Limits | None,
) -> None:
    try:
        info = audio_info(path)
        levels = _Levels()
        mono = np.concatenate(list(levels.watch(path)))
    except InputError as error:
        empty = path.stat().st_size == 0 or "no samples" in str(error)
        report.add("empty_audio" if empty else "unreadable_audio", str(error))
        return
    report.audio_sec = info.duration_sec
    _check_length(report, info, take, performance)
    if levels.not_finite:
        report.add("non_finite", f"{levels.not_finite:,} samples are NaN or infinite")
    elif levels.peak < SILENCE:
        report.add("silent", f"peak {levels.peak:.2g} of full scale")
    else:
        if levels.peak > LOUDEST:
            report.add(
                "wrong_scale",
                f"peak {levels.peak:,.0f} times full scale: integer units in a float file?",
            )
        elif levels.clipped_runs:
            report.add(
                "clipped",
                f"{levels.clipped_runs} runs of {CLIPPED_RUN} or more samples at full scale",
            )
        if levels.powers.cancel:
            report.add("channels_cancel", levels.powers.what)
            mono = load_audio(path)[0][levels.powers.loudest]
        if limits is not None and performance is not None:
            report.alignment = align(performance.onset_sec, mono, info.sample_rate)
            _check_alignment(report, limits)


def _check_length(
    report: TakeReport, info: AudioInfo, take: Take, performance: DrumPerformance | None
) -> None:
    length = info.duration_sec
    last_hit = float(performance.onset_sec[-1]) if performance and performance.num_hits else 0.0
    if length < SHORTEST_SEC or length < last_hit:
        report.add("too_short", f"{length:.3f} s of audio, last hit at {last_hit:.3f} s")
    if take.duration_sec and abs(length - take.duration_sec) > LENGTH_TOLERANCE_SEC:
        report.add(
            "length_mismatch", f"{length:.3f} s of audio, the csv says {take.duration_sec:.3f} s"
        )


def _check_alignment(report: TakeReport, limits: Limits) -> None:
    found = report.alignment
    if found is None:
        return
    if found.match < limits.match:
        report.add(
            "wrong_midi",
            f"onsets heard and played match with F1 {found.match:.2f} at best "
            f"(offset {found.offset_ms:.0f} ms): audio of another performance?",
        )
    elif (
        abs(found.offset_ms) > limits.offset_ms
        or found.residual_ms > limits.residual_ms
        or abs(found.drift_ms) > limits.drift_ms
    ):
        report.add(
            "misaligned",
            f"offset {found.offset_ms:+.1f} ms, residual {found.residual_ms:.1f} ms, "
            f"drift {found.drift_ms:+.1f} ms over {found.num_onsets} onsets",
        )


class _Levels:
    """Peak, clipping and bad samples over the blocks of a file."""

    def __init__(self) -> None:
        self.peak = 0.0
        self.not_finite = 0
        self.clipped_runs = 0
        self.powers = ChannelPowers()

    def watch(self, path: Path) -> Iterator[NDArray[np.float32]]:
        """Yields the file's mono blocks and looks at every channel on the way."""
        for block in read_blocks(path):
            finite = np.isfinite(block)
            self.not_finite += int(block.size - np.count_nonzero(finite))
            self.peak = max(self.peak, float(np.abs(block[finite]).max(initial=0.0)))
            self.clipped_runs += sum(_runs(np.abs(row) >= 32767 / 32768) for row in block)
            yield self.powers.watch(block).mean(axis=0, dtype=np.float32)


def _runs(full: NDArray[np.bool_]) -> int:
    """How many runs of at least CLIPPED_RUN true values."""
    if not full.any():
        return 0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], full.astype(np.int8), [0]])))
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= CLIPPED_RUN))
