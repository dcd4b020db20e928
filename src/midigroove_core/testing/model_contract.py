"""What every model has to do, as a pytest class to subclass."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import Model
from midigroove_core.interfaces.model_checks import check_loss, generate_codes, score_codes
from midigroove_core.interfaces.shapes import shapes_without_memory
from midigroove_core.testing.model_task import all_codes, learn, task_batch, task_spec

_TRAINED: dict[str, Model] = {}


class ModelContract:
    """Subclass with `model_class`, and arguments that make it small.

    The model is built for a small task (`testing.model_task`) and learns it; then it has to play
    what it has learned, and its likelihood, if it has one, has to be one.

    Attributes:
        model_class: the model.
        args: arguments of `build`; a model of some thousand weights learns the task in a second.
        steps, learning_rate: how long and how fast it learns.
    """

    model_class: ClassVar[type[Model]]
    args: ClassVar[dict[str, Any]] = {}
    steps: ClassVar[int] = 200
    learning_rate: ClassVar[float] = 1e-2

    @pytest.fixture
    def model(self) -> Model:
        """A fresh model."""
        return self.make()

    @pytest.fixture
    def trained(self) -> Model:
        """A model that has learned the task."""
        return self.make_trained()

    def make(self) -> Model:
        """A new model of the task, always with the same weights."""
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return self.model_class.build(task_spec(), **self.args)

    def make_trained(self) -> Model:
        """A copy of one that is trained once for all tests."""
        key = f"{self.model_class.__module__}.{self.model_class.__qualname__} {self.args}"
        if key not in _TRAINED:
            model = self.make()
            with torch.random.fork_rng():
                learn(model, steps=self.steps, learning_rate=self.learning_rate)
            _TRAINED[key] = model.eval()
        return copy.deepcopy(_TRAINED[key])

    def test_config_round_trip(self, trained: Model) -> None:
        config = json.loads(json.dumps(trained.get_config()))
        again = type(trained).build(task_spec(), **config)
        assert again.get_config() == trained.get_config()
        assert again.conditions == trained.conditions
        again.load_state_dict(trained.state_dict(), strict=True)
        again.eval()
        batch = task_batch(trained)
        assert torch.equal(_codes(again, batch, 0.7), _codes(trained, batch, 0.7)), (
            "the same weights must give the same codes: what is not in state_dict() is lost"
        )

    def test_wrong_arguments_are_named(self, model: Model) -> None:
        with pytest.raises(MidigrooveError, match="no_such_argument"):
            type(model).build(task_spec(), no_such_argument=1)
        for name, args in type(model).presets().items():
            found = shapes_without_memory(partial(type(model).build, task_spec().shape, **args))
            assert found, f"preset {name}: its arguments are not taken"

    def test_loss_is_a_loss(self, model: Model) -> None:
        loss = check_loss(model, model.loss(task_batch(model), 0))
        assert bool(torch.isfinite(loss.total))
        loss.total.backward()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        assert gradients and all(bool(torch.isfinite(g).all()) for g in gradients)

    def test_it_learns(self, model: Model) -> None:
        with torch.random.fork_rng():
            losses = learn(model, steps=40, learning_rate=self.learning_rate)
        assert sum(losses[-10:]) < 0.95 * sum(losses[:10])

    def test_it_plays_what_it_learned(self, trained: Model) -> None:
        """The grid and the conditions tell row 0 of the task: noise, or a model that does not
        listen to one of them, gets half of it or less."""
        batch = task_batch(trained, batch=32, seed=1)
        assert batch.codes is not None
        right = (_codes(trained, batch, 1.0)[:, 0] == batch.codes[:, 0]).float().mean()
        assert right > 0.85, f"{float(right):.2f} of the codes that can be known are right"

    def test_temperature(self, trained: Model) -> None:
        if trained.likelihood == "none":
            return
        batch = task_batch(trained, seed=1)

        def agreement(temperature: float) -> float:
            one, two = (_codes(trained, batch, temperature, seed=seed) for seed in (0, 1))
            return float((one == two).float().mean())

        assert agreement(0.0) > agreement(5.0) + 0.05, "at 0 the most likely codes are taken"

    def test_generate(self, trained: Model) -> None:
        batch = task_batch(trained)
        every: list[dict[str, Any]] = [{}, {"temperature": 0.0}, {"top_k": 3}, {"top_p": 0.5}]
        for settings in every:
            sampling = trained.sampling(**settings)
            codes = generate_codes(trained, batch, sampling)
            assert not codes.requires_grad
            state = torch.get_rng_state()
            again = generate_codes(trained, batch, sampling)
            assert torch.equal(again, codes), "the same seed must give the same codes"
            assert torch.equal(torch.get_rng_state(), state), "it draws from the global generator"

    def test_seeds_differ(self, trained: Model) -> None:
        batch = task_batch(trained)
        one, two = (_codes(trained, batch, 1.0, seed=seed) for seed in (0, 1))
        assert not torch.equal(one, two)

    def test_lengths(self, trained: Model) -> None:
        for frames in (1, 2, 100):
            batch = replace(task_batch(trained, batch=2, frames=frames), codes=None)
            _codes(trained, batch, 1.0)

    def test_unknown_codes_are_not_looked_at(self, trained: Model) -> None:
        batch = task_batch(trained)
        assert batch.codes is not None
        found = _codes(trained, batch, 1.0)
        other = replace(batch, codes=(batch.codes + 1) % 3)
        assert torch.equal(_codes(trained, other, 1.0), found)
        assert torch.equal(_codes(trained, replace(batch, codes=None), 1.0), found)

    def test_known_frames_stay(self, trained: Model) -> None:
        batch = task_batch(trained)
        known = torch.rand(batch.mask.shape, generator=torch.Generator().manual_seed(5)) < 0.4
        assert batch.codes is not None
        batch = replace(batch, known=known, codes=(batch.codes + 1) % 3)
        assert batch.codes is not None
        kept = torch.where(known[:, None], _codes(trained, batch, 1.0) == batch.codes, True)
        assert bool(kept.all())

    def test_it_goes_on_from_known_frames(self, trained: Model) -> None:
        if not trained.uses_known:
            return
        batch = task_batch(trained, batch=32, seed=1)
        known = torch.zeros_like(batch.known)
        known[:, :4] = True
        assert batch.codes is not None
        found = _codes(trained, replace(batch, known=known), 0.0)
        right = (found[:, 1, 4:] == batch.codes[:, 1, 4:]).float().mean()
        assert right > 0.6, "row 1 is the same all through a clip: uses_known is not true"

    def test_it_hears_the_sketch(self, trained: Model) -> None:
        if not trained.uses_sketch:
            return
        batch = task_batch(trained, batch=32, seed=1)
        assert batch.codes is not None and batch.sketch is not None
        heard = batch.sketch[:, 0, 0] >= 0
        right = (_codes(trained, batch, 0.0)[heard, 1] == batch.codes[heard, 1]).float().mean()
        assert right > 0.6, "row 1 is the sketch's: uses_sketch is not true"

    def test_sketches_may_be_missing(self, trained: Model) -> None:
        """A clip that has none plays as if none of the batch had one."""
        if not trained.uses_sketch:
            return
        batch = task_batch(trained, seed=1)
        assert batch.sketch is not None
        without = batch.sketch[:, 0, 0] < 0
        found = _codes(trained, batch, 0.0)
        alone = _codes(trained, replace(batch, sketch=None), 0.0)
        assert torch.equal(found[without], alone[without])

    def test_score(self, trained: Model) -> None:
        batch = task_batch(trained, seed=1)
        if trained.likelihood == "none":
            with pytest.raises(MidigrooveError, match="likelihood"):
                trained.score(batch)
            return
        known, mask = torch.zeros_like(batch.mask), batch.mask.clone()
        known[:, :2], mask[:, 9:] = True, False
        batch = replace(batch, known=known, mask=mask)
        with torch.no_grad():
            scores = score_codes(trained, batch)
        assert bool(torch.isfinite(scores.nll).all())
        idle = (known | ~mask)[:, None].expand_as(scores.nll)
        assert not scores.nll[idle].any() and not scores.correct[idle].any()
        assert float(scores.correct[:, 0, 2:9].float().mean()) > 0.8

    def test_likelihood_sums_to_one(self, trained: Model) -> None:
        """Over all codes that a clip could have; a bound stays below. A score that sees the code it
        scores, or is off by a factor, cannot."""
        if trained.likelihood == "none":
            return
        for frames in (1, 2):
            batch, total = all_codes(trained, frames), torch.zeros(())
            draws = 1 if trained.likelihood == "exact" else 64
            for draw in range(draws):
                with torch.random.fork_rng(), torch.no_grad():
                    torch.manual_seed(draw)
                    total = total + score_codes(trained, batch).nll.sum(dim=(1, 2)) / draws
            one = float((-total).exp().sum())
            if trained.likelihood == "exact":
                assert one == pytest.approx(1.0, abs=0.02)
            else:
                assert one < 1.1

    def test_padding_does_not_matter(self, trained: Model) -> None:
        """What lies where the mask is False changes nothing elsewhere."""
        batch = task_batch(trained, frames=14)
        mask = batch.mask.clone()
        mask[:, 9:] = False
        assert batch.codes is not None
        one = replace(batch, mask=mask, grid=batch.grid * mask[:, None])
        two = replace(one, grid=torch.where(mask[:, None], one.grid, 7.0))
        three = replace(two, codes=batch.codes * mask[:, None])
        found = [_results(trained, x) for x in (one, two, three)]
        for other in found[1:]:
            for first, second in zip(found[0], other, strict=True):
                assert torch.allclose(first, second, atol=1e-4)

    def test_clips_do_not_mix(self, trained: Model) -> None:
        batch = task_batch(trained)
        turned = replace(batch, grid=torch.cat([batch.grid[:1], 1 - batch.grid[1:]]))
        one, two = (_codes(trained, x, 0.0)[0, 0] for x in (batch, turned))
        if trained.likelihood != "none":
            assert torch.equal(one, two)
        else:
            assert float((one == two).float().mean()) > 0.8

    def test_batch_is_left_alone(self, trained: Model) -> None:
        batch = task_batch(trained)
        kept = copy.deepcopy(batch)
        _results(trained, batch)
        for name in ("grid", "mask", "codes", "known"):
            assert torch.equal(getattr(batch, name), getattr(kept, name)), name

    def test_conditions_are_exactly_those_needed(self, model: Model) -> None:
        batch = task_batch(model)
        extra = {**batch.conditions, "no_such_condition": torch.zeros(len(batch.grid))}
        with pytest.raises(MidigrooveError, match="no_such_condition"):
            model.loss(replace(batch, conditions=extra), 0)
        for name in model.conditions:
            fewer = {k: v for k, v in batch.conditions.items() if k != name}
            with pytest.raises(MidigrooveError, match=name):
                model.loss(replace(batch, conditions=fewer), 0)
            with pytest.raises(MidigrooveError, match=name):
                model.generate(replace(batch, conditions=fewer), model.sampling())

    def test_conditions_may_be_unknown(self, trained: Model) -> None:
        batch = task_batch(trained)
        unknown = {
            name: torch.full_like(value, 0 if name == "bpm" else -1)
            for name, value in batch.conditions.items()
        }
        _codes(trained, replace(batch, conditions=unknown), 1.0)

    def test_loss_needs_codes(self, model: Model) -> None:
        with pytest.raises(MidigrooveError, match="codes"):
            model.loss(replace(task_batch(model), codes=None), 0)

    def test_sampling_options(self, trained: Model) -> None:
        options = type(trained).sampling_options()
        assert len({option.name for option in options}) == len(options)
        assert set(trained.sampling().extras) == {option.name for option in options}
        with pytest.raises(MidigrooveError, match="no_such_option"):
            trained.sampling(no_such_option=1)


def _codes(model: Model, batch: GridBatch, temperature: float, seed: int = 0) -> Tensor:
    return generate_codes(model, batch, model.sampling(seed=seed, temperature=temperature))


@torch.no_grad()
def _results(model: Model, batch: GridBatch) -> list[Tensor]:
    """What a model makes of a batch, with the same luck every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        found = [model.loss(batch, 0).total]
        if model.likelihood != "none":
            torch.manual_seed(0)
            found.append(score_codes(model, batch).nll)
    return [*found, (_codes(model, batch, 1.0) * batch.mask[:, None]).float()]
