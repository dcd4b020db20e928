"""What is found, in lines that are written as they are: JSON objects and rows of CSV files.

Numbers are rounded when the lines are made (`number`), None where undefined.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


def number(value: float) -> float | None:
    """For JSON: six significant digits, None for NaN.

    Sums in another order (another build of numpy, another number of threads) differ in the last
    bits; nobody needs them, and without them files compare equal.
    """
    value = float(value)
    return None if not math.isfinite(value) else float(f"{value:.6g}")


@dataclass(frozen=True)
class JudgedClip:
    """A window of a take, as tables name it.

    Attributes:
        clip: its id, take and start in milliseconds.
        take, performance, kit, drummer, style, bpm: where it is from.
        start_sec, duration_sec: where it lies in the take.
        hits: struck inside it.
    """

    clip: str
    take: str
    performance: str
    kit: str
    drummer: str
    style: str
    bpm: float
    start_sec: float
    duration_sec: float
    hits: int


@dataclass(frozen=True)
class CodesLine:
    """What codes cost a system, one codebook or all of them.

    Attributes:
        system: name.
        codebook: 0 is the coarsest; None for all.
        frames: over how many.
        nll_nats, bits_per_second, accuracy: of the system.
        perplexity: out of how many equally likely codes it chooses, exp(nll_nats).
        unigram_nats, bigram_nats: the same codes under models of the training codes alone.
        gain_over_unigram_nats, gain_over_bigram_nats: what the system saves.
    """

    system: str
    codebook: int | None
    frames: int
    nll_nats: float | None
    bits_per_second: float | None
    accuracy: float | None
    perplexity: float | None = None
    unigram_nats: float | None = None
    bigram_nats: float | None = None
    gain_over_unigram_nats: float | None = None
    gain_over_bigram_nats: float | None = None


@dataclass(frozen=True)
class DrumLine:
    """How well one drum is played by one row, over all clips and draws.

    Attributes:
        drum: class of drums.
        row: name.
        hits, heard: asked for by the MIDI, and heard in the audio.
        precision, recall, f1: None where the MIDI never asks for it.
        trusted: whether the reference itself is heard well enough.
    """

    drum: str
    row: str
    hits: int
    heard: int
    precision: float | None
    recall: float | None
    f1: float | None
    trusted: bool


@dataclass(frozen=True)
class HeardWith:
    """What a kit's drums are heard with.

    Attributes:
        kit: name in the dataset.
        how: in words.
        seconds: of recordings that the templates were fitted to; 0 for one-shots.
        judged: whether those recordings are among what is judged.
        absent: drum classes that have no template, so that none of their hits is heard.
        unusable: takes that were passed over, and why.
    """

    kit: str
    how: str
    seconds: float
    judged: bool
    absent: list[str]
    unusable: dict[str, str]


@dataclass(frozen=True)
class SetFloor:
    """Real against real: halves of the reference, whole performances on either side.

    Attributes:
        kit: "" for all.
        kernel_audio_distance, kernel_audio_distance_p95: mean over draws, and the 95th percentile.
    """

    kit: str
    kernel_audio_distance: float | None
    kernel_audio_distance_p95: float | None


@dataclass(frozen=True)
class SetLine:
    """Distances of one row's vectors to the reference's.

    Attributes:
        kit: "" for all.
        row: name.
        kernel_audio_distance, frechet_distance, density, coverage: see `metrics.distribution`.
        frechet_distance_infinity: None where there are too few vectors to extrapolate.
        embeddings: vectors of the row.
        over_seeds: standard deviation of the kernel distance over sampling seeds, of which all
            figures are means then; None with one seed.
    """

    kit: str
    row: str
    kernel_audio_distance: float | None
    frechet_distance: float | None
    frechet_distance_infinity: float | None
    density: float | None
    coverage: float | None
    embeddings: int
    over_seeds: float | None = None


@dataclass(frozen=True)
class SetDistances:
    """Whether rows as a whole sound like the reference.

    Attributes:
        embedding: id.
        identity: what tells the embedding's space from others, see `Embedding.identity`.
        same_loudness: whether every clip was brought to the loudness of its reference before.
        floors, lines: the whole first (kit ""), then kit by kit.
    """

    embedding: str
    identity: dict[str, Any]
    same_loudness: bool
    floors: tuple[SetFloor, ...]
    lines: tuple[SetLine, ...]


@dataclass(frozen=True)
class KneeLine:
    """A codec's oracle with its first so many levels: means over clips.

    Attributes:
        oracle: the row.
        levels: how many are decoded.
        bits_per_second: what so many levels cost, every code equally likely.
        clips: over how many.
        metrics: name -> mean.
    """

    oracle: str
    levels: int
    bits_per_second: float | None
    clips: int
    metrics: dict[str, float | None]


@dataclass(frozen=True)
class CodecLine:
    """A codec's clock and rate, beside its oracle's figures.

    Attributes:
        oracle: the row.
        cache: of its codes, by name.
        codec: registry id.
        sample_rate: samples per second.
        frame_rate: frames per second.
        codebooks: rows of codes.
        levels: that they belong to.
        bits_per_second: every code equally likely.
    """

    oracle: str
    cache: str
    codec: str
    sample_rate: int
    frame_rate: float | None
    codebooks: int
    levels: int
    bits_per_second: float | None


@dataclass(frozen=True)
class LongLine:
    """One long take as one row has it, looked at where a system's windows join.

    Attributes:
        take, performance, kit: what is played.
        row: who plays.
        joins_of: whose joins these are.
        duration_sec: of the take's beginning that is rendered.
        joins: how many.
        seams_compared: those away from hits.
        seam_flux_ratio, seam_percentile_mean, onset_f1_50ms, beat_cmlt, beat_amlt: figures; NaN
            where undefined.
        samples_off: samples more or less than there should be; None for the reference.
    """

    take: str
    performance: str
    kit: str
    row: str
    joins_of: str
    duration_sec: float
    joins: int
    seams_compared: float
    seam_flux_ratio: float
    seam_percentile_mean: float
    samples_off: int | None
    onset_f1_50ms: float
    beat_cmlt: float
    beat_amlt: float


@dataclass(frozen=True)
class LongSpent:
    """Seconds that a system spent on long renders, and seconds of audio that came of it."""

    row: str
    render_sec: float
    audio_sec: float


@dataclass(frozen=True)
class SystemFacts:
    """A system under test, as the manifest has it; files by name and SHA-256, without folders.

    Attributes:
        name: what tables call it.
        checkpoint, checkpoint_sha256: its file.
        model: registry id.
        likelihood: "exact", "bound" or "none": what its nats per code are.
        sampling: how its codes were drawn.
        training: summary of its training run.
        cache, cache_fingerprint, cache_dataset, codec: what it is judged on.
        sketches: fingerprint of the cache of sketches that it hears; "" if it hears none.
    """

    name: str
    checkpoint: str
    checkpoint_sha256: str
    model: str
    likelihood: str
    sampling: dict[str, Any]
    training: dict[str, Any]
    cache: str
    cache_fingerprint: str
    cache_dataset: dict[str, Any]
    codec: CodecFacts
    sketches: str = ""


@dataclass(frozen=True)
class CodecFacts:
    """A codec, as the manifest has it."""

    codec_id: str
    config: dict[str, Any]
    weights_sha: str


@dataclass(frozen=True)
class FolderFacts:
    """Audio from elsewhere, as the manifest has it: a folder by name, its files by content.

    Attributes:
        name: what tables call it.
        folder: without the folders it lies in.
        files: that belong to judged takes.
        fingerprint: SHA-256 over these takes and the SHA-256 of their files.
    """

    name: str
    folder: str
    files: int
    fingerprint: str


@dataclass(frozen=True)
class CacheFacts:
    """A codec that is judged without a model, as the manifest has it."""

    cache: str
    cache_fingerprint: str
    codec: CodecFacts


@dataclass(frozen=True)
class MetricFacts:
    """A figure that a plugin adds, as the manifest has it.

    Attributes:
        metric: registry id, and its column in clips.csv.
        distribution, version: where it is from.
    """

    metric: str
    distribution: str
    version: str


@dataclass(frozen=True)
class Reference:
    """What rows are compared with.

    Attributes:
        row: name of its row.
        kind: "recording" or "oracle".
        dataset: fingerprint of the recordings' dataset; None for an oracle.
        codec: of the oracle; None for recordings.
    """

    row: str
    kind: str
    dataset: str | None
    codec: CodecFacts | None
