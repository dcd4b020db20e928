"""A part of a model's take drawn anew: which windows, and the audio of the changed frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from midigroove_core.coding.decode import decode_batch, decode_whole
from midigroove_core.coding.windows import Window
from midigroove_core.interfaces.codec import Codec


def plan_again(
    num_frames: int, first: int, last: int, window_frames: int, before: int, ahead: int
) -> list[Window]:
    """Windows that keep the frames [first, last) between them, in order.

    Args:
        num_frames: of the whole.
        first, last: which frames are to be drawn.
        window_frames: most frames of a window; more than `before` + `ahead`.
        before: frames that a window sees before those that are kept of it, where there are any.
        ahead: frames that it sees after them, as well.
    """
    windows: list[Window] = []
    at = first
    while at < last:
        start = max(0, at - before)
        stop = min(num_frames, start + window_frames, last + ahead)
        keep_stop = last if stop == num_frames else min(last, stop - ahead)
        windows.append(Window(start, stop, at, max(keep_stop, at + 1)))
        at = windows[-1].keep_stop
    return windows


def decode_again(
    codec: Codec,
    codes: NDArray[np.int64],
    audio: NDArray[np.float32],
    first: int,
    last: int,
) -> NDArray[np.float32]:
    """The audio of codes [K, T] that differ from those of `audio` [C, S] in [first, last) alone.

    Where the codec says how far a frame reaches, only what can have changed is decoded; what it
    reaches is decoded with the context that makes it exact.
    """
    reach = codec.decode_reach
    if reach is None:
        return decode_whole(codec, codes)
    frames, hop = codes.shape[1], codec.clock.hop_length
    # A frame's codes sound up to reach[1] frames before it and reach[0] frames after it.
    start, stop = max(0, first - reach[1]), min(frames, last + reach[0])
    seen = max(0, start - reach[0])
    part = decode_batch(codec, [codes[:, seen : min(frames, stop + reach[1])]])[0]
    changed = audio.copy()
    changed[:, start * hop : stop * hop] = part[:, (start - seen) * hop : (stop - seen) * hop]
    return changed
