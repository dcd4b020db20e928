"""Input that a codec must refuse in one line that says what is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.testing.codec_contract.base import CodecSuite
from midigroove_core.testing.signals import drum_like


class CodecRefusals(CodecSuite):
    """Audio and codes of a wrong shape, dtype or range."""

    @pytest.mark.parametrize(
        "change, says",
        [
            (lambda a: a[0], "shape"),
            (lambda a: a.repeat(1, a.shape[1] + 1, 1), "shape"),
            (lambda a: a[..., :0], "shape"),
            (lambda a: a[:0], "shape"),
            (lambda a: a.double(), "float64"),
            (lambda a: a.index_fill(2, torch.tensor([1]), float("nan")), "NaN"),
            (lambda a: a.index_fill(2, torch.tensor([1]), float("inf")), "NaN or infinite"),
            (lambda a: a.numpy(), "ndarray"),
        ],
        ids=["rank", "channels", "samples", "batch", "dtype", "nan", "inf", "type"],
    )
    def test_wrong_audio_is_refused(self, codec: Codec, change: Any, says: str) -> None:
        with pytest.raises(MidigrooveError, match=f"{codec.codec_id}.*{says}"):
            codec.encode(change(drum_like(codec, 2 * codec.clock.hop_length)))

    @pytest.mark.parametrize(
        "change, says",
        [
            (lambda c: c[0], "shape"),
            (lambda c: c.repeat(1, 2, 1), "shape"),
            (lambda c: c[..., :0], "shape"),
            (lambda c: c.int(), "int32"),
            (lambda c: c - 1, r"\[-1"),
            (lambda c: c + 2**31, str(2**31)),
        ],
        ids=["rank", "codebooks", "frames", "dtype", "negative", "large"],
    )
    def test_wrong_codes_are_refused(self, codec: Codec, change: Any, says: str) -> None:
        with pytest.raises(MidigrooveError, match=f"{codec.codec_id}.*{says}"):
            codec.decode(change(torch.zeros(1, codec.num_codebooks, 3, dtype=torch.int64)))
