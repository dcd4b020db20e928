"""What every codec has to do, as a pytest class to subclass."""

from __future__ import annotations

import torch

from midigroove_core.atomic import read_json
from midigroove_core.interfaces.codec import Codec
from midigroove_core.testing.codec_contract.chunks import CodecChunks
from midigroove_core.testing.codec_contract.facts import CodecFacts
from midigroove_core.testing.codec_contract.refusals import CodecRefusals
from midigroove_core.testing.codec_contract.sound import CodecSound
from midigroove_core.testing.golden import golden_codes


class CodecContract(CodecFacts, CodecChunks, CodecSound, CodecRefusals):
    """Subclass with a fixture `codec` (small: some tests encode a hundred times).

    Attributes:
        golden: JSON file written by `python -m midigroove_core.testing.golden`; a missing file
            fails, since it is made once and on purpose.
        golden_tolerance: share of golden codes that may differ. Codes are the nearest entry of a
            table, and another CPU sums in another order, so a neural codec may need 0.02.
        decode_tolerance: largest difference of two samples that should be equal; neural codecs
            add up floats in another order for another shape.
        segments_tested: whether to encode a take longer than `segment_frames`.
        faithful: whether what is decoded sounds like what was encoded; False for random weights.
        latents_exact: whether decoding `embed(codes)` gives the samples of decoding the codes.
    """

    def test_golden_codes(self, codec: Codec) -> None:
        assert self.golden is not None, "set `golden` to the path of the golden file"
        assert self.golden.is_file(), (
            f"{self.golden} is missing; once the codec does what it should, write it with "
            f"python -m midigroove_core.testing.golden {type(codec).__module__}:"
            f"{type(codec).__qualname__} {self.golden.name} --config '{codec.get_config()}'"
        )
        golden = read_json(self.golden)
        assert golden["config"] == codec.get_config()
        assert golden["facts"] == codec.facts()
        codes, reference = golden_codes(codec), torch.tensor(golden["codes"])
        assert codes.shape == reference.shape
        differing = (codes != reference).double().mean().item()
        assert differing <= self.golden_tolerance, f"{differing:.1%} of the codes differ"
