"""Performances as JAMS, the annotation format of music information retrieval.

Humphrey et al., "JAMS: A JSON Annotated Music Specification for Reproducible MIR Research", ISMIR
2014; https://jams.readthedocs.io. Written without the package `jams`, which can read and validate
it. mir_eval and mirdata speak of beats, tempo, notes and onsets in its terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from midigroove_core import __version__
from midigroove_core.drums import load_drum_map
from midigroove_core.performance import DrumPerformance

JAMS_VERSION = "0.3.4"
"""The edition of the schema."""

_DIGITS = 6


def to_jams(
    performance: DrumPerformance,
    *,
    title: str = "",
    artist: str = "",
    duration_sec: float | None = None,
    corpus: str = "",
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A performance as a JAMS object, ready for `json.dump`.

    Its annotations, times in seconds to a microsecond: `note_midi` (pitches as they are; its
    sandbox has the `velocity` and the `articulation` of each, "other" for what is no drum),
    `onset`, `beat` (its number in the bar), `beat_position` and `tempo` (quarter notes a minute).

    Args:
        performance: what is played.
        title: of the file.
        artist: the drummer.
        duration_sec: of the audio that it belongs to; its own end when None. No beat lies after it.
        corpus: name of the dataset.
        facts: more about the file, for its sandbox.
    """
    end_sec = performance.end_sec if duration_sec is None else duration_sec
    onsets, pitches = performance.onset_sec.tolist(), performance.pitch.tolist()
    gates = performance.duration_sec.tolist()
    drum_map = load_drum_map()
    played = {
        "velocity": performance.velocity.tolist(),
        "articulation": [drum_map.articulation(pitch) or "other" for pitch in pitches],
    }
    beats = _beats(performance, end_sec)
    starts = performance.tempo_sec.tolist()
    tempi = zip(
        starts,
        np.diff([*starts, max(end_sec, starts[-1])]).tolist(),
        performance.tempo_bpm.tolist(),
        strict=True,
    )
    found = {
        "note_midi": [
            _observed(*note) for note in zip(onsets, gates, map(float, pitches), strict=True)
        ],
        "onset": [_observed(sec, 0.0, None) for sec in onsets],
        "beat": [_observed(sec, 0.0, value["position"]) for sec, value in beats],
        "beat_position": [_observed(sec, 0.0, value) for sec, value in beats],
        "tempo": [_observed(*tempo, confidence=1.0) for tempo in tempi],
    }
    duration = round(end_sec, _DIGITS)
    return {
        "annotations": [
            _annotation(name, data, duration, corpus, played if name == "note_midi" else {})
            for name, data in found.items()
        ],
        "file_metadata": {
            "title": title, "artist": artist, "release": "", "duration": duration,
            "identifiers": {}, "jams_version": JAMS_VERSION,
        },
        "sandbox": dict(facts or {}),
    }  # fmt: skip


def _observed(
    sec: float, duration_sec: float, value: Any, *, confidence: float | None = None
) -> dict[str, Any]:
    time, duration = round(sec, _DIGITS), round(duration_sec, _DIGITS)
    return {"time": time, "duration": duration, "value": value, "confidence": confidence}


def _annotation(
    namespace: str, data: list[Any], duration: float, corpus: str, sandbox: Mapping[str, Any]
) -> dict[str, Any]:
    about = {
        "curator": {"name": "", "email": ""}, "annotator": {}, "version": "", "corpus": corpus,
        "annotation_tools": f"midigroove {__version__}", "annotation_rules": "", "validation": "",
        "data_source": "MIDI",
    }  # fmt: skip
    return {
        "namespace": namespace, "data": data, "time": 0, "duration": duration,
        "annotation_metadata": about, "sandbox": dict(sandbox),
    }  # fmt: skip


def _beats(performance: DrumPerformance, end_sec: float) -> Iterable[tuple[float, dict[str, int]]]:
    """When each beat of the meter is, and its place in the bar, from the first that is not before
    the beginning."""
    starts = performance.meter_beats
    stops = [*starts[1:], float(performance.seconds_to_beats(end_sec))]
    found: list[tuple[float, dict[str, int]]] = []
    meters = zip(starts, stops, performance.meter_numerator.tolist(),
                 performance.meter_denominator.tolist(), strict=True)  # fmt: skip
    for start, stop, top, bottom in meters:
        count = max(0, int(np.ceil((stop - start) * bottom / 4 - 1e-6)))
        beats = start + np.arange(count) * 4 / bottom
        seconds = performance.beats_to_seconds(beats)
        measures = performance.bar_position(seconds)[0] + 1
        for number, (sec, measure) in enumerate(zip(seconds, measures, strict=True)):
            if -1e-6 <= sec < end_sec:
                place = {"position": number % top + 1, "measure": int(measure)}
                found.append((max(0.0, sec), {**place, "num_beats": top, "beat_units": bottom}))
    return found
