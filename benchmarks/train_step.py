"""Training steps per second by preset: `python benchmarks/train_step.py [--device cuda]`.

Random data in the geometry of the built-in codec (8 x 1024 at 62.5 frames a second): 16 clips of
3 s (188 frames). Times are of forward, backward, clipping and AdamW; on a GPU in float32 and in
bfloat16, with the memory it took.
"""

from __future__ import annotations

import argparse
import time

import torch

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.builtin.parallel import ParallelModel
from midigroove_core.clock import FrameClock
from midigroove_core.interfaces.codec import residual_codebooks
from midigroove_core.interfaces.model import GridBatch, ModelSpec, SamplingConfig

K, V, BATCH, FRAMES = 8, 1024, 16, 188


def random_batch(features: int, conditions: tuple[str, ...], device: str) -> GridBatch:
    g = torch.Generator().manual_seed(0)
    known = {name: torch.zeros(BATCH, dtype=torch.int64) for name in conditions if name != "bpm"}
    if "bpm" in conditions:
        known["bpm"] = torch.full((BATCH,), 120.0)
    return GridBatch(
        torch.randn(BATCH, features, FRAMES, generator=g),
        torch.ones(BATCH, FRAMES, dtype=torch.bool),
        known,
        torch.randint(0, V, (BATCH, K, FRAMES), generator=g),
    ).to(device)


def step_seconds(model: ParallelModel, batch: GridBatch, dtype: torch.dtype, repeats: int) -> float:
    """Fastest of some steps, in seconds."""
    device = batch.grid.device.type
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            loss = model.loss(batch, 0).total
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--presets", nargs="+", default=["tiny", "small"])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = tuple(ExpressiveGrid().feature_names)
    names = {name: ["a", "b", "c"] for name in ("kit", "drummer", "style")}
    spec = ModelSpec(rows, FrameClock(32000, 512), residual_codebooks(K, V), names)
    dtypes = [torch.float32] + [torch.bfloat16] * (options.device != "cpu")
    for preset in options.presets:
        arguments = ParallelModel.presets()[preset]
        model = ParallelModel.build(spec, **arguments).to(options.device)
        batch = random_batch(len(rows), model.conditions, options.device)
        size = sum(p.numel() for p in model.parameters()) / 1e6
        for dtype in dtypes:
            seconds = step_seconds(model, batch, dtype, options.repeats)
            memory = ""
            if options.device != "cpu":
                memory = f", {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB"
                torch.cuda.reset_peak_memory_stats()
            print(
                f"{preset} ({size:.1f} M), {str(dtype).removeprefix('torch.')}: "
                f"{1 / seconds:.2f} steps/s, {BATCH * FRAMES / seconds:.0f} frames/s{memory}"
            )
        began = time.perf_counter()
        model.eval().generate(batch, SamplingConfig())
        took = time.perf_counter() - began
        print(f"{preset}: generates {BATCH * FRAMES / 62.5 / took:.0f} times real time")


if __name__ == "__main__":
    main()
