"""How much memory a codec takes, in a process of its own: what others left behind is not in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from midigroove_core.coding.open import open_codec
from midigroove_core.device import choose_device
from midigroove_core.processes import worker_pool
from midigroove_core.scorecard.cost import peak_memory_mib

HEARD_SEC = 10.0
"""What it encodes and decodes: a take of a minute in one piece would take more."""


def codec_memory_mib(
    codec: str, options: Sequence[str] = (), path: str | None = None, device: str = "auto"
) -> float | None:
    """MiB that a codec's weights, and ten seconds of noise encoded and decoded, add at the most.

    On a CPU to a process that had torch already, on a GPU to the memory of that one.

    Args:
        codec: id or family.
        options: texts `NAME=VALUE`, see `open_codec`.
        path: where its weights lie, if it does not find them itself.
        device: where it runs.

    Returns:
        None where the system does not say.

    Raises:
        MidigrooveError: it cannot be opened, or the process was killed.
    """
    with worker_pool(1) as pool:
        return pool.submit(_measure, codec, tuple(options), path, device).result()


def _measure(codec: str, options: tuple[str, ...], path: str | None, device: str) -> float | None:
    import torch

    place = choose_device(device)
    torch.fft.rfft(torch.nn.functional.conv1d(torch.ones(1, 1, 4096), torch.ones(1, 1, 3)))
    before = peak_memory_mib()  # what torch loads on its first work is no codec's
    opened = open_codec(codec, options=options, path=path)
    opened.to(place)
    samples = round(HEARD_SEC * opened.clock.sample_rate)
    noise = np.random.default_rng(0).normal(0, 0.1, (1, opened.channels, samples))
    with torch.inference_mode():
        codes = opened.encode(torch.from_numpy(noise.astype(np.float32)).to(place))
        opened.decode(codes)
    if torch.device(place).type == "cuda":
        return round(torch.cuda.max_memory_allocated(place) / 2**20, 1)
    after = peak_memory_mib()
    return None if before is None or after is None else round(after - before, 1)
