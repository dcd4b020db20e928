"""Compares systems across evaluations, or refuses and says why."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from midigroove_core.errors import InputError, MismatchError
from midigroove_core.evaluation.output.files import Evaluation
from midigroove_core.evaluation.output.paired import compare_paired
from midigroove_core.evaluation.output.tables import GROUPS, head, plain

MUST_AGREE = (
    ("clips.split", "another split"),
    ("reference.kind", "another kind of reference"),
    ("reference.dataset", "another dataset"),
    ("reference.codec", "another codec's oracle as the reference"),
    ("sample_rate", "metrics at another sample rate"),
)
"""Fields of the manifest that must be equal, and what it means when they are not."""

SHOULD_AGREE = ("versions", "sampling", "seed")
"""Fields whose differences are told, but do not forbid a comparison."""


def compare_evaluations(
    paths: Sequence[str | Path], *, intersection: bool = False, seed: int = 0
) -> dict[str, Any]:
    """Means of every system, and paired differences between systems of different evaluations.

    Args:
        paths: two or more directories that `eval` wrote.
        intersection: compare over the clips that all have, where they differ.
        seed: of the bootstrap.

    Returns:
        `notes` (what to keep in mind), `columns` and `means` (a table), `differences` (one per
        pair of systems and trusted metric, with interval and verdict).

    Raises:
        InputError: fewer than two, or one that is no evaluation.
        MismatchError: they cannot be compared; names the field.
    """
    if len(paths) < 2:
        raise InputError("comparing needs two evaluations: midigroove compare A B")
    found = [Evaluation.open(path) for path in paths]
    notes = [note for other in found[1:] for note in check_comparable(found[0], other)]
    same_clips = len({e.manifest["clips"]["fingerprint"] for e in found}) == 1
    if not same_clips and not intersection:
        counts = ", ".join(f"{e.path}: {e.manifest['clips']['count']} clips" for e in found)
        raise MismatchError(
            f"clips.fingerprint differs ({counts}): not the same clips were judged; "
            f"--intersection compares those that all have"
        )
    labels = _labels(found)
    systems = {
        labels[index, name]: evaluation.clip_values(name)
        for index, evaluation in enumerate(found)
        for name in evaluation.systems
    }
    for label in [label for label, (clips, _, _) in systems.items() if not clips]:
        notes.append(f"{label}: has no scored clips, left out")
        del systems[label]
    common = _common_clips(systems)
    if not same_clips:
        notes.append(f"compared over the {len(common)} clips that all have")
    facts = found[0].summary["metrics"]
    in_order = dict.fromkeys([name for _, group in GROUPS for name in group] + list(facts))
    metrics = [
        name
        for name in in_order
        if name in facts
        and facts[name]["trusted"]
        and all(name in values for _, _, values in systems.values())
    ]
    return {
        "notes": notes,
        "columns": ["figure", *systems],
        "means": _means(systems, common, metrics, facts),
        "differences": _differences(systems, common, metrics, facts, seed),
    }


def check_comparable(first: Evaluation, other: Evaluation) -> list[str]:
    """Notes on differences that do not matter much.

    Raises:
        MismatchError: a difference that does.
    """
    for name, meaning in MUST_AGREE:
        ours, theirs = _field(first, name), _field(other, name)
        if ours != theirs:
            raise MismatchError(
                f"{first.path} and {other.path} cannot be compared, {meaning}: "
                f"{name} is {_short(ours)} and {_short(theirs)}"
            )
    notes = []
    for name in SHOULD_AGREE:
        ours, theirs = first.manifest[name], other.manifest[name]
        if ours != theirs:
            notes.append(
                f"{name} differs: {_short(ours)} in {first.path}, {_short(theirs)} in {other.path}"
            )
    spaces = [evaluation.manifest.get("embedding") for evaluation in (first, other)]
    if spaces[0] != spaces[1]:
        notes.append(
            f"embedding differs: {_space(spaces[0])} in {first.path}, {_space(spaces[1])} in "
            f"{other.path}; distances between sets (sets.csv) of the two do not compare"
        )
    heard = [_heard_with(evaluation) for evaluation in (first, other)]
    apart = sorted(
        kit for kit in heard[0].keys() & heard[1].keys() if heard[0][kit] != heard[1][kit]
    )
    if apart:
        notes.append(
            f"drums of {', '.join(apart)} were heard with other templates in {first.path} than in "
            f"{other.path}; their drum_f1 does not compare"
        )
    return notes


def _heard_with(evaluation: Evaluation) -> dict[str, str]:
    """Kit -> what its drums were heard with."""
    return {line["kit"]: line["how"] for line in evaluation.summary.get("heard_with", [])}


def _space(embedding: Any) -> str:
    """What a person calls an embedding's identity."""
    if not isinstance(embedding, dict):
        return "none" if embedding is None else str(embedding)
    return f"{embedding['id']} {embedding['fingerprint'][:8]}"


def _field(evaluation: Evaluation, name: str) -> Any:
    value: Any = evaluation.manifest
    for part in name.split("."):
        value = value[part]
    return value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _labels(found: Sequence[Evaluation]) -> dict[tuple[int, str], str]:
    """A system's own name where no other evaluation has it, else with its directory's name."""
    names = [name for evaluation in found for name in evaluation.systems]
    labels: dict[tuple[int, str], str] = {}
    for index, evaluation in enumerate(found):
        for name in evaluation.systems:
            twice = names.count(name) > 1
            label = f"{evaluation.path.name}/{name}" if twice else name
            labels[index, name] = f"{label}#{index + 1}" if label in labels.values() else label
    return labels


def _common_clips(systems: dict[str, Any]) -> list[str]:
    clip_sets = [set(clips) for clips, _, _ in systems.values()]
    first = next(iter(systems.values()))[0] if systems else []
    common = [clip for clip in first if all(clip in clips for clips in clip_sets)]
    if not common:
        raise MismatchError("the evaluations have no clip in common; evaluate the same split")
    return common


def _aligned(system: Any, common: Sequence[str], metric: str) -> np.ndarray:
    clips, _, values = system
    place = {clip: index for index, clip in enumerate(clips)}
    return values[metric][[place[clip] for clip in common]]


def _means(
    systems: dict[str, Any],
    common: Sequence[str],
    metrics: Sequence[str],
    facts: dict[str, dict[str, Any]],
) -> list[list[object]]:
    """A row per metric: the systems beside each other, and no more columns than there are."""
    rows: list[list[object]] = []
    for metric in metrics:
        values = [_aligned(system, common, metric) for system in systems.values()]
        rows.append([head(facts[metric]), *(plain(_mean(found)) for found in values)])
    return rows


def _mean(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None


def _differences(
    systems: dict[str, Any],
    common: Sequence[str],
    metrics: Sequence[str],
    facts: dict[str, Any],
    seed: int,
) -> list[dict[str, Any]]:
    lines = []
    for first, second in combinations(systems, 2):
        clips, performances, _ = systems[first]
        group_of = dict(zip(clips, performances, strict=True))
        groups = [group_of[clip] for clip in common]
        for metric in metrics:
            ours = _aligned(systems[first], common, metric)
            theirs = _aligned(systems[second], common, metric)
            found = compare_paired(ours, theirs, groups, facts[metric]["better"], seed)
            if found["mean"] is None:
                continue
            verdict = {"first": first, "second": second}.get(found["verdict"], found["verdict"])
            names = {"first": first, "second": second, "metric": metric}
            label = {"label": head(facts[metric])}
            lines.append({**names, **label, **found, "verdict": verdict})
    return lines
