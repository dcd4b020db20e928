"""A small thing to learn, with which the suite of models tells right from wrong.

Two rows of codes over a grid of three rows. Row 0 says whether the grid's first row is struck, and
on which kit; row 1 is one code per clip, which neither grid nor conditions tell, only the codes
around, or a reference. A model that has learned it is sure of row 0, cannot know row 1, and if it
goes on from known frames, or hears references, keeps to their row 1.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import torch

from midigroove_core.clock import FrameClock
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.codec import Codebook
from midigroove_core.interfaces.model import Model, ModelSpec

SIZES = (4, 3)
VECTORS = tuple(
    (one - one.mean(0)) / (level + 1)
    for level, one in enumerate(torch.eye(sum(SIZES)).split(SIZES))
)
"""Each level adds in directions of its own, the second half as much."""
NAMES = {"kit": ("first", "second"), "drummer": ("drummer1",), "style": ("rock", "jazz", "funk")}


def task_spec() -> ModelSpec:
    """What a model of the task is built for."""
    return ModelSpec(
        feature_names=("onset/kick", "recency/kick", "hat_openness"),
        clock=FrameClock(16000, 256),
        codebooks=tuple(Codebook(size, level) for level, size in enumerate(SIZES)),
        vocabularies=NAMES,
        code_frequencies=tuple(torch.full((size,), 1 / size).double() for size in SIZES),
        find_vectors=lambda: VECTORS,
    )


def task_batch(model: Model, *, batch: int = 16, frames: int = 12, seed: int = 0) -> GridBatch:
    """Clips of the task; all frames are real, none is known.

    A model that uses sketches gets them for three clips in four: row 0 is noise, row 1 is right.
    """
    rng = torch.Generator().manual_seed(seed)
    grid = torch.rand(batch, 3, frames, generator=rng)
    struck = torch.randint(0, 2, (batch, frames), generator=rng)
    grid[:, 0] = struck
    kit = torch.randint(0, 2, (batch,), generator=rng)
    clip = torch.randint(0, SIZES[1], (batch, 1), generator=rng)
    told = "kit" in model.conditions
    codes = torch.stack([struck + 2 * told * kit[:, None], clip.expand(-1, frames)], dim=1)
    given = {
        "kit": kit,
        "drummer": torch.full((batch,), -1),
        "style": torch.zeros(batch, dtype=torch.int64),
        "bpm": torch.full((batch,), 120.0),
    }
    return GridBatch(
        grid=grid,
        mask=torch.ones(batch, frames, dtype=torch.bool),
        conditions={name: given[name] for name in model.conditions},
        codes=codes,
        sketch=_sketches(clip, frames, rng) if model.uses_sketch else None,
    )


def _sketches(clip: torch.Tensor, frames: int, rng: torch.Generator) -> torch.Tensor:
    """Codes whose row 1 is that of the clip [B, 1]; every fourth clip has none."""
    noise = torch.randint(0, SIZES[0], (len(clip), frames), generator=rng)
    sketch = torch.stack([noise, clip.expand(-1, frames)], dim=1)
    sketch[3::4] = -1
    return sketch


def learn(model: Model, *, steps: int, learning_rate: float) -> list[float]:
    """Trains on clips of the task; the loss of every step."""
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    model.train()
    losses = []
    for step in range(steps):
        loss = model.loss(task_batch(model, seed=step + 100), step).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    model.eval()
    return losses


def all_codes(model: Model, frames: int) -> GridBatch:
    """One clip with every codes that it could have, a row each."""
    one = task_batch(model, batch=1, frames=frames, seed=3)
    every = list(itertools.product(*(range(size) for size in SIZES for _ in range(frames))))
    codes = torch.tensor(every).view(len(every), len(SIZES), frames)
    return replace(
        one,
        grid=one.grid.expand(len(every), -1, -1),
        mask=one.mask.expand(len(every), -1),
        conditions={name: value.expand(len(every)) for name, value in one.conditions.items()},
        codes=codes,
        known=one.known.expand(len(every), -1),
        start_frame=one.start_frame.expand(len(every)),
        sketch=None,
    )
