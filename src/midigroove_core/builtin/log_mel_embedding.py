"""The embedding `log_mel`: statistics of the log-mel spectrogram, no weights."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.metrics.embedding import EMBEDDING_BANDS, WINDOW_SEC, embed_log_mel


class LogMelEmbedding(Embedding):
    """One row of statistics per second of audio, half overlapping (see `metrics.embedding`).

    Only what lies below 8 kHz counts, so codecs of every sample rate compare.
    """

    embedding_id: ClassVar[str] = "log_mel"
    sample_rate = 32000
    license = "MIT"

    def embed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        return embed_log_mel(audio, self.sample_rate)

    def front_end(self) -> dict[str, Any]:
        bands = {"bands": EMBEDDING_BANDS, "window_sec": WINDOW_SEC}
        return {**super().front_end(), **bands}
