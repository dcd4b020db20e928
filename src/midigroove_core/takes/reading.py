"""Reads the audio and the events of takes ahead of the encoder, and says what is wrong with them.

A take that cannot be used is a `Skip` with one of a few reasons, never an exception: what is wrong
with one file among thousands is counted, not fatal.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import SILENCE, audio_info
from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.processes import worker_pool
from midigroove_core.takes.sound import audio_files, load_take

if TYPE_CHECKING:
    from midigroove_core.takes import Dataset, Take


LOUDEST = 8.0
"""Times full scale (18 dB over): beyond it a float file holds other units, such as 16-bit ones."""

_NORMAL_PEAK = 10.0 ** (-1.0 / 20.0)


@dataclass(frozen=True)
class Skip:
    """Why a take is left out: `reason` is one of few, `detail` is the whole story."""

    reason: str
    detail: str


@dataclass(frozen=True)
class LoadedTake:
    """A take, ready to be encoded.

    Attributes:
        performance: its events.
        audio: [C, S] float32 at the codec's rate, or its file's, gain applied.
        sample_rate: of the audio.
        gain: factor that the audio was multiplied with.
        file_channels: channels of the file, before the downmix.
    """

    performance: DrumPerformance
    audio: NDArray[np.float32]
    sample_rate: int
    gain: float
    file_channels: int


class TakeReader:
    """Reads takes of one dataset as a codec wants them.

    Args:
        dataset: where the files are.
        sample_rate: the codec's.
        channels: the codec's.
        normalize: bring each take's peak to -1 dBFS, the factor being its `gain`.
        keep_rate: leave the audio at the rate of its file, for who resamples it later.
    """

    def __init__(
        self,
        dataset: Dataset,
        sample_rate: int,
        channels: int,
        *,
        normalize: bool = False,
        keep_rate: bool = False,
    ) -> None:
        self.dataset = dataset
        self.sample_rate = sample_rate
        self.channels = channels
        self.normalize = normalize
        self.keep_rate = keep_rate
        self._performances: dict[str, DrumPerformance | Skip] = {}
        self._lock = threading.Lock()

    def read(self, take: Take) -> LoadedTake | Skip:
        """The take, or why it cannot be used."""
        with self._lock:  # a MIDI file is parsed once, whichever threads want it
            performance = self._performance(take)
        if isinstance(performance, Skip):
            return performance
        files = audio_files(self.dataset, take)
        missing = next((path for path in files if not path.is_file()), None)
        if missing is not None:
            name = missing.relative_to(self.dataset.root).as_posix()
            return Skip("missing audio", f"{name}: no such file")
        try:
            info = audio_info(files[0])
            rate = info.sample_rate if self.keep_rate else self.sample_rate
            audio = load_take(self.dataset, take, rate, self.channels)
        except InputError as error:
            return Skip("unreadable audio", self._relative(error))
        found = self._check(take, audio, rate, performance)
        if found is not None:
            return found
        gain = float(_NORMAL_PEAK / np.abs(audio).max()) if self.normalize else 1.0
        if gain != 1.0:
            audio = audio * np.float32(gain)
        return LoadedTake(performance, audio, rate, gain, info.channels)

    def _performance(self, take: Take) -> DrumPerformance | Skip:
        found = self._performances.get(take.midi_path)
        if found is None:
            found = self._performances[take.midi_path] = self._load_performance(take)
        return found

    def _load_performance(self, take: Take) -> DrumPerformance | Skip:
        path = self.dataset.midi_path(take)
        if not path.is_file():
            return Skip("missing MIDI", f"{take.midi_path}: no such file")
        try:
            performance = load_midi(path)
        except InputError as error:
            return Skip("unreadable MIDI", self._relative(error))
        if performance.num_hits == 0:
            return Skip("MIDI without hits", f"{take.midi_path}: no drum hits")
        return performance

    def _check(
        self,
        take: Take,
        audio: NDArray[np.float32],
        sample_rate: int,
        performance: DrumPerformance,
    ) -> Skip | None:
        if not np.isfinite(audio).all():
            return Skip("non-finite audio", f"{take.audio_path}: NaN or infinite samples")
        if audio.shape[1] == 0 or np.abs(audio).max() < SILENCE:
            return Skip("silent audio", f"{take.audio_path}: no sample above -80 dBFS")
        peak = float(np.abs(audio).max())
        if peak > LOUDEST and not self.normalize:
            return Skip(
                "audio in other units",
                f"{take.audio_path}: peak {peak:,.0f} times full scale: integer units in a float "
                "file? divide it, or normalize takes when they are cached",
            )
        length_sec = audio.shape[1] / sample_rate
        last_sec = float(performance.onset_sec[-1])
        if last_sec > length_sec:
            return Skip(
                "audio shorter than its MIDI",
                f"{take.audio_path}: ends at {length_sec:.2f} s, "
                f"the last hit of {take.midi_path} is at {last_sec:.2f} s",
            )
        return None

    def _relative(self, error: InputError) -> str:
        # Details go into a file that other machines read: no absolute paths.
        return str(error).replace(f"{self.dataset.root}/", "")


Read = Callable[["Take"], LoadedTake | Skip]


def read_ahead(
    reader: TakeReader, takes: Iterable[tuple[int, Take]], *, workers: int
) -> Iterator[tuple[int, Take, LoadedTake | Skip]]:
    """Takes in order, a few of them being read or waiting, so that memory is bounded.

    Args:
        reader: reads them.
        takes: with whatever numbers.
        workers: processes that read; 0 is a thread of this one.
    """
    waiting: deque[tuple[int, Take, Future[LoadedTake | Skip]]] = deque()
    with _readers(reader, workers) as (pool, read):
        try:
            for number, take in takes:
                waiting.append((number, take, pool.submit(read, take)))
                if len(waiting) > max(1, workers):
                    number, take, future = waiting.popleft()
                    yield number, take, future.result()
            while waiting:
                number, take, future = waiting.popleft()
                yield number, take, future.result()
        finally:
            for _, _, future in waiting:
                future.cancel()


@contextmanager
def _readers(reader: TakeReader, workers: int) -> Iterator[tuple[Executor, Read]]:
    """What reads, and the function to give it."""
    if not workers:
        with ThreadPoolExecutor(1, thread_name_prefix="read") as threads:
            yield threads, reader.read
        return
    bare = replace(reader.dataset, takes=[], unpaired=[])  # a take comes with each task
    args = (bare, reader.sample_rate, reader.channels, reader.normalize, reader.keep_rate)
    with worker_pool(workers, _open_reader, args) as processes:
        yield processes, _read_in_worker


_of_worker: list[TakeReader] = []


def _open_reader(
    dataset: Dataset, sample_rate: int, channels: int, normalize: bool, keep_rate: bool
) -> None:
    _of_worker.append(
        TakeReader(dataset, sample_rate, channels, normalize=normalize, keep_rate=keep_rate)
    )


def _read_in_worker(take: Take) -> LoadedTake | Skip:
    return _of_worker[0].read(take)
