"""The built-in model: shapes, padding, conditions, coherent codebooks, sampling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.masked import MaskedModel
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces import drawing
from midigroove_core.interfaces.codec import Codebook
from midigroove_core.interfaces.drawing import draw
from midigroove_core.interfaces.model import GridBatch, ModelSpec, SamplingConfig

F, K, V = 6, 3, 11
VOCABULARIES = {"kit": ["Jazz", "Rock"], "drummer": ["1"], "style": ["funk", "latin"]}


def tiny(**more: Any) -> ParallelModel:
    torch.manual_seed(0)
    shape = {"dim": 16, "layers": 2, "heads": 2, "head_dim": 8, "conv_kernel": 3}
    return ParallelModel.build(spec(), **{**shape, **more})


def spec(**more: Any) -> ModelSpec:
    names = tuple(f"row/{row}" for row in range(F))
    books = tuple(Codebook(V, level) for level in range(K))
    return ModelSpec(names, FrameClock(32000, 512), books, VOCABULARIES, **more)


def logits(model: ParallelModel, batch: GridBatch) -> torch.Tensor:
    """[B, K, T, V], without gradients."""
    with torch.no_grad():
        return torch.stack(model.logits(batch), dim=1)


def loss(model: ParallelModel, batch: GridBatch) -> torch.Tensor:
    return model.loss(batch, 0).total


def batch_of(size: int = 2, frames: int = 12, seed: int = 0) -> GridBatch:
    g = torch.Generator().manual_seed(seed)
    mask = torch.ones(size, frames, dtype=torch.bool)
    mask[-1, frames - 4 :] = False
    return GridBatch(
        grid=torch.randn(size, F, frames, generator=g) * mask[:, None],
        mask=mask,
        conditions={
            "kit": torch.tensor([0, 1])[:size],
            "drummer": torch.tensor([-1, 0])[:size],
            "style": torch.tensor([1, -1])[:size],
            "bpm": torch.tensor([0.0, 140.0])[:size],
        },
        codes=torch.randint(0, V, (size, K, frames), generator=g) * mask[:, None],
    )


VARIANTS = [{}, {"depth": False}, {"norm": "post", "conv_kernel": 0, "dropout": 0.1}]


@pytest.mark.parametrize("variant", VARIANTS)
def test_loss_and_score_agree_with_the_logits(variant: dict[str, Any]) -> None:
    model, batch = tiny(**variant).eval(), batch_of()
    found = logits(model, batch)
    assert found.shape == (2, K, 12, V)
    real = batch.mask[:, None].expand(2, K, 12)
    nll = torch.nn.functional.cross_entropy(found[real], batch.codes[real])
    torch.testing.assert_close(loss(model, batch), nll)
    scores = model.score(batch)
    torch.testing.assert_close(scores.nll.sum() / real.sum(), nll)
    assert torch.equal(scores.correct, (found.argmax(-1) == batch.codes) & real)


def test_score_and_generate_in_pieces_give_what_the_whole_gives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, batch = tiny().eval(), batch_of()
    whole = model.score(batch)
    argmax = SamplingConfig(temperature=0.0)
    codes = model.generate(batch, argmax)
    monkeypatch.setattr(drawing, "PIECE_BYTES", 4 * 2 * V * 5)  # five frames at once
    assert len(model._pieces(batch.grid.transpose(1, 2))) == 3
    torch.testing.assert_close(model.score(batch).nll, whole.nll)
    assert torch.equal(model.generate(batch, argmax), codes)


@pytest.mark.parametrize("variant", VARIANTS)
def test_padding_changes_nothing(variant: dict[str, Any]) -> None:
    model, batch = tiny(**variant).eval(), batch_of()
    alone = replace(
        batch,
        grid=batch.grid[1:, :, :8],
        mask=batch.mask[1:, :8],
        conditions={name: value[1:] for name, value in batch.conditions.items()},
        codes=batch.codes[1:, :, :8],
        known=batch.known[1:, :8],
        start_frame=batch.start_frame[1:],
    )
    torch.testing.assert_close(
        logits(model, alone)[0], logits(model, batch)[1, :, :8], rtol=1e-4, atol=1e-5
    )
    noisy = replace(batch, grid=torch.where(batch.mask[:, None], batch.grid, 9.0))
    torch.testing.assert_close(loss(model, noisy), loss(model, batch))


def test_a_frame_sees_the_whole_window() -> None:
    model, batch = tiny().eval(), batch_of()
    changed = batch.grid.clone()
    changed[0, :, 0] += 1.0
    moved = (logits(model, replace(batch, grid=changed)) - logits(model, batch)).abs()
    assert moved[0, :, -1].max() > 0 and moved[1].max() == 0


@pytest.mark.parametrize("name", ["kit", "drummer", "style", "bpm"])
def test_every_condition_counts_and_may_be_unknown(name: str) -> None:
    model, batch = tiny().eval(), batch_of()
    known = batch.conditions[name].clone()
    known[:] = 0 if name != "bpm" else 90.0
    unknown = torch.full_like(known, 0.0 if name == "bpm" else -1)
    results = [
        logits(model, replace(batch, conditions={**batch.conditions, name: value}))
        for value in (known, unknown)
    ]
    assert (results[0] - results[1]).abs().max() > 1e-6


def test_missing_and_extra_conditions_are_errors() -> None:
    batch = batch_of()
    fewer = {name: value for name, value in batch.conditions.items() if name != "kit"}
    with pytest.raises(MidigrooveError, match=r"missing \['kit'\]"):
        loss(tiny(), replace(batch, conditions=fewer))
    with pytest.raises(MidigrooveError, match=r"not used \['kit'\]"):
        loss(tiny(conditions=["drummer", "style", "bpm"]), batch)
    with pytest.raises(MidigrooveError, match="with codes"):
        loss(tiny(), replace(batch, codes=None))


def test_depth_heads_see_earlier_codes_of_the_same_frame_only() -> None:
    model, batch = tiny().eval(), batch_of()
    codes = batch.codes.clone()
    codes[0, 1, 3] = (codes[0, 1, 3] + 1) % V
    moved = (logits(model, replace(batch, codes=codes)) - logits(model, batch)).abs().amax(dim=-1)
    assert moved[0, 2, 3] > 0
    moved[0, 2, 3] = 0
    assert moved.max() == 0


def test_generating_with_depth_is_the_chain_that_the_loss_scores() -> None:
    model, batch = tiny().eval(), batch_of()
    codes = model.generate(batch, SamplingConfig(temperature=0))
    greedy = logits(model, replace(batch, codes=codes)).argmax(dim=-1) * batch.mask[:, None]
    assert torch.equal(codes, greedy)


def test_depth_learns_stacks_that_independent_heads_cannot() -> None:
    """Known mistake 10: levels drawn independently are incoherent."""
    shares = {}
    for depth in (True, False):
        model = tiny(depth=depth, conditions=["bpm"], head_dim=32)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        g = torch.Generator().manual_seed(1)
        grid, mask = torch.zeros(32, F, 10), torch.ones(32, 10, dtype=torch.bool)
        bpm = {"bpm": torch.zeros(32)}
        for _ in range(60):
            first = torch.randint(0, V, (32, 1, 10), generator=g)
            stack = torch.cat([first, (first + 3) % V, (first * 2) % V], dim=1)
            found = loss(model, GridBatch(grid, mask, bpm, stack))
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
        codes = model.eval().generate(
            GridBatch(grid, mask, bpm), SamplingConfig(temperature=1.0, seed=3)
        )
        shares[depth] = ((codes[:, 0] + 3) % V == codes[:, 1]).float().mean().item()
    assert shares[True] > 0.9 and shares[False] < 0.3


def test_generate_is_seeded_and_in_range() -> None:
    model, batch = tiny().eval(), batch_of()
    once, again = (model.generate(batch, SamplingConfig(seed=5)) for _ in range(2))
    other = model.generate(batch, SamplingConfig(seed=6))
    assert torch.equal(once, again) and not torch.equal(once, other)
    assert once.dtype == torch.int64 and once.min() >= 0 and once.max() < V
    assert once.shape == (2, K, 12) and (once[1, :, 8:] == 0).all()


def test_draw_follows_the_sampling_config() -> None:
    p = torch.tensor([0.5, 0.3, 0.15, 0.05])
    logits = p.log().expand(40_000, 4)

    def shares(**config: Any) -> torch.Tensor:
        codes = draw(
            logits,
            SamplingConfig(**{"temperature": 1.0, **config}),
            torch.Generator().manual_seed(0),
        )
        return torch.bincount(codes, minlength=4) / len(codes)

    torch.testing.assert_close(shares(), p, atol=0.01, rtol=0)
    assert shares(temperature=0).tolist() == [1, 0, 0, 0]
    torch.testing.assert_close(shares(top_k=2), torch.tensor([5, 3, 0, 0]) / 8, atol=0.01, rtol=0)
    torch.testing.assert_close(shares(top_p=0.8), shares(top_k=2), atol=0.01, rtol=0)
    assert shares(top_p=0.1).tolist() == [1, 0, 0, 0]
    sharp = p**2 / (p**2).sum()
    torch.testing.assert_close(shares(temperature=0.5), sharp, atol=0.01, rtol=0)


def test_it_starts_as_the_unigram() -> None:
    batch = batch_of()
    frequencies = torch.rand(K, V, generator=torch.Generator().manual_seed(2)).double()
    frequencies /= frequencies.sum(dim=1, keepdim=True)
    told = spec(code_frequencies=tuple(frequencies))
    shape = {"dim": 16, "layers": 2, "heads": 2, "head_dim": 8, "conv_kernel": 3}
    codes = batch.codes.transpose(1, 2)[batch.mask]
    unigram = torch.stack([-frequencies[k].log()[codes[:, k]].mean() for k in range(K)]).mean()
    before, after = (
        loss(ParallelModel.build(one, **shape).eval(), batch) for one in (spec(), told)
    )
    assert (after - unigram).abs() < 0.2 * (before - unigram).abs()


def test_names_that_are_known_keep_their_embeddings() -> None:
    torch.manual_seed(0)
    before = tiny()
    more = {**VOCABULARIES, "kit": ["Rock", "Mine", "Jazz"]}
    model = ParallelModel.build(replace(spec(), vocabularies=more), **before.get_config())
    new = model.take_over(before.state_dict(), before.spec)
    old, now = before.embeddings["kit"].weight, model.embeddings["kit"].weight
    assert new == ["kit Mine"]
    assert torch.equal(now, old[[1, 2, 0, 2]])  # the unknown one stands for what is new
    assert torch.equal(model.input.weight, before.input.weight)


@pytest.mark.parametrize("family", [ParallelModel, AutoregressiveModel, MaskedModel])
def test_feed_forward_parts_are_as_wide_as_said(family: type[ParallelModel]) -> None:
    shape = {"dim": 16, "layers": 1, "heads": 2, "head_dim": 8, "conv_kernel": 3}
    model = family.build(spec(), **shape, ff_mult=2)
    assert model.blocks[0].mlp_in.out_features == 32
    assert model.get_config()["ff_mult"] == 2


@pytest.mark.parametrize(
    ("argument", "value", "says"),
    [
        ("dim", 18, "multiple of 2"),
        ("conv_kernel", 4, "odd"),
        ("norm", "batch", "'pre' or 'post'"),
        ("conditions", ["mood"], "unknown"),
        ("layers", 10**9, "whole number from 0 to 512"),
        ("width", 3, "no argument .width."),
    ],
)
def test_wrong_arguments_are_named(argument: str, value: Any, says: str) -> None:
    with pytest.raises(MidigrooveError, match=says):
        ParallelModel.build(spec(), **{**tiny().get_config(), argument: value})


def test_a_condition_without_names_is_refused() -> None:
    with pytest.raises(MidigrooveError, match="no names for"):
        ParallelModel.build(replace(spec(), vocabularies={"kit": []}))
