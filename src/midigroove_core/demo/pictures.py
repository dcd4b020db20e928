"""The demo's picture: a groove as a grid and as sound."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from midigroove_core.atomic import atomic_path
from midigroove_core.audio import downmix
from midigroove_core.drum_reading import read_with
from midigroove_core.drums import ARTICULATIONS, load_drum_map
from midigroove_core.midi import DrumPerformance, load_midi
from midigroove_core.rendering.config import Rendered

SECONDS = 8.0
"""How much of a groove is drawn: more, and single hits can no longer be seen."""

_FFT = 1024


def draw_renders(path: Path, midi_path: Path, renders: Mapping[str, Rendered]) -> None:
    """Draws the grid, and below it each render's waveform and spectrogram, on one time axis."""
    performance = load_midi(midi_path)
    seconds = min(SECONDS, performance.end_sec)
    figure = Figure(figsize=(12, 2.2 + 2.8 * len(renders)), layout="constrained")
    heights = [2.2] + [0.9, 1.9] * len(renders)
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    _draw_grid(axes[0], performance, seconds)
    for i, (name, rendered) in enumerate(renders.items()):
        audio = downmix(rendered.audio[:, : round(seconds * rendered.sample_rate)])
        _draw_waveform(axes[1 + 2 * i], audio, rendered.sample_rate, name)
        _draw_spectrogram(axes[2 + 2 * i], audio, rendered.sample_rate)
    axes[-1].set_xlabel("seconds")
    axes[-1].set_xlim(0, seconds)
    _save(figure, path)


def _draw_grid(axes: Axes, performance: DrumPerformance, seconds: float) -> None:
    drum_map = load_drum_map()
    performance = read_with(performance, drum_map).performance
    names = [drum_map.articulation(pitch) for pitch in performance.pitch]
    used = [name for name in ARTICULATIONS if name in names]
    inside = performance.onset_sec < seconds
    lanes = np.array([used.index(str(name)) for name in names])[inside]
    velocity = performance.velocity[inside] / 127
    axes.scatter(
        performance.onset_sec[inside], lanes, s=6 + 60 * velocity, c=velocity, cmap="viridis",
        vmin=0, vmax=1, marker="|", linewidths=2,
    )  # fmt: skip
    axes.set_yticks(range(len(used)), used, fontsize=7)
    axes.invert_yaxis()
    axes.set_title("MIDI: place is time, colour and size are velocity", fontsize=9, loc="left")


def _draw_waveform(axes: Axes, audio: NDArray[np.float32], rate: int, name: str) -> None:
    # The extremes of each hundredth of a pixel or so: drawing every sample takes seconds.
    block = max(1, len(audio) // 4000)
    blocks = audio[: len(audio) // block * block].reshape(-1, block)
    times = np.arange(len(blocks)) * block / rate
    axes.fill_between(times, blocks.min(axis=1), blocks.max(axis=1), linewidth=0)
    axes.set_ylim(-1, 1)
    axes.set_yticks([])
    axes.set_title(name, fontsize=9, loc="left")


def _draw_spectrogram(axes: Axes, audio: NDArray[np.float32], rate: int) -> None:
    hop = _FFT // 4
    padded = np.pad(audio, (_FFT // 2, _FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[: len(audio) : hop]
    levels = 20 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(_FFT))) + 1e-5)
    axes.imshow(
        levels.T, origin="lower", aspect="auto", cmap="magma", vmin=-60, vmax=30,
        extent=(0, len(frames) * hop / rate, 0, rate / 2000),
    )  # fmt: skip
    axes.set_ylabel("kHz", fontsize=8)


def _save(figure: Figure, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
