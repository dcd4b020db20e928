"""Drum parts in the dialects of five notation programs, to the tick."""

from pathlib import Path

import numpy as np
import pytest

from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.readers import load_performance
from midigroove_core.score.arrays import note_array, to_partitura
from midigroove_core.score.feel import Feel
from midigroove_core.score.read import load_score

SCORES = Path(__file__).parent.parent / "data" / "scores"
GROOVE = Path(__file__).parents[2] / "examples" / "groove.mid"


def _hits(name: str) -> tuple[list[tuple[float, int, int]], np.ndarray]:
    played = load_performance(SCORES / f"{name}.musicxml")
    beats = np.round(played.seconds_to_beats(played.onset_sec), 9)
    rows = zip(beats.tolist(), played.pitch.tolist(), played.velocity.tolist(), strict=True)
    return list(rows), played.tempo_bpm


def test_musescore_two_voices_ghost_accent_and_open_hat() -> None:
    hits, bpm = _hits("musescore_two_voices")
    assert bpm.tolist() == [96.0]
    assert hits == [
        (0.0, 36, 96), (0.0, 49, 96), (0.5, 42, 96), (1.0, 38, 96), (1.0, 42, 96), (1.0, 44, 96),
        (1.5, 42, 96), (1.75, 38, 48), (2.0, 36, 96), (2.0, 42, 96), (2.5, 36, 96), (2.5, 42, 96),
        (3.0, 38, 120), (3.0, 42, 96), (3.0, 44, 96), (3.5, 46, 96), (4.0, 38, 49), (6.0, 36, 49),
    ]  # fmt: skip


def test_finale_upbeat_hairpin_and_sounds_that_overrule_places() -> None:
    hits, bpm = _hits("finale_upbeat")
    assert bpm.tolist() == [90.0]
    assert hits[:6] == [
        (0.0, 38, 80), (0.5, 38, 80), (1.0, 36, 49), (1.0, 42, 49), (1.5, 42, 57), (2.0, 36, 65),
    ]  # fmt: skip
    triplet = [(5.0, 38, 96), (round(16 / 3, 9), 38, 96), (round(17 / 3, 9), 38, 96)]
    assert hits[-5:] == [(4.0, 36, 96), (4.0, 53, 96), *triplet]
    assert load_score(SCORES / "finale_upbeat.musicxml").meter_beats.tolist() == [-2.0]


def test_sibelius_repeats_endings_and_three_times() -> None:
    played = load_score(SCORES / "sibelius_repeats.musicxml")
    assert played.onset_sec.tolist() == [
        0, 0, 0.5, 1, 1.5, 2, 3, 4, 4, 4.5, 5, 5.5, 6, 6, 8, 8.75, 9.5, 10.25, 11, 11.75,
    ]  # fmt: skip
    assert played.pitch.tolist() == [
        36, 42, 38, 36, 46, 48, 43, 36, 42, 38, 36, 46, 36, 49, 51, 37, 51, 37, 51, 37,
    ]  # fmt: skip
    assert played.tempo_bpm.tolist() == [120.0, 160.0]
    assert played.end_sec == 12.5


def test_dorico_flams_drag_tie_and_tremolo() -> None:
    hits, _ = _hits("dorico_flams")
    assert hits == [
        (0.0, 36, 80), (0.0, 42, 80), (0.97, 38, 48), (1.0, 38, 116), (1.44, 38, 48),
        (1.47, 38, 48), (1.5, 38, 80), (1.5, 48, 80), (1.97, 38, 48), (1.97, 48, 48), (2.0, 38, 80),
        (2.25, 38, 80), (2.5, 38, 80), (2.75, 38, 80), (3.0, 38, 80), (4.0, 36, 80), (5.0, 38, 80),
    ]  # fmt: skip


def test_guitar_pro_places_loudness_and_bars_as_before() -> None:
    hits, bpm = _hits("guitar_pro_bar_repeats")
    assert bpm.tolist() == [90.0]
    bar = [
        (0.0, 36, 80), (0.0, 51, 80), (0.5, 51, 80), (1.0, 51, 80), (1.5, 38, 100), (1.5, 51, 80),
        (2.0, 51, 80), (2.5, 38, 40), (2.5, 51, 80),
    ]  # fmt: skip
    again = [(beat + 3.0, pitch, velocity) for beat, pitch, velocity in bar]
    assert hits == [*bar, *again, (6.0, 36, 112), (6.0, 49, 112)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("<score-partwise>", "not readable as XML"),
        ("<html/>", "not a MusicXML score"),
        ("<score-partwise><part id='P1'><measure/></part></score-partwise>", "no part for drums"),
    ],
)
def test_a_file_that_is_no_drum_score_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.musicxml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load_score(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_entities_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("F")
    text = (SCORES / "guitar_pro_bar_repeats.musicxml").read_text()
    start = text.index("<!DOCTYPE")
    end = text.index(">", start) + 1
    doctype = f'<!DOCTYPE score-partwise [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'
    path = tmp_path / "entity.musicxml"
    score = text[:start] + doctype + text[end:]
    path.write_text(score.replace("<display-step>F<", "<display-step>&s;<"))
    with pytest.raises(InputError):
        load_score(path)


def test_feel_is_the_same_each_time_and_stays_near() -> None:
    score = load_score(SCORES / "musescore_two_voices.musicxml")
    feel = Feel.of(load_midi(GROOVE))
    first, second = feel.apply(score), feel.apply(score)
    assert np.array_equal(first.onset_sec, second.onset_sec)
    assert first.num_hits == score.num_hits
    assert not np.array_equal(first.onset_sec, score.onset_sec)
    assert np.abs(np.sort(first.onset_sec) - score.onset_sec).max() < 0.1


def test_note_array_is_partituras() -> None:
    played = load_midi(GROOVE)
    theirs = to_partitura(played).note_array()
    ours = note_array(played)
    assert theirs.dtype == ours.dtype and len(ours) == played.num_hits
    for name in ("pitch", "velocity", "channel"):
        assert np.array_equal(theirs[name], ours[name])
    assert np.allclose(theirs["onset_sec"], ours["onset_sec"])
