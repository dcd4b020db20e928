"""cache, train, eval and render as typed, with a model and a length that take seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from midigroove_core.cli import run

_TRAIN = (
    "--preset", "tiny", "--max-steps", 2, "--batch-size", 2, "--eval-every", 2, "--device", "cpu",
    "--valid-split", "test", "--set", "model_args.dim=16", "--set", "model_args.layers=1",
    "--set", "model_args.heads=2", "--set", "model_args.head_dim=8",
)  # fmt: skip
_EVAL = (
    "--max-items", 2, "--embedding", "none", "--long-items", 0, "--knee-items", 1,
    "--no-add-nearest", "--no-add-sampler", "--device", "cpu", "--save-preds", 1,
)  # fmt: skip


def typed(*arguments: object) -> None:
    """Runs a command, which has to succeed."""
    assert run([str(argument) for argument in arguments]) == 0


@dataclass(frozen=True)
class Through:
    """What the commands made.

    Attributes:
        cache, checkpoint, evaluation: where it lies.
        rendered: a WAV of `midi`.
        midi: one of the dataset's.
    """

    cache: Path
    checkpoint: Path
    evaluation: Path
    rendered: Path
    midi: Path


def through_all(codec: str, dataset: Path, folder: Path, *options: str) -> Through:
    """A codec from cache to render.

    Args:
        codec: id.
        dataset: what `make_toy_dataset` made.
        folder: everything is made in it.
        options: of the codec, as `name=value`.
    """
    made = Through(
        folder / "cache", folder / "run" / "best.safetensors", folder / "eval", folder / "a.wav",
        min(dataset.rglob("*.mid")),
    )  # fmt: skip
    chosen = [part for option in options for part in ("--codec-option", option)]
    typed("cache", "--codec", codec, *chosen, "--dataset", dataset, "--out", made.cache)
    typed("train", "--cache", made.cache, "--out", made.checkpoint.parent, *_TRAIN)
    system = f"toy:{made.checkpoint}:{made.cache}"
    typed("eval", "--system", system, "--dataset", dataset, "--out", made.evaluation, *_EVAL)
    typed("render", made.midi, "--checkpoint", made.checkpoint, "-o", made.rendered)
    return made
