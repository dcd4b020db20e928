"""Does it play every drum? Onset F1 per drum class, from a transcriber without training.

The transcriber explains the spectrogram as one-shots of a kit, each started at some times with some
strength: convolutive non-negative matrix factorisation with fixed templates under the
Kullback-Leibler divergence. Lee and Seung, "Algorithms for non-negative matrix factorization",
2001; Smaragdis, "Non-negative matrix factor deconvolution", 2004,
https://doi.org/10.1007/978-3-540-30110-3_63; fixed drum templates after Dittmar and Gaertner,
"Real-time transcription and separation of drum recordings based on NMF decomposition", DAFx 2014.
What rings on after the templates' 93 ms is taken up by one stationary tail per one-shot, so that it
is no hit.

With a kit's own one-shots, or templates fitted to recordings of it (`drum_fitting`), it hears kick
and hat well, the snare's ghost notes less so; with other kits' one-shots it is much worse. So
always show the recording's own score beside it, and do not trust a class whose recording scores
under `TRUSTED_F1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from midigroove_core.drums import DRUM_CLASSES
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset import match_onsets
from midigroove_core.metrics.onset_detection import merge_onsets, pick_peaks
from midigroove_core.metrics.spectrum import STFT_SIZES, FloatArray

HEARD_DRUMS = tuple(name for name in DRUM_CLASSES if name != "other")
"""Classes that are told apart by ear: `drums.DRUM_CLASSES` but for percussion of all kinds."""

TRUSTED_F1 = 0.7
TOLERANCE_SEC = 0.05

_WINDOW_SEC = 0.046
HEAD_SEC = 0.093
_TAIL_SEC = 0.23
_BANDS_PER_OCTAVE = 12
_ITERATIONS = 30
_COMPRESSION = 100.0
# Peak heights in log10(1 + 100 * strength), strength 1 being a hit of velocity 80; tuned on renders
# of nine kits, mostly with fitted templates. Toms and cymbals are easily imagined in other drums.
_THRESHOLDS = {"kick": 0.3, "snare": 0.2, "tom": 0.85, "hat": 0.1, "crash": 0.4, "ride": 0.5}
_DEFAULT_THRESHOLD = 0.2


@dataclass(frozen=True, eq=False)
class DrumTemplates:
    """Spectra of single hits, made by `build_templates` or `fit_templates`.

    Attributes:
        classes: names, in the order of the one-shots given.
        class_index: which class each of the n hits belongs to `[n]`.
        heads: their first 93 ms, magnitudes over log-spaced bands `[n, F, L]`.
        tails: the mean spectrum of what follows `[n, F]`.
        sample_rate: of the audio they were made from, and of the audio they fit.
    """

    classes: tuple[str, ...]
    class_index: NDArray[np.int64]
    heads: FloatArray
    tails: FloatArray
    sample_rate: int

    def joined(self, more: DrumTemplates) -> DrumTemplates:
        """These and those of `more`, whose classes are among these."""
        index = np.array([self.classes.index(more.classes[n]) for n in more.class_index], np.int64)
        return replace(
            self,
            class_index=np.concatenate([self.class_index, index]),
            heads=np.concatenate([self.heads, more.heads]),
            tails=np.concatenate([self.tails, more.tails]),
        )


def build_templates(
    one_shots: Mapping[str, Sequence[ArrayLike]], sample_rate: int
) -> DrumTemplates:
    """Templates from recordings of single hits.

    Args:
        one_shots: class -> one or more hits `[S]`, at least 0.1 s each, struck at medium velocity
            (about 80): strengths are relative to them. `HEARD_DRUMS` have tuned thresholds; any
            other class gets a middling one.
        sample_rate: of all of them.

    Raises:
        ValueError: no one-shots, or a silent or invalid one; the message names its class.
    """
    heads, tails, index = [], [], []
    for number, (name, shots) in enumerate(one_shots.items()):
        for shot in shots:
            features = AudioFeatures.from_audio(shot, sample_rate, f"one-shot of {name}")
            if not features.audio.any():
                raise ValueError(f"a one-shot of {name} is silent")
            head, tail = _template(features)
            heads.append(head)
            tails.append(tail)
            index.append(number)
    if not heads:
        raise ValueError("no one-shots: at least one class with one hit is needed")
    return DrumTemplates(
        tuple(one_shots), np.array(index), np.stack(heads), np.stack(tails), sample_rate
    )


def transcribe(
    features: AudioFeatures,
    templates: DrumTemplates,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """Onset times in seconds per class, ascending; empty for a class that is not heard.

    See `transcribe_hits`.
    """
    hits = transcribe_hits(features, templates, thresholds)
    return {name: onsets_sec for name, (onsets_sec, _) in hits.items()}


def transcribe_hits(
    features: AudioFeatures,
    templates: DrumTemplates,
    thresholds: Mapping[str, float] | None = None,
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Onset times in seconds per class, ascending, and how strong each hit is; 1 is a template.

    Args:
        features: of the recording.
        templates: of its kit, or of kits like it.
        thresholds: class -> log10(1 + 100 * strength) of the weakest hit, in place of a tuned one.

    Raises:
        ValueError: the templates were made at another sample rate.
    """
    if features.sample_rate != templates.sample_rate:
        raise ValueError(
            f"templates are for {templates.sample_rate} Hz, the audio has {features.sample_rate}"
        )
    spectrum, hop_sec = band_spectrum(features)
    strengths = _strengths(spectrum, templates)
    thresholds = {**_THRESHOLDS, **(thresholds or {})}
    found = {}
    for number, name in enumerate(templates.classes):
        total = strengths[:, templates.class_index == number].sum(axis=1)
        height = np.log10(1.0 + _COMPRESSION * total)
        peaks = pick_peaks(height, hop_sec, thresholds.get(name, _DEFAULT_THRESHOLD))
        # A template begins one frame before its hit.
        onsets_sec = np.asarray(hop_sec * (peaks + 1.0), dtype=np.float64)
        around = [total[max(0, peak - 1) : peak + 3].sum() for peak in peaks]
        found[name] = (onsets_sec, np.array(around, dtype=np.float64))
    return found


def drum_counts(
    reference_onsets_sec: Mapping[str, ArrayLike],
    estimated_onsets_sec: Mapping[str, ArrayLike],
    tolerance_sec: float = TOLERANCE_SEC,
) -> dict[str, tuple[int, int, int]]:
    """Per class `(matched, in the reference, estimated)`, to be summed over clips before an F1.

    Args:
        reference_onsets_sec: class -> raw MIDI times `[N]`; merged within 30 ms here.
        estimated_onsets_sec: class -> times `[M]`, as from `transcribe`.
        tolerance_sec: half-width of the matching window.
    """
    counts = {}
    for name in dict.fromkeys([*reference_onsets_sec, *estimated_onsets_sec]):
        reference = merge_onsets(reference_onsets_sec.get(name, ()))
        estimated = np.sort(np.asarray(estimated_onsets_sec.get(name, ()), dtype=np.float64))
        matched = len(match_onsets(reference, estimated, tolerance_sec))
        counts[name] = (matched, reference.size, estimated.size)
    return counts


def drum_scores(counts: Mapping[str, tuple[int, int, int]]) -> dict[str, float]:
    """`drum_f1_<class>` from counts, and `drum_f1`, their mean over classes in the reference.

    2 * matched / (reference + estimated). NaN for a class that the reference never plays: a clip
    says nothing about a drum that it does not have (its false hits show in pooled counts).
    """
    scores = {}
    for name, (matched, in_reference, in_estimate) in counts.items():
        played = in_reference > 0
        f1 = 2.0 * matched / (in_reference + in_estimate) if played else float("nan")
        scores[f"drum_f1_{name}"] = f1
    present = [score for score in scores.values() if not np.isnan(score)]
    return {"drum_f1": float(np.mean(present)) if present else float("nan"), **scores}


def band_spectrum(features: AudioFeatures) -> tuple[FloatArray, float]:
    """Magnitudes over log-spaced bands `[frames, F]` and the seconds between frames.

    Frame `i` is centred on `i` times these seconds.
    """
    rate = features.sample_rate
    index = int(np.argmin([abs(np.log(size / rate / _WINDOW_SEC)) for size in STFT_SIZES]))
    size = STFT_SIZES[index]
    return features.magnitudes[index] @ _bands(rate, size), size / 4 / rate


def _template(features: AudioFeatures) -> tuple[FloatArray, FloatArray]:
    """Head `[F, L]` and tail `[F]` of one hit, wherever in the recording it begins."""
    audio = features.audio
    start = int(np.argmax(np.abs(audio) > 0.02 * np.abs(audio).max()))
    size = STFT_SIZES[-1]
    placed = np.concatenate([np.zeros(size, np.float32), audio[start:], np.zeros(size, np.float32)])
    spectrum, hop_sec = band_spectrum(AudioFeatures(placed, features.sample_rate))
    first = round(size / features.sample_rate / hop_sec) - 1
    middle = first + round(HEAD_SEC / hop_sec)
    last = middle + round(_TAIL_SEC / hop_sec)
    spectrum = np.pad(spectrum, ((0, max(0, last - len(spectrum))), (0, 0)))
    return spectrum[first:middle].T, spectrum[middle:last].mean(axis=0)


def _strengths(spectrum: FloatArray, templates: DrumTemplates) -> FloatArray:
    """How strongly each one-shot is struck at each frame `[frames, n]`; 1 is the one-shot itself.

    Multiplicative updates for the Kullback-Leibler divergence, templates fixed, from flat
    activations; all shifts of all heads form one matrix so that an iteration is two products.
    """
    count, bands, length = templates.heads.shape
    frames = len(spectrum)
    loudness = templates.heads.sum(axis=(1, 2))
    heads = (templates.heads / loudness[:, None, None]).transpose(0, 2, 1)
    tails = templates.tails / np.maximum(templates.tails.sum(axis=1, keepdims=True), 1e-9)
    basis = np.concatenate([heads.reshape(count * length, bands), tails]).astype(np.float32)
    scale = max(float(spectrum.mean()), 1e-9)
    target = spectrum + np.float32(1e-6 * scale)
    struck = np.full((frames + length - 1, count), 0.1 * scale, np.float32)
    struck[: length - 1] = 0.0
    ringing = np.full((frames, count), 0.1 * scale, np.float32)
    for _ in range(_ITERATIONS):
        weights = np.concatenate([past_strikes(struck, length), ringing], axis=1)
        ratio = target / (weights @ basis + np.float32(1e-9 * scale))
        gain = ratio @ basis.T
        struck[length - 1 :] *= sum_over_heads(gain[:, : count * length], length)
        ringing *= gain[:, count * length :]
    return struck[length - 1 :] / loudness


def past_strikes(struck: FloatArray, length: int) -> FloatArray:
    """What each frame of each head is multiplied with `[frames, n * length]`.

    The strike of `l` frames ago meets frame `l` of the head.

    Args:
        struck: strengths `[length - 1 + frames, n]`, the first `length - 1` being before the start.
        length: frames of a head.
    """
    past = np.lib.stride_tricks.sliding_window_view(struck, length, axis=0)[:, :, ::-1]
    return past.reshape(past.shape[0], -1)


def sum_over_heads(gain: FloatArray, length: int) -> FloatArray:
    """The transpose of `past_strikes`: `[frames, n * length]` -> `[frames, n]`."""
    frames = len(gain)
    shifted = gain.reshape(frames, -1, length)
    total = np.zeros(shifted.shape[:2], np.float32)
    for lag in range(min(length, frames)):
        total[: frames - lag] += shifted[lag:, :, lag]
    return total


@lru_cache(maxsize=8)
def _bands(sample_rate: int, size: int) -> FloatArray:
    """Triangles of peak 1 `[size // 2 + 1, F]`, log-spaced from 30 Hz to at most 16 kHz."""
    octaves = np.log2(min(16000.0, sample_rate / 2) / 30.0)
    edges = 30.0 * 2.0 ** (np.arange(int(_BANDS_PER_OCTAVE * octaves) + 2) / _BANDS_PER_OCTAVE)
    bins = np.unique(np.round(edges * size / sample_rate).astype(int))
    bins = bins[(bins >= 1) & (bins <= size // 2)]
    weights = np.zeros((size // 2 + 1, len(bins) - 2), np.float32)
    for band, (left, centre, right) in enumerate(zip(bins, bins[1:], bins[2:], strict=False)):
        weights[left : centre + 1, band] = np.linspace(0.0, 1.0, centre - left + 1)
        weights[centre : right + 1, band] = np.linspace(1.0, 0.0, right - centre + 1)
    return weights
