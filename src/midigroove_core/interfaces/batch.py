"""What a model sees: grids of several clips side by side, what is known of each, and codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import Tensor

from midigroove_core.errors import MidigrooveError

_FILLED_IN = cast(Tensor, None)


@dataclass(frozen=True)
class Reference:
    """A recording of each clip's kit, with what is played in it: where a model hears how a kit
    sounds that has no name.

    Attributes:
        grid: [B, F, R] float32, rows as in the batch.
        codes: [B, K, R] int64.
        mask: [B, R] bool, True where the frame is real; a clip without a reference has none.
    """

    grid: Tensor
    codes: Tensor
    mask: Tensor

    def to(self, device: str | torch.device) -> Reference:
        """The same on another device."""
        return Reference(
            *(value.to(device, non_blocking=True) for value in (self.grid, self.codes, self.mask))
        )


@dataclass(frozen=True)
class GridBatch:
    """What a model sees.

    Attributes:
        grid: [B, F, T] float32.
        mask: [B, T] bool, True where the frame is real (inside the take, not padding).
        conditions: per-clip facts, name -> [B]: int64 indices into the model's vocabularies for
            `kit`, `drummer`, `style` (-1 = unknown), float32 for `bpm` (0 = unknown).
        codes: [B, K, T] int64, row k in [0, size of codebook k), or None where there are none.
            Values where the mask is False are 0 and mean nothing; when generating, so are those of
            frames that are not known.
        known: [B, T] bool, True for frames whose codes are given and stay as they are: what was
            played before, what lies around a bar that is drawn anew. Nowhere True if not given;
            never True where the mask is False.
        start_frame: [B] int64, the absolute frame of each clip's first column; 0 if not given.
        reference: a recording of each clip's kit, or None; only models that use it look at it.
    """

    grid: Tensor
    mask: Tensor
    conditions: dict[str, Tensor] = field(default_factory=dict)
    codes: Tensor | None = None
    known: Tensor = _FILLED_IN
    start_frame: Tensor = _FILLED_IN
    reference: Reference | None = None

    def __post_init__(self) -> None:
        if self.grid.ndim != 3:
            raise MidigrooveError(
                f"GridBatch: grid is {tuple(self.grid.shape)}, expected [B, F, T]"
            )
        batch, _, frames = self.grid.shape
        self._check("mask", self.mask, (batch, frames), torch.bool)
        if self.known is None:
            object.__setattr__(self, "known", torch.zeros_like(self.mask))
        self._check("known", self.known, (batch, frames), torch.bool)
        if self.start_frame is None:
            zeros = torch.zeros(batch, dtype=torch.int64, device=self.grid.device)
            object.__setattr__(self, "start_frame", zeros)
        self._check("start_frame", self.start_frame, (batch,), torch.int64)
        if self.codes is not None and (
            self.codes.ndim != 3 or self.codes.shape[0] != batch or self.codes.shape[2] != frames
        ):
            raise MidigrooveError(
                f"GridBatch: codes are {tuple(self.codes.shape)}, expected [{batch}, K, {frames}]"
            )
        if self.reference is not None:
            self._check_reference(self.reference)
        for name, value in self.conditions.items():
            if value.shape != (batch,):
                raise MidigrooveError(
                    f"GridBatch: condition {name} is {tuple(value.shape)}, expected [{batch}]"
                )

    def _check_reference(self, reference: Reference) -> None:
        batch, rows, _ = self.grid.shape
        heard = reference.mask.shape[-1]
        self._check("reference mask", reference.mask, (batch, heard), torch.bool)
        self._check("reference grid", reference.grid, (batch, rows, heard), self.grid.dtype)
        books = reference.codes.shape[1] if reference.codes.ndim == 3 else 0
        self._check("reference codes", reference.codes, (batch, books, heard), torch.int64)

    @staticmethod
    def _check(name: str, value: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        if value.shape != shape or value.dtype != dtype:
            wanted = f"{list(shape)} {str(dtype).removeprefix('torch.')}"
            raise MidigrooveError(
                f"GridBatch: {name} is {tuple(value.shape)} {value.dtype}, expected {wanted}"
            )

    def to(self, device: str | torch.device) -> GridBatch:
        """The same batch on another device."""

        def moved(value: Tensor) -> Tensor:
            return value.to(device, non_blocking=True)

        return replace(
            self,
            grid=moved(self.grid),
            mask=moved(self.mask),
            conditions={name: moved(value) for name, value in self.conditions.items()},
            codes=None if self.codes is None else moved(self.codes),
            known=moved(self.known),
            start_frame=moved(self.start_frame),
            reference=None if self.reference is None else self.reference.to(device),
        )
