"""What changes how a one-shot, or a take, sounds: pitch, decay, equaliser, drive, noise, room.

Numpy, scipy and soxr alone, so that it works wherever the sampler does, and without torch, whose
import takes longer than a take to play (torchaudio has the same tools; its filters are a thousand
times slower without its compiled part). Equal input gives equal bytes. Audio is [S] float32 at
`SAMPLE_RATE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from midigroove_core.kits.oneshots import SAMPLE_RATE, Audio

_STEP_SEC = 0.02


@dataclass(frozen=True)
class Band:
    """One band of an equaliser: `kind` is "low_shelf", "bell" or "high_shelf"."""

    kind: str
    hz: float
    db: float


@dataclass(frozen=True)
class Room:
    """A room's response: noise that decays by 60 dB in `rt60_sec`, duller than `bright_hz`.

    Attributes:
        wet_db: energy of what the room adds, against the energy of the one-shot.
        delay_sec: until the first of it is heard.
        seed: of its noise.
    """

    rt60_sec: float
    wet_db: float
    delay_sec: float
    bright_hz: float
    seed: int


def pitched(shot: Audio, semitones: float) -> Audio:
    """Played faster or slower, so that pitch and length change together."""
    if semitones == 0 or len(shot) == 0:
        return shot
    rate = SAMPLE_RATE * 2.0 ** (semitones / 12)
    return np.asarray(soxr.resample(shot, rate, SAMPLE_RATE), dtype=np.float32)


def decayed(shot: Audio, db_per_sec: float) -> Audio:
    """Falling faster (below 0) or slower, by so much."""
    seconds = np.arange(len(shot)) / SAMPLE_RATE
    return (shot * 10.0 ** (db_per_sec * seconds / 20)).astype(np.float32)


def equalised(shot: Audio, bands: tuple[Band, ...]) -> Audio:
    """Through second-order filters, one after the other."""
    if not bands:
        return shot
    sections = np.array([_biquad(band) for band in bands])
    from scipy.signal import sosfilt  # seconds on a cold disk, and kits are listed without it

    return np.asarray(sosfilt(sections, shot), dtype=np.float32)


def driven(shot: Audio, drive_db: float, loudest: float) -> Audio:
    """Saturated by tanh, as if the drum's `loudest` peak were turned up to `drive_db`."""
    if drive_db <= 0 or loudest <= 0:
        return shot
    gain = 10 ** (drive_db / 20) / loudest
    return (np.tanh(shot.astype(np.float64) * gain) / gain).astype(np.float32)


def with_noise(shot: Audio, noise_db: float, seed: int) -> Audio:
    """With bright noise that follows the one-shot's own level, so many dB from it."""
    if not np.isfinite(noise_db) or len(shot) == 0:
        return shot
    step = round(_STEP_SEC * SAMPLE_RATE)
    blocks = np.pad(shot, (0, -len(shot) % step)).reshape(-1, step).astype(np.float64)
    level = np.sqrt(np.square(blocks).mean(axis=1))
    centres = (np.arange(len(level)) + 0.5) * step
    envelope = np.interp(np.arange(len(shot)), centres, level)
    noise = np.diff(np.random.default_rng(seed).standard_normal(len(shot) + 1)) / np.sqrt(2.0)
    return (shot + 10 ** (noise_db / 20) * envelope * noise).astype(np.float32)


def with_hiss(audio: Audio, snr_db: float, bright_hz: float, seed: int) -> Audio:
    """With steady noise, duller than `bright_hz`, so many dB below the mean power of the whole."""
    if not np.isfinite(snr_db) or len(audio) == 0:
        return audio
    noise = _duller(np.random.default_rng(seed).standard_normal(len(audio)), bright_hz)
    power = np.square(audio, dtype=np.float64).mean()
    gain = np.sqrt(power / np.square(noise).mean()) * 10 ** (-snr_db / 20)
    return (audio + gain * noise).astype(np.float32)


def room_response(room: Room) -> Audio:
    """[S]: unit energy, silent for `delay_sec` first."""
    length = round(room.rt60_sec * SAMPLE_RATE)
    seconds = np.arange(length) / SAMPLE_RATE
    noise = np.random.default_rng(room.seed).standard_normal(length)
    noise *= 10.0 ** (-3.0 * seconds / room.rt60_sec)
    tail = _duller(noise, room.bright_hz)
    tail /= np.sqrt(np.square(tail).sum())
    return np.pad(tail, (round(room.delay_sec * SAMPLE_RATE), 0)).astype(np.float32)


def in_room(shot: Audio, response: Audio, wet_db: float) -> Audio:
    """The one-shot and what the room adds, which rings on after it."""
    from scipy.signal import fftconvolve

    wet = fftconvolve(shot, response)
    energy = float(np.square(shot, dtype=np.float64).sum())
    wet_energy = float(np.square(wet, dtype=np.float64).sum())
    gain = np.sqrt(energy / max(wet_energy, 1e-20)) * 10 ** (wet_db / 20)
    out = gain * wet
    out[: len(shot)] += shot
    return out.astype(np.float32)


def _duller(noise: NDArray[np.float64], bright_hz: float) -> NDArray[np.float64]:
    """Through a low pass of first order."""
    from scipy.signal import butter, sosfilt

    sections = butter(1, bright_hz, fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(sections, noise))


def _biquad(band: Band) -> NDArray[np.float64]:
    """Second-order section [6] of R. Bristow-Johnson's cookbook, https://www.w3.org/TR/audio-eq-cookbook."""
    a = 10 ** (band.db / 40)
    w = 2 * np.pi * min(band.hz, 0.45 * SAMPLE_RATE) / SAMPLE_RATE
    cos, alpha = np.cos(w), np.sin(w) / np.sqrt(2.0)
    if band.kind == "bell":
        b = [1 + alpha * a, -2 * cos, 1 - alpha * a]
        d = [1 + alpha / a, -2 * cos, 1 - alpha / a]
    else:
        s = 1.0 if band.kind == "low_shelf" else -1.0
        root = 2 * np.sqrt(a) * alpha
        b = [
            a * ((a + 1) - s * (a - 1) * cos + root),
            s * 2 * a * ((a - 1) - s * (a + 1) * cos),
            a * ((a + 1) - s * (a - 1) * cos - root),
        ]
        d = [
            (a + 1) + s * (a - 1) * cos + root,
            -s * 2 * ((a - 1) + s * (a + 1) * cos),
            (a + 1) + s * (a - 1) * cos - root,
        ]
    return np.array([*b, *d]) / d[0]
