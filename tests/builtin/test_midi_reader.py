"""The reader of MIDI files is held to the contract of readers."""

from __future__ import annotations

import mido
import pytest

from midigroove_core.builtin.midi_reader import MidiReader
from midigroove_core.testing import ReaderContract


class TestMidiReader(ReaderContract):
    onset_sec = (0.0, 0.5, 0.5, 1.25)
    pitch = (36, 38, 42, 36)
    velocity = (100, 110, 60, 1)
    tempo_bpm = 60.0
    meter = (3, 4)

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def written(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)])
        track.append(mido.MetaMessage("time_signature", numerator=3, denominator=4))
        deltas = (0, 240, 0, 360)
        for delta, note, velocity in zip(deltas, cls.pitch, cls.velocity, strict=True):
            track.append(
                mido.Message("note_on", channel=9, note=note, velocity=velocity, time=delta)
            )
        path = tmp_path_factory.mktemp("midi") / "beat.mid"
        mido.MidiFile(tracks=[track]).save(path)
        cls.example = path

    @pytest.fixture
    def reader(self) -> MidiReader:
        return MidiReader()
