"""Scores kept audio again at one rate, for evaluations that differ in nothing but their rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from midigroove_core.audio import downmix, load_audio, resample
from midigroove_core.errors import InputError
from midigroove_core.metrics.clip import clip_metrics
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.info import METRICS
from midigroove_core.scorecard.files import ClipFigures, Evaluation
from midigroove_core.scorecard.kept import KeptClip
from midigroove_core.scorecard.metrics import CODE_METRICS


def kept_in_all(found: Sequence[Evaluation]) -> list[str]:
    """Clips of which every evaluation kept the reference and some system."""
    kept = [_kept_clips(evaluation) for evaluation in found]
    return [clip for clip in kept[0] if all(clip in clips for clips in kept[1:])]


def score_again(evaluation: Evaluation, rate: int, clips: Sequence[str]) -> dict[str, ClipFigures]:
    """System -> figures of its kept audio at a rate that is not above its own.

    What codes cost depends on no rate of audio and is taken over. What needs more than the clip's
    own audio, drums that are heard with a kit's templates, is left out.

    Args:
        evaluation: whose audio it is.
        rate: samples per second.
        clips: ids, each one kept; see `kept_in_all`.

    Raises:
        InputError: a file that is gone or cannot be read.
    """
    kept = _kept_clips(evaluation)
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in evaluation.systems}
    for clip in clips:
        audio = _audio(evaluation, kept[clip], rate)
        reference = audio.pop(_reference(evaluation))
        onsets = np.array([second for second, _, _ in kept[clip].hits])
        for system, own in audio.items():
            if len(own.audio) == len(reference.audio):
                found[system][clip] = clip_metrics(reference, own, onsets)
    return {name: _figures(evaluation, name, scored) for name, scored in found.items()}


def _kept_clips(evaluation: Evaluation) -> dict[str, KeptClip]:
    """Id -> clip, of those that were kept with the reference and a system."""
    _, kept = evaluation.kept()
    if kept is None or evaluation.summary.audio is None:
        return {}
    systems, reference = evaluation.systems, _reference(evaluation)
    return {
        clip.clip: clip
        for clip in kept.clips
        if reference in clip.rows and any(name in clip.rows for name in systems)
    }


def _reference(evaluation: Evaluation) -> str:
    assert evaluation.summary.audio is not None
    return evaluation.summary.audio.reference


def _audio(evaluation: Evaluation, clip: KeptClip, rate: int) -> dict[str, AudioFeatures]:
    """The reference and every system of a clip, at one rate."""
    folder, _ = evaluation.kept()
    found = {}
    for name in (_reference(evaluation), *evaluation.systems):
        if name in clip.rows:
            path = folder / clip.rows[name].file
            audio, own_rate = load_audio(path)
            mono: NDArray[np.float32] = downmix(audio) / np.float32(clip.rows[name].gain)
            try:
                found[name] = AudioFeatures.from_audio(resample(mono, own_rate, rate), rate, name)
            except ValueError as error:
                raise InputError(f"{path}: {error}") from error
    return found


def _figures(
    evaluation: Evaluation, system: str, scored: dict[str, dict[str, float]]
) -> ClipFigures:
    whole = evaluation.clip_figures(system)
    place = {clip: index for index, clip in enumerate(whole.clips)}
    clips = [clip for clip in scored if clip in place]
    places = [place[clip] for clip in clips]
    values = {name: np.array([scored[clip][name] for clip in clips]) for name in METRICS}
    codes = {name: whole.values[name][places] for name in CODE_METRICS if name in whole.values}
    return ClipFigures(clips, [whole.performances[i] for i in places], {**codes, **values})
