"""Scores, as a reader among readers."""

from __future__ import annotations

from pathlib import Path

from midigroove_core.interfaces.reader import PerformanceReader
from midigroove_core.performance import DrumPerformance
from midigroove_core.score.read import SUFFIXES, load_score


class ScoreReader(PerformanceReader):
    """Reads the drums of MusicXML files, and of what else `load_score` reads."""

    reader_id = "score"
    suffixes = SUFFIXES

    def read(self, path: Path) -> DrumPerformance:
        """The hits of the score's drum parts, as written; see `load_score`."""
        return load_score(path)
