"""A recording of drums, and what is played in it: found in its MIDI, or heard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
import soxr
from numpy.typing import NDArray

from midigroove_core.audio import SILENCE, load_mono
from midigroove_core.errors import InputError
from midigroove_core.kits.cut import power
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import SAMPLE_RATE
from midigroove_core.metrics.drum_fitting import TooFewHits, fit_templates
from midigroove_core.metrics.drums import (
    HEARD_DRUMS,
    DrumTemplates,
    build_templates,
    transcribe_hits,
)
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.placement import place
from midigroove_core.performance import DrumPerformance
from midigroove_core.readers import load_performance

LONGEST_SEC = 120.0
"""Of longer recordings so much is used, from the start."""

SHORTEST_SEC = 1.0
BELONGS = 0.6
"""Least F1 at 20 ms between a recording and its MIDI. Recordings of the shipped kits score .78 to
.99 with their own MIDI and at most .40 with another's (24 of each)."""

FEWEST_HITS = 4
_STRUCK_DB = 12.0
_STRUCK_SHARE = 0.15
"""Least share of onsets that are struck: drum loops have .17 and more of theirs, hiss and pulsing
basses up to .07 (44 samples of Sonic Pi)."""

_STRUCK_BANDS_HZ = ((30, 200), (200, 2000), (2000, 16_000))
_VOICED = 0.4
_FAINT = 1e-10
_VELOCITY, _LOUDEST = 80, 115
_TEMPLATE_SEC = 0.5
_VOICES = {
    "kick": "kick", "snare": "snare", "tom_mid": "tom", "hat_closed": "hat", "crash_1": "crash",
    "ride": "ride",
}  # fmt: skip
_SURER = {"crash": 0.65, "ride": 0.55}
"""Thresholds above those of the metric: a cymbal that is imagined spoils a kit more than one that
is missed (on kits held out, mel L1 6.18 dB instead of 6.46)."""

_OFTEN = ("kick", "snare", "hat")
"""Drums whose own sound is learned from a first hearing, for a second; of the others too many hits
are mistakes."""

_PITCHES = {"kick": 36, "snare": 38, "tom": 45, "hat": 42, "crash": 49, "ride": 51}


@dataclass(frozen=True, eq=False)
class Recording:
    """A recording of drums, with what is played in it.

    Attributes:
        audio: [S] float32 mono at `oneshots.SAMPLE_RATE`, at most `LONGEST_SEC` of it.
        performance: its hits, in seconds of the recording.
        offset_sec: where in its MIDI the recording begins; 0 when it was transcribed.
        transcribed: whether the hits were heard, for want of a MIDI file.
        doubts: lines for the user: channels that cancel, or what may be no drums.
    """

    audio: NDArray[np.float32]
    performance: DrumPerformance
    offset_sec: float
    transcribed: bool
    doubts: tuple[str, ...] = ()

    @property
    def how(self) -> str:
        """For the user: where the hits are from."""
        if self.transcribed:
            return "heard, without MIDI"
        return f"at {self.offset_sec:.3f} s of its MIDI"


def listen(recording: str | Path, midi: str | Path | None = None) -> Recording:
    """Reads a recording of drums, and finds what is played in it.

    Args:
        recording: audio file of drums alone, at least a second of it; 20 s or more are better.
        midi: what is played in it, or a longer performance of which the recording is a part: where
            it begins is found. None hears kick, snare, tom, hat, crash and ride, with the one-shots
            of the shipped kits as a guide, so articulations are lost and mistakes made.

    Raises:
        InputError: too short, silent, not drums, or another performance's MIDI; says which.
    """
    path = Path(recording)
    doubts: list[str] = []
    audio = load_mono(path, SAMPLE_RATE, notes=doubts)[: round(LONGEST_SEC * SAMPLE_RATE)]
    length_sec = len(audio) / SAMPLE_RATE
    if length_sec < SHORTEST_SEC:
        raise InputError(
            f"{path}: {length_sec:.2f} s are too short to hear a kit in; give 20 s or more"
        )
    if not np.isfinite(audio).all():
        raise InputError(f"{path}: has samples that are no numbers; write it anew")
    if float(np.abs(audio).max()) < SILENCE:
        raise InputError(f"{path}: is silent; give a recording of drums")
    if midi is not None:
        performance, offset_sec = _placed(path, audio, Path(midi))
        return Recording(audio, performance, offset_sec, False, tuple(doubts))
    performance = hear(path, audio)
    if voiced_share(audio) > _VOICED:
        doubts.append(
            f"{path}: much of it is pitched like a voice; is it a recording of drums alone?"
        )
    return Recording(audio, performance, 0.0, True, tuple(doubts))


def _placed(path: Path, audio: NDArray[np.float32], midi: Path) -> tuple[DrumPerformance, float]:
    """The performance with times from the start of the recording, and where that lies in it."""
    whole = load_performance(midi)
    if whole.num_hits == 0:
        raise InputError(f"{midi}: there is no hit in it")
    found = place(whole.onset_sec, whole.velocity, audio, SAMPLE_RATE)
    if found.match < BELONGS:
        raise InputError(
            f"{path}: what is heard does not fit {midi} anywhere (F1 {found.match:.2f} at its best "
            f"place, {BELONGS} or more is needed); give the MIDI that it was played from, or none"
        )
    onset_sec = whole.onset_sec - found.offset_sec
    keep = (onset_sec >= 0) & (onset_sec < len(audio) / SAMPLE_RATE)
    return (
        DrumPerformance(
            onset_sec=onset_sec[keep],
            duration_sec=whole.duration_sec[keep],
            pitch=whole.pitch[keep],
            velocity=whole.velocity[keep],
            end_sec=len(audio) / SAMPLE_RATE,
        ),
        found.offset_sec,
    )


def hear(path: Path, audio: NDArray[np.float32]) -> DrumPerformance:
    """Hits heard with the shipped kits' one-shots, and once more with what they are like here.

    Kick, snare and hat of the first hearing are fitted to the recording, which tells a cymbal that
    is none, and a kick that sounds otherwise. Velocities are strengths within each drum.

    Args:
        path: for messages.
        audio: [S] at `oneshots.SAMPLE_RATE`.

    Raises:
        InputError: no drums are heard.
    """
    features = AudioFeatures.from_audio(audio, SAMPLE_RATE)
    struck = _rises_db(audio, features.onsets_sec)
    count = int(np.sum(struck > _STRUCK_DB))
    if count < max(FEWEST_HITS, _STRUCK_SHARE * len(struck)):
        raise InputError(
            f"{path}: no drums are heard in it ({count} of {len(struck)} onsets are struck); give "
            "a recording of drums alone, or its MIDI too"
        )
    templates = _templates()
    found = transcribe_hits(features, templates, _SURER)
    try:
        played = {name: (found[name][0], _velocities(found[name][1])) for name in _OFTEN}
        own = fit_templates([(audio, played)], SAMPLE_RATE)
        found = transcribe_hits(features, templates.joined(own), _SURER)
    except TooFewHits:
        pass  # the shipped kits are all there is to go by
    onsets, pitches, velocities = [], [], []
    for name, (times, strengths) in found.items():
        if len(times):
            onsets.append(times)
            pitches.append(np.full(len(times), _PITCHES[name]))
            velocities.append(_velocities(strengths))
    if not onsets:
        raise InputError(f"{path}: no drum is recognised in it; give its MIDI too")
    onset_sec = np.concatenate(onsets)
    order = np.argsort(onset_sec, kind="stable")
    return DrumPerformance(
        onset_sec=onset_sec[order],
        duration_sec=np.full(len(order), 0.1),
        pitch=np.concatenate(pitches)[order].astype(np.int64),
        velocity=np.concatenate(velocities)[order],
        end_sec=len(audio) / SAMPLE_RATE,
    )


def _templates() -> DrumTemplates:
    shots: dict[str, list[NDArray[np.float32]]] = {name: [] for name in HEARD_DRUMS}
    for info in list_kits()[:2]:
        kit = load_kit(info.id)
        for articulation, drum in _VOICES.items():
            voice = kit.voice(articulation, -1)
            if voice is not None:
                shot, gain = voice.at(_VELOCITY)
                length = round(_TEMPLATE_SEC * SAMPLE_RATE)
                shots[drum].append(shot[:length] * np.float32(gain))
    return build_templates(shots, SAMPLE_RATE)


def voiced_share(audio: NDArray[np.float32]) -> float:
    """Share of the sounding 50 ms frames that have a pitch between 80 and 400 Hz.

    By the normalised autocorrelation, whose peak must stand above a dip (Boersma, 1993,
    https://www.fon.hum.uva.nl/paul/papers/Proceedings_1993.pdf). Two synthetic voices score .42
    and .79; recordings of drums mostly under .3, but toms, tablas and 808 kicks up to .54, hence a
    warning and no refusal.
    """
    slow = soxr.resample(audio, SAMPLE_RATE, 8000)
    if len(slow) < 400:
        return 0.0
    frames = np.lib.stride_tricks.sliding_window_view(slow, 400)[::80].astype(np.float64)
    energy = np.square(frames).mean(axis=1)
    frames = frames[energy > 1e-3 * energy.max()]
    frames = frames - frames.mean(axis=1, keepdims=True)
    taper = np.fft.irfft(np.abs(np.fft.rfft(np.ones(400), 1024)) ** 2)[:200]
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames, 1024)) ** 2)[:, :200] / taper
    correlation /= np.maximum(correlation[:, :1], 1e-12)
    lags = correlation[:, 20:100]
    dips = np.minimum.accumulate(correlation, axis=1)[
        np.arange(len(lags)), 20 + lags.argmax(axis=1)
    ]
    return float(np.mean((lags.max(axis=1) > 0.75) & (dips < 0.2)))


def _velocities(strengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """MIDI velocities of a drum's hits: amplitude goes with velocity squared, as in the sampler."""
    if len(strengths) == 0:
        return np.zeros(0, np.int64)
    loudest = max(float(np.quantile(strengths, 0.95)), _FAINT)
    scaled = _LOUDEST * np.sqrt(strengths / loudest)
    return np.clip(np.rint(scaled), 1, 127).astype(np.int64)


def _rises_db(audio: NDArray[np.float32], onsets_sec: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the 10 ms after each onset stand above the 10 ms before it: [N] dB.

    In the band where it is most: in a dense loop a hat over a ringing kick is loud nowhere else.
    """
    step = SAMPLE_RATE // 100
    rises = np.full(len(onsets_sec), -np.inf)
    for edges_hz in _STRUCK_BANDS_HZ:
        passing = scipy.signal.butter(2, edges_hz, "bandpass", fs=SAMPLE_RATE, output="sos")
        band = scipy.signal.sosfilt(passing, audio)
        for n, sec in enumerate(onsets_sec):
            at = round(sec * SAMPLE_RATE)
            after, before = power(band[at : at + step]), power(band[max(0, at - step) : at])
            rise = 10 * np.log10((after + _FAINT) / (before + _FAINT))
            rises[n] = max(rises[n], rise)
    return rises
