"""The embedding contract: audio to vectors, the space in which sets of clips are compared.

This module imports no torch; implementations should import it inside their methods or constructor.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from midigroove_core.atomic import dump_json, sha256_of
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.construct import construct


class Embedding(ABC):
    """A fixed map from audio to vectors, used by Frechet and kernel audio distances.

    What a clip's vectors are depends on that clip alone, not on what was embedded before or with
    it: the evaluation keeps those of the references from one run to the next.

    Attributes:
        embedding_id: registry id, such as `log_mel`.
        sample_rate: rate of the audio that `embed` takes.
        license: licence of the weights, if any.
        keep_vectors: whether `embed` is so slow that its vectors are worth keeping on disk.
    """

    embedding_id: ClassVar[str]
    sample_rate: int
    license: str
    keep_vectors: ClassVar[bool] = False

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], *, path: str | None = None, device: str = "cpu"
    ) -> Self:
        """Makes the embedding of `get_config()`, ready to use; {} is the default one.

        Args:
            config: constructor arguments.
            path: a local folder or file with the weights; an embedding that has weights which can
                lie elsewhere overrides this method, all others refuse a path.
            device: "cpu", "cuda" or "cuda:N"; an embedding without a network ignores it.

        Raises:
            MidigrooveError: an unknown argument, or something is missing; one line that says what
                to do.
        """
        if path is not None:
            raise MidigrooveError(f"embedding {cls.embedding_id} takes no `embedding_path`")
        return construct(cls, config, f"embedding {cls.embedding_id}")

    @abstractmethod
    def embed(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mono audio [S] at `sample_rate`, of any length -> vectors [N, D] float32, N >= 1.

        Raises:
            ValueError: not [S], empty, or NaN or infinite samples.
        """

    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON, without local paths."""
        return {}

    def front_end(self) -> dict[str, Any]:
        """What else the vectors depend on apart from the weights, as JSON."""
        return {"sample_rate": self.sample_rate}

    @property
    def weights_sha(self) -> str | None:
        """SHA-256 of the weights, None without weights."""
        return None

    def identity(self) -> dict[str, Any]:
        """What tells this space from others: distances compare where this is equal."""
        facts = {
            "id": self.embedding_id,
            "config": {**self.get_config(), **self.front_end()},
            "weights_sha": self.weights_sha,
        }
        return {**facts, "fingerprint": sha256_of(dump_json(facts).encode())}
