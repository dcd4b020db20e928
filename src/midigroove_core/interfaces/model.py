"""The model contract: predicts codec codes from a grid and per-clip conditions.

Three separate duties, and no logits [B, K, T, V] at the border: `loss` is trained on, `score` says
what given codes cost, `generate` draws codes. docs/plugin_models.md walks through it.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self, cast

import torch
from torch import Tensor, nn

from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.construct import construct, with_defaults
from midigroove_core.interfaces.sampling import SamplingConfig, SamplingOption, read_sampling
from midigroove_core.interfaces.spec import ModelSpec

__all__ = [
    "CodeScores",
    "GridBatch",
    "Loss",
    "Model",
    "ModelSpec",
    "SamplingConfig",
    "SamplingOption",
]


@dataclass(frozen=True)
class Loss:
    """What training minimises.

    Attributes:
        total: a scalar.
        logs: whatever is worth following, name -> a scalar; means over the steps between two
            measurements are kept in the run's record and plotted.
    """

    total: Tensor
    logs: Mapping[str, Tensor | float] = field(default_factory=dict)


@dataclass(frozen=True)
class CodeScores:
    """What given codes cost.

    Attributes:
        nll: [B, K, T] float32 nats; 0 where a frame is padding, or known.
        correct: [B, K, T] bool, whether the code was the most likely one; False where a frame is
            padding, or known.
    """

    nll: Tensor
    correct: Tensor


class Model(nn.Module, ABC):
    """Predicts codes from a grid.

    Made by `build`: the constructor takes a `ModelSpec` and arguments of the model's own, which are
    JSON and have defaults.

    Attributes:
        model_id: registry id.
        likelihood: "exact" if `score` gives the likelihood of codes, "bound" if it gives an upper
            bound of their cost, "none" if there is no `score`. Evaluations label the figure so, or
            leave it out.
        uses_known: whether what `generate` draws goes on from the frames that are known. Long
            renders are then one take; otherwise windows are drawn apart and stitched.
        uses_sketch: whether it hears `batch.sketch`; then training and rendering give it one where
            there is one. The constructor may set it.
    """

    model_id: ClassVar[str]
    likelihood: ClassVar[Literal["exact", "bound", "none"]]
    uses_known: ClassVar[bool] = False
    uses_sketch: bool = False

    @classmethod
    def build(cls, spec: ModelSpec, **args: Any) -> Self:
        """A model for a grid, a codec and names.

        Args:
            spec: what it has to fit.
            args: arguments of the constructor beside `spec`.

        Raises:
            InputError: an argument that the constructor does not take, or one that is no JSON;
                names it. What the constructor itself raises is left as it is.
        """
        what = f"model {cls.model_id}"
        try:
            said = json.loads(json.dumps(with_defaults(cls, args, "spec"), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise InputError(f"{what}: its arguments are no JSON ({error})") from error
        model = construct(cls, args, what, spec=spec)
        model.__dict__["_built"] = (spec.shape, said)
        return model

    @classmethod
    def presets(cls) -> dict[str, dict[str, Any]]:
        """Named arguments of `build`, for `train --preset`; the first is taken when none is named
        and there is no `small`."""
        return {}

    @classmethod
    def sampling_options(cls) -> tuple[SamplingOption, ...]:
        """Settings of `generate` that only this model has: `--sample NAME=VALUE`."""
        return ()

    @classmethod
    def sampling(cls, seed: int = 0, **settings: Any) -> SamplingConfig:
        """Settings by name, checked, with defaults for all that are not named.

        Raises:
            InputError: a setting that there is not, or a value that does not fit.
        """
        options = cls.sampling_options()
        return read_sampling(settings, options, seed=seed, model_id=cls.model_id)

    @property
    def spec(self) -> ModelSpec:
        """What the model was built for."""
        return cast(ModelSpec, self._how_built[0])

    def get_config(self) -> dict[str, Any]:
        """The arguments that it was built with, defaults included, as JSON."""
        return dict(self._how_built[1])

    @property
    def _how_built(self) -> tuple[Any, Any]:
        built = self.__dict__.get("_built")
        if built is None:
            raise MidigrooveError(
                f"model {self.model_id}: make it with {type(self).__name__}.build"
            )
        return cast("tuple[Any, Any]", built)

    @property
    @abstractmethod
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions this model needs in a batch: of kit, drummer, style and bpm."""

    @abstractmethod
    def loss(self, batch: GridBatch, step: int) -> Loss:
        """What is trained on.

        Args:
            batch: with codes; frames where the mask is False do not count.
            step: steps of training done before this one.

        Raises:
            MidigrooveError: a batch without codes, or without a condition the model needs.
        """

    def score(self, batch: GridBatch) -> CodeScores:
        """What the codes of a batch cost, frame by frame; only where there is a likelihood.

        The codes of frames that are `known` are given and cost nothing. Where randomness is needed
        (a bound), draw it from torch's global generator: callers seed that.

        Raises:
            MidigrooveError: the model has no likelihood; a batch without codes, or without a
                condition the model needs.
        """
        raise MidigrooveError(f"model {self.model_id} has no likelihood")

    @abstractmethod
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        """Codes [B, K, T] int64, row k in [0, size of codebook k), 0 where the mask is False.

        Frames that are `known` keep the codes of the batch; `batch.codes` is looked at nowhere
        else. All randomness comes from `make_generator(sampling, device)`.
        """

    @torch.no_grad()
    def take_over(self, weights: Mapping[str, Tensor], spec: ModelSpec) -> list[str]:
        """Begins with the weights of another model, as far as they fit.

        Args:
            weights: `state_dict()` of the other model.
            spec: what that model was built for.

        Returns:
            What stays new, in words for people; by default the names of the tensors that the other
            model does not have in that shape.
        """
        new = []
        for name, own in self.state_dict().items():
            given = weights.get(name)
            if given is not None and given.shape == own.shape:
                own.copy_(given)
            else:
                new.append(name)
        return new

    def check_conditions(self, batch: GridBatch) -> None:
        """Raises when the batch's conditions are not exactly those that this model needs."""
        missing = sorted(set(self.conditions) - set(batch.conditions))
        extra = sorted(set(batch.conditions) - set(self.conditions))
        if missing or extra:
            raise MidigrooveError(
                f"model {self.model_id} needs the conditions {list(self.conditions)}; "
                f"missing {missing}, not used {extra}"
            )

    def codes_of(self, batch: GridBatch) -> Tensor:
        """The codes of a batch that has to have them."""
        if batch.codes is None:
            raise MidigrooveError(
                f"model {self.model_id}: a loss or a score needs a batch with codes"
            )
        return batch.codes
