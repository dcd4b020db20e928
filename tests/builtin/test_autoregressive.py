"""The autoregressive model: causality, memory, known frames, what training hides, drawing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.builtin.depth_sampler import DepthSampler
from midigroove_core.builtin.hit_phases import HitPhases
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.codec import Codebook
from midigroove_core.interfaces.model import GridBatch, ModelSpec, SamplingConfig

F, SIZES = 6, (11, 11, 5)
K = len(SIZES)
VOCABULARIES = {"kit": ["Jazz", "Rock"], "drummer": ["1"], "style": ["funk", "latin"]}
SHAPE = {"dim": 16, "layers": 2, "heads": 2, "head_dim": 8, "conv_kernel": 3}


def tiny(**more: Any) -> AutoregressiveModel:
    """A small model in which nothing is zero, and what is heard changes what is played."""
    torch.manual_seed(0)
    more = {"harmonics": 2, "span": 5, **SHAPE, **more}
    model = AutoregressiveModel.build(spec(recency=(1, 4)), **more)
    with torch.no_grad():
        for parameter in model.parameters():
            if not parameter.any():
                parameter.normal_(std=0.3)
        for loud in (model.past, model.adds, *model.head.out):
            loud.weight.normal_()
    return model


def spec(recency: tuple[int, ...] = (), sizes: tuple[int, ...] = SIZES, **more: Any) -> ModelSpec:
    names = tuple(f"{'recency' if row in recency else 'onset'}/{row}" for row in range(F))
    books = tuple(Codebook(size, level) for level, size in enumerate(sizes))
    return ModelSpec(names, FrameClock(32000, 512), books, VOCABULARIES, **more)


def logits(model: ParallelModel, batch: GridBatch) -> list[torch.Tensor]:
    """K times [B, T, V], without gradients."""
    with torch.no_grad():
        return model.logits(batch)


def loss(model: AutoregressiveModel, batch: GridBatch) -> torch.Tensor:
    return model.loss(batch, 0).total


def random_codes(g: torch.Generator, size: int, frames: int) -> torch.Tensor:
    rows = [torch.randint(0, book, (size, frames), generator=g) for book in SIZES]
    return torch.stack(rows, dim=1)


def batch_of(size: int = 2, frames: int = 12, seed: int = 0) -> GridBatch:
    g = torch.Generator().manual_seed(seed)
    mask = torch.ones(size, frames, dtype=torch.bool)
    mask[-1, frames - 4 :] = False
    return GridBatch(
        grid=torch.rand(size, F, frames, generator=g) * mask[:, None],
        mask=mask,
        conditions={
            "kit": torch.tensor([0, 1])[:size],
            "drummer": torch.tensor([-1, 0])[:size],
            "style": torch.tensor([1, -1])[:size],
            "bpm": torch.tensor([0.0, 140.0])[:size],
        },
        codes=random_codes(g, size, frames) * mask[:, None],
    )


def difference(model: AutoregressiveModel, one: GridBatch, two: GridBatch) -> torch.Tensor:
    """How far the logits differ, [B, K, T]."""
    pairs = zip(logits(model, one), logits(model, two), strict=True)
    return torch.stack([(a - b).abs().amax(dim=-1) for a, b in pairs], dim=1)


def test_a_frame_hears_the_frames_before_it_and_no_other() -> None:
    model, batch = tiny().eval(), batch_of()
    changed = batch.codes.clone()
    changed[0, :, 6] = (changed[0, :, 6] + 1) % torch.tensor(SIZES)
    moved = difference(model, replace(batch, codes=changed), batch).amax(dim=1)
    assert moved[0, :6].max() == 0 and moved[1].max() == 0
    assert (moved[0, 6:10] > 0).all()  # frame 6: later codebooks; after it: the past
    first = difference(model, replace(batch, codes=changed), batch)[0, 0, 6]
    assert first == 0  # the first codebook of frame 6 does not see its own frame


def test_all_frames_see_the_whole_grid() -> None:
    model, batch = tiny().eval(), batch_of()
    changed = batch.grid.clone()
    changed[0, :, -1] += 0.1
    assert (difference(model, replace(batch, grid=changed), batch)[0, :, 0] > 0).all()


@pytest.mark.parametrize("past_kernel", [1, 4])
def test_one_frame_at_a_time_gives_what_all_at_once_give(past_kernel: int) -> None:
    model = tiny(past_kernel=past_kernel).eval()
    batch = replace(batch_of(frames=17), codes=None)
    drawn = model.generate(batch, SamplingConfig(temperature=0.0))
    found = logits(model, replace(batch, codes=drawn))
    greedy = torch.stack([rows.argmax(-1) for rows in found], dim=1)
    real = batch.mask[:, None].expand_as(drawn)
    assert torch.equal(greedy[real], drawn[real])


def test_known_frames_stay_and_are_heard() -> None:
    model, batch = tiny().eval(), batch_of(frames=16)
    batch = replace(batch, mask=torch.ones_like(batch.mask))
    whole = model.generate(batch, SamplingConfig(temperature=0.0))
    known = torch.zeros_like(batch.mask)
    known[0, :7], known[1, :5], known[1, 9:11] = True, True, True
    argmax = SamplingConfig(temperature=0.0)
    again = model.generate(replace(batch, codes=whole, known=known), argmax)
    assert torch.equal(again, whole)  # continuing what it would have played itself
    other = model.generate(replace(batch, known=known), argmax)
    kept = known[:, None].expand_as(other)
    assert torch.equal(other[kept], batch.codes[kept])
    assert not torch.equal(other[:, :, 11:], whole[:, :, 11:])


def test_padding_changes_nothing() -> None:
    model, batch = tiny().eval(), batch_of()
    alone = replace(
        batch,
        grid=batch.grid[1:, :, :8],
        mask=batch.mask[1:, :8],
        conditions={name: value[1:] for name, value in batch.conditions.items()},
        codes=batch.codes[1:, :, :8],
        known=batch.known[1:, :8],
        start_frame=batch.start_frame[1:],
    )
    for one, two in zip(logits(model, alone), logits(model, batch), strict=True):
        torch.testing.assert_close(one[0], two[1, :8], rtol=1e-4, atol=1e-5)
    noisy = replace(batch, grid=torch.where(batch.mask[:, None], batch.grid, 0.5))
    torch.testing.assert_close(loss(model, noisy), loss(model, batch))


def test_the_same_seed_draws_the_same() -> None:
    model, batch = tiny().eval(), batch_of(frames=70)
    first = model.generate(batch, SamplingConfig(temperature=1.0, seed=3))
    assert torch.equal(first, model.generate(batch, SamplingConfig(temperature=1.0, seed=3)))
    assert not torch.equal(first, model.generate(batch, SamplingConfig(temperature=1.0, seed=4)))
    cut = SamplingConfig(top_k=1, seed=3)
    greedy = model.generate(batch, SamplingConfig(temperature=0.0))
    assert torch.equal(model.generate(batch, cut), greedy)


def test_codes_are_drawn_with_their_probabilities() -> None:
    model, frames = tiny(), 4000
    hidden = torch.randn(1, 16, generator=torch.Generator().manual_seed(1))
    sampling, generator = SamplingConfig(temperature=0.7), torch.Generator().manual_seed(0)
    with torch.no_grad():
        sampler = DepthSampler(model.head, sampling, generator, 1, frames)
        drawn = torch.cat([sampler.draw(hidden) for _ in range(frames)])
        wanted = (model.head.step(0, hidden, None) / 0.7).softmax(-1)[0]
    share = torch.bincount(drawn[:, 0], minlength=SIZES[0]) / frames
    torch.testing.assert_close(share, wanted, atol=0.03, rtol=0)


def test_training_spoils_the_past_but_not_the_measurement() -> None:
    model, batch = tiny(code_noise=0.3, hide_past=0.5), batch_of()
    torch.manual_seed(0)
    first, second = loss(model.train(), batch), loss(model, batch)
    assert first != second
    model.eval()
    assert loss(model, batch) == loss(model, batch)


def test_begins_as_the_parallel_model_whose_weights_it_takes() -> None:
    torch.manual_seed(1)
    parallel = ParallelModel.build(spec(), **SHAPE)
    model = AutoregressiveModel.build(spec(recency=(1,)), **SHAPE)
    new = model.take_over(parallel.state_dict(), parallel.spec)
    assert "past.weight" in new and "input.weight" not in new
    batch = batch_of()
    for one, two in zip(logits(model.eval(), batch), logits(parallel.eval(), batch), strict=True):
        torch.testing.assert_close(one, two)


def test_code_vectors_lie_as_far_apart_as_they_did() -> None:
    vectors = tuple(torch.randn(size, 4) for size in SIZES)
    model = AutoregressiveModel.build(spec(find_vectors=lambda: vectors), **SHAPE)
    wanted = torch.cdist(torch.cat(vectors), torch.cat(vectors))
    ratio = torch.cdist(model.past.weight, model.past.weight) / wanted.clamp(min=1e-6)
    off = ~torch.eye(sum(SIZES), dtype=torch.bool)
    torch.testing.assert_close(ratio[off], ratio[off].mean().expand_as(ratio[off]))


def test_phases_tell_where_in_its_frame_the_last_hit_fell() -> None:
    rate, horizon, unit = 50.0, 6.0, 0.01
    phases = HitPhases([0], rate, 1, 2)
    torch.nn.init.eye_(phases.project.weight)
    since = torch.tensor([0.25, 1.25, 2.25, 7.25]) / rate  # frames since the hit, to seconds
    recency = 1 - torch.log1p(since / unit) / torch.log1p(torch.tensor(horizon / unit))
    sine, cosine = phases(recency[None, None])[0].T / recency
    torch.testing.assert_close(sine, torch.ones(4), atol=1e-3, rtol=0)
    torch.testing.assert_close(cosine, torch.zeros(4), atol=1e-3, rtol=0)


def test_learns_what_only_the_past_tells() -> None:
    torch.manual_seed(0)
    model = AutoregressiveModel.build(
        spec(sizes=(11, 11, 11)), code_noise=0.0, hide_past=0.0, **SHAPE
    )
    codes = (torch.arange(24) + torch.randint(11, (16, 3, 1))) % 11  # counting, from anywhere
    batch = batch_of(frames=24)
    batch = GridBatch(
        grid=torch.zeros(16, F, 24),
        mask=torch.ones(16, 24, dtype=torch.bool),
        conditions={name: value[:1].expand(16) for name, value in batch.conditions.items()},
        codes=codes,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(110):
        found = loss(model, batch)
        found.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert found < 0.5  # log 11 = 2.4 without the past
    known = torch.zeros(16, 24, dtype=torch.bool)
    known[:, :2] = True
    drawn = model.eval().generate(replace(batch, known=known), SamplingConfig(temperature=0.0))
    assert (drawn == codes).float().mean() > 0.95


def test_its_rows_of_recency_are_found_by_name() -> None:
    assert tiny().phases is not None and tiny().phases._rows.tolist() == [1, 4]
    assert AutoregressiveModel.build(spec(), **SHAPE).phases is None


def test_needs_codes_to_tell_what_they_cost() -> None:
    with pytest.raises(MidigrooveError, match="with codes"):
        loss(tiny(), replace(batch_of(), codes=None))
