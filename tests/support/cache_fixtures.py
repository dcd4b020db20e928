"""A small dataset with everything that can be wrong with a file, and codecs to cache it with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from midigroove_core.audio import save_audio
from midigroove_core.midi import save_midi
from midigroove_core.performance import DrumPerformance
from midigroove_core.takes import Dataset, Take
from midigroove_core.testing import ToyCodec

RATE = 8000


class SmearedCodec(ToyCodec):
    """A toy whose codes look two frames to each side, as a convolutional codec's do."""

    encode_reach = (2, 2)

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        codes = super().encode(audio)
        padded = torch.nn.functional.pad(codes, (2, 2))
        return padded.unfold(2, 5, 1).sum(-1) % self.codebooks[0].size


def performance(rng: np.random.Generator, length_sec: float) -> DrumPerformance:
    hits = 6
    return DrumPerformance(
        onset_sec=np.sort(rng.uniform(0, length_sec - 0.2, hits)),
        duration_sec=np.full(hits, 0.1),
        pitch=rng.integers(35, 60, hits),
        velocity=rng.integers(1, 128, hits),
        end_sec=length_sec,
    )


def make_take(number: int, kit: str = "a", split: str = "train") -> Take:
    return Take(
        key=f"{kit}/{number}.wav",
        performance_key=f"p{number}",
        midi_path=f"midi/{number}.mid",
        audio_path=f"{kit}/{number}.wav",
        kit=kit,
        drummer="drummer1",
        style="funk" if number % 2 else "unknown",
        bpm=100.0 + number,
        beat_type="beat",
        time_signature="4-4",
        split=split,
        duration_sec=1.0,
    )


def list_dataset(root: Path, count: int = 5, kits: tuple[str, ...] = ("a", "b")) -> Dataset:
    """The dataset of `make_dataset`, without making its files."""
    takes = [
        make_take(number, kit, "test" if number == 1 else "train")
        for number in range(count)
        for kit in kits
    ]
    return Dataset("small", root, takes)


def make_dataset(root: Path, count: int = 5, kits: tuple[str, ...] = ("a", "b")) -> Dataset:
    """`count` performances of about a second on each kit, all files good."""
    rng = np.random.default_rng(7)
    dataset = list_dataset(root, count, kits)
    lengths: dict[str, float] = {}
    for take in dataset.takes:
        midi, audio = dataset.midi_path(take), dataset.audio_path(take)
        if take.midi_path not in lengths:
            length = lengths[take.midi_path] = float(rng.uniform(0.8, 1.3))
            midi.parent.mkdir(parents=True, exist_ok=True)
            save_midi(performance(rng, length), midi)
        audio.parent.mkdir(parents=True, exist_ok=True)
        samples = rng.uniform(-0.5, 0.5, int(lengths[take.midi_path] * RATE))
        save_audio(audio, samples.astype(np.float32), RATE)
    return dataset


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
