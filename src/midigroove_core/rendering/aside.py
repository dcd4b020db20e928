"""What is played, block by block, and put aside until its level is known.

Hours need no more memory than minutes: beyond `MEMORY_BYTES`, blocks lie in a file without a name.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import Audio
from midigroove_core.errors import MidigrooveError

MEMORY_BYTES = 1 << 28
"""Half an hour of mono is put aside in memory."""


@dataclass(frozen=True)
class Played:
    """What an engine plays, block by block.

    Attributes:
        blocks: [G * C, n] float32: the channels of each group of drums, or of the mix alone.
        groups: names of the groups; () for the mix.
        channels: C.
        num_samples: S of all blocks together.
        sample_rate: samples per second.
        codes: [K, T] as a model drew them; None from the sampler, and of what was cut to a loop.
    """

    blocks: Iterable[Audio]
    groups: tuple[str, ...]
    channels: int
    num_samples: int
    sample_rate: int
    codes: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Kept:
    """Something played that was put aside.

    Attributes:
        peak: of the mix and of each group, the largest; NaN where samples are not finite.
        lufs: loudness of the mix; -inf where it was not measured.
        group_peaks: [G].
        groups, channels, num_samples, sample_rate: as `Played` has them.
        place: where it begins in the store, in bytes.
        lengths: of its blocks.
    """

    peak: float
    lufs: float
    group_peaks: tuple[float, ...]
    groups: tuple[str, ...]
    channels: int
    num_samples: int
    sample_rate: int
    place: int
    lengths: tuple[int, ...]


class Store:
    """Where blocks are put aside; a context.

    Args:
        folder: where the file lies if one is needed; made if missing.

    Raises:
        MidigrooveError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.SpooledTemporaryFile(MEMORY_BYTES, dir=str(folder))  # noqa: SIM115
        except OSError as error:
            raise self._refused(error) from error

    def keep(self, played: Played, *, loudness: bool) -> Kept:
        """Takes all blocks and measures them.

        Raises:
            MidigrooveError: they do not fit on the disk.
        """
        try:
            return self._keep(played, loudness)
        except OSError as error:
            raise self._refused(error) from error

    def _keep(self, played: Played, loudness: bool) -> Kept:
        meter = None
        if loudness:
            from midigroove_core.loudness import LoudnessMeter  # scipy.signal takes its time

            meter = LoudnessMeter(played.sample_rate, played.channels)
        group_peaks, mix_peak = np.zeros(max(1, len(played.groups))), 0.0
        place, lengths = self._file.seek(0, 2), []
        for block in played.blocks:
            apart = block.reshape(len(group_peaks), played.channels, -1)
            mix = _mix(apart)
            group_peaks = np.maximum(group_peaks, np.abs(apart).max(axis=(1, 2), initial=0.0))
            mix_peak = float(np.fmax(mix_peak, np.abs(mix).max(initial=0.0)))
            if not np.isfinite(mix).all():
                mix_peak = math.nan
            if meter is not None:
                meter.add(mix)
            self._file.write(np.ascontiguousarray(block).data)
            lengths.append(block.shape[1])
            if math.isnan(mix_peak):
                break
        return Kept(
            max(mix_peak, float(group_peaks.max())), -math.inf if meter is None else meter.lufs,
            tuple(group_peaks.tolist()), played.groups, played.channels, played.num_samples,
            played.sample_rate, place, tuple(lengths),
        )  # fmt: skip

    def blocks(self, kept: Kept, group: int | None) -> Iterator[Audio]:
        """The blocks [C, n] of a group, or of the mix."""
        groups = len(kept.group_peaks)
        self._file.seek(kept.place)
        for length in kept.lengths:
            data = self._file.read(4 * groups * kept.channels * length)
            apart = np.frombuffer(data, np.float32).reshape(groups, kept.channels, length)
            yield _mix(apart) if group is None else apart[group]

    def _refused(self, error: OSError) -> MidigrooveError:
        return MidigrooveError(f"cannot write to {self._folder}: {error.strerror or error}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _mix(apart: Audio) -> Audio:
    return apart[0] if len(apart) == 1 else apart.sum(axis=0)


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
