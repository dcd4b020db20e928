"""A blind listening test from kept clips, and its votes read back.

In the manner of MUSHRA (ITU-R BS.1534-3): the reference is named, and among the unnamed stimuli are
the systems, the reference once more, the codec oracle and a low anchor. Stimuli are named by
hashes, so that neither the page nor the file of votes says which is which. All are brought to the
loudness of the reference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from midigroove_core.atomic import dump_json, write_text
from midigroove_core.errors import InputError, MismatchError
from midigroove_core.metrics.statistics import bootstrap_mean
from midigroove_core.report.formats import Cell, Table
from midigroove_core.report.media import load_clips
from midigroove_core.report.templates import render
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.tables import plain
from midigroove_core.structured import read_json_as

FORMAT = "midigroove-votes"
VERSION = 1
ANCHORS = (RowKind.UNIGRAM, RowKind.RANDOM, RowKind.NEAREST)

LARGEST_VOTES = 1 << 20


@dataclass(frozen=True)
class Rating:
    """One stimulus of one clip, from 0 to 100."""

    stimulus: str
    score: float


@dataclass(frozen=True)
class Votes:
    """What a listener's file says."""

    format: str = ""
    version: int = 0
    test: str = ""
    listener: str = ""
    ratings: tuple[Rating, ...] = ()


@dataclass(frozen=True)
class Ballot:
    """The scores of one listener, rows named again."""

    listener: str
    scores: tuple[tuple[str, float], ...]


def write_listening_test(
    evaluation: str | Path, out: str | Path, *, preds: Path | None = None
) -> Path:
    """Writes the test as one self-contained HTML file.

    Args:
        evaluation: a directory that `eval` wrote.
        out: the file.
        preds: where its audio is, when it was put elsewhere.

    Raises:
        InputError: no evaluation, or one that kept no audio.
    """
    found = Evaluation.open(evaluation)
    audio = found.summary.audio
    reference = None if audio is None else audio.reference
    clips = load_clips(*found.kept(preds), reference, same_loudness=True)
    test = test_id(found)
    pages = []
    for clip in clips:
        rows = _chosen(clip["rows"], found)
        if reference not in clip["rows"] or not rows:
            continue
        pages.append(
            {
                "clip": clip["index"],
                "title": f"{clip['style']}, {clip['bpm']:g} bpm",
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
            f"{found.path}: no audio was kept; evaluate with `save_preds` and `pred_include_ref`"
        )
    data = dump_json({"test": test, "pages": pages}, indent=None).replace("<", "\\u003c")
    write_text(out, render("listening.html.j2", title="Listening test", data=Markup(data)))
    return Path(out)


def test_id(evaluation: Evaluation) -> str:
    """Names the test: votes of another evaluation do not fit."""
    return hashlib.sha256(dump_json(evaluation.manifest.to_json()).encode()).hexdigest()[:16]


def stimulus_id(test: str, clip: int, row: str) -> str:
    """An unnamed stimulus."""
    return hashlib.sha256(f"{test}/{clip}/{row}".encode()).hexdigest()[:12]


def read_votes(
    paths: Sequence[str | Path],
    evaluations: Sequence[Evaluation],
    preds: Path | None = None,
) -> dict[int, list[Ballot]]:
    """Votes by the number of the evaluation that they are about, rows named again.

    Raises:
        InputError: a file that is no votes.
        MismatchError: votes of none of these evaluations.
    """
    ids = [test_id(evaluation) for evaluation in evaluations]
    found: dict[int, list[Ballot]] = {}
    for path in paths:
        votes = read_json_as(path, Votes, largest=LARGEST_VOTES)
        if votes.format != FORMAT:
            raise InputError(f"{path}: not votes of a midigroove listening test")
        if votes.version != VERSION:
            raise InputError(f"{path}: votes of version {votes.version}, not {VERSION}")
        if votes.test not in ids:
            raise MismatchError(f"{path}: votes of the test {votes.test[:40]!r}, not of {ids}")
        number = ids.index(votes.test)
        folder = None if number else preds
        ballot = _named(votes, evaluations[number], ids[number], path, folder)
        found.setdefault(number, []).append(ballot)
    return found


def votes_table(ballots: Sequence[Ballot]) -> Table:
    """Mean score per row with its interval over listeners."""
    scores: dict[str, list[tuple[float, str]]] = {}
    for ballot in ballots:
        for row, score in ballot.scores:
            scores.setdefault(row, []).append((score, ballot.listener))
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


def _named(
    votes: Votes, evaluation: Evaluation, test: str, path: str | Path, preds: Path | None
) -> Ballot:
    _, kept = evaluation.kept(preds)
    rows = {
        stimulus_id(test, clip.index, name): name
        for clip in (kept.clips if kept is not None else ())
        for name in clip.rows
    }
    if not votes.ratings:
        raise InputError(f"{path}: has no ratings")
    scores, seen = [], set()
    for place, rating in enumerate(votes.ratings):
        name = rows.get(rating.stimulus)
        if rating.stimulus in seen:
            raise InputError(f"{path}: ratings.{place}: that sound was scored before")
        seen.add(rating.stimulus)
        if name is None or not 0 <= rating.score <= 100:
            raise InputError(
                f"{path}: ratings.{place}: expected a stimulus of the test and a score of 0 to 100"
            )
        scores.append((name, rating.score))
    return Ballot(votes.listener or str(path), tuple(scores))


def _chosen(rows: dict[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    there = [row for row in evaluation.summary.rows if row.row in rows]
    anchors = [row.row for kind in ANCHORS for row in there if row.kind is kind]
    always = (RowKind.SYSTEM, RowKind.RECORDING, RowKind.ORACLE)
    wanted = {row.row for row in there if row.kind in always} | set(anchors[:1])
    return {name: row for name, row in rows.items() if name in wanted}
