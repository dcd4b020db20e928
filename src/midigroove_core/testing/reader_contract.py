"""What every reader of performances has to do, as a pytest class to subclass."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.interfaces.classes import faults_of_class
from midigroove_core.interfaces.reader import PerformanceReader
from midigroove_core.performance import DrumPerformance


class ReaderContract:
    """Subclass with a fixture `reader` and what one file of the format holds.

    Attributes:
        example: a small file of the format.
        onset_sec, pitch, velocity: its hits, by time and then pitch. Written down by hand, so that
            a reader that counts in beats, milliseconds or from another moment is caught.
        tempo_bpm, meter: how it begins; None for what the format does not tell.
    """

    example: ClassVar[Path]
    onset_sec: ClassVar[tuple[float, ...]]
    pitch: ClassVar[tuple[int, ...]]
    velocity: ClassVar[tuple[int, ...]]
    tempo_bpm: ClassVar[float | None] = None
    meter: ClassVar[tuple[int, int] | None] = None

    @pytest.fixture
    def reader(self) -> PerformanceReader:
        """The reader under test."""
        raise NotImplementedError("a subclass of ReaderContract needs a fixture reader")

    @pytest.fixture
    def performance(self, reader: PerformanceReader) -> DrumPerformance:
        """The example, read."""
        return reader.read(self.example)

    def test_facts(self, reader: PerformanceReader) -> None:
        assert faults_of_class("reader", reader.reader_id, type(reader)) == []
        type(reader)()  # is made without arguments
        assert reader.suffixes and len(set(reader.suffixes)) == len(reader.suffixes)
        for suffix in reader.suffixes:
            assert suffix.startswith(".") and suffix == suffix.lower() and len(suffix) > 1
        assert self.example.suffix.lower() in reader.suffixes

    def test_hits_are_those_of_the_file(self, performance: DrumPerformance) -> None:
        assert isinstance(performance, DrumPerformance)
        np.testing.assert_allclose(performance.onset_sec, self.onset_sec, atol=1e-6)
        assert performance.pitch.tolist() == list(self.pitch)
        assert performance.velocity.tolist() == list(self.velocity)
        if self.tempo_bpm is not None:
            assert performance.tempo_bpm[0] == pytest.approx(self.tempo_bpm)
        if self.meter is not None:
            first = (performance.meter_numerator[0], performance.meter_denominator[0])
            assert first == self.meter

    def test_arrays_are_what_they_should_be(self, performance: DrumPerformance) -> None:
        for name, array in performance.to_arrays().items():
            whole = name.endswith(("pitch", "velocity", "cc4_value")) or name.startswith("meter_n")
            whole = whole or name.startswith("meter_d")
            assert array.dtype == (np.int64 if whole else np.float64), f"{name} is {array.dtype}"
            assert np.isfinite(array.astype(np.float64)).all(), f"{name} is not finite"
        assert (performance.onset_sec >= 0).all() and (performance.duration_sec >= 0).all()
        assert ((performance.pitch >= 0) & (performance.pitch <= 127)).all()
        assert ((performance.velocity >= 1) & (performance.velocity <= 127)).all()
        assert performance.end_sec >= performance.onset_sec.max()

    def test_reading_again_gives_the_same(
        self, reader: PerformanceReader, performance: DrumPerformance
    ) -> None:
        for again in (reader.read(self.example), type(reader)().read(self.example)):
            for name, array in again.to_arrays().items():
                np.testing.assert_array_equal(array, performance.to_arrays()[name])

    def test_a_name_says_nothing(self, reader: PerformanceReader, tmp_path: Path) -> None:
        """Upper case, spaces and dots in names change nothing."""
        other = tmp_path / f"a take. 2{self.example.suffix.upper()}"
        shutil.copy(self.example, other)
        assert reader.read(other).num_hits == len(self.onset_sec)

    def test_what_cannot_be_read_is_an_input_error_that_names_the_file(
        self, reader: PerformanceReader, tmp_path: Path
    ) -> None:
        suffix = self.example.suffix
        files = {"empty": b"", "noise": bytes(range(256)) * 8, "text": b"no such thing\n" * 20}
        for name, content in files.items():
            (tmp_path / f"{name}{suffix}").write_bytes(content)
        for name in (*files, "missing"):
            path = tmp_path / f"{name}{suffix}"
            with pytest.raises(InputError) as raised:
                reader.read(path)
            assert str(path) in str(raised.value) and "\n" not in str(raised.value)

    def test_a_cut_file_is_read_or_refused(self, reader: PerformanceReader, tmp_path: Path) -> None:
        content = self.example.read_bytes()
        for part in range(1, 10):
            path = tmp_path / f"cut{self.example.suffix}"
            path.write_bytes(content[: len(content) * part // 10])
            try:
                hits = reader.read(path).num_hits
            except InputError:
                continue
            assert 0 < hits <= len(self.onset_sec)
