"""Sound and pictures of single clips as data URIs."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
import soundfile
from matplotlib import colormaps
from matplotlib.image import imsave
from numpy.typing import NDArray

from midigroove_core.audio import downmix, load_audio
from midigroove_core.errors import InputError
from midigroove_core.loudness import clip_lufs, matching_gain
from midigroove_core.scorecard.kept import Kept

PEAKS = 400
_BANDS = 96
_COLUMNS = 420
_FLOOR_DB = -75.0
_VORBIS_QUALITY = 0.6
"""libsndfile's 0 (best) to 1: about 110 kbit/s for mono, good enough to judge by ear."""


def load_clips(
    preds: Path, kept: Kept | None, reference: str | None, *, same_loudness: bool = False
) -> list[dict[str, Any]]:
    """The kept clips of an evaluation with audio, waveform and spectrogram of every row.

    Each clip has what preds.json says, and per row `audio` (Vorbis), `image` (JPEG) and `peaks`.
    A row whose file is gone is left out. No clips were kept: [].

    Args:
        preds: the folder with the audio.
        kept: its index; None where nothing was kept.
        reference: name of the row that others are compared with.
        same_loudness: bring every row to the loudness of the clip's reference; else rows keep
            their levels against each other.
    """
    if kept is None:
        return []
    clips = []
    for clip in kept.clips:
        audio: dict[str, NDArray[np.float32]] = {}
        rate = kept.sample_rate
        for name, stored in clip.rows.items():
            try:
                found, rate = load_audio(preds / stored.file)
            except InputError:
                continue
            audio[name] = found / np.float32(stored.gain)
        if same_loudness and reference in audio:
            target = clip_lufs(downmix(audio[reference]), rate)
            audio = {
                name: signal * np.float32(matching_gain(clip_lufs(downmix(signal), rate), target))
                for name, signal in audio.items()
            }
        rows = {name: describe_audio(a, rate) for name, a in _without_clipping(audio).items()}
        clips.append({**asdict(clip), "rows": rows})
    return clips


def _without_clipping(
    audio: dict[str, NDArray[np.float32]],
) -> dict[str, NDArray[np.float32]]:
    """All rows turned down by one factor where the loudest would clip: levels stay comparable."""
    peak = max((float(np.abs(signal).max(initial=0.0)) for signal in audio.values()), default=0.0)
    return {name: signal / np.float32(max(1.0, peak / 0.98)) for name, signal in audio.items()}


def describe_audio(audio: NDArray[np.float32], sample_rate: int) -> dict[str, Any]:
    """One signal `[C, S]`, peak at most 1, as data URIs; it is drawn as its channels' mix."""
    mono = downmix(audio)
    return {
        "audio": vorbis_uri(audio, sample_rate),
        "image": spectrogram_uri(mono, sample_rate),
        "peaks": peaks(mono),
        "duration_sec": round(len(mono) / sample_rate, 6),
    }


def vorbis_uri(audio: NDArray[np.float32], sample_rate: int) -> str:
    """`[C, S]` as OGG Vorbis in a data URI."""
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", sample_rate, len(audio), format="OGG", subtype="VORBIS",
        compression_level=_VORBIS_QUALITY,
    ) as file:  # fmt: skip
        file.write(audio.T)
    return "data:audio/ogg;base64," + base64.b64encode(buffer.getvalue()).decode()


def peaks(audio: NDArray[np.float32]) -> list[int]:
    """Largest absolute value in each of `PEAKS` slices, in percent."""
    edges = np.linspace(0, len(audio), PEAKS + 1).astype(int)[:-1]
    highest = np.maximum.reduceat(np.abs(audio), edges)
    return [int(value) for value in np.round(100 * np.minimum(highest, 1.0))]


def spectrogram_uri(audio: NDArray[np.float32], sample_rate: int) -> str:
    """A log-frequency spectrogram from 40 Hz to half the sample rate, as a JPEG data URI."""
    size = 2 ** int(np.ceil(np.log2(0.03 * sample_rate)))
    hop = max(1, len(audio) // _COLUMNS)
    padded = np.pad(audio, size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    magnitude = np.abs(scipy.fft.rfft(frames * np.hanning(size), axis=1)) * 4 / size
    edges = np.geomspace(40.0, sample_rate / 2, _BANDS + 1) * size / sample_rate
    low = np.minimum(edges[:-1].astype(int), magnitude.shape[1] - 1)
    high = np.minimum(np.maximum(low + 1, edges[1:].astype(int)), magnitude.shape[1])
    bands = np.stack([magnitude[:, a:b].max(axis=1) for a, b in zip(low, high, strict=True)])
    level = 20.0 * np.log10(np.maximum(bands, 1e-6))
    shade = np.clip((level - _FLOOR_DB) / -_FLOOR_DB, 0.0, 1.0)[::-1]
    image = colormaps["magma"](np.repeat(shade, 2, axis=0))[..., :3]
    buffer = io.BytesIO()
    imsave(buffer, image, format="jpg", pil_kwargs={"quality": 75})
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
