"""The audio of a take: its file, or the sum of its stems where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import audio_info, load_channels
from midigroove_core.takes.dataset import Dataset, Take


def audio_files(dataset: Dataset, take: Take) -> list[Path]:
    """What `load_take` reads: one file, or one for each stem. They need not be there."""
    whole = dataset.audio_path(take)
    if take.stems and not whole.is_file():
        return [dataset.root / path for _, path in take.stems]
    return [whole]


def load_take(dataset: Dataset, take: Take, sample_rate: int, channels: int) -> NDArray[np.float32]:
    """The whole take, [C, S].

    Raises:
        InputError: a file that is missing or cannot be read; names it.
    """
    return _sum([load_channels(f, sample_rate, channels) for f in audio_files(dataset, take)])


def load_stems(
    dataset: Dataset, take: Take, sample_rate: int, channels: int
) -> dict[str, NDArray[np.float32]]:
    """Each stem, [C, S], by its name; none for a take without. A stem that is silent may be absent.

    Raises:
        InputError: a file that is missing or cannot be read; names it.
    """
    return {
        name: load_channels(dataset.root / path, sample_rate, channels) for name, path in take.stems
    }


def duration_sec(dataset: Dataset, take: Take) -> float:
    """Length of the take's audio.

    Raises:
        InputError: a file that is missing or cannot be read; names it.
    """
    return max(audio_info(path).duration_sec for path in audio_files(dataset, take))


def _sum(parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len(parts) == 1:
        return parts[0]
    total = np.zeros((len(parts[0]), max(part.shape[1] for part in parts)), dtype=np.float32)
    for part in parts:
        total[:, : part.shape[1]] += part
    return total
