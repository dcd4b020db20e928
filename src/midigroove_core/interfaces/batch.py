"""What a model sees: grids of several clips side by side, what is known of each, and codes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import Tensor

from midigroove_core.errors import MidigrooveError

_FILLED_IN = cast(Tensor, None)


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
        sketch: [B, K, T] int64, the codes of what a kit that was cut from a recording plays there,
            -1 in frames that have none; None where no clip has one. Only models that use it look
            at it.
    """

    grid: Tensor
    mask: Tensor
    conditions: dict[str, Tensor] = field(default_factory=dict)
    codes: Tensor | None = None
    known: Tensor = _FILLED_IN
    start_frame: Tensor = _FILLED_IN
    sketch: Tensor | None = None

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
        for name, codes in (("codes", self.codes), ("sketch", self.sketch)):
            if codes is not None and (
                codes.ndim != 3 or codes.shape[0] != batch or codes.shape[2] != frames
            ):
                raise MidigrooveError(
                    f"GridBatch: {name} are {tuple(codes.shape)}, expected [{batch}, K, {frames}]"
                )
        for name, value in self.conditions.items():
            if value.shape != (batch,):
                raise MidigrooveError(
                    f"GridBatch: condition {name} is {tuple(value.shape)}, expected [{batch}]"
                )

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
            sketch=None if self.sketch is None else moved(self.sketch),
        )
