"""The head that follows a sketch."""

from __future__ import annotations

import pytest
import torch

from midigroove_core.builtin.depth_sampler import DepthSampler
from midigroove_core.builtin.following_head import FollowingHead
from midigroove_core.interfaces.drawing import make_generator
from midigroove_core.interfaces.sampling import SamplingConfig

DIM, SIZES = 8, (16, 16, 8)


def make_head(trust: float) -> FollowingHead:
    """A head over levels that get finer, as those of a residual quantizer do."""
    torch.manual_seed(0)
    vectors = [torch.randn(size, 12) * 0.2**k for k, size in enumerate(SIZES)]
    head = FollowingHead(DIM, SIZES, 6, vectors)
    with torch.no_grad():
        head.trust.bias.fill_(torch.tensor(trust).log())
    return head


def joined(head: FollowingHead, codes: torch.Tensor, given: bool = True) -> torch.Tensor:
    encoded = torch.randn(*codes.shape[:-1], DIM, generator=torch.Generator().manual_seed(1))
    places = codes + torch.tensor([0, 16, 32])
    beside = head.join(encoded, places, torch.full((*codes.shape[:-1], 1), given))
    return torch.cat([encoded, beside], dim=-1)


@pytest.fixture
def codes() -> torch.Tensor:
    rng = torch.Generator().manual_seed(2)
    return torch.stack([torch.randint(0, n, (2, 20), generator=rng) for n in SIZES], dim=-1)


def test_full_trust_repeats_the_sketch_and_none_leaves_it_aside(codes: torch.Tensor) -> None:
    trusting = make_head(1e4)
    drawn = trusting.generate(joined(trusting, codes), lambda logits: logits.argmax(-1))
    assert torch.equal(drawn, codes)
    other = (codes + 1) % torch.tensor(SIZES)
    apart = [
        list(trusting.each(joined(trusting, sketch, given=False), codes))
        for sketch in (codes, other)
    ]
    assert all(torch.equal(a, b) for a, b in zip(*apart, strict=True))


def test_the_sampler_of_frames_draws_as_the_head_does(codes: torch.Tensor) -> None:
    head = make_head(0.5)
    hidden = joined(head, codes)
    sampling = SamplingConfig(temperature=0.0)
    sampler = DepthSampler(
        head, sampling, make_generator(sampling, hidden.device), 2, 20, follow=True
    )
    with torch.no_grad():
        found = torch.stack([sampler.draw(hidden[:, frame]) for frame in range(20)], dim=1)
        assert torch.equal(found, head.generate(hidden, lambda logits: logits.argmax(-1)))


def test_it_scores_what_it_draws(codes: torch.Tensor) -> None:
    head = make_head(0.5)
    hidden, seen = joined(head, codes), []

    def draw(logits: torch.Tensor) -> torch.Tensor:
        seen.append(logits)
        return logits.argmax(-1)

    drawn = head.generate(hidden, draw)
    for one, other in zip(seen, head.each(hidden, drawn), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_trust_can_be_multiplied(codes: torch.Tensor) -> None:
    head = make_head(0.01)
    encoded = torch.zeros(2, 20, DIM)
    beside = head.join(encoded, codes + torch.tensor([0, 16, 32]), torch.ones(2, 20, 1).bool())
    hidden = torch.cat([encoded, head.trusting(beside, 1e6)], dim=-1)
    assert torch.equal(head.generate(hidden, lambda logits: logits.argmax(-1)), codes)
