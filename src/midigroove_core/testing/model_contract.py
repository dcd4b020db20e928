"""What every model has to do, as a pytest class to subclass."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest
import torch

from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.model import GridBatch, Model, SamplingConfig


def make_batch(model: Model, *, batch: int = 3, frames: int = 20, seed: int = 0) -> GridBatch:
    """A random batch of the shape that a model's configuration asks for; all frames are real."""
    config, rng = model.get_config(), torch.Generator().manual_seed(seed)
    conditions = {}
    for name in model.conditions:
        names = config["vocabularies"].get(name)
        if names is None:
            conditions[name] = 80 + 80 * torch.rand(batch, generator=rng)
        else:
            conditions[name] = torch.randint(-1, len(names), (batch,), generator=rng)
    codes = [
        torch.randint(0, size, (batch, frames), generator=rng) for size in config["codebook_sizes"]
    ]
    return GridBatch(
        grid=torch.rand(batch, config["num_features"], frames, generator=rng),
        mask=torch.ones(batch, frames, dtype=torch.bool),
        conditions=conditions,
        codes=torch.stack(codes, dim=1),
    )


class ModelContract:
    """Subclass with a fixture `model` that returns a fresh, small model."""

    @pytest.fixture
    def model(self) -> Model:
        raise NotImplementedError("a subclass of ModelContract needs a fixture named model")

    def test_config_round_trip(self, model: Model) -> None:
        config = json.loads(json.dumps(model.get_config()))
        again = type(model).from_config(config)
        assert again.get_config() == model.get_config()
        assert again.conditions == model.conditions
        again.load_state_dict(model.state_dict(), strict=True)
        batch = make_batch(model)
        model.eval()
        with torch.no_grad():
            assert torch.equal(again.eval()(batch), model(batch))

    def test_unknown_argument_is_refused(self, model: Model) -> None:
        with pytest.raises(MidigrooveError, match="no_such_argument"):
            type(model).from_config({**model.get_config(), "no_such_argument": 1})

    def test_logits(self, model: Model) -> None:
        batch, sizes = make_batch(model), model.get_config()["codebook_sizes"]
        assert batch.codes is not None
        logits = model(batch)
        assert logits.shape == (*batch.codes.shape, max(sizes))
        assert logits.dtype == torch.float32
        for book, size in enumerate(sizes):
            assert bool(torch.isfinite(logits[:, book, :, :size]).all())
            assert bool((logits[:, book, :, size:] == -torch.inf).all())

    def test_loss(self, model: Model) -> None:
        losses = model.loss(make_batch(model))
        assert losses["loss"].ndim == 0 and bool(torch.isfinite(losses["loss"]))
        per_codebook = losses["nll_per_codebook"]
        assert per_codebook.shape == (len(model.get_config()["codebook_sizes"]),)
        assert not per_codebook.requires_grad and bool((per_codebook >= 0).all())
        losses["loss"].backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert gradients and all(bool(torch.isfinite(g).all()) for g in gradients)

    def test_it_learns_one_batch(self, model: Model) -> None:
        batch = make_batch(model, batch=1, frames=8)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        model.eval()
        before = model.loss(batch)["loss"].item()
        for _ in range(20):
            optimizer.zero_grad()
            model.loss(batch)["loss"].backward()
            optimizer.step()
        assert model.loss(batch)["loss"].item() < 0.9 * before

    def test_masked_frames_do_not_count(self, model: Model) -> None:
        """What lies where the mask is False changes neither the loss nor the other frames."""
        batch = make_batch(model, frames=20)
        assert batch.codes is not None
        mask = batch.mask.clone()
        mask[:, 14:] = False
        grid, codes = batch.grid.clone(), batch.codes.clone()
        grid[..., 14:], codes[..., 14:] = 0, 0
        one = replace(batch, grid=grid, mask=mask, codes=codes)
        two = replace(batch, mask=mask, grid=grid + 5 * (~mask[:, None]))
        model.eval()
        with torch.no_grad():
            for name, value in model.loss(one).items():
                assert torch.allclose(value, model.loss(two)[name], atol=1e-5), name
            assert torch.allclose(model(one)[:, :, :14], model(two)[:, :, :14], atol=1e-4)

    def test_padding_does_not_matter(self, model: Model) -> None:
        batch = make_batch(model, frames=14)
        assert batch.codes is not None
        padded = replace(
            batch,
            grid=torch.nn.functional.pad(batch.grid, (0, 6)),
            mask=torch.nn.functional.pad(batch.mask, (0, 6)),
            codes=torch.nn.functional.pad(batch.codes, (0, 6)),
        )
        model.eval()
        with torch.no_grad():
            assert torch.allclose(model(padded)[:, :, :14], model(batch), atol=1e-4)
            assert torch.allclose(model.loss(padded)["loss"], model.loss(batch)["loss"], atol=1e-5)

    @pytest.mark.parametrize(
        "sampling",
        [
            SamplingConfig(),
            SamplingConfig(temperature=0.0),
            SamplingConfig(temperature=0.7, top_k=3),
            SamplingConfig(top_p=0.5, seed=3),
        ],
        ids=["plain", "argmax", "top_k", "top_p"],
    )
    def test_generate(self, model: Model, sampling: SamplingConfig) -> None:
        model.eval()
        batch, config = make_batch(model), model.get_config()
        assert batch.codes is not None
        codes = model.generate(batch, sampling)
        assert codes.shape == batch.codes.shape and codes.dtype == torch.int64
        assert int(codes.min()) >= 0
        for book, size in enumerate(config["codebook_sizes"]):
            assert int(codes[:, book].max()) < size
        assert not codes.requires_grad
        state = torch.get_rng_state()
        again = model.generate(batch, sampling)
        assert torch.equal(again, codes), "the same seed must give the same codes"
        assert torch.equal(torch.get_rng_state(), state), "it draws from the global generator"
        assert torch.equal(model.generate(replace(batch, codes=None), sampling), codes)

    def test_seeds_differ(self, model: Model) -> None:
        model.eval()
        batch = make_batch(model)
        one, two = (model.generate(batch, SamplingConfig(seed=seed)) for seed in (0, 1))
        assert not torch.equal(one, two)

    def test_batch_is_left_alone(self, model: Model) -> None:
        batch = make_batch(model)
        kept = copy.deepcopy(batch)
        model.loss(batch)
        model.generate(batch, SamplingConfig())
        assert torch.equal(batch.grid, kept.grid) and torch.equal(batch.mask, kept.mask)
        assert batch.codes is not None and kept.codes is not None
        assert torch.equal(batch.codes, kept.codes)

    def test_conditions_are_exactly_those_needed(self, model: Model) -> None:
        batch = make_batch(model)
        extra = {**batch.conditions, "no_such_condition": torch.zeros(len(batch.grid))}
        with pytest.raises(MidigrooveError, match="no_such_condition"):
            model.loss(replace(batch, conditions=extra))
        for name in model.conditions:
            fewer = {k: v for k, v in batch.conditions.items() if k != name}
            for call in (model.loss, lambda b: model.generate(b, SamplingConfig())):
                with pytest.raises(MidigrooveError, match=name):
                    call(replace(batch, conditions=fewer))

    def test_loss_needs_codes(self, model: Model) -> None:
        with pytest.raises(MidigrooveError, match="codes"):
            model.loss(replace(make_batch(model), codes=None))
