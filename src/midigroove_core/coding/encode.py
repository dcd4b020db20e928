"""Encodes whole takes, in equal windows where the codec allows it and whole where it does not.

What a take's codes are depends on that take alone, so a run that was killed and resumed, or shared
between processes, gives the same bytes. On CPUs windows are batched within a take, if at all. A GPU
needs full batches: there all windows have one length, and those of several takes fill a batch of
one size, always; its rows are computed apart, so it makes no difference which others they are.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from midigroove_core.coding.windows import Window, plan_windows, stitch
from midigroove_core.errors import InputError

if TYPE_CHECKING:
    from midigroove_core.interfaces.codec import Codec

T = TypeVar("T")
Codes = NDArray[np.int64]

_WINDOW_SEC = 10.0
"""Long enough that the context of both sides is small beside it, short enough for memory."""


@dataclass(frozen=True)
class EncodingPlan:
    """How takes are cut for the codec.

    Attributes:
        window_frames: longest window, context included; None encodes takes whole.
        reach: frames before and after what is kept of a window that are encoded with it.
        batch: windows that are encoded together.
        fixed: all windows are `window_frames` long and all batches full, with windows of other
            takes or with silence. Takes that are shorter than a window are encoded by themselves.
    """

    window_frames: int | None
    reach: tuple[int, int]
    batch: int
    fixed: bool = False

    @classmethod
    def for_codec(cls, codec: Codec, batch: int | None = None) -> EncodingPlan:
        """The plan for a codec; a batch of None is 1 on a CPU, where more gains nothing, else 8."""
        if codec.encode_reach is None:
            return cls(None, (0, 0), 1)
        window = max(math.ceil(_WINDOW_SEC * codec.clock.frame_rate), 20 * sum(codec.encode_reach))
        if codec.device.type == "cpu":
            return cls(window, codec.encode_reach, batch or 1)
        return cls(window, codec.encode_reach, batch or 8, fixed=True)

    def windows(self, num_frames: int) -> list[Window]:
        """How a take of so many frames is cut."""
        if self.window_frames is None or num_frames <= self.window_frames:
            return plan_windows(num_frames, max(1, num_frames), 0)
        overlap, length = sum(self.reach), self.window_frames
        if not self.fixed:  # as equal as they can be, none much shorter than another's
            parts = math.ceil((num_frames - overlap) / (self.window_frames - overlap))
            length = math.ceil((num_frames - overlap) / parts) + overlap
        return plan_windows(num_frames, length, overlap, before=self.reach[0])

    def to_json(self) -> dict[str, Any]:
        """For the header of the cache."""
        return {
            "window_frames": self.window_frames,
            "reach": list(self.reach),
            "batch": self.batch,
            **({"fixed": True} if self.fixed else {}),
        }


def encode_take(codec: Codec, audio: NDArray[np.float32], plan: EncodingPlan) -> Codes:
    """Encodes one take: what `TakeEncoder` gives for it.

    Raises:
        InputError: audio that the codec refuses.
    """
    [(_, codes)] = TakeEncoder(codec, plan).encode([(None, audio)])
    if isinstance(codes, InputError):
        raise codes
    return codes


class TakeEncoder:
    """Encodes takes as they come.

    Args:
        codec: on the device to use.
        plan: how takes are cut.

    Attributes:
        seconds: spent inside the codec.
    """

    def __init__(self, codec: Codec, plan: EncodingPlan) -> None:
        self.codec, self.plan = codec, plan
        self.seconds = 0.0

    def encode(
        self, takes: Iterable[tuple[T, NDArray[np.float32]]]
    ) -> Iterator[tuple[T, Codes | InputError]]:
        """Encodes takes in any order that suits the device.

        Args:
            takes: each with whatever the caller knows it by, and its audio [C, S] at the codec's
                sample rate.

        Yields:
            what the caller knows it by, and codes [K, T] int64, T = ceil(S / hop_length); or why
            the codec refuses it.
        """
        waiting: deque[_Cut[T]] = deque()  # takes whose windows fill batches together
        for name, audio in takes:
            windows = self.plan.windows(self.codec.clock.num_frames(audio.shape[-1]))
            if self.plan.fixed and len(windows) > 1:
                waiting.append(_Cut(name, audio, windows))
                while sum(cut.left for cut in waiting) >= self.plan.batch:
                    yield from self._encode_batch(waiting)
            else:
                yield name, self._alone(audio, windows)
        while waiting:
            yield from self._encode_batch(waiting)

    def _alone(self, audio: NDArray[np.float32], windows: list[Window]) -> Codes | InputError:
        """Codes of one take whose windows share no batch with others'."""
        codes: list[Codes] = []
        try:
            if len(windows) == 1:
                return self._codes(audio[None])[0]
            for first in range(0, len(windows), self.plan.batch):
                group = windows[first : first + self.plan.batch]
                codes += self._batch([self._piece(audio, window) for window in group])
        except InputError as error:
            return error
        return stitch(windows, codes)

    def _encode_batch(self, waiting: deque[_Cut[T]]) -> Iterator[tuple[T, Codes | InputError]]:
        """Encodes a batch of windows, always a full one, from the takes that wait the longest."""
        chosen = [(cut, window) for cut in waiting for window in cut.windows[len(cut.codes) :]]
        chosen = chosen[: self.plan.batch]
        pieces = [self._piece(cut.audio, window) for cut, window in chosen]
        try:
            for (cut, _), codes in zip(chosen, self._batch(pieces), strict=True):
                cut.codes.append(codes)
        except InputError:  # of which take, the codec does not say
            for cut in {id(cut): cut for cut, _ in chosen}.values():
                waiting.remove(cut)
                yield cut.name, self._alone(cut.audio, cut.windows)
        while waiting and waiting[0].left == 0:
            cut = waiting.popleft()
            yield cut.name, stitch(cut.windows, cut.codes)

    def _batch(self, pieces: list[NDArray[np.float32]]) -> list[Codes]:
        """Codes of windows of one length."""
        silent = self.plan.batch - len(pieces) if self.plan.fixed else 0
        return self._codes(np.stack([*pieces, *[np.zeros_like(pieces[0])] * silent]))[: len(pieces)]

    def _piece(self, audio: NDArray[np.float32], window: Window) -> NDArray[np.float32]:
        """The audio [C, S] of a window, with zeros behind the end of the take."""
        hop = self.codec.clock.hop_length
        piece = audio[:, window.start * hop : window.stop * hop]
        return np.pad(piece, ((0, 0), (0, (window.stop - window.start) * hop - piece.shape[1])))

    def _codes(self, audio: NDArray[np.float32]) -> list[Codes]:
        """Codes [K, T] of each window of [B, C, S]."""
        import torch

        began = time.perf_counter()
        with torch.inference_mode():
            codes = self.codec.encode(torch.from_numpy(audio).to(self.codec.device)).cpu().numpy()
        self.seconds += time.perf_counter() - began
        return list(codes)


@dataclass(eq=False)
class _Cut(Generic[T]):
    """A take under way: its windows, and the codes of the first of them."""

    name: T
    audio: NDArray[np.float32]
    windows: list[Window]
    codes: list[Codes] = field(default_factory=list)

    @property
    def left(self) -> int:
        """Windows without codes."""
        return len(self.windows) - len(self.codes)
