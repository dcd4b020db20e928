"""The model contract: predicts codec codes from a grid and per-clip conditions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from midigroove_core import bounds
from midigroove_core.clock import FrameClock
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.construct import construct


@dataclass(frozen=True)
class GridBatch:
    """What a model sees.

    Attributes:
        grid: [B, F, T] float32.
        mask: [B, T] bool, True where the frame is real (inside the take, not padding).
        conditions: per-clip facts, name -> [B]: int64 indices into the model's vocabularies for
            `kit`, `drummer`, `style` (-1 = unknown), float32 for `bpm` (0 = unknown).
        codes: [B, K, T] int64, row k in [0, codebook_sizes[k]), or None where there are none.
            Values where the mask is False are 0 and mean nothing; when generating, so are those of
            frames that are not known.
        known: [B, T] bool, True for frames whose codes are given and stay as they are: what was
            played before. None: no frame is known.
    """

    grid: Tensor
    mask: Tensor
    conditions: dict[str, Tensor] = field(default_factory=dict)
    codes: Tensor | None = None
    known: Tensor | None = None

    def __post_init__(self) -> None:
        if self.grid.ndim != 3:
            raise MidigrooveError(
                f"GridBatch: grid is {tuple(self.grid.shape)}, expected [B, F, T]"
            )
        batch, _, frames = self.grid.shape
        for name, value in (("mask", self.mask), ("known", self.known)):
            if value is not None and (value.shape != (batch, frames) or value.dtype != torch.bool):
                raise MidigrooveError(
                    f"GridBatch: {name} is {tuple(value.shape)} {value.dtype}, "
                    f"expected [{batch}, {frames}] bool"
                )
        if self.codes is not None and (
            self.codes.ndim != 3 or self.codes.shape[0] != batch or self.codes.shape[2] != frames
        ):
            raise MidigrooveError(
                f"GridBatch: codes are {tuple(self.codes.shape)}, expected [{batch}, K, {frames}]"
            )
        for name, value in self.conditions.items():
            if value.shape != (batch,):
                raise MidigrooveError(
                    f"GridBatch: condition {name} is {tuple(value.shape)}, expected [{batch}]"
                )

    def to(self, device: str | torch.device) -> GridBatch:
        """The same batch on another device."""
        return replace(
            self,
            grid=self.grid.to(device, non_blocking=True),
            mask=self.mask.to(device, non_blocking=True),
            conditions={k: v.to(device, non_blocking=True) for k, v in self.conditions.items()},
            codes=None if self.codes is None else self.codes.to(device, non_blocking=True),
            known=None if self.known is None else self.known.to(device, non_blocking=True),
        )


@dataclass(frozen=True)
class SamplingConfig:
    """How codes are drawn from logits.

    Attributes:
        temperature: divides the logits; 0 takes the most likely code (argmax).
        top_k: keep only the k most likely codes; 0 keeps all.
        top_p: keep the smallest set of codes whose probability reaches p (nucleus sampling,
            Holtzman et al. 2020, https://arxiv.org/abs/1904.09751); 1 keeps all.
        seed: seed of the draw; the same seed and batch give the same codes.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        bounds.TEMPERATURE.check("temperature", self.temperature)
        bounds.COUNT.check("top_k", self.top_k)
        bounds.SHARE_ABOVE_0.check("top_p", self.top_p)
        bounds.SEED.check("seed", self.seed)


class Model(nn.Module, ABC):
    """Predicts codes from a grid.

    Constructor arguments are JSON and include at least `num_features`, `codebook_sizes` (V of each
    of the K rows of codes) and `vocabularies` ({condition: [names]}); the conditions a model needs
    are listed by `conditions`.

    Attributes:
        model_id: registry id.
        uses_known: whether what `generate` draws goes on from the frames that are known. Long
            renders are then one take; otherwise windows are drawn apart and stitched.
    """

    model_id: ClassVar[str]
    uses_known: ClassVar[bool] = False

    @classmethod
    def arguments_from(cls, feature_names: Sequence[str], clock: FrameClock) -> dict[str, Any]:
        """Constructor arguments that follow from what the grid's rows are and the codec's clock.

        Training merges them with the shapes and the user's own; none by default.
        """
        return {}

    @property
    @abstractmethod
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions this model needs in a batch."""

    @abstractmethod
    def forward(self, batch: GridBatch) -> Tensor:
        """Logits [B, K, T, V] float32, V that of the largest codebook, -inf beyond a smaller one.

        Models that predict codebooks one after another use `batch.codes` (teacher forcing).
        """

    @abstractmethod
    def loss(self, batch: GridBatch) -> dict[str, Tensor]:
        """`loss` (scalar, to be minimised) and `nll_per_codebook` [K] in nats per code (detached).

        Raises:
            MidigrooveError: a batch without codes, or without a condition the model needs.
        """

    @abstractmethod
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        """Codes [B, K, T] int64 in [0, V).

        `batch.codes` is looked at only where `batch.known` is True; a model that `uses_known` gives
        those frames back as they are, another one may ignore them.
        """

    def start_from_frequencies(self, frequencies: Sequence[Tensor]) -> None:
        """Called once, before training, with how often each code occurs: K times [V], sum 1.

        A model may set its output biases from it and so begin at the unigram's loss, which an
        optimizer would need hundreds of steps to reach. By default nothing happens.
        """

    def start_from_code_vectors(self, vectors: Callable[[], Sequence[Tensor] | None]) -> None:
        """Called once, before training: `vectors()` is what each code stands for, K times [V, D].

        It loads the codec, and gives None where the codec does not say. By default nothing happens.
        """

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Constructor arguments as JSON."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds a model from `get_config()`.

        Raises:
            MidigrooveError: an unknown argument.
        """
        return construct(cls, config, f"model {cls.model_id}")

    def check_conditions(self, batch: GridBatch) -> None:
        """Raises when the batch's conditions are not exactly those that this model needs."""
        missing = sorted(set(self.conditions) - set(batch.conditions))
        extra = sorted(set(batch.conditions) - set(self.conditions))
        if missing or extra:
            raise MidigrooveError(
                f"model {self.model_id} needs the conditions {list(self.conditions)}; "
                f"missing {missing}, not used {extra}"
            )
