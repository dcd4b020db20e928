"""Templates of a kit that nobody has one-shots of, from recordings of it with their MIDI.

The MIDI says when each drum is struck and how hard, so only the spectra are unknown: the
factorisation of `drums.transcribe` with the roles swapped. A drum may sound only where its MIDI
hits are, as in Ewert and Mueller, "Using score-informed constraints for NMF-based source
separation", ICASSP 2012, https://doi.org/10.1109/ICASSP.2012.6287834; with templates that last
several frames as in Dittmar and Mueller, "Reverse engineering the Amen break", IEEE/ACM TASLP 2016,
https://doi.org/10.1109/TASLP.2016.2567645. How strong each hit is starts from its velocity and is
then fitted too. Drums that are always struck together cannot be told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.metrics.drums import (
    HEAD_SEC,
    DrumTemplates,
    band_spectrum,
    past_strikes,
    sum_over_heads,
)
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.spectrum import FloatArray

Recording = tuple[ArrayLike, Mapping[str, tuple[ArrayLike, ArrayLike]]]
"""Audio `[S]`, and for each voice its onsets in seconds `[N]` and MIDI velocities `[N]`."""

Hits = dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]

LEAST_HITS = 5
"""A voice that is struck less often has no template of its own."""

_VELOCITY = 80.0
_ITERATIONS = 40
_RING_SEC = 1.0
_VELOCITY_EXPONENT = 1.5


class TooFewHits(ValueError):
    """No drum is struck often enough to say what it sounds like."""


def fit_templates(
    recordings: Sequence[Recording], sample_rate: int, class_of: Mapping[str, str] | None = None
) -> DrumTemplates:
    """Templates in the scale of `build_templates`: strength 1 is a hit of velocity 80.

    A voice is what has one sound, such as a closed hat or a high tom; the voices of a class share
    its name. Voices with fewer than `LEAST_HITS` hits are put together per class, and left out if
    that is still too few: a class without a template is not in `classes` and will not be heard.
    A constant delay of the audio against the MIDI, such as 15 ms, goes into the templates.

    Args:
        recordings: about one to two minutes in which every voice occurs, some of its hits alone.
            Hits outside the audio are left out.
        sample_rate: of all of them.
        class_of: voice -> class; by default each voice is a class. Other voices are left out.

    Raises:
        TooFewHits: no recordings, or no voice with enough hits in them.
        ValueError: invalid audio, or onsets and velocities of different lengths.
    """
    spectra, hits = [], []
    for number, (audio, played) in enumerate(recordings):
        features = AudioFeatures.from_audio(audio, sample_rate, f"recording {number}")
        spectra.append(band_spectrum(features))
        hits.append(_inside(played, features.audio.size / sample_rate))
    voices = _voices(hits, class_of)
    names = sorted(set(voices.values()))
    if not names:
        raise TooFewHits(f"too few hits: no drum is struck {LEAST_HITS} times")
    length, score = _score(spectra, hits, {voice: names.index(voices[voice]) for voice in voices})
    heads, tails, struck = _factorise(score, length)
    at_80 = [_strength_at_80(score, struck, number) for number in range(len(names))]
    classes = tuple(dict.fromkeys(name for name, _ in names))
    return DrumTemplates(
        classes,
        np.array([classes.index(name) for name, _ in names]),
        heads * np.array(at_80, np.float32)[:, None, None],
        tails,
        sample_rate,
    )


def _inside(played: Mapping[str, tuple[ArrayLike, ArrayLike]], duration_sec: float) -> Hits:
    """The hits that lie inside the audio."""
    found = {}
    for voice, (onsets, velocities) in played.items():
        onset_sec = np.asarray(onsets, dtype=np.float64)
        velocity = np.asarray(velocities, dtype=np.float64)
        if onset_sec.shape != velocity.shape:
            raise ValueError(f"{voice}: {onset_sec.size} onsets but {velocity.size} velocities")
        kept = (onset_sec >= 0.0) & (onset_sec < duration_sec) & (velocity > 0.0)
        found[voice] = (onset_sec[kept], velocity[kept])
    return found


def _voices(
    recordings: Sequence[Hits], class_of: Mapping[str, str] | None
) -> dict[str, tuple[str, str]]:
    """Voice -> (class, name of the template); the name of rare voices put together is empty."""
    counts: Counter[str] = Counter()
    for hits in recordings:
        counts.update({voice: onsets.size for voice, (onsets, _) in hits.items()})
    if class_of is None:
        class_of = {voice: voice for voice in counts}
    voices = {
        voice: (class_of[voice], voice if count >= LEAST_HITS else "")
        for voice, count in counts.items()
        if voice in class_of
    }
    together: Counter[tuple[str, str]] = Counter()
    for voice, name in voices.items():
        together[name] += counts[voice]
    return {voice: name for voice, name in voices.items() if together[name] >= LEAST_HITS}


@dataclass
class _Score:
    """All recordings one after the other, with silence between them.

    Attributes:
        spectrum: `[frames, F]`.
        struck: expected strength of each template `[length - 1 + frames, n]`, 0 where the MIDI has
            no hit.
        ringing: 1 where a template may ring on after its head `[frames, n]`, else 0.
        hits: template, first of its two rows of `struck`, and velocity of each hit.
    """

    spectrum: FloatArray
    struck: FloatArray
    ringing: FloatArray
    hits: list[tuple[int, int, float]]


def _score(
    spectra: Sequence[tuple[FloatArray, float]],
    recordings: Sequence[Hits],
    template_of: Mapping[str, int],
) -> tuple[int, _Score]:
    """The frames of a head, and the score."""
    count = 1 + max(template_of.values())
    hop_sec = spectra[0][1]
    length = round(HEAD_SEC / hop_sec)
    ring = round(_RING_SEC / hop_sec)
    frames = sum(len(spectrum) + length for spectrum, _ in spectra)
    struck = np.zeros((length - 1 + frames, count), np.float32)
    ringing = np.zeros((frames, count), np.float32)
    whole = np.zeros((frames, spectra[0][0].shape[1]), np.float32)
    listed = []
    start = 0
    for (spectrum, _), hits in zip(spectra, recordings, strict=True):
        stop = start + len(spectrum)
        whole[start:stop] = spectrum
        for voice in sorted(template_of.keys() & hits.keys()):
            template = template_of[voice]
            for onset_sec, velocity in zip(*hits[voice], strict=True):
                # A template begins one frame before its hit, which falls between two frames.
                frame, part = divmod(float(onset_sec) / hop_sec - 1.0, 1.0)
                first, row = start + int(frame), length - 1 + start + int(frame)
                expected = (velocity / _VELOCITY) ** _VELOCITY_EXPONENT
                struck[row : row + 2, template] += expected * np.array([1.0 - part, part])
                ringing[max(first + length, 0) : min(first + length + ring, stop), template] = 1.0
                listed.append((template, row, float(velocity)))
        start = stop + length
    return length, _Score(whole, struck, ringing, listed)


def _factorise(score: _Score, length: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Heads `[n, F, length]`, tails `[n, F]` and strengths, shaped as `score.struck`.

    Multiplicative updates for the Kullback-Leibler divergence of spectra and strengths in turn.
    What is zero at first stays zero.
    """
    frames, count = score.ringing.shape
    scale = max(float(score.spectrum.mean()), 1e-9)
    tiny = np.float32(1e-9 * scale)
    target = score.spectrum + np.float32(1e-6 * scale)
    struck, ringing = score.struck.copy(), 0.5 * score.ringing
    weights = np.concatenate([past_strikes(struck, length), ringing], axis=1)
    # At first each template is the mean of what is heard after its hits.
    energy = np.maximum((weights * weights).sum(axis=0), np.float32(1e-9))
    basis = (weights.T @ target) / energy[:, None]
    for _ in range(_ITERATIONS):
        weights = np.concatenate([past_strikes(struck, length), ringing], axis=1)
        ratio = target / (weights @ basis + tiny)
        basis *= (weights.T @ ratio) / np.maximum(weights.sum(axis=0), np.float32(1e-9))[:, None]
        gain = (target / (weights @ basis + tiny)) @ basis.T
        loudness = np.maximum(basis.sum(axis=1), tiny)
        heads = loudness[: count * length].reshape(count, length).sum(axis=1)
        struck[length - 1 :] *= sum_over_heads(gain[:, : count * length], length) / heads
        ringing *= gain[:, count * length :] / loudness[count * length :]
    heads = basis[: count * length].reshape(count, length, -1).transpose(0, 2, 1)
    return heads, basis[count * length :], struck


def _strength_at_80(score: _Score, struck: FloatArray, template: int) -> float:
    """The strength of a hit of velocity 80, from a line through logarithms of both."""
    found = [
        (np.log(velocity / _VELOCITY), np.log(strength))
        for which, row, velocity in score.hits
        if which == template and (strength := float(struck[row : row + 2, template].sum())) > 1e-6
    ]
    if not found:
        return 1.0
    velocity, strength = np.array(found).T
    spread = velocity - velocity.mean()
    # A line through hits of one velocity has no slope of its own: lean on the expected one.
    lean = 0.01 * velocity.size
    slope = spread @ (strength - strength.mean()) + lean * _VELOCITY_EXPONENT
    slope = np.clip(slope / (spread @ spread + lean), 0.3, 3.0)
    return float(np.exp(np.median(strength - slope * velocity)))
