"""The dataset's own audio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import downmix
from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.takes import DatasetTakes
from midigroove_core.takes.open import is_dataset_in_environment, open_dataset
from midigroove_core.takes.sound import load_take


class Recordings:
    """Clips of the dataset's own audio, resampled as whole takes so that no clip has an edge.

    Args:
        dataset: folder or csv; None asks the environment.
        sample_rate: of the clips.
        channels: of the clips: 1 mixes what the files have.
        options: further arguments of `open_dataset`.

    Attributes:
        sample_rate: of the clips.
        takes: of the dataset.
        fingerprint: of the dataset.

    Raises:
        InputError: not a dataset, or none named.
    """

    def __init__(
        self,
        dataset: Path | None,
        sample_rate: int,
        channels: int = 1,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        options = dict(options or {})
        named = dataset or options.get("train_csv") or options.get("val_csv")
        if not named and not is_dataset_in_environment():
            raise InputError(
                "no recordings to compare with: name the `dataset`, or set EGMD_ROOT; to compare "
                "with what the codec makes of its own codes instead, set `reference` to oracle"
            )
        self._dataset = open_dataset(dataset, **options)
        self.takes = DatasetTakes(self._dataset)
        self._by_key = {take.key: take for take in self._dataset.takes}
        self.sample_rate = sample_rate
        self._key = ""
        self._channels = channels
        self._audio: NDArray[np.float32] = np.zeros((channels, 0), np.float32)
        self.fingerprint = self._dataset.fingerprint()

    def mono(self, key: str) -> NDArray[np.float32]:
        """The whole take `[S]`, its channels mixed; see `take`."""
        return downmix(self.take(key))

    def take(self, key: str) -> NDArray[np.float32]:
        """The whole take `[C, S]`; the last one asked for is kept.

        Raises:
            InputError: no such take, or an audio file that cannot be read.
        """
        if key != self._key:
            take = self._by_key.get(key)
            if take is None:
                raise InputError("recording missing: the dataset has no such take")
            self._audio = load_take(self._dataset, take, self.sample_rate, self._channels)
            self._key = key
        return self._audio

    def audio(self, clip: EvalClip) -> NDArray[np.float32]:
        """The clip `[C, S]`.

        Raises:
            InputError: no such take, or an audio file that cannot be read or is too short.
        """
        first, count = clip.samples(self.sample_rate)
        found = self.take(clip.take.key)[:, first : first + count]
        there = found.shape[1]
        if there < count - self.sample_rate // 50:  # codecs round the end up by a frame
            raise InputError(f"recording too short: it ends {count - there} samples early")
        return np.pad(found, ((0, 0), (0, count - there)))
