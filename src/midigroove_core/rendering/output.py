"""What is written of a render: level, bit depth, stems.

Blocks are put aside (`aside`) until their peak and loudness are known; then they are written with
one gain for the mix and all its stems, or for many files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midigroove_core import bounds
from midigroove_core.audio import BIT_DEPTHS, Audio, save_blocks
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.rendering.aside import Kept, Played, Store

PEAK_LIMIT = 0.999
"""What a render that would clip is scaled down to; just below full scale, for 16-bit rounding."""

NORMAL_PEAK_DB = -1.0
"""Peak that `normalize` gives, in dB of full scale: lossy formats overshoot a little."""


@dataclass(frozen=True)
class Output:
    """How renders are written.

    Attributes:
        bit_depth: "16", "24" or "float", see `audio.BIT_DEPTHS`.
        dither: triangular noise of two steps before rounding to 16 bits, where it is not silent.
        lufs: loudness to bring each file to (BS.1770, integrated), as far as its peak allows.
        normalize: bring the peak of each file to `NORMAL_PEAK_DB`.
        one_gain: many files get one gain, with which the loudest of them is as asked, so that they
            stay comparable; each has its own otherwise.
        stems: write each group of drums beside the mix, which is their sum.
        codes: write the codes that a model drew beside each file, see `codes_file`.
        overwrite: replace files that are there.
    """

    bit_depth: str = "16"
    dither: bool = False
    lufs: float | None = None
    normalize: bool = False
    one_gain: bool = False
    stems: bool = False
    codes: bool = False
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.bit_depth not in BIT_DEPTHS:
            raise InputError(f"`bit_depth` must be {', '.join(BIT_DEPTHS)}, got {self.bit_depth!r}")
        if self.lufs is not None:
            bounds.LUFS.check("lufs", self.lufs)
        if self.lufs is not None and self.normalize:
            raise InputError("`lufs` and `normalize` both set the level; choose one")
        if self.dither and self.bit_depth != "16":
            raise InputError("`dither` is for 16 bits; what is finer needs none")


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        gain: what everything was multiplied by.
        line: what to say about it, or None.
        stems: the files of the stems; groups that are silent have none.
    """

    gain: float
    line: str | None
    stems: tuple[Path, ...]


def write(played: Played, path: Path, output: Output) -> Written:
    """Writes a render and its stems, each file whole or not at all, the mix last.

    Raises:
        InputError: a format without that bit depth.
        MidigrooveError: NaN or infinite samples, or the files cannot be written.
    """
    with Store(path.parent) as store:
        kept = store.keep(played, loudness=output.lufs is not None)
        gain, line = level_gain(kept.peak, kept.lufs, output)
        return Written(gain, line, write_kept(store, kept, path, gain, output))


def write_kept(
    store: Store, kept: Kept, path: Path, gain: float, output: Output
) -> tuple[Path, ...]:
    """Writes what was put aside with a gain; the files of the stems."""
    stems = []
    for group, peak in enumerate(kept.group_peaks if kept.groups else ()):
        if peak > 0.0:
            stem = stem_path(path, kept.groups[group])
            _save(stem, store.blocks(kept, group), gain, kept, output)
            stems.append(stem)
    _save(path, store.blocks(kept, None), gain, kept, output)
    return tuple(stems)


def stem_path(path: Path, group: str) -> Path:
    """Where a group of drums goes: groove.wav, groove-kick.wav."""
    return path.with_name(f"{path.stem}-{group}{path.suffix}")


def level_gain(peak: float, lufs: float, output: Output) -> tuple[float, str | None]:
    """The factor for audio of that peak and loudness, and a line where something gave way.

    Raises:
        MidigrooveError: the peak is no number.
    """
    if not math.isfinite(peak):
        raise MidigrooveError("the render has NaN or infinite samples; is the checkpoint damaged?")
    if peak == 0.0:
        return 1.0, None
    if output.normalize:
        return 10 ** (NORMAL_PEAK_DB / 20) / peak, None
    if output.lufs is None:
        gain = PEAK_LIMIT / peak if peak > 1.0 else 1.0
        down_db = -20 * math.log10(gain)
        line = f"peak would clip: turned down by {down_db:.1f} dB to stay below 1"
        return gain, line if gain < 1.0 else None
    gain = 10 ** ((output.lufs - lufs) / 20) if math.isfinite(lufs) else 1.0
    if gain * peak <= PEAK_LIMIT:
        return gain, None
    gain = PEAK_LIMIT / peak
    reached = lufs + 20 * math.log10(gain)
    return gain, f"{output.lufs:g} LUFS would clip: {reached:.1f} LUFS is as loud as it gets"


def _save(path: Path, blocks: Iterator[Audio], gain: float, kept: Kept, output: Output) -> None:
    scaled = (block * np.float32(gain) for block in blocks) if gain != 1.0 else blocks
    save_blocks(
        path, _dithered(scaled) if output.dither else scaled, kept.sample_rate,
        channels=kept.channels, num_samples=kept.num_samples, bit_depth=output.bit_depth,
    )  # fmt: skip


def _dithered(blocks: Iterator[Audio]) -> Iterator[Audio]:
    """Triangular noise of two 16-bit steps from a fixed seed; none where a sample is 0."""
    rng = np.random.default_rng(0)
    for block in blocks:
        two = rng.random((block.shape[1], len(block), 2))
        noise = ((two[..., 0] - two[..., 1]) / 32768.0).astype(np.float32)
        yield np.where(block == 0.0, block, block + noise.T)


def describe_stems(stems: Sequence[object]) -> str:
    """A few words about the stems of a file."""
    return f"{len(stems)} stem{'' if len(stems) == 1 else 's'} beside it; silent ones have no file"
