"""What the parts of the suite share: the fixture, and what an author may set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from midigroove_core.interfaces.codec import Codec


class CodecSuite:
    """See `CodecContract`."""

    golden: ClassVar[Path | None] = None
    golden_tolerance: ClassVar[float] = 0.0
    decode_tolerance: ClassVar[float] = 1e-4
    segments_tested: ClassVar[bool] = True
    faithful: ClassVar[bool] = True
    latents_exact: ClassVar[bool] = True

    @pytest.fixture
    def codec(self) -> Codec:
        raise NotImplementedError("a subclass of CodecContract needs a fixture named codec")

    @staticmethod
    def rebuilt(codec: Codec) -> Codec:
        """The codec that the JSON text of this codec's configuration describes."""
        return type(codec).from_config(json.loads(json.dumps(codec.get_config())))

    def assert_close(self, estimated: torch.Tensor, reference: torch.Tensor) -> None:
        assert estimated.shape == reference.shape
        assert (estimated - reference).abs().max() <= self.decode_tolerance
