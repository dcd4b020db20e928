"""Standard MIDI files, as a reader among readers."""

from __future__ import annotations

from pathlib import Path

from midigroove_core.interfaces.reader import PerformanceReader
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance


class MidiReader(PerformanceReader):
    """Reads what `midigroove_core.midi.load_midi` reads, by any name that such files go by."""

    reader_id = "midi"
    suffixes = (".mid", ".midi", ".kar", ".rmi")

    def read(self, path: Path) -> DrumPerformance:
        """The hits of the file's drum parts; see `load_midi`."""
        return load_midi(path)
