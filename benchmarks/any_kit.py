"""Playing a kit that one has only a recording of: who comes how near to kits never heard.

    python benchmarks/any_kit.py [--kits random:900000-900002] [--kits examples/kits_avldrums.toml]
        [--model CHECKPOINT [--follow F]]

Each held-out kit plays two performances of validation drummers, 20 s of each: the references. Rows
play the first 10 s of twelve test grooves as they think that kit sounds. A kit that ships may be
held out too (--kits builtin): it is then none of those that are near, or lend.

    nearest shipped   the shipped kit that comes nearest to the reference, playing its MIDI
    cut, with MIDI    the kit cut from the reference with its MIDI, through the sampler
    cut, heard        the same without MIDI
    like, with MIDI   what `render --like` plays: the cut kit, and of the nearest one what it lacks
    like, heard       the same without MIDI
    hears, with MIDI  a model that hears kits (--model) hears what that kit plays
    hears, heard      the same with the kit that is cut without MIDI
    follows F, ...    the same, trusting the sketch F times as much (--follow F)
    nameless          the same model, told of no kit at all
    oracle            the true audio through the groove codec: the ceiling of any model of its codes
    recording         the true audio itself

Each row has one gain, by which it plays the reference's MIDI as loudly as the reference. Figures,
all against the true audio: mel L1 in dB; the kernel distance of log-mel embeddings, of each kit and
then the mean; how often the true kit is the nearest of all kits, shipped and held out, by that
distance; drum F1 with templates fitted to other recordings of the true kit.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from midigroove_core.audio import resample, save_audio
from midigroove_core.coding.open import open_codec
from midigroove_core.datasets.synth_take import kit_gain
from midigroove_core.drums import CLASS_OF_ARTICULATION, classes_of_pitches, load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits import fluidsynth, sampler
from midigroove_core.kits.kitsfile import KitSpec, kit_specs
from midigroove_core.kits.library import builtin_grooves, list_kits, load_kit
from midigroove_core.metrics.distribution import kernel_audio_distance, median_bandwidth
from midigroove_core.metrics.drum_fitting import fit_templates
from midigroove_core.metrics.drums import (
    HEARD_DRUMS,
    DrumTemplates,
    drum_counts,
    drum_scores,
    transcribe,
)
from midigroove_core.metrics.embedding import embed_log_mel
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.spectral import mel_l1
from midigroove_core.metrics.statistics import paired_difference
from midigroove_core.midi import load_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Silent
from midigroove_core.recordings.like import kit_like
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.model_engine import ModelEngine

Audio = NDArray[np.float32]
Player = Callable[[DrumPerformance], Audio]
Row = Callable[["Reference", dict[str, Player], Player], Player]

RATE = 44_100
KITS = ("random:900000-900002",)
RECORDED = ("drummer4_s1_1_rock_87_beat_4-4", "drummer10_s1_9_jazz-swing_110_beat_4-4")
TEMPLATES_FROM = ("drummer4", "drummer9", "drummer10")
RECORDED_SEC, PLAYED_SEC, GROOVES = 20.0, 10.0, 12
MAP = load_drum_map("roland_td")
CLASS_OF = classes_of_pitches(MAP)
ARTICULATION_OF = [MAP.articulation(pitch) or "" for pitch in range(128)]
VOICES = {a: name for a, name in CLASS_OF_ARTICULATION.items() if name in HEARD_DRUMS}


@dataclass(frozen=True)
class Reference:
    """What a row hears: a recording as a file, and its MIDI as a file and in seconds of it."""

    audio: Audio
    path: Path
    midi: Path
    performance: DrumPerformance


def player(spec: KitSpec) -> Player:
    """A held-out kit, through FluidSynth or the sampler."""
    preset = spec.preset
    if preset is not None:
        gain = np.float32(kit_gain(spec))
        return lambda p: gain * fluidsynth.play(p, preset, round(p.end_sec * RATE))
    return sampled(spec.oneshots)


def sampled(kit: str | Path) -> Player:
    loaded = load_kit(kit)
    return lambda p: sampler.render(p, loaded, num_samples=round(p.end_sec * RATE))


def nearest_shipped(reference: Reference, shipped: dict[str, Player], true: Player) -> Player:
    heard = AudioFeatures.from_audio(reference.audio, RATE)

    def distance(name: str) -> float:
        play = levelled(shipped[name], reference)
        return mel_l1(heard, AudioFeatures.from_audio(play(reference.performance), RATE), RATE)

    return shipped[min(shipped, key=distance)]


def cut(midi: bool, complete: bool) -> Row:
    def row(reference: Reference, shipped: dict[str, Player], true: Player) -> Player:
        told = reference.midi if midi else None
        kit = kit_like(reference.path, told, lenders=tuple(shipped) if complete else ())[0].kit
        return lambda p: sampler.render(p, kit, num_samples=round(p.end_sec * RATE))

    return row


def oracle(reference: Reference, shipped: dict[str, Player], true: Player) -> Player:
    codec = open_codec("groove_32khz")

    def play(performance: DrumPerformance) -> Audio:
        audio = resample(true(performance), RATE, codec.clock.sample_rate)
        with torch.inference_mode():
            out = codec.decode(codec.encode(torch.from_numpy(audio)[None, None]))[0, 0].numpy()
        return resample(out[: len(audio)], codec.clock.sample_rate, RATE)

    return play


ROWS: dict[str, Row] = {
    "nearest shipped": nearest_shipped,
    "cut, with MIDI": cut(midi=True, complete=False),
    "cut, heard": cut(midi=False, complete=False),
    "like, with MIDI": cut(midi=True, complete=True),
    "like, heard": cut(midi=False, complete=True),
    "oracle": oracle,
    "recording": lambda reference, shipped, true: true,
}


def hearing(checkpoint: Path, midi: bool, sampling: dict[str, float]) -> Row:
    """A model that hears the kit of the reference."""

    def row(reference: Reference, shipped: dict[str, Player], true: Player) -> Player:
        config = RenderConfig(
            engine="model", checkpoint=checkpoint, tail_sec=0.0, like=reference.path,
            like_midi=reference.midi if midi else None, drum_map="roland_td", sampling=sampling,
        )  # fmt: skip
        return engine_player(ModelEngine.load(config, Silent()))

    return row


def nameless(checkpoint: Path) -> Row:
    """A model that plays what it takes for a kit, without one."""
    config = RenderConfig(engine="model", checkpoint=checkpoint, tail_sec=0.0, kit="unknown")
    return lambda reference, shipped, true: engine_player(ModelEngine.load(config, Silent()))


def engine_player(engine: ModelEngine) -> Player:
    def play(performance: DrumPerformance) -> Audio:
        found = engine.play(performance, Silent())
        audio = resample(found.audio[0], found.sample_rate, RATE)
        return np.asarray(audio[: round(performance.end_sec * RATE)], np.float32)

    return play


def levelled(play: Player, reference: Reference) -> Player:
    """With the gain that plays the reference's MIDI as loudly as the reference."""
    gain = rms(reference.audio) / max(rms(play(reference.performance)), 1e-9)
    return lambda p: play(p) * np.float32(gain)


def rms(audio: Audio) -> float:
    return float(np.sqrt(np.square(audio, dtype=np.float64).mean()))


def templates_of(true: Player) -> DrumTemplates:
    """Of a kit, from the first 30 s of other drummers' grooves."""
    recordings = []
    for info in builtin_grooves():
        if info.split == "validation" and info.drummer in TEMPLATES_FROM:
            performance = load_midi(info.path).slice(0.0, 30.0)
            recordings.append((true(performance), hits(performance, ARTICULATION_OF)))
    return fit_templates(recordings, RATE, VOICES)


def hits(
    performance: DrumPerformance, name_of: list[str]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Onsets and velocities by what `name_of` calls each pitch."""
    names = np.array(name_of, dtype=object)[performance.pitch]
    return {
        name: (performance.onset_sec[names == name], performance.velocity[names == name])
        for name in dict.fromkeys(names)
        if name in HEARD_DRUMS or name in VOICES
    }


def kernel(true: NDArray, heard: NDArray) -> float:
    return kernel_audio_distance(true, heard, median_bandwidth(true))


def embed(clips: Sequence[Audio]) -> NDArray[np.float32]:
    return np.concatenate([embed_log_mel(clip, RATE) for clip in clips])


def references(true: Player, folder: Path) -> list[Reference]:
    paths = {info.name: info.path for info in builtin_grooves()}
    found = []
    for name in RECORDED:
        performance = load_midi(paths[name]).slice(0.0, RECORDED_SEC)
        audio = true(performance)[: round(RECORDED_SEC * RATE)]
        save_audio(folder / f"{name}.wav", audio, RATE)
        found.append(Reference(audio, folder / f"{name}.wav", paths[name], performance))
    return found


@dataclass
class Scores:
    """Of a row: per (kit, reference) what is averaged, per clip what is paired."""

    mel: list[float]
    clips: list[tuple[str, int]]
    kits: list[str]
    kernel: list[float]
    right: list[bool]
    f1: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kits", action="append", help="held-out kits, as `data synth` names them")
    parser.add_argument("--model", type=Path, help="checkpoint of a model that hears kits")
    parser.add_argument("--follow", type=float, action="append", help="as `--sample follow` [1]")
    args = parser.parse_args()
    if args.model is not None:
        for follow in args.follow or [1.0]:
            said, name = {"follow": follow}, "hears" if follow == 1 else f"follows {follow:g}"
            ROWS[f"{name}, with MIDI"] = hearing(args.model, True, said)
            ROWS[f"{name}, heard"] = hearing(args.model, False, said)
        ROWS["nameless"] = nameless(args.model)
    specs = [spec for kits in args.kits or KITS for spec in kit_specs(kits)]
    grooves = [info for info in builtin_grooves() if info.split == "test"][:GROOVES]
    played = [load_midi(info.path).slice(0.0, PLAYED_SEC) for info in grooves]
    all_shipped = {info.id: sampled(info.id) for info in list_kits()}
    true = {spec.name: player(spec) for spec in specs}
    embedded = {
        name: embed([play(p) for p in played]) for name, play in {**all_shipped, **true}.items()
    }
    scores = {name: Scores([], [], [], [], [], []) for name in ROWS}
    for name, play in true.items():
        shipped = {other: plays for other, plays in all_shipped.items() if other != name}
        heard = [AudioFeatures.from_audio(play(p), RATE) for p in played]
        templates = templates_of(play)
        with tempfile.TemporaryDirectory() as folder:
            for reference in references(play, Path(folder)):
                for row, make in ROWS.items():
                    try:
                        own = levelled(make(reference, shipped, play), reference)
                    except InputError as error:
                        print(f"{name}: {row}: {error}")
                        continue
                    clips = [own(p) for p in played]
                    add(scores[row], name, clips, heard, played, templates, embedded)
        print_kit(name, scores)
    print_rows(scores)


def add(
    score: Scores,
    name: str,
    clips: Sequence[Audio],
    heard: Sequence[AudioFeatures],
    played: Sequence[DrumPerformance],
    templates: DrumTemplates,
    embedded: dict[str, NDArray[np.float32]],
) -> None:
    features = [AudioFeatures.from_audio(clip, RATE) for clip in clips]
    score.mel += [mel_l1(a, b, RATE) for a, b in zip(heard, features, strict=True)]
    score.clips += [(name, n) for n in range(len(clips))]
    vectors = embed(clips)
    distances = {kit: kernel(rows, vectors) for kit, rows in embedded.items()}
    score.kits.append(name)
    score.kernel.append(distances[name])
    score.right.append(min(distances, key=distances.__getitem__) == name)
    totals: dict[str, tuple[int, int, int]] = {}
    for clip, performance in zip(features, played, strict=True):
        struck = {drum: onsets for drum, (onsets, _) in hits(performance, CLASS_OF).items()}
        for drum, counts in drum_counts(struck, transcribe(clip, templates)).items():
            before = totals.get(drum, (0, 0, 0))
            totals[drum] = tuple(a + b for a, b in zip(before, counts, strict=True))  # type: ignore[assignment]
    score.f1.append(drum_scores(totals)["drum_f1"])


def print_kit(name: str, scores: dict[str, Scores]) -> None:
    print(f"\n{name:18s} mel L1, dB   kernel distance")
    for row, score in scores.items():
        mels = [mel for mel, (kit, _) in zip(score.mel, score.clips, strict=True) if kit == name]
        kernels = [d for d, kit in zip(score.kernel, score.kits, strict=True) if kit == name]
        if mels:
            print(f"{row:18s} {np.mean(mels):10.2f} {np.mean(kernels):17.2f}", flush=True)


def print_rows(scores: dict[str, Scores]) -> None:
    print(f"\n{'row':18s} mel L1, dB   kernel distance   right kit   drum F1")
    for row, score in scores.items():
        print(
            f"{row:18s} {np.mean(score.mel):10.2f} {np.mean(score.kernel):17.2f} "
            f"{100 * np.mean(score.right):9.0f} % {np.mean(score.f1):9.3f}"
        )
    for name in ("nearest shipped", "cut, with MIDI", "like, with MIDI"):
        base = scores[name]
        for row, score in scores.items():
            if row != name and score.clips == base.clips:
                mel = paired_difference(base.mel, score.mel, score.clips)
                distance = paired_difference(base.kernel, score.kernel, score.kits)
                print(
                    f"{row} - {name}: {mel.mean:+.2f} dB [{mel.low:+.2f}, {mel.high:+.2f}], "
                    f"kernel {distance.mean:+.2f} [{distance.low:+.2f}, {distance.high:+.2f}]"
                )


if __name__ == "__main__":
    main()
