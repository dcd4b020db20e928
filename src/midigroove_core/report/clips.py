"""The clips of a page: pictures of their hits, sound of every row, figures beside it."""

from __future__ import annotations

from typing import Any

from midigroove_core.csvfile import read_number
from midigroove_core.drums import ARTICULATIONS
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.summary import RowSummary
from midigroove_core.scorecard.tables import head, plain

FIGURES = (
    "onset_f1_50ms", "drum_f1", "mel_l1", "envelope_correlation", "level_difference_db",
    "bits_per_second",
)  # fmt: skip

COLORS = {
    "kick": "#d1495b", "snare": "#2e86ab", "rimshot": "#56a3c4", "xstick": "#86c1d8",
    "tom_high": "#8f5fbf", "tom_mid": "#7a4bab", "tom_low": "#643a93", "hat_closed": "#d99a00",
    "hat_open": "#efb73e", "hat_pedal": "#b37f00", "crash_1": "#3a9d6b", "crash_2": "#57b585",
    "splash_china": "#79c7a0", "ride": "#6f8f2f", "ride_bell": "#93b44d", "other": "#8a8f98",
}  # fmt: skip


def picture(clip: dict[str, Any]) -> dict[str, Any]:
    """`lanes` (names, top to bottom), `marks` (hits) and `beat_marks` for the grid's drawing."""
    used = {name for _, name, _ in clip["hits"]}
    lanes = [name for name in reversed(ARTICULATIONS) if name in used]
    scale = 1000.0 / clip["duration_sec"]
    marks = [
        {
            "x": round(second * scale, 1),
            "y": 14 * lanes.index(name) + 3,
            "color": COLORS[name],
            "opacity": round(0.2 + 0.8 * velocity / 127, 2),
            "title": f"{name} at {second:.3f} s, velocity {velocity}",
        }
        for second, name, velocity in clip["hits"]
    ]
    beat_marks = [round(second * scale, 1) for second in clip["beats_sec"]]
    return {"lanes": lanes, "marks": marks, "beat_marks": beat_marks}


def clip_figures(evaluation: Evaluation) -> dict[tuple[str, str], list[list[str]]]:
    """(clip, row) -> pairs of label and figure, as clips.csv has them."""
    facts = evaluation.summary.metrics
    path = evaluation.path / "clips.csv"
    wanted = [name for name in FIGURES if name in facts]
    found = {}
    for place, line in enumerate(evaluation.table("clips.csv", ("clip", "row")), 2):
        values = {name: read_number(line, name, f"{path}: line {place}") for name in wanted}
        pairs = [[head(facts[k]), plain(value)] for k, value in values.items() if value is not None]
        found[line["clip"], line["row"]] = pairs
    return found


def player_data(clip: dict[str, Any], figures: dict[Any, list[list[str]]]) -> dict[str, Any]:
    """What the player needs besides the page."""
    return {
        "duration_sec": clip["duration_sec"],
        "rows": {
            name: {"peaks": row["peaks"], "figures": figures.get((clip["clip"], name), [])}
            for name, row in clip["rows"].items()
        },
    }


def ordered_rows(clip: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    """The rows of a clip: reference, oracle and sampler first, then systems, then the rest."""
    there = [row for row in evaluation.summary.rows if row.row in clip["rows"]]
    order = (RowKind.RECORDING, RowKind.ORACLE, RowKind.SAMPLER, RowKind.SYSTEM)

    def rank(row: RowSummary) -> int:
        return order.index(row.kind) if row.kind in order else len(order)

    return {row.row: clip["rows"][row.row] for row in sorted(there, key=rank)}
