"""A blind listening test from kept clips, and its votes read back.

In the manner of MUSHRA (ITU-R BS.1534-3): the reference is named, and among the unnamed stimuli are
the systems, the reference once more, the codec oracle and a low anchor. Stimuli are named by
hashes, so that neither the page nor the file of votes says which is which. All are brought to the
loudness of the reference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from midigroove_core.atomic import dump_json, read_json, write_text
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.evaluation.output.files import Evaluation
from midigroove_core.evaluation.output.tables import plain
from midigroove_core.metrics.statistics import bootstrap_mean
from midigroove_core.report.formats import Cell, Table
from midigroove_core.report.media import load_clips, reference_row
from midigroove_core.report.templates import render

FORMAT = "midigroove-votes"
VERSION = 1
ANCHORS = ("unigram", "random", "nearest")

Ballot = dict[str, Any]


def write_listening_test(evaluation: str | Path, out: str | Path) -> Path:
    """Writes the test as one self-contained HTML file.

    Raises:
        InputError: no evaluation, or one that kept no audio.
    """
    found = Evaluation.open(evaluation)
    clips = load_clips(_preds(found), same_loudness=True)
    test = test_id(found)
    pages = []
    for clip in clips:
        rows = _chosen(clip["rows"], found)
        reference = reference_row(clip["rows"])
        if reference is None or not rows:
            continue
        pages.append(
            {
                "clip": clip["index"],
                "title": f"{clip['style']}, {clip['bpm']} bpm",
                "reference": clip["rows"][reference]["audio"],
                "stimuli": [
                    {"id": stimulus_id(test, clip["index"], name), "audio": row["audio"]}
                    for name, row in sorted(rows.items())
                ],
            }
        )
        pages[-1]["stimuli"].sort(key=lambda stimulus: stimulus["id"])
    if not pages:
        raise InputError(
            f"{found.path}: no audio was kept; evaluate with --save-preds and --pred-include-ref"
        )
    data = dump_json({"test": test, "pages": pages}, indent=None).replace("<", "\\u003c")
    write_text(out, render("listening.html.j2", title="Listening test", data=Markup(data)))
    return Path(out)


def test_id(evaluation: Evaluation) -> str:
    """Names the test: votes of another evaluation do not fit."""
    return hashlib.sha256(dump_json(evaluation.manifest).encode()).hexdigest()[:16]


def stimulus_id(test: str, clip: int, row: str) -> str:
    """An unnamed stimulus."""
    return hashlib.sha256(f"{test}/{clip}/{row}".encode()).hexdigest()[:12]


def read_votes(
    paths: Sequence[str | Path], evaluations: Sequence[Evaluation]
) -> dict[int, list[Ballot]]:
    """Votes by the number of the evaluation that they are about, rows named again.

    Raises:
        InputError: a file that is no votes.
        MismatchError: votes of none of these evaluations.
    """
    ids = [test_id(evaluation) for evaluation in evaluations]
    found: dict[int, list[Ballot]] = {}
    for path in paths:
        votes = read_json(path)
        if not isinstance(votes, dict) or votes.get("format") != FORMAT:
            raise InputError(f"{path}: not votes of a midigroove listening test")
        if votes.get("version") != VERSION or not isinstance(votes.get("ratings"), list):
            raise InputError(f"{path}: votes of version {votes.get('version')!r}, not {VERSION}")
        if votes.get("test") not in ids:
            raise MismatchError(f"{path}: votes of the test {votes.get('test')!r}, not of {ids}")
        number = ids.index(votes["test"])
        found.setdefault(number, []).append(_named(votes, evaluations[number], ids[number], path))
    return found


def votes_table(ballots: Sequence[Ballot]) -> Table:
    """Mean score per row with its interval over listeners."""
    scores: dict[str, list[tuple[float, str]]] = {}
    for ballot in ballots:
        for rating in ballot["ratings"]:
            pair = (rating["score"], ballot["listener"])
            scores.setdefault(rating["row"], []).append(pair)
    rows = []
    for name, pairs in scores.items():
        values, listeners = [score for score, _ in pairs], [who for _, who in pairs]
        found = bootstrap_mean(values, listeners)
        defined = found.low == found.low
        interval = f"{plain(found.low)} to {plain(found.high)}" if defined else "one listener"
        rows.append(
            [
                Cell(name, name), Cell(plain(found.mean), found.mean), Cell(interval, interval),
                Cell(str(len(values)), len(values)),
                Cell(str(found.num_groups), found.num_groups),
            ]
        )  # fmt: skip
    rows.sort(key=lambda row: -float(row[1].value or 0.0))
    columns = ["row", "mean score (0 to 100)", "95 % interval", "ratings", "listeners"]
    return Table("votes", "What listeners said", columns, rows, "Blind, with a hidden reference.")


def _named(votes: Ballot, evaluation: Evaluation, test: str, path: str | Path) -> Ballot:
    index = read_json(_preds(evaluation) / "preds.json")
    rows = {
        stimulus_id(test, clip["index"], name): name
        for clip in index["clips"]
        for name in clip["rows"]
    }
    ratings = []
    for rating in votes["ratings"]:
        name, score = rows.get(rating.get("stimulus")), rating.get("score")
        if name is None or not isinstance(score, int | float) or not 0 <= score <= 100:
            raise InputError(f"{path}: rating {rating!r} fits no stimulus, or is not 0 to 100")
        ratings.append({"row": name, "score": float(score)})
    return {"listener": str(votes.get("listener") or path), "ratings": ratings}


def _preds(evaluation: Evaluation) -> Path:
    return Path(evaluation.cost.get("pred_dir") or evaluation.path / "preds")


def _chosen(rows: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    anchor = next((name for name in ANCHORS if name in rows), None)
    wanted = [*evaluation.systems, "recording", anchor]
    wanted += [name for name in rows if name.startswith("oracle")]
    return {name: row for name, row in rows.items() if name in wanted}
