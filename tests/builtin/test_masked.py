"""The masked model: what is heard, in which order codes come, passes, the bound, its start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from midigroove_core.builtin.masked import MaskedModel
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codebook
from midigroove_core.interfaces.model import GridBatch, ModelSpec, SamplingConfig

F, SIZES = 3, (5, 5, 4)
SHAPE = {"dim": 16, "layers": 1, "heads": 2, "head_dim": 16, "conv_kernel": 3}


def spec(sizes: tuple[int, ...] = SIZES, **more: Any) -> ModelSpec:
    books = tuple(Codebook(size, level) for level, size in enumerate(sizes))
    names = tuple(f"row/{row}" for row in range(F))
    return ModelSpec(names, FrameClock(32000, 512), books, {"kit": ["Jazz", "Rock"]}, **more)


def build(sizes: tuple[int, ...] = SIZES, **more: Any) -> MaskedModel:
    torch.manual_seed(0)
    args = {"conditions": ["kit"], "coarse": 2, "code_dim": 8, **SHAPE, **more}
    return MaskedModel.build(spec(sizes), **args)


def loud(**more: Any) -> MaskedModel:
    """A model in which what is heard changes what is played."""
    model = build(**more).eval()
    with torch.no_grad():
        for weights in (model.enter.weight, *model.blocks.parameters(), *model.head.parameters()):
            weights.normal_()
    return model


def batch_of(size: int = 2, frames: int = 10, seed: int = 0) -> GridBatch:
    g = torch.Generator().manual_seed(seed)
    codes = [torch.randint(0, book, (size, frames), generator=g) for book in SIZES]
    return GridBatch(
        grid=torch.rand(size, F, frames, generator=g),
        mask=torch.ones(size, frames, dtype=torch.bool),
        conditions={"kit": torch.arange(size) % 2},
        codes=torch.stack(codes, dim=1),
    )


def waves(size: int, frames: int = 12) -> GridBatch:
    """Clips whose one row of codes counts from anywhere: all tell all, and the grid tells none."""
    codes = (torch.arange(frames) + torch.randint(5, (size, 1))) % 5
    return GridBatch(
        grid=torch.zeros(size, F, frames),
        mask=torch.ones(size, frames, dtype=torch.bool),
        conditions={"kit": torch.zeros(size, dtype=torch.int64)},
        codes=codes[:, None],
    )


@pytest.fixture(scope="module")
def counting() -> MaskedModel:
    """A model that has learned `waves`."""
    model = build(sizes=(5,))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(250):
        optimizer.zero_grad()
        model.loss(waves(32), step).total.backward()
        optimizer.step()
    return model.eval()


def test_begins_as_the_parallel_model_whose_weights_it_takes() -> None:
    torch.manual_seed(1)
    parallel = ParallelModel.build(spec(), conditions=["kit"], **SHAPE)
    model = build()
    new = model.take_over(parallel.state_dict(), parallel.spec)
    assert sorted(new) == ["enter.weight", "heard.weight", "open"]
    batch = replace(batch_of(), codes=None)
    greedy = SamplingConfig(temperature=0.0)
    assert torch.equal(model.eval().generate(batch, greedy), parallel.generate(batch, greedy))


@pytest.mark.parametrize("frame", [0, 11])
def test_known_frames_stay_and_are_heard_before_and_after_them(
    counting: MaskedModel, frame: int
) -> None:
    batch = waves(2)
    known = torch.zeros_like(batch.known)
    known[0, frame] = True
    assert batch.codes is not None
    greedy = counting.sampling(temperature=0.0)
    one, two = (
        counting.generate(replace(batch, codes=codes, known=known), greedy)
        for codes in (batch.codes, (batch.codes + 1) % 5)
    )
    assert one[0, 0, frame] == batch.codes[0, 0, frame]
    assert (one != two)[0, 0].all()
    assert torch.equal(one[1], two[1])


def test_coarse_codes_do_not_hear_fine_ones() -> None:
    model, batch = loud(), batch_of()
    known = torch.zeros_like(batch.known)
    known[:, :5] = True
    assert batch.codes is not None
    other = batch.codes.clone()
    other[:, 2, :5] = (other[:, 2, :5] + 1) % SIZES[2]
    found = []
    for codes in (batch.codes, other):
        torch.manual_seed(0)
        with torch.no_grad():
            found.append(model.score(replace(batch, codes=codes, known=known)).nll)
    assert torch.equal(found[0][:, :2], found[1][:, :2])
    assert (found[0] != found[1])[:, 2, 5:].any(dim=1).all()


def test_a_bar_between_two_is_filled_in(counting: MaskedModel) -> None:
    torch.manual_seed(5)
    batch = waves(32)
    known = torch.ones_like(batch.known)
    known[:, 4:8] = False
    drawn = counting.generate(replace(batch, known=known), counting.sampling(temperature=1.0))
    assert batch.codes is not None
    assert (drawn == batch.codes)[:, :, 4:8].float().mean() > 0.9


def test_more_passes_make_fewer_mistakes(counting: MaskedModel) -> None:
    """One pass draws frames apart, which here is chance; more let them agree."""
    torch.manual_seed(6)
    batch = replace(waves(64), codes=None)

    def agreeing(passes: int) -> float:
        codes = counting.generate(batch, counting.sampling(temperature=1.0, passes=passes))[:, 0]
        return float(((codes[:, :-1] + 1) % 5 == codes[:, 1:]).float().mean())

    one, some, many = (agreeing(passes) for passes in (1, 4, 12))
    assert one < 0.4 < some < many and many > 0.75


def test_the_bound_is_near_what_the_codes_cost(counting: MaskedModel) -> None:
    torch.manual_seed(7)
    with torch.no_grad():
        found = counting.score(waves(256)).nll.sum(dim=(1, 2)).mean()
    assert 1.55 < found < 3.0  # log 5 = 1.61 for the first; 12 log 5 = 19.3 if drawn apart


def test_what_a_clip_costs_when_some_of_it_is_known(counting: MaskedModel) -> None:
    batch = waves(32)
    known = torch.zeros_like(batch.known)
    known[:, ::3] = True
    with torch.no_grad():
        found = counting.score(replace(batch, known=known))
    assert found.nll.sum(dim=(1, 2)).mean() < 0.5
    assert found.correct[:, 0][~known].float().mean() > 0.95


def test_code_vectors_are_where_the_embeddings_begin() -> None:
    vectors = tuple(torch.randn(size, 4) for size in SIZES)
    model = MaskedModel.build(spec(find_vectors=lambda: vectors), conditions=["kit"], **SHAPE)
    wanted = torch.cdist(torch.cat(vectors), torch.cat(vectors))
    ratio = torch.cdist(model.heard.weight, model.heard.weight) / wanted.clamp(min=1e-6)
    off = ~torch.eye(sum(SIZES), dtype=torch.bool)
    torch.testing.assert_close(ratio[off], ratio[off].mean().expand_as(ratio[off]))


@pytest.mark.parametrize("wrong", [{"coarse": 0}, {"code_dim": 1.5}, {"stretches": 1.1}])
def test_wrong_arguments_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        build(**wrong)
