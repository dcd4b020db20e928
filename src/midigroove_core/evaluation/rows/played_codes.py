"""Rows that play codes: reference codes of a codec, and systems under test."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from midigroove_core.evaluation.base.clipset import EvalClip
from midigroove_core.evaluation.base.journal import Journal
from midigroove_core.evaluation.rows.code_rows import CodesRow
from midigroove_core.evaluation.rows.codec_group import CodecGroup
from midigroove_core.evaluation.rows.decoding import Decoder, Offer, windows_of
from midigroove_core.evaluation.rows.source import ClipBatch, CodesSeen, Played, RowSource
from midigroove_core.evaluation.rows.systems import System
from midigroove_core.scorecard.rows import Row, RowKind


class ReferenceCodesSource(RowSource):
    """A reference row made of a codec's codes.

    Args:
        group: the codec and its cache.
        codes: what gives the codes.
        decoder: None when only codes are scored.
        journal: notes what fails, and the time.
    """

    def __init__(
        self, group: CodecGroup, codes: CodesRow, decoder: Decoder | None, journal: Journal
    ) -> None:
        name = codes.kind.value + group.suffix
        self.row = Row(name, codes.kind, group.cache.header["codec_id"], group.oracle)
        self._group, self._codes = group, codes
        self._decoder, self._journal = decoder, journal

    def play(self, batch: ClipBatch) -> Iterator[Played]:
        """See `RowSource`."""
        group, row = self._group, self.row
        windows = windows_of(batch, group.window, row.name, self._journal)
        began = time.perf_counter()
        offers = [(clip, window, self._codes.codes(clip, window)) for clip, window in windows]
        seconds = time.perf_counter() - began
        self._journal.of(row.name).add("predict", seconds, [clip.index for clip, _ in windows])
        rate = group.cache.clock.frame_rate
        for clip, window in windows:
            true = group.cache.codes(window.entry, window.start, window.stop - window.start)
            nll = self._codes.nll(clip, true)
            if nll is not None:
                yield Played(row, clip, CodesSeen(true, nll, None, rate))
        if self._decoder is not None:
            there = [(c, w, codes) for c, w, codes in offers if codes is not None]
            for clip, audio in self._decoder.clips(row.name, group, there, batch):
                yield Played(row, clip, audio=audio)


class SystemSource(RowSource):
    """A system under test.

    Args:
        system: its model and cache.
        decoder: None when only codes are scored.
        journal: notes what fails, and the time.
        draws: with how many seeds its codes are drawn.
    """

    def __init__(
        self, system: System, decoder: Decoder | None, journal: Journal, draws: int = 1
    ) -> None:
        group = system.group
        codec_id = group.cache.header["codec_id"]
        is_bound = system.checkpoint.model.likelihood == "bound"
        self.row = Row(system.name, RowKind.SYSTEM, codec_id, group.oracle, is_bound)
        self.system = system
        self._decoder, self._journal = decoder, journal
        self._draws = draws if decoder is not None else 1  # what is only scored has no luck

    def play(self, batch: ClipBatch) -> Iterator[Played]:
        """See `RowSource`."""
        windows = windows_of(batch, self.system.window, self.row.name, self._journal)
        clips = [clip for clip, _ in windows]
        for draw in range(self._draws):
            offers: list[Offer] = []
            for seen in self._predict(clips, batch, draw, offers):
                yield Played(self.row, *seen)
            if self._decoder is not None:
                group, name = self.system.group, self.row.name
                for clip, audio in self._decoder.clips(name, group, offers, batch):
                    yield Played(self.row, clip, audio=audio, draw=draw)
            clips = [clip for clip, _, _ in offers]  # what failed once is not tried again

    def _predict(
        self, clips: list[EvalClip], batch: ClipBatch, draw: int, offers: list[Offer]
    ) -> Iterator[tuple[EvalClip, CodesSeen]]:
        """Clips whose true codes were scored; what was drawn is added to `offers`."""
        if not clips:
            return
        system, row = self.system, self.row
        began = time.perf_counter()
        predictions = system.predict_each(clips, batch.number, self._journal, draw)
        seconds = time.perf_counter() - began
        self._journal.of(row.name).add("predict", seconds, [clip.index for clip in clips])
        cache = system.group.cache
        for clip, found in predictions:
            window = found.window
            if found.nll is not None and not np.isfinite(found.nll).all():
                # Codes drawn from such a model mean nothing either, so they are not decoded.
                reason = "prediction not finite: NaN likelihood"
                self._journal.skip(clip.clip_id, row.name, reason)
                continue
            if found.nll is not None:
                true = cache.codes(window.entry, window.start, window.stop - window.start)
                yield clip, CodesSeen(true, found.nll, found.accuracy, cache.clock.frame_rate)
            offers.append((clip, window, found.codes))
