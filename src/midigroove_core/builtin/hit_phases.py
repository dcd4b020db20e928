"""When inside a frame the last hits fell, as phases that a network can use."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from midigroove_core.builtin.expressive_grid import RECENCY_HORIZON_SEC, RECENCY_UNIT_SEC


class HitPhases(nn.Module):
    """Sines and cosines of the sub-frame time of each articulation's last hit: [B, F, T] -> D.

    The waveform in a frame, and so its codes, turns with the time of the hit inside its frame many
    times over; from one number in [0, 1) a small network learns that slowly (Tancik et al. 2020).
    The recency rows of `expressive_grid` tell the time since the last hit to the microsecond:
    recency = 1 - log(1 + dt / unit) / log(1 + horizon / unit). The phases 2 pi m dt * frame_rate,
    m = 1 to `harmonics`, are the same in all frames of the tail, and are weighted by recency.

    Args:
        rows: the recency rows of the grid.
        frame_rate: frames a second.
        harmonics: how many m.
        dim: width D. The projection starts at zero.
    """

    _rows: Tensor

    def __init__(self, rows: Sequence[int], frame_rate: float, harmonics: int, dim: int) -> None:
        super().__init__()
        self.frame_rate, self.harmonics = frame_rate, harmonics
        self.register_buffer("_rows", torch.tensor(list(rows)), persistent=False)
        self.project = nn.Linear(2 * harmonics * len(rows), dim, bias=False)
        nn.init.zeros_(self.project.weight)

    def forward(self, grid: Tensor) -> Tensor:
        recency = grid[:, self._rows].transpose(1, 2).float()  # [B, T, A]
        scale = math.log1p(RECENCY_HORIZON_SEC / RECENCY_UNIT_SEC)
        since_sec = RECENCY_UNIT_SEC * torch.expm1((1.0 - recency) * scale)
        turn = since_sec * self.frame_rate
        harmonic = torch.arange(1, self.harmonics + 1, device=grid.device)
        angle = 2 * math.pi * ((turn - turn.floor())[..., None] * harmonic)  # [B, T, A, M]
        phases = torch.cat([angle.sin(), angle.cos()], dim=-1) * recency[..., None]
        return self.project(phases.flatten(2))
