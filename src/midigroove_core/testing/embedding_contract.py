"""What every embedding has to do, as a pytest class to subclass."""

from __future__ import annotations

import json
import re
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.embedding import Embedding


def drum_clip(sample_rate: int, seconds: float = 2.0, seed: int = 0) -> NDArray[np.float32]:
    """Decaying bursts of noise and tone, eight a second, [S] float32, peak below 1."""
    rng = np.random.default_rng(seed)
    audio = np.zeros(round(seconds * sample_rate))
    for start in range(0, len(audio), sample_rate // 8):
        time = np.arange(min(len(audio) - start, sample_rate // 4)) / sample_rate
        tone = np.sin(2 * np.pi * rng.uniform(60, 400) * time) + rng.uniform(-1, 1, len(time))
        decay = np.exp(-time * rng.uniform(10, 60))
        audio[start : start + len(time)] += rng.uniform(0.05, 0.3) * tone * decay
    return audio.astype(np.float32)


class EmbeddingContract:
    """Subclass with a fixture `embedding`.

    Attributes:
        seconds: lengths of the clips that are embedded, the longest in several windows.
    """

    seconds: ClassVar[tuple[float, ...]] = (0.5, 2.0, 12.0)

    @pytest.fixture
    def embedding(self) -> Embedding:
        raise NotImplementedError("a subclass of EmbeddingContract needs a fixture embedding")

    @pytest.fixture
    def weights(self) -> str | None:
        """Where the weights lie, for an embedding that must be told."""
        return None

    def test_config_round_trip(self, embedding: Embedding, weights: str | None) -> None:
        config = json.loads(json.dumps(embedding.get_config()))
        again = type(embedding).from_config(config, path=weights)
        assert again.get_config() == config and again.identity() == embedding.identity()

    def test_unknown_argument_is_refused(self, embedding: Embedding, weights: str | None) -> None:
        config = {**embedding.get_config(), "no_such_argument": 1}
        with pytest.raises(MidigrooveError, match="no_such_argument"):
            type(embedding).from_config(config, path=weights)

    def test_facts(self, embedding: Embedding) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", embedding.embedding_id)
        assert isinstance(embedding.sample_rate, int) and embedding.sample_rate > 0
        assert embedding.license and isinstance(embedding.license, str)
        assert isinstance(embedding.keep_vectors, bool)

    def test_identity(self, embedding: Embedding) -> None:
        """It goes to files, and tells spaces apart: JSON, stable, without local paths."""
        identity = embedding.identity()
        assert json.loads(json.dumps(identity, allow_nan=False)) == identity
        assert embedding.identity() == identity
        assert identity["id"] == embedding.embedding_id
        assert re.fullmatch(r"[0-9a-f]{64}", identity["fingerprint"])
        embedding.embed(drum_clip(embedding.sample_rate))
        assert embedding.identity() == identity, "embedding a clip changes the embedding"

    def test_shape_and_type(self, embedding: Embedding) -> None:
        found = [embedding.embed(drum_clip(embedding.sample_rate, s)) for s in self.seconds]
        for vectors in found:
            assert vectors.ndim == 2 and len(vectors) >= 1 and vectors.dtype == np.float32
            assert vectors.shape[1] == found[0].shape[1], "D depends on the clip's length"
            assert np.isfinite(vectors).all()

    def test_same_clip_same_vectors(self, embedding: Embedding) -> None:
        """Bit for bit: whatever came before, and whatever the global generators hold."""
        clip, kept = (drum_clip(embedding.sample_rate) for _ in range(2))
        np.random.seed(0)
        first = embedding.embed(clip)
        assert np.array_equal(clip, kept), "it writes into the clip"
        embedding.embed(drum_clip(embedding.sample_rate, 3.0, seed=1))
        np.random.seed(1)
        assert np.array_equal(embedding.embed(clip), first)

    def test_long_clip_same_vectors(self, embedding: Embedding) -> None:
        """No window is drawn at random."""
        clip = drum_clip(embedding.sample_rate, self.seconds[-1])
        assert np.array_equal(embedding.embed(clip), embedding.embed(clip))

    def test_different_clips_differ(self, embedding: Embedding) -> None:
        one, two = (embedding.embed(drum_clip(embedding.sample_rate, seed=s)) for s in (0, 1))
        assert not np.array_equal(one, two)

    def test_silence(self, embedding: Embedding) -> None:
        silent = embedding.embed(np.zeros(2 * embedding.sample_rate, np.float32))
        assert len(silent) >= 1 and np.isfinite(silent).all()

    @pytest.mark.parametrize("samples", [1, 10, 1000])
    def test_short_clip(self, embedding: Embedding, samples: int) -> None:
        size = embedding.embed(drum_clip(embedding.sample_rate)).shape[1]
        vectors = embedding.embed(drum_clip(embedding.sample_rate)[:samples])
        assert vectors.shape == (1, size) and np.isfinite(vectors).all()

    @pytest.mark.parametrize(
        "audio",
        [
            np.zeros((2, 8000), np.float32),
            np.zeros(0, np.float32),
            np.full(8000, np.nan, np.float32),
        ],
        ids=["stereo", "empty", "NaN"],
    )
    def test_bad_audio(self, embedding: Embedding, audio: NDArray[np.float32]) -> None:
        with pytest.raises(ValueError):
            embedding.embed(audio)
