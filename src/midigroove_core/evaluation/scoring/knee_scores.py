"""What each level is worth: the oracle scored by number of levels."""

from __future__ import annotations

from midigroove_core.audio import downmix
from midigroove_core.evaluation.rows.knee import KneePlayed
from midigroove_core.metrics.clip import clip_metrics
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.scorecard.records import KneeLine, number


class KneeScorer:
    """Collects figures per clip and number of levels."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], dict[int, dict[str, float]]] = {}
        self._bits: dict[tuple[str, int], float] = {}

    def add(self, played: KneePlayed, reference: AudioFeatures) -> None:
        """One clip from so many levels."""
        features = AudioFeatures.from_audio(downmix(played.audio), reference.sample_rate)
        self._bits[played.oracle, played.levels] = played.bits_per_second
        values = clip_metrics(reference, features, played.clip.onsets_sec)
        self._found.setdefault((played.oracle, played.levels), {})[played.clip.index] = values

    def absorb(self, other: KneeScorer) -> None:
        """What was found on other clips."""
        self._bits |= other._bits
        for key, found in other._found.items():
            self._found.setdefault(key, {}).update(found)

    def lines(self) -> list[KneeLine]:
        """Means per codec and number of levels."""
        oracles = list(dict.fromkeys(oracle for oracle, _ in self._found))
        lines = []
        for oracle, count in sorted(self._found, key=lambda k: (oracles.index(k[0]), k[1])):
            by_clip = self._found[oracle, count]
            found = [by_clip[clip] for clip in sorted(by_clip)]
            means: dict[str, float | None] = {}
            for name in found[0]:
                values = [clip[name] for clip in found if clip[name] == clip[name]]
                means[name] = number(sum(values) / len(values)) if values else None
            bits = number(self._bits[oracle, count])
            lines.append(KneeLine(oracle, count, bits, len(found), means))
        return lines
