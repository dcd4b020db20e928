"""The embedding contract: audio to vectors, the space in which sets of clips are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray


class Embedding(ABC):
    """A fixed map from audio to vectors, used by Frechet and kernel audio distances.

    Attributes:
        embedding_id: registry id, such as `log_mel`.
        sample_rate: rate of the audio that `embed` takes.
        license: licence of the weights, if any.
    """

    embedding_id: ClassVar[str]
    sample_rate: int
    license: str

    @abstractmethod
    def embed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Audio [S] at `sample_rate` -> vectors [N, D], N >= 1."""
