"""The model as a render engine: grids in overlapping windows, codes of them, one decode.

A model that goes on from known frames draws one window after the other, each with the end of the
one before as its beginning: one take. Others draw windows apart, and their codes are joined.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from midigroove_core.checkpoint import Checkpoint, load_checkpoint
from midigroove_core.checkpoint.shipped import shipped_checkpoint
from midigroove_core.coding.decode import decode_whole, decoded
from midigroove_core.coding.windows import Window, joins, plan_windows, stitch
from midigroove_core.device import choose_device
from midigroove_core.errors import InputError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.codec import Codec
from midigroove_core.interfaces.model_checks import generate_codes
from midigroove_core.kits.library import list_kits
from midigroove_core.midi import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.registry import Registry
from midigroove_core.rendering.conditions import UNKNOWN, choose_conditions, is_unnamed
from midigroove_core.rendering.config import RenderConfig, Rendered, num_output_samples
from midigroove_core.rendering.redraw import decode_again, plan_again
from midigroove_core.rendering.sketch import HeardKit, hear_kit
from midigroove_core.rendering.telling import Teller, Told, begin_with, with_known

BATCH_WINDOWS = 8
LOOK_AHEAD = 6
"""A window that is gone on from gives up the last part of its overlap, one in so many frames: their
codes were drawn without the grid of what follows."""


def load_model(config: RenderConfig) -> tuple[Checkpoint, Codec]:
    """The checkpoint that `config` names, or the one that ships, and its codec.

    Raises:
        MidigrooveError: no such checkpoint, or one that cannot be loaded.
    """
    registry = Registry()
    path = config.checkpoint or shipped_checkpoint()
    device = choose_device(config.device)
    checkpoint = load_checkpoint(path, registry=registry, device=device)
    codec_path = None if config.codec_path is None else str(config.codec_path)
    return checkpoint, checkpoint.build_codec(registry, path=codec_path, device=device)


class ModelEngine:
    """Plays performances with a checkpoint and its codec, both on `config.device`.

    Args:
        config: see `RenderConfig`; its checkpoint and codec are taken as given here.
        checkpoint, codec: as loaded; `ModelEngine.load` does that.
        progress: told which kit was chosen when none was named.

    Raises:
        MidigrooveError: no such kit, drummer or style; says what there is.
    """

    def __init__(
        self, config: RenderConfig, checkpoint: Checkpoint, codec: Codec, progress: Progress
    ) -> None:
        self._device = choose_device(config.device)
        self._checkpoint = checkpoint
        self._codec = codec
        self._config = config
        self._sampling = checkpoint.sampling(config.sampling)
        cut = [name for name in ("top_k", "top_p") if name in config.sampling]
        if cut and checkpoint.model.likelihood == "none":
            progress.message(
                f"{cut[0]}: this model weighs no codes to choose from; it has no effect"
            )
        if "follow" in config.sampling and not checkpoint.model.uses_sketch:
            progress.message("follow: this model hears no kits; it has no effect")
        indices = choose_conditions(checkpoint, config)
        kits = checkpoint.vocabularies.get("kit", ())
        chosen = indices.get("kit", -1)
        self.kit = kits[chosen] if chosen >= 0 else UNKNOWN
        # A kit of a recorded data set may share its name with one that ships.
        all_ship = set(kits) <= {info.id for info in list_kits()}
        self.level_kit = self.kit if chosen >= 0 and all_ship and config.like is None else None
        heard: HeardKit | None = None
        if config.like is not None or is_unnamed(checkpoint, config):
            heard = hear_kit(config, checkpoint, progress)
            self.kit = heard.kit.name
        self._gain = np.float32(1.0 if heard is None else heard.gain)
        drum_map = config.read_drum_map()
        self._teller = Teller(checkpoint, codec, drum_map, indices, config.bpm, heard)
        self.drum_map = self._teller.drum_map
        self.sample_rate = codec.clock.sample_rate
        if config.like is None and config.kit is None and chosen >= 0 and len(kits) > 1:
            others = ", ".join(kit for kit in kits if kit != self.kit)
            progress.message(f"kit: {self.kit} (others: {others})")

    @property
    def codec(self) -> Codec:
        """Whose codes it draws."""
        return self._codec

    @classmethod
    def load(cls, config: RenderConfig, progress: Progress) -> Self:
        """The engine of the checkpoint that `config` names, or of the one that ships.

        Raises:
            MidigrooveError: no such checkpoint, or one that cannot be loaded.
        """
        return cls(config, *load_model(config), progress)

    def play(
        self, performance: DrumPerformance, progress: Progress, *, rounds: int = 1
    ) -> Rendered:
        """See `Engine.play`."""
        clock = self._codec.clock
        windows = self.windows(performance.end_sec)
        told = self._teller.told(performance, windows, progress)
        progress.start("Predicting codes", len(windows))
        play = self._one_after_the_other if self.goes_on else self._apart
        codes = stitch(windows, list(play(told, windows, progress)))
        progress.finish()
        joined = [] if self.goes_on else joins(windows)
        return Rendered(
            audio=decode_whole(self._codec, codes) / self._gain,
            sample_rate=clock.sample_rate,
            codes=codes,
            joins_sec=[float(clock.frames_to_seconds(frame)) for frame in joined],
        )

    def draw_again(
        self,
        performance: DrumPerformance,
        before: Rendered,
        start_sec: float,
        stop_sec: float,
        progress: Progress,
    ) -> Rendered:
        """A take of which [start, stop) is drawn anew and the codes of the rest are kept.

        A model that goes on from known frames hears what is kept around it; others draw the part
        as they do any window.

        Args:
            performance: what is to be played, of the length that `before` has.
            before: what `play`, or this, gave.
            start_sec, stop_sec: which part.
            progress: advanced for each window.

        Raises:
            InputError: `before` has no codes, or another length.
        """
        whole = self.windows(performance.end_sec)
        frames = whole[-1].stop
        if before.codes is None or before.codes.shape[1] != frames:
            raise InputError("before: is no take of a model of that length; render it whole")
        codes, clock = before.codes.copy(), self._codec.clock
        told = self._teller.told(performance, whole, progress)
        first = max(0, math.floor(start_sec * clock.frame_rate))
        last = min(frames, math.ceil(stop_sec * clock.frame_rate))
        window, overlap = self._window_frames()
        uses_known = self._checkpoint.model.uses_known
        ahead = overlap // LOOK_AHEAD if uses_known else overlap // 2
        windows = plan_again(frames, first, last, window, overlap - ahead, ahead)
        progress.start("Drawing again", len(windows))
        for index, part in enumerate(windows):
            batch = self._teller.batch(told, [part])
            if uses_known:
                known = np.ones(part.stop - part.start, dtype=np.bool_)
                known[part.keep_start - part.start : last - part.start] = False
                batch = with_known(batch, codes[:, part.start : part.stop], known)
            drawn = self._generate(batch, index)[0][:, part.keep_start - part.start :]
            kept = part.keep_stop - part.keep_start
            codes[:, part.keep_start : part.keep_stop] = drawn[:, :kept]
            progress.advance(1)
        progress.finish()
        audio = decode_again(self._codec, codes, before.audio * self._gain, first, last)
        return replace(before, audio=audio / self._gain, codes=codes)

    def sound(self, codes: NDArray[np.int64], before: Rendered | None = None) -> Rendered:
        """A take of codes [K, T] that are there already.

        Args:
            codes: as `play` or `draw_again` drew them.
            before: another take; what is equal in both is not decoded again.
        """
        rate = self._codec.clock.sample_rate
        if before is None or before.codes is None or before.codes.shape != codes.shape:
            return Rendered(decode_whole(self._codec, codes) / self._gain, rate, codes)
        changed = np.flatnonzero((codes != before.codes).any(axis=0)).tolist()
        if not changed:
            return before
        known = before.audio * self._gain
        audio = decode_again(self._codec, codes, known, changed[0], changed[-1] + 1)
        return Rendered(audio / self._gain, rate, codes)

    def with_seed(self, seed: int) -> Self:
        """The same engine with another luck."""
        other = copy.copy(self)
        other._config = replace(self._config, seed=seed)
        return other

    @property
    def goes_on(self) -> bool:
        """Whether each window begins with what was played in the one before."""
        return self._checkpoint.model.uses_known

    def stream(
        self,
        performance: DrumPerformance,
        progress: Progress,
        *,
        keep: Callable[[NDArray[np.int64]], None] | None = None,
    ) -> Iterator[NDArray[np.float32]]:
        """What `play` gives, [C, n] at a time; for models that go on.

        Args:
            performance: see `Engine.play`.
            progress: advanced for each window.
            keep: takes the codes [K, n] of the frames as they are drawn.
        """
        windows = self.windows(performance.end_sec)
        told = self._teller.told(performance, windows, progress)
        left = num_output_samples(performance.end_sec + self._config.tail_sec, self.sample_rate)
        codes = self._one_after_the_other(told, windows, progress)

        def kept() -> Iterator[NDArray[np.int64]]:
            for window, part in zip(windows, codes, strict=True):
                frames = part[:, window.keep_start - window.start : window.keep_stop - window.start]
                if keep is not None:
                    keep(frames)
                yield frames

        gain = 1 / self._gain
        for audio in decoded(self._codec, kept()):
            yield audio[:, :left] * gain
            left -= min(left, audio.shape[1])

    def windows(self, end_sec: float) -> list[Window]:
        """The windows that a performance of that length is played in, its tail included."""
        clock = self._codec.clock
        samples = num_output_samples(end_sec + self._config.tail_sec, clock.sample_rate)
        window, overlap = self._window_frames()
        before = overlap - overlap // LOOK_AHEAD if self._checkpoint.model.uses_known else None
        return plan_windows(clock.num_frames(samples), window, overlap, before=before)

    def _window_frames(self) -> tuple[int, int]:
        rate = float(self._codec.clock.frame_rate)
        trained = self._checkpoint.window
        window = trained.frames
        if self._config.window_sec is not None:
            window = max(1, round(self._config.window_sec * rate))
        if self._config.overlap_sec is not None:
            return window, max(0, round(self._config.overlap_sec * rate))
        if self._checkpoint.model.uses_known:
            return window, window // 2
        # What the model was trained to see before a clip, it sees around every join.
        return window, min(trained.context_frames or window // 4, window // 2)

    def _apart(
        self, told: Told, windows: list[Window], progress: Progress
    ) -> list[NDArray[np.int64]]:
        """Codes [K, T] of each window, in batches."""
        parts: list[NDArray[np.int64]] = []
        for start in range(0, len(windows), BATCH_WINDOWS):
            part = windows[start : start + BATCH_WINDOWS]
            batch = self._teller.batch(told, part)
            parts.extend(self._generate(batch, start // BATCH_WINDOWS))
            progress.advance(len(part))
        return parts

    def _one_after_the_other(
        self, told: Told, windows: list[Window], progress: Progress
    ) -> Iterator[NDArray[np.int64]]:
        """Codes [K, T] of each window, which begins with what was kept of the one before."""
        part: NDArray[np.int64] | None = None
        for index, window in enumerate(windows):
            batch = self._teller.batch(told, [window])
            if part is not None:
                before, known = windows[index - 1], window.keep_start - window.start
                given = part[:, window.start - before.start :][:, :known]
                batch = begin_with(batch, given)
            (part,) = self._generate(batch, index)
            progress.advance(1)
            yield part

    def _generate(self, batch: GridBatch, batch_index: int) -> list[NDArray[np.int64]]:
        # Another seed for every batch of windows: the same one would draw the same luck again.
        seed = (self._config.seed * 1_000_003 + batch_index) % 2**63
        with torch.inference_mode():
            codes = generate_codes(
                self._checkpoint.model, batch.to(self._device), replace(self._sampling, seed=seed)
            )
        return list(codes.cpu().numpy())
