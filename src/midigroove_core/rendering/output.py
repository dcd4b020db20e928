"""What is written of a render: level, bit depth, stems; hours need no more memory than minutes.

Blocks are put aside, beyond `MEMORY_BYTES` in a file without a name beside the result, until their
peak and loudness are known; then they are written with one gain for the mix and all its stems.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midigroove_core import bounds
from midigroove_core.audio import BIT_DEPTHS, Audio, save_blocks
from midigroove_core.errors import InputError, MidigrooveError

PEAK_LIMIT = 0.999
"""What a render that would clip is scaled down to; just below full scale, for 16-bit rounding."""

NORMAL_PEAK_DB = -1.0
"""Peak that `normalize` gives, in dB of full scale: lossy formats overshoot a little."""

MEMORY_BYTES = 1 << 28
"""Half an hour of mono is put aside in memory."""


@dataclass(frozen=True)
class Output:
    """How renders are written.

    Attributes:
        bit_depth: "16", "24" or "float", see `audio.BIT_DEPTHS`.
        dither: triangular noise of two steps before rounding to 16 bits, where it is not silent.
        lufs: loudness to bring each file to (BS.1770, integrated), as far as its peak allows.
        normalize: bring the peak of each file to `NORMAL_PEAK_DB`.
        stems: write each group of drums beside the mix, which is their sum.
        overwrite: replace files that are there.
    """

    bit_depth: str = "16"
    dither: bool = False
    lufs: float | None = None
    normalize: bool = False
    stems: bool = False
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
class Played:
    """What an engine plays, block by block.

    Attributes:
        blocks: [G * C, n] float32: the channels of each group of drums, or of the mix alone.
        groups: names of the groups; () for the mix.
        channels: C.
        num_samples: S of all blocks together.
        sample_rate: samples per second.
    """

    blocks: Iterable[Audio]
    groups: tuple[str, ...]
    channels: int
    num_samples: int
    sample_rate: int


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
        InputError: NaN or infinite samples, or a format without that bit depth.
        MidigrooveError: the files cannot be written.
    """
    with _Aside(played, path.parent, output.lufs is not None) as aside:
        gain, line = level_gain(aside.peak, aside.lufs, output)
        loud = [n for n, group in enumerate(played.groups) if aside.group_peaks[n] > 0.0]
        stems = []
        for n in loud:
            stem = stem_path(path, played.groups[n])
            _save(stem, aside.blocks(n), gain, played, output)
            stems.append(stem)
        _save(path, aside.blocks(None), gain, played, output)
        return Written(gain, line, tuple(stems))


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


def _save(path: Path, blocks: Iterator[Audio], gain: float, played: Played, output: Output) -> None:
    scaled = (block * np.float32(gain) for block in blocks) if gain != 1.0 else blocks
    save_blocks(
        path, _dithered(scaled) if output.dither else scaled, played.sample_rate,
        channels=played.channels, num_samples=played.num_samples, bit_depth=output.bit_depth,
    )  # fmt: skip


def _dithered(blocks: Iterator[Audio]) -> Iterator[Audio]:
    """Triangular noise of two 16-bit steps from a fixed seed; none where a sample is 0."""
    rng = np.random.default_rng(0)
    for block in blocks:
        two = rng.random((block.shape[1], len(block), 2))
        noise = ((two[..., 0] - two[..., 1]) / 32768.0).astype(np.float32)
        yield np.where(block == 0.0, block, block + noise.T)


class _Aside:
    """Blocks put aside while their level is measured."""

    def __init__(self, played: Played, folder: Path, loudness: bool) -> None:
        self._channels, self._groups = played.channels, max(1, len(played.groups))
        self._lengths: list[int] = []
        self.group_peaks = np.zeros(self._groups)
        self.peak, self.lufs = 0.0, -math.inf
        folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES, dir=str(folder))  # noqa: SIM115
        try:
            self._fill(played, loudness)
        except OSError as error:
            self._file.close()
            raise MidigrooveError(f"cannot write to {folder}: {error.strerror or error}") from error
        except BaseException:
            self._file.close()
            raise

    def _fill(self, played: Played, loudness: bool) -> None:
        meter = None
        if loudness:
            from midigroove_core.loudness import LoudnessMeter  # scipy.signal takes its time

            meter = LoudnessMeter(played.sample_rate, self._channels)
        peaks, mix_peak = [self.group_peaks], 0.0
        for block in played.blocks:
            apart = self._apart(block)
            mix = self._mix(apart)
            peaks.append(np.abs(apart).max(axis=(1, 2), initial=0.0))
            mix_peak = float(np.fmax(mix_peak, np.abs(mix).max(initial=0.0)))
            if not np.isfinite(mix).all():
                mix_peak = math.nan
            if meter is not None:
                meter.add(mix)
            self._file.write(np.ascontiguousarray(block).data)
            self._lengths.append(block.shape[1])
            if math.isnan(mix_peak):
                break
        self.group_peaks = np.max(peaks, axis=0)
        self.peak = max(mix_peak, float(self.group_peaks.max()))
        self.lufs = meter.lufs if meter is not None else -math.inf

    def blocks(self, group: int | None) -> Iterator[Audio]:
        """The blocks [C, n] of a group, or of the mix."""
        self._file.seek(0)
        for length in self._lengths:
            data = self._file.read(4 * self._groups * self._channels * length)
            apart = self._apart(np.frombuffer(data, np.float32).reshape(-1, length))
            yield self._mix(apart) if group is None else apart[group]

    def _apart(self, block: Audio) -> Audio:
        return block.reshape(self._groups, self._channels, -1)

    def _mix(self, apart: Audio) -> Audio:
        return apart[0] if self._groups == 1 else apart.sum(axis=0)

    def __enter__(self) -> _Aside:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def with_faded_end(blocks: Iterable[Audio], num_samples: int, length: int) -> Iterator[Audio]:
    """The blocks with the last `length` of `num_samples` samples faded to zero."""
    fade = np.linspace(1.0, 0.0, min(length, num_samples), dtype=np.float32)
    start, fade_start = 0, num_samples - len(fade)
    for block in blocks:
        stop = start + block.shape[1]
        if stop > fade_start:
            at = max(0, fade_start - start)
            block = block.copy()
            block[:, at:] *= fade[start + at - fade_start : stop - fade_start]
        yield block
        start = stop


def in_blocks(audio: Audio, size: int) -> Iterator[Audio]:
    """Audio [C, S] in blocks of so many samples."""
    for start in range(0, audio.shape[-1], size):
        yield audio[:, start : start + size]


def describe_stems(stems: Sequence[object]) -> str:
    """A few words about the stems of a file."""
    return f"{len(stems)} stem{'' if len(stems) == 1 else 's'} beside it; silent ones have no file"
