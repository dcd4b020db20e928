"""Encodes whole takes, in equal windows where the codec allows it and whole where it does not.

Windows are batched within a take, never across takes: what a take's codes are then depends on that
take alone, so a run that was killed and resumed, or shared between processes, gives the same bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.coding.windows import plan_windows, stitch

if TYPE_CHECKING:
    from midigroove_core.interfaces.codec import Codec

_WINDOW_SEC = 10.0
"""Long enough that the context of both sides is small beside it, short enough for memory."""


@dataclass(frozen=True)
class EncodingPlan:
    """How takes are cut for the codec.

    Attributes:
        window_frames: longest window, context included; None encodes takes whole.
        reach: frames before and after what is kept of a window that are encoded with it.
        batch: windows of one take that are encoded together.
    """

    window_frames: int | None
    reach: tuple[int, int]
    batch: int

    @classmethod
    def for_codec(cls, codec: Codec, batch: int | None = None) -> EncodingPlan:
        """The plan for a codec; a batch of None is 1 on a CPU, where more gains nothing, else 8."""
        if codec.encode_reach is None:
            return cls(None, (0, 0), 1)
        window = max(math.ceil(_WINDOW_SEC * codec.clock.frame_rate), 20 * sum(codec.encode_reach))
        default = 1 if codec.device.type == "cpu" else 8
        return cls(window, codec.encode_reach, default if batch is None else batch)

    def to_json(self) -> dict[str, Any]:
        """For the header of the cache."""
        return {
            "window_frames": self.window_frames,
            "reach": list(self.reach),
            "batch": self.batch,
        }


def encode_take(
    codec: Codec, audio: NDArray[np.float32], plan: EncodingPlan
) -> NDArray[np.integer[Any]]:
    """Encodes one take.

    Args:
        codec: on the device to use.
        audio: [C, S] at the codec's sample rate.
        plan: how it is cut.

    Returns:
        codes [K, T] int64, T = ceil(S / hop_length); what `codec.encode` gives for the whole.
    """
    import torch

    num_frames = codec.clock.num_frames(audio.shape[-1])
    with torch.inference_mode():
        if plan.window_frames is None or num_frames <= plan.window_frames:
            whole = torch.from_numpy(audio)[None].to(codec.device)
            return codec.encode(whole)[0].cpu().numpy()
        overlap = sum(plan.reach)
        parts = math.ceil((num_frames - overlap) / (plan.window_frames - overlap))
        length = math.ceil((num_frames - overlap) / parts) + overlap
        windows = plan_windows(num_frames, length, overlap, before=plan.reach[0])
        hop = codec.clock.hop_length
        codes: list[NDArray[np.int64]] = []
        for first in range(0, len(windows), plan.batch):
            group = windows[first : first + plan.batch]
            stack = np.zeros((len(group), len(audio), length * hop), dtype=np.float32)
            for row, window in zip(stack, group, strict=True):
                piece = audio[:, window.start * hop : window.stop * hop]
                row[:, : piece.shape[1]] = piece
            batch = codec.encode(torch.from_numpy(stack).to(codec.device))
            codes += list(batch.cpu().numpy())
        return stitch(windows, codes)
