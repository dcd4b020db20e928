"""Codes to audio, in chunks or in batches, with the context that the codec needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from midigroove_core.interfaces.codec import Codec

CHUNK_SEC = 20.0
"""Length of the pieces in which long codes are decoded; bounds memory, never changes the result."""

FALLBACK_CONTEXT_SEC = 1.0
"""Context for windows of codecs that name no finite one (a recurrent decoder). Far more than such
decoders remember in practice, but not exact, so whole performances are not cut up for them."""


def decode_whole(codec: Codec, codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Decodes codes `[K, T]` to `[C, T * hop_length]` as if in one go.

    With a finite `decode_reach` the codes are cut into chunks of `CHUNK_SEC` that each
    see that context, which gives what decoding the whole gives. Without one, the
    whole is decoded at once, whatever memory that takes.
    """
    total = codes.shape[1]
    reach = codec.decode_reach
    chunk = max(1, round(CHUNK_SEC * float(codec.clock.frame_rate)))
    if reach is None or total <= chunk:
        return decode_batch(codec, [codes])[0]
    hop = codec.clock.hop_length
    whole = np.empty((codec.channels, total * hop), dtype=np.float32)
    for start in range(0, total, chunk):
        stop = min(total, start + chunk)
        first, last = max(0, start - reach[0]), min(total, stop + reach[1])
        part = decode_batch(codec, [codes[:, first:last]])[0]
        whole[:, start * hop : stop * hop] = part[:, (start - first) * hop : (stop - first) * hop]
    return whole


def decoded(codec: Codec, parts: Iterable[NDArray[np.int64]]) -> Iterator[NDArray[np.float32]]:
    """Decodes codes [K, n] as they come: audio [C, m], in all what decoding them at once gives.

    A frame is decoded when the frames that its sound hangs on are there, `decode_reach` of them.
    A codec without a finite one is given everything at the end.
    """
    hop, reach = codec.clock.hop_length, codec.decode_reach
    there: NDArray[np.int64] | None = None
    given = 0  # frames of `there` whose audio has been given
    for part in parts:
        there = part if there is None else np.concatenate([there, part], axis=1)
        if reach is None or there.shape[1] - reach[1] <= given:
            continue
        ready = there.shape[1] - reach[1]
        yield decode_batch(codec, [there])[0][:, given * hop : ready * hop]
        cut = max(0, ready - reach[0])
        there, given = there[:, cut:], ready - cut
    if there is not None and there.shape[1] > given:
        yield decode_batch(codec, [there])[0][:, given * hop :]


def decode_batch(
    codec: Codec, codes: Sequence[NDArray[np.int64]], levels: int | None = None
) -> list[NDArray[np.float32]]:
    """Decodes several `[K, T_i]` in one call to `[C, T_i * hop_length]` each.

    Shorter ones are padded at the end with their last frame for the call. The padding reaches back
    the codec's `decode_reach` at most, so what lies further from the end is as if decoded alone.
    """
    longest = max(part.shape[1] for part in codes)
    padded = np.stack(
        [np.pad(part, ((0, 0), (0, longest - part.shape[1])), mode="edge") for part in codes]
    )
    with torch.inference_mode():
        audio = codec.decode(torch.from_numpy(padded.astype(np.int64)).to(codec.device), levels)
    sound = audio.to(torch.float32).cpu().numpy()
    hop = codec.clock.hop_length
    return [sound[index, :, : part.shape[1] * hop] for index, part in enumerate(codes)]


def window_context(codec: Codec) -> tuple[int, int]:
    """Frames to decode before and after a window besides the window itself."""
    if codec.decode_reach is not None:
        return codec.decode_reach
    frames = round(FALLBACK_CONTEXT_SEC * float(codec.clock.frame_rate))
    return frames, frames
