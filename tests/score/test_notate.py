"""Notation out: what is quantised already comes back as it was."""

from pathlib import Path

import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.score.notate import beat_values, notate
from midigroove_core.score.play_order import Bar, play_order
from midigroove_core.score.read import load_score

SCORES = Path(__file__).parent.parent / "data" / "scores"
GROOVES = sorted(
    (Path(__file__).parents[2] / "src" / "midigroove_core" / "assets" / "grooves").glob("*.mid")
)


@pytest.mark.parametrize(
    "path", [*sorted(SCORES.glob("*.musicxml")), *GROOVES[::8]], ids=lambda p: p.stem
)
def test_quantised_grooves_come_back(path: Path, tmp_path: Path) -> None:
    first = load_midi(path) if path.suffix == ".mid" else load_score(path)
    notate(first, tmp_path / "first.musicxml")
    quantised = load_score(tmp_path / "first.musicxml")
    rounding = notate(quantised, tmp_path / "second.musicxml")
    again = load_score(tmp_path / "second.musicxml")
    assert rounding.num_merged == 0 and rounding.max_ms < 1e-3
    assert np.array_equal(again.pitch, quantised.pitch)
    assert np.array_equal(again.velocity, quantised.velocity)
    np.testing.assert_allclose(again.onset_sec, quantised.onset_sec, atol=1e-9)
    np.testing.assert_allclose(again.tempo_bpm, quantised.tempo_bpm)


def test_values_fill_the_beat() -> None:
    for length in (24, 36, 12):
        for mask in range(1, 2 ** (length // 3)):
            if mask % 7 and length == 36:
                continue
            onsets = [3 * i for i in range(length // 3) if mask >> i & 1]
            values = beat_values(length, onsets)
            assert sum(value.ticks for value in values) == length
            assert [value.at for value in values if not value.is_rest] == onsets


def test_repeats_jumps_and_endings() -> None:
    dc_al_fine = [Bar(), Bar(fine=True), Bar(dacapo=True)]
    assert play_order(dc_al_fine) == [0, 1, 2, 0, 1]
    ds_al_coda = [Bar(), Bar(segno=True, tocoda=True), Bar(dalsegno=True), Bar(coda=True)]
    assert play_order(ds_al_coda) == [0, 1, 2, 1, 3]
    one, two = frozenset({1, 2}), frozenset({3})
    endings = [
        Bar(),
        Bar(endings=one, last_ending=3, backward=True),
        Bar(endings=two, last_ending=3),
        Bar(),
    ]
    assert play_order(endings) == [0, 1, 0, 1, 0, 2, 3]
    with pytest.raises(InputError, match="repeats"):
        play_order([Bar(backward=True, times=99999)])


def test_nothing_to_write_is_said(tmp_path: Path) -> None:
    empty = DrumPerformance(*(np.zeros(0) for _ in range(4)))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no hits"):
        notate(empty, tmp_path / "x.musicxml")
    assert not list(tmp_path.iterdir())


def test_a_score_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """It may be what is read: `notate mine.musicxml -o mine.musicxml`."""
    score = tmp_path / "mine.musicxml"
    score.write_text("hours of work")
    hit = DrumPerformance(np.zeros(1), np.full(1, 0.1), np.array([36]), np.array([90]), end_sec=1.0)
    with pytest.raises(InputError, match="is there already; `overwrite` replaces"):
        notate(hit, score)
    assert score.read_text() == "hours of work"
    notate(hit, score, overwrite=True)
    assert load_score(score).pitch.tolist() == [36]
