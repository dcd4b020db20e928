"""Speed and memory of the codec plugins in their real geometry, with random weights.

    python benchmarks/codecs.py [ID ...] [--seconds 4] [--long 600] [--device cpu]

Each codec runs in a process of its own, so that peak memory is its own. `x` is audio seconds per
second of computing, over all rows of the batch; `GiB` is the process's peak resident memory (on
CUDA the peak that torch allocated). --long adds one take of that many seconds, whole.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

IDS = ("encodec_32khz", "dac_44khz", "xcodec_16khz")


def measure(codec_id: str, seconds: float, batch: int, device: str) -> dict[str, float]:
    """Encode and decode once to warm up (short), then once timed."""
    import torch

    from midigroove_core.registry import Registry
    from midigroove_core.testing.signals import drum_like

    codec = Registry().load("codec", codec_id)(weights="random").to(device)
    audio = drum_like(codec, round(seconds * codec.clock.sample_rate)).repeat(batch, 1, 1)
    codec.decode(codec.encode(audio[:1, :, : codec.clock.sample_rate // 2]))
    begin = time.perf_counter()
    codes = codec.encode(audio)
    int(codes.sum())  # waits for the device
    middle = time.perf_counter()
    float(codec.decode(codes).sum())
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    if device != "cpu":
        peak = torch.cuda.max_memory_allocated() / 2**30
    return {
        "encode_x": batch * seconds / (middle - begin),
        "decode_x": batch * seconds / (end - middle),
        "peak_gib": peak,
        "parameters_millions": sum(p.numel() for p in codec._model.parameters()) / 1e6,
    }


def main() -> None:
    """Prints one line per codec and batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*", default=IDS)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 8])
    parser.add_argument("--long", type=float, default=0.0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*json.loads(options.one))))
        return
    print(f"{'codec':15} {'batch':>5} {'s':>6} {'encode x':>9} {'decode x':>9} {'GiB':>6}")
    for codec_id in options.ids:
        runs = [(options.seconds, batch) for batch in options.batches]
        runs += [(options.long, 1)] if options.long else []
        for seconds, batch in runs:
            job = json.dumps([codec_id, seconds, batch, options.device])
            command = [sys.executable, __file__, "--one", job]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            row = json.loads(done.stdout)
            print(
                f"{codec_id:15} {batch:5} {seconds:6.1f} {row['encode_x']:9.2f} "
                f"{row['decode_x']:9.2f} {row['peak_gib']:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
