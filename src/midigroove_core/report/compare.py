"""Compares systems across evaluations, or refuses and says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from midigroove_core.errors import InputError, MismatchError
from midigroove_core.metrics.info import MetricInfo
from midigroove_core.report.rescore import kept_in_all, score_again
from midigroove_core.scorecard.figures import Difference
from midigroove_core.scorecard.files import ClipFigures, Evaluation
from midigroove_core.scorecard.manifest import Manifest
from midigroove_core.scorecard.paired import correct, make_difference
from midigroove_core.scorecard.records import number
from midigroove_core.scorecard.scores import spread_over_seeds
from midigroove_core.scorecard.tables import head, in_order, plain, seeds_text

MUST_AGREE: tuple[tuple[str, str, Callable[[Manifest], Any]], ...] = (
    ("clips.split", "another split", lambda m: m.clips.split),
    ("clips.length", "clips of another length", lambda m: m.clips.length),
    ("reference.kind", "another kind of reference", lambda m: m.reference and m.reference.kind),
    ("reference.dataset", "another dataset", lambda m: m.reference and m.reference.dataset),
    (
        "reference.codec",
        "another codec's oracle as the reference",
        lambda m: m.reference and m.reference.codec,
    ),
)
"""Fields of the manifest that must be equal, and what it means when they are not."""

SHOULD_AGREE = ("versions", "sampling", "seed", "seeds", "metrics")
"""Fields whose differences are told, but do not forbid a comparison."""


@dataclass(frozen=True)
class Comparison:
    """Systems of several evaluations.

    Attributes:
        notes: what to keep in mind.
        systems: labels.
        metrics: how to read each metric, trusted ones alone, in the order of the questions.
        means: metric -> mean per system, in the order of `systems`.
        differences: one per pair of systems and metric.
        over_seeds: metric -> standard deviation of the mean over sampling seeds, per system; None
            for one that was drawn once.
    """

    notes: tuple[str, ...]
    systems: tuple[str, ...]
    metrics: dict[str, MetricInfo]
    means: dict[str, tuple[float | None, ...]]
    differences: tuple[Difference, ...]
    over_seeds: dict[str, tuple[float | None, ...]]

    @property
    def columns(self) -> list[str]:
        """Heads of the table of means."""
        return ["figure", *self.systems]

    @property
    def mean_rows(self) -> list[list[object]]:
        """A row per metric: the systems beside each other, in brackets the spread over seeds."""
        rows: list[list[object]] = []
        for name, values in self.means.items():
            both = zip(values, self.over_seeds[name], strict=True)
            cells = [plain(value) + seeds_text(spread) for value, spread in both]
            rows.append([head(self.metrics[name]), *cells])
        return rows

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def compare_evaluations(
    paths: Sequence[str | Path], *, intersection: bool = False, seed: int = 0
) -> Comparison:
    """Means of every system, and paired differences between systems of different evaluations.

    Evaluations that differ in nothing but the rate of their audio are compared over the clips whose
    audio all have kept, scored again at the lowest of their rates.

    Args:
        paths: two or more directories that `eval` wrote.
        intersection: compare over the clips that all have, where they differ.
        seed: of the bootstrap.

    Raises:
        InputError: fewer than two, one that is named twice, or one that is no evaluation.
        MismatchError: they cannot be compared; names the field.
    """
    if len(paths) < 2:
        raise InputError("comparing needs two evaluations: midigroove compare A B")
    twice = Counter(Path(path).resolve() for path in paths).most_common(1)[0]
    if twice[1] > 1:
        raise InputError(f"{twice[0]} is named twice; an evaluation compares with others only")
    found = [Evaluation.open(path) for path in paths]
    notes = [note for other in found[1:] for note in check_comparable(found[0], other)]
    same_clips = len({e.manifest.clips.fingerprint for e in found}) == 1
    if not same_clips and not intersection:
        counts = ", ".join(f"{e.path}: {e.manifest.clips.count} clips" for e in found)
        raise MismatchError(
            f"clips.fingerprint differs ({counts}): not the same clips were judged; "
            f"`intersection` compares those that all have"
        )
    systems, drawn = _figures(found, notes)
    for label in [label for label, figures in systems.items() if not figures.clips]:
        notes.append(f"{label}: has no scored clips, left out")
        del systems[label]
    common = _common_clips(systems)
    if not same_clips and intersection:
        notes.append(f"compared over the {len(common)} clips that all have")
    facts = found[0].summary.metrics
    metrics = {
        name: facts[name]
        for name in in_order(facts)
        if facts[name].trusted and all(name in figures.values for figures in systems.values())
    }
    return Comparison(
        notes=tuple(notes),
        systems=tuple(systems),
        metrics=metrics,
        means={
            name: tuple(_mean(_aligned(x, common, name)) for x in systems.values())
            for name in metrics
        },
        differences=_differences(systems, common, metrics, seed),
        over_seeds={
            name: tuple(_over_seeds(drawn[label], common, name) for label in systems)
            for name in metrics
        },
    )


def _figures(
    found: Sequence[Evaluation], notes: list[str]
) -> tuple[dict[str, ClipFigures], dict[str, list[ClipFigures]]]:
    """The figures of every system by its label, and those of its draws."""
    labels = _labels(found)
    named = [(labels[i, name], e, name) for i, e in enumerate(found) for name in e.systems]
    if len({e.manifest.sample_rate for e in found}) == 1:
        systems = {label: evaluation.clip_figures(name) for label, evaluation, name in named}
        return systems, {label: evaluation.seed_figures(name) for label, evaluation, name in named}
    again, note = _at_one_rate(found)
    notes.append(note)
    systems = {label: again[evaluation.path][name] for label, evaluation, name in named}
    return systems, {label: [] for label in systems}


def _at_one_rate(found: Sequence[Evaluation]) -> tuple[dict[Path, dict[str, ClipFigures]], str]:
    """Evaluation -> system -> figures at the lowest of their rates, and what to know of them.

    Raises:
        MismatchError: no clip's audio was kept by all.
    """
    rates = [evaluation.manifest.sample_rate for evaluation in found]
    where = " and ".join(f"{r} in {e.path}" for r, e in zip(rates, found, strict=True))
    why = f"sample_rate differs ({where}): what a higher rate holds, a lower one lacks"
    scored = [rate for rate in rates if rate is not None]
    clips = kept_in_all(found) if len(scored) == len(rates) else []
    if not clips:
        raise MismatchError(
            f"{why}; evaluate all with one `sample_rate`, such as 32000, or keep the audio of the "
            f"same clips (`save_preds`), which is then scored again at the lowest rate"
        )
    again = {e.path: score_again(e, min(scored), clips) for e in found}
    return again, (
        f"{why}. So the {len(clips)} clips whose audio all have kept were scored again at "
        f"{min(scored)} Hz, without the figures of drums; for all clips, evaluate with one "
        f"`sample_rate`"
    )


def check_comparable(first: Evaluation, other: Evaluation) -> list[str]:
    """Notes on differences that do not matter much.

    Raises:
        MismatchError: a difference that does.
    """
    for name, meaning, field in MUST_AGREE:
        ours, theirs = field(first.manifest), field(other.manifest)
        if ours != theirs:
            raise MismatchError(
                f"{first.path} and {other.path} cannot be compared, {meaning}: "
                f"{name} is {_short(ours)} and {_short(theirs)}"
            )
    notes = []
    for name in SHOULD_AGREE:
        ours, theirs = getattr(first.manifest, name), getattr(other.manifest, name)
        if ours != theirs:
            notes.append(
                f"{name} differs: {_short(ours)} in {first.path}, {_short(theirs)} in {other.path}"
            )
    spaces = [evaluation.manifest.embedding for evaluation in (first, other)]
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
    audio = evaluation.summary.audio
    return {} if audio is None else {line.kit: line.how for line in audio.heard_with}


def _space(embedding: dict[str, Any] | None) -> str:
    """What a person calls an embedding's identity."""
    if embedding is None:
        return "none"
    return f"{embedding.get('id')} {str(embedding.get('fingerprint'))[:8]}"


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


def _common_clips(systems: dict[str, ClipFigures]) -> list[str]:
    clip_sets = [set(figures.clips) for figures in systems.values()]
    first = next(iter(systems.values())).clips if systems else []
    common = [clip for clip in first if all(clip in clips for clips in clip_sets)]
    if not common:
        raise MismatchError("the evaluations have no clip in common; evaluate the same split")
    return common


def _aligned(figures: ClipFigures, common: Sequence[str], metric: str) -> np.ndarray:
    """One metric over the common clips; NaN where there is no figure."""
    values = dict(zip(figures.clips, figures.values[metric], strict=True))
    return np.array([values.get(clip, np.nan) for clip in common])


def _over_seeds(drawn: Sequence[ClipFigures], common: Sequence[str], metric: str) -> float | None:
    """Spread of the mean over the common clips, from draw to draw."""
    if not drawn or metric not in drawn[0].values:
        return None
    return number(spread_over_seeds(np.array([_aligned(x, common, metric) for x in drawn])))


def _mean(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else None


def _differences(
    systems: dict[str, ClipFigures],
    common: Sequence[str],
    metrics: dict[str, MetricInfo],
    seed: int,
) -> tuple[Difference, ...]:
    lines = []
    for first, second in combinations(systems, 2):
        own = systems[first]
        group_of = dict(zip(own.clips, own.performances, strict=True))
        groups = [group_of[clip] for clip in common]
        for metric, info in metrics.items():
            ours = _aligned(own, common, metric)
            theirs = _aligned(systems[second], common, metric)
            line = make_difference(
                (first, second), metric, (ours, theirs), groups, info.better, seed
            )
            if line.found.mean is not None:
                lines.append(line)
    return correct(lines, metrics)
