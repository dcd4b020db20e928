"""Latent flow: what codes stand for and back, times, known frames, its start, arguments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from midigroove_core.builtin.latent_flow import LatentFlowModel
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codebook
from midigroove_core.interfaces.model import GridBatch, ModelSpec

F, SIZES, D = 3, (16, 16, 16), 5
SHAPE = {"conditions": ["kit"], "dim": 16, "layers": 1, "heads": 2, "conv_kernel": 3}


def vectors_of(seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Levels of a residual quantizer: each a third of the one before, none centred."""
    g = torch.Generator().manual_seed(seed)
    return tuple(
        (torch.randn(size, D, generator=g) * torch.tensor([3, 2, 1, 1, 0.5]) + 1) / 3**level
        for level, size in enumerate(SIZES)
    )


def spec(vectors: tuple[torch.Tensor, ...] | None = None, seed: int = 0) -> ModelSpec:
    g = torch.Generator().manual_seed(seed)
    shares = [torch.rand(size, generator=g).double() + 0.2 for size in SIZES]
    return ModelSpec(
        tuple(f"row/{row}" for row in range(F)),
        FrameClock(32000, 512),
        tuple(Codebook(size, level) for level, size in enumerate(SIZES)),
        {"kit": ["Jazz", "Rock"]},
        code_frequencies=tuple(share / share.sum() for share in shares),
        find_vectors=lambda: vectors,
    )


def build(components: int = D, seed: int = 0, codec: int = 0, **more: Any) -> LatentFlowModel:
    torch.manual_seed(seed)
    told = spec(vectors_of(codec), seed)
    return LatentFlowModel.build(told, **{**SHAPE, "components": components, **more})


def loud(**more: Any) -> LatentFlowModel:
    """A model that says something from the start."""
    model = build(**more).eval()
    torch.nn.init.normal_(model.out.weight)
    return model


def batch_of(size: int = 2, frames: int = 10) -> GridBatch:
    g = torch.Generator().manual_seed(0)
    codes = [torch.randint(0, book, (size, frames), generator=g) for book in SIZES]
    return GridBatch(
        grid=torch.rand(size, F, frames, generator=g),
        mask=torch.ones(size, frames, dtype=torch.bool),
        conditions={"kit": torch.arange(size) % 2},
        codes=torch.stack(codes, dim=1),
    )


def drawn(model: LatentFlowModel, count: int = 4000) -> torch.Tensor:
    """Codes [N, K] as often as the spec says."""
    shares = spec().code_frequencies
    assert shares is not None
    return torch.stack([torch.multinomial(s, count, replacement=True) for s in shares], dim=-1)


def test_latents_are_components_of_unit_variance_strongest_first() -> None:
    model = build(components=4)
    torch.manual_seed(1)
    latents = model._latents(drawn(model))
    torch.testing.assert_close(latents.mean(0), torch.zeros(4), atol=0.1, rtol=0)
    torch.testing.assert_close(torch.cov(latents.T), torch.eye(4), atol=0.12, rtol=0)
    assert model.spread.tolist() == sorted(model.spread.tolist(), reverse=True)


def test_codes_come_back_from_their_latents() -> None:
    model = build()
    torch.manual_seed(1)
    codes = drawn(model, 500)
    back = model._nearest(model._latents(codes))
    assert (back == codes)[:, 0].float().mean() > 0.8
    off = (model._latents(back) - model._latents(codes)) * model.spread
    assert off.square().sum() < 0.02 * (model._latents(codes) * model.spread).square().sum()


def test_components_that_the_codec_does_not_have_stay_0() -> None:
    model, batch = loud(components=9), batch_of()
    assert not model.vectors[:, D:].any() and bool((model.spread[D:] == 1).all())
    assert torch.isfinite(model.loss(batch, 0).total)
    model.generate(replace(batch, codes=None), model.sampling())


def test_a_codec_that_does_not_say_what_codes_stand_for_is_refused() -> None:
    with pytest.raises(InputError, match="does not say which ones its codes stand for"):
        LatentFlowModel.build(spec(None), **SHAPE)


def test_its_first_guess_is_the_best_linear_one() -> None:
    """The network says nothing at first: its error is that of the way alone, of unit size."""
    model = build(stretches=0.0)
    torch.manual_seed(2)
    with torch.no_grad():
        loss = model.loss(batch_of(64, 20), 0)
    assert float(loss.logs["flow"]) == pytest.approx(1.0, abs=0.15)
    assert float(loss.total) == pytest.approx(
        float(loss.logs["flow"]) + 0.1 * float(loss.logs["code_nll"])
    )


def test_known_frames_stay_and_are_heard() -> None:
    model, batch = loud(), batch_of()
    known = torch.zeros_like(batch.known)
    known[0, 4:6] = True
    assert batch.codes is not None
    one, two = (
        model.generate(replace(batch, codes=codes, known=known), model.sampling())
        for codes in (batch.codes, (batch.codes + 1) % 16)
    )
    assert torch.equal(one[0, :, 4:6], batch.codes[0, :, 4:6])
    assert (one != two)[0, :, :4].any() and (one != two)[0, :, 6:].any()
    assert torch.equal(one[1], two[1])


@pytest.mark.parametrize("setting", [{"steps": 3}, {"guidance": 3.0}, {"temperature": 1.0}])
def test_settings_change_what_is_drawn(setting: dict[str, Any]) -> None:
    model, batch = loud(), replace(batch_of(), codes=None)
    plain, other = (model.generate(batch, model.sampling(**s)) for s in ({}, setting))
    assert not torch.equal(plain, other)


def test_it_learns_in_bfloat16_as_well() -> None:
    model, batch, found = loud(), batch_of(), []
    for able in (False, True):
        torch.manual_seed(3)
        with torch.autocast("cpu", torch.bfloat16, enabled=able):
            loss = model.loss(batch, 0)
        loss.total.backward()
        found.append(loss.total.item())
    assert found[1] == pytest.approx(found[0], rel=0.02)


def test_goes_on_from_a_run_with_its_components_if_the_codec_is_the_same() -> None:
    before, batch = loud(seed=1), replace(batch_of(), codes=None)
    model = build(seed=2).eval()
    assert not torch.equal(model.vectors, before.vectors)  # other frequencies turn them
    assert model.take_over(before.state_dict(), before.spec) == []
    assert torch.equal(
        model.generate(batch, model.sampling()), before.generate(batch, model.sampling())
    )
    other = build(seed=2, codec=1)
    kept = other.vectors.clone()
    assert other.take_over(before.state_dict(), before.spec) == ["vectors", "spread"]
    assert torch.equal(other.vectors, kept)


def test_takes_the_trunk_of_the_parallel_model() -> None:
    parallel = ParallelModel.build(spec(), **SHAPE)
    new = build().take_over(parallel.state_dict(), parallel.spec)
    assert not [name for name in new if name.startswith(("input", "blocks", "stem", "norm"))]


@pytest.mark.parametrize("wrong", [{"components": 0}, {"code_weight": -1}, {"stretches": "all"}])
def test_wrong_arguments_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        build(**wrong)
