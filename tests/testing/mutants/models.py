"""Wrong models, each a sound one but for one thing; `refused_by` is the test that has to say so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from support.small_models import FramesModel
from torch import Tensor

from midigroove_core import CodeScores, GridBatch, Loss, SamplingConfig
from midigroove_core.builtin.autoregressive import AutoregressiveModel
from midigroove_core.interfaces.model import ModelSpec


class ScoreSeesItsCodes(FramesModel):
    """Codes that were right anyway become surer, by a look at them."""

    refused_by = "test_likelihood_sums_to_one"

    def score(self, batch: GridBatch) -> CodeScores:
        found = super().score(batch)
        return CodeScores(found.nll * 0.9, found.correct)


class NllTwice(FramesModel):
    refused_by = "test_likelihood_sums_to_one"

    def score(self, batch: GridBatch) -> CodeScores:
        found = super().score(batch)
        return CodeScores(found.nll * 2, found.correct)


class NllInBits(FramesModel):
    refused_by = "test_likelihood_sums_to_one"

    def score(self, batch: GridBatch) -> CodeScores:
        found = super().score(batch)
        return CodeScores(found.nll / 0.6931, found.correct)


class IgnoresTheGrid(FramesModel):
    refused_by = "test_it_plays_what_it_learned"

    def logits(self, batch: GridBatch) -> list[Tensor]:
        return super().logits(replace(batch, grid=torch.zeros_like(batch.grid)))


class IgnoresTheConditions(FramesModel):
    refused_by = "test_it_plays_what_it_learned"

    def logits(self, batch: GridBatch) -> list[Tensor]:
        self.check_conditions(batch)
        kit = torch.zeros_like(batch.conditions["kit"])
        return super().logits(replace(batch, conditions={"kit": kit}))


class PlaysNoise(FramesModel):
    refused_by = "test_it_plays_what_it_learned"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        return self.finish(batch, super().generate(batch, replace(sampling, temperature=1000.0)))


class IgnoresTheTemperature(FramesModel):
    refused_by = "test_temperature"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        return super().generate(batch, replace(sampling, temperature=1.0))


class IgnoresTheSeed(FramesModel):
    refused_by = "test_seeds_differ"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        return super().generate(batch, replace(sampling, seed=0))


class DrawsFromTheGlobalGenerator(FramesModel):
    refused_by = "test_generate"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        torch.rand(1)
        return super().generate(batch, sampling)


class DrawsAnewEveryTime(FramesModel):
    refused_by = "test_generate"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        self.calls = getattr(self, "calls", 0) + 1
        return super().generate(batch, replace(sampling, temperature=1.0, seed=self.calls))


class GivesFloats(FramesModel):
    refused_by = "test_generate"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        return super().generate(batch, sampling).float()


class GivesAFrameTooFew(FramesModel):
    refused_by = "test_generate"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        return super().generate(batch, sampling)[:, :, 1:]


class GivesCodesOutOfRange(FramesModel):
    """As one with the size of the first codebook for all would."""

    refused_by = "test_generate"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        return super().generate(batch, sampling) + 1


class LooksAtUnknownCodes(FramesModel):
    refused_by = "test_unknown_codes_are_not_looked_at"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        codes = super().generate(batch, sampling)
        return codes if batch.codes is None else self.finish(batch, batch.codes)


class NeedsCodesToPlay(FramesModel):
    refused_by = "test_unknown_codes_are_not_looked_at"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        return super().generate(batch, sampling) + 0 * self.codes_of(batch)


class ForgetsKnownFrames(FramesModel):
    refused_by = "test_known_frames_stay"

    def finish(self, batch: GridBatch, codes: Tensor) -> Tensor:
        return codes * batch.mask[:, None]


class SaysThatItGoesOn(FramesModel):
    """It keeps known frames, and draws the rest as if they were not there."""

    uses_known = True
    refused_by = "test_it_goes_on_from_known_frames"


class SaysThatItHears(FramesModel):
    """It is given sketches, and plays as if they were not there."""

    uses_sketch = True
    refused_by = "test_it_hears_the_sketch"


class HearsWhatIsNotThere(AutoregressiveModel):
    """It takes a missing sketch for one of the first entries of all codebooks."""

    refused_by = "test_sketches_may_be_missing"

    def _encoded(self, batch: GridBatch) -> Tensor:
        if batch.sketch is not None:
            batch = replace(batch, sketch=batch.sketch.clamp(min=0))
        return super()._encoded(batch)


class ScoresKnownFrames(FramesModel):
    refused_by = "test_score"

    def score(self, batch: GridBatch) -> CodeScores:
        return super().score(replace(batch, known=torch.zeros_like(batch.known)))


class ScoresNothingRight(FramesModel):
    refused_by = "test_score"

    def score(self, batch: GridBatch) -> CodeScores:
        found = super().score(batch)
        return CodeScores(found.nll, torch.zeros_like(found.correct))


class ScoresWithoutALikelihood(FramesModel):
    likelihood = "none"
    refused_by = "test_score"


class PaddingLeaks(FramesModel):
    refused_by = "test_padding_does_not_matter"

    def logits(self, batch: GridBatch) -> list[Tensor]:
        mean = batch.grid.mean(dim=2, keepdim=True)
        return super().logits(replace(batch, grid=batch.grid + 0.1 * mean))


class PaddingIsLearned(FramesModel):
    refused_by = "test_padding_does_not_matter"

    def loss(self, batch: GridBatch, step: int) -> Loss:
        return super().loss(replace(batch, mask=torch.ones_like(batch.mask)), step)


class ClipsMix(FramesModel):
    refused_by = "test_clips_do_not_mix"

    def logits(self, batch: GridBatch) -> list[Tensor]:
        mean = batch.grid.mean(dim=0, keepdim=True)
        return super().logits(replace(batch, grid=mean + 0.0 * batch.grid))


class ChangesTheBatch(FramesModel):
    refused_by = "test_batch_is_left_alone"

    def loss(self, batch: GridBatch, step: int) -> Loss:
        found = super().loss(batch, step)
        batch.grid.mul_(2)
        return found


class TakesAnyConditions(FramesModel):
    refused_by = "test_conditions_are_exactly_those_needed"

    def check_conditions(self, batch: GridBatch) -> None:
        pass


class UnknownKitFails(FramesModel):
    refused_by = "test_conditions_may_be_unknown"

    def logits(self, batch: GridBatch) -> list[Tensor]:
        if (batch.conditions["kit"] < 0).any():
            raise IndexError("index out of range in self")
        return super().logits(batch)


class LossIsADictionary(FramesModel):
    refused_by = "test_loss_is_a_loss"

    def loss(self, batch: GridBatch, step: int) -> Any:
        return {"loss": super().loss(batch, step).total}


class LossPerClip(FramesModel):
    refused_by = "test_loss_is_a_loss"

    def loss(self, batch: GridBatch, step: int) -> Loss:
        return Loss(super().loss(batch, step).total.expand(len(batch.grid)))


class LossNeedsNoCodes(FramesModel):
    refused_by = "test_loss_needs_codes"

    def loss(self, batch: GridBatch, step: int) -> Loss:
        return Loss(self.grid.weight.sum()) if batch.codes is None else super().loss(batch, step)


class DoesNotLearn(FramesModel):
    refused_by = "test_it_learns"

    def loss(self, batch: GridBatch, step: int) -> Loss:
        found = super().loss(batch, step).total
        return Loss(found.detach() + 0 * found)


class KeepsWeightsForItself(FramesModel):
    """What it has learned is not in its state."""

    refused_by = "test_config_round_trip"

    def state_dict(self, *args: Any, **more: Any) -> dict[str, Any]:
        state = super().state_dict(*args, **more)
        return {k: torch.zeros_like(v) if k.startswith("out") else v for k, v in state.items()}


class SwallowsArguments(FramesModel):
    refused_by = "test_wrong_arguments_are_named"

    def __init__(self, spec: ModelSpec, *, dim: int = 32, **rest: object) -> None:
        super().__init__(spec, dim=dim)


class OptionsTwice(FramesModel):
    refused_by = "test_sampling_options"

    @classmethod
    def sampling(cls, seed: int = 0, **settings: Any) -> SamplingConfig:
        known = {n: v for n, v in settings.items() if n != "no_such_option"}
        return super().sampling(seed, **known)


class OneLengthOnly(FramesModel):
    refused_by = "test_lengths"

    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        if batch.grid.shape[2] < 2:
            raise RuntimeError("kernel size can't be greater than actual input size")
        return super().generate(batch, sampling)


class HearsTheFrameItself(AutoregressiveModel):
    """The past is not shifted, so that a frame's codes are among what tells them."""

    refused_by = "test_likelihood_sums_to_one"

    def _past(self, codes: Tensor, spoil: bool = False) -> Tensor:
        past = super()._past(codes, spoil)
        return past + self._embed(codes)
