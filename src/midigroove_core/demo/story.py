"""`demo`: data, verify, cache, train, eval and render in one folder, with a word about each."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from midigroove_core.atomic import write_text
from midigroove_core.cache.build import build_cache
from midigroove_core.checkpoint.shipped import shipped_checkpoint
from midigroove_core.csvfile import write_csv
from midigroove_core.datasets.synth import synthesize
from midigroove_core.datasets.verify import verify
from midigroove_core.demo.pictures import draw_renders
from midigroove_core.errors import InputError
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate
from midigroove_core.kits import library as kits
from midigroove_core.kits.library import GrooveInfo
from midigroove_core.metrics.info import MetricInfo
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.render import from_file_to_file
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.summary import Summary
from midigroove_core.takes import open_dataset
from midigroove_core.training import TrainResult, train
from midigroove_core.training.config import make_config

MARK = "midigroove-demo"
"""A file that says that a folder is a demo's and may be made anew."""

CODEC = "groove_32khz"
ROWS = (RowKind.RECORDING, RowKind.ORACLE, RowKind.SILENCE, RowKind.SAMPLER)
TABLE = (
    "spectral_convergence", "mel_l1", "envelope_correlation", "onset_f1_50ms", "onset_f1_25ms",
)  # fmt: skip
"""What the closing table shows; summary.json and clips.csv have all."""


@dataclass(frozen=True)
class DemoConfig:
    """Settings of a demo.

    Attributes:
        out: folder to fill; must be new, empty, or an earlier demo's.
        minutes: length of the training run.
        kits: two built-in kits or more.
        train, validation, test: how many grooves of each split.
        clips: clips to score.
        seed: of training and sampling.
    """

    out: Path
    minutes: float = 2.0
    kits: tuple[str, ...] = ("standard", "tr808")
    train: int = 16
    validation: int = 2
    test: int = 2
    clips: int = 24
    seed: int = 0


@dataclass(frozen=True)
class DemoResult:
    """What a demo made.

    Attributes:
        out: its folder.
        columns, rows: the closing table; first column is the row's name.
        words: what the table shows, a sentence each.
        files: (path, what it is).
        seconds: per step, wall clock.
    """

    out: Path
    columns: list[str]
    rows: list[list[Any]]
    words: list[str]
    files: list[tuple[Path, str]]
    seconds: dict[str, float] = field(default_factory=dict)


class _Story:
    """Numbers the steps, says why each is there, and takes the time."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self._began = 0.0
        self._name = ""

    def step(self, name: str, text: str) -> None:
        self.end()
        self._name, self._began = name, time.perf_counter()
        self.progress.message(f"\n{len(self.seconds) + 1}. {name.capitalize()}. {text}")

    def end(self) -> None:
        if self._name:
            self.progress.finish()
            self.seconds[self._name] = time.perf_counter() - self._began


def run_demo(config: DemoConfig, progress: Progress | None = None) -> DemoResult:
    """Runs the pipeline from MIDI to a scored render; offline, on a CPU, in three to five minutes.

    Raises:
        InputError: `out` holds something that no demo made.
    """
    progress = progress or Silent()
    out = config.out
    _prepare(out)
    story = _Story(progress)
    story.step(
        "data",
        f"{config.train + config.validation + config.test} performances by human drummers are "
        f"played on the kits {' and '.join(config.kits)}. No drummer is in two splits.",
    )
    held_out = _write_midi(config, out / "midi")
    synthesize(
        out / "midi", ",".join(config.kits), out / "data", split_by="drummer", progress=progress
    )
    dataset = open_dataset(out / "data")
    story.step("verify", "Nothing is trained on audio that is silent, clipped or off its MIDI.")
    report = verify(dataset, progress=progress)
    found = len(report.findings)
    progress.message(f"   {len(dataset.takes)} takes, {found} finding{'s' if found != 1 else ''}")
    story.step("cache", f"The codec {CODEC} turns each take into codes, once.")
    codec = Registry().load("codec", CODEC)()
    build_cache(dataset, codec, out / "cache", progress=progress)
    story.step(
        "train",
        f"A small Transformer learns from scratch, for {config.minutes:g} minutes, to predict the "
        "codes from the MIDI.",
    )
    trained = _train(config, progress)
    story.step(
        "eval",
        "The fresh model and the one that ships play grooves of a drummer neither has heard; the "
        "recording, the codec alone, a sampler and silence show what the figures are worth.",
    )
    evaluated = _evaluate(config, trained, progress)
    story.step("render", f"The same held-out groove, {held_out.name}, in three ways.")
    files = _render(config, held_out, trained, progress)
    story.end()
    columns, rows = _table(evaluated)
    words = _words(rows, trained, report.findings)
    files += [
        (out / "train" / "metrics.csv", "the training run, measurement by measurement"),
        (out / "eval" / "clips.csv", "every figure of every clip"),
        (out / "eval" / "preds", "the clips themselves, to listen to side by side"),
    ]
    return DemoResult(out, columns, rows, words, files, story.seconds)


def _prepare(out: Path) -> None:
    if out.exists():
        if not out.is_dir() or (any(out.iterdir()) and not (out / MARK).is_file()):
            raise InputError(f"{out}: exists and no demo made it; name another folder (`out`)")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    write_text(out / MARK, "made by `midigroove demo`; the next demo replaces this folder\n")


def _write_midi(config: DemoConfig, folder: Path) -> GrooveInfo:
    """Copies grooves into a folder shaped like GMD; returns a test groove for rendering."""
    folder.mkdir()
    chosen: list[GrooveInfo] = []
    for split in ("train", "validation", "test"):
        of_split = [groove for groove in kits.builtin_grooves() if groove.split == split]
        wanted = getattr(config, split)
        # Evenly over the list, which is in the order of the drummers.
        chosen += [of_split[i * len(of_split) // wanted] for i in range(wanted)]
    columns = (
        "drummer", "session", "id", "style", "bpm", "beat_type", "time_signature",
        "midi_filename", "audio_filename", "duration", "split",
    )  # fmt: skip
    rows = []
    for groove in chosen:
        name = f"{groove.name}.mid"
        shutil.copyfile(groove.path, folder / name)
        rows.append(
            [
                groove.drummer, groove.drummer, groove.name, groove.style, groove.bpm,
                groove.beat_type, groove.time_signature, name, "", groove.duration_sec,
                groove.split,
            ]
        )  # fmt: skip
    write_csv(folder / "info.csv", columns, rows)
    return chosen[-1]


def _train(config: DemoConfig, progress: Progress) -> TrainResult:
    settings = make_config(
        cache=str(config.out / "cache"),
        out=str(config.out / "train"),
        preset="tiny",
        # Many small steps: what two minutes on two cores learn most from.
        clips="crops",
        crop_sec=1.5,
        batch_size=8,
        learning_rate=4e-3,
        max_minutes=config.minutes,
        eval_every=250,
        eval_clips=32,
        seed=config.seed,
    )
    return train(settings, progress=progress)


def _evaluate(config: DemoConfig, trained: TrainResult, progress: Progress) -> Summary:
    cache = config.out / "cache"
    systems = (
        SystemSpec("fresh", trained.best, cache),
        SystemSpec("shipped", shipped_checkpoint(), cache),
    )
    settings = EvalConfig(
        systems=systems,
        out=config.out / "eval",
        dataset=config.out / "data",
        max_items=config.clips,
        rows=ROWS,
        knee_items=0,
        long_items=0,
        save_preds=4,
        embedding="",
        seed=config.seed,
    )
    return evaluate(settings, progress=progress).summary


def _render(
    config: DemoConfig, groove: GrooveInfo, trained: TrainResult, progress: Progress
) -> list[tuple[Path, str]]:
    kit = config.kits[0]
    configs = {
        "sampler": RenderConfig(engine="sampler", kit=kit),
        "shipped": RenderConfig(kit=kit, seed=config.seed),
        "fresh": RenderConfig(checkpoint=trained.best, kit=kit, seed=config.seed),
    }
    says = {
        "sampler": "the groove played plainly, sample by sample",
        "shipped": "the groove by the model that ships",
        "fresh": f"the groove by the model of {config.minutes:g} minutes ago",
    }
    files, renders = [], {}
    for name, settings in configs.items():
        path = config.out / f"{name}.wav"
        renders[name] = from_file_to_file(groove.path, path, settings)
        files.append((path, says[name]))
    picture = config.out / "renders.png"
    draw_renders(picture, groove.path, renders)
    progress.message(f"   {groove.style}, {groove.bpm:g} bpm, {groove.drummer}, kit {kit}")
    return [
        *files,
        (picture, "the MIDI as a grid, and each render's waveform and spectrogram"),
        (trained.out / "loss.png", "the training run, drawn"),
    ]


def _table(summary: Summary) -> tuple[list[str], list[list[Any]]]:
    metrics = [name for name in TABLE if name in summary.metrics]
    columns = ["", *(_heading(summary.metrics[name]) for name in metrics)]
    rows = [
        [row.row, *(row.metrics[name].mean if name in row.metrics else None for name in metrics)]
        for row in summary.rows
    ]
    return columns, rows


def _heading(info: MetricInfo) -> str:
    arrow = {"higher": "↑", "lower": "↓"}.get(info.better, "→0")
    return f"{info.label} {arrow}"


def _words(rows: list[list[Any]], trained: TrainResult, findings: list[Any]) -> list[str]:
    by_name = {row[0]: dict(zip(TABLE, row[1:], strict=False)) for row in rows}
    f1 = {name: values.get("onset_f1_50ms") for name, values in by_name.items()}
    unigram = sum(trained.unigram_nll_per_codebook) / len(trained.unigram_nll_per_codebook)
    assert trained.valid_nll is not None
    learned = unigram - trained.valid_nll
    words = [
        f"In {trained.minutes:.1f} minutes and {trained.steps} steps the fresh model went from "
        f"{unigram:.2f} nats a code (guessing by frequency) to {trained.valid_nll:.2f}: it "
        f"learned {learned:.2f} nats of what the MIDI says about the sound.",
    ]
    if all(f1.get(name) is not None for name in ("recording", "fresh", "shipped")):
        words.append(
            f"An onset detector finds the drummer's hits with F1 {f1['recording']:.2f} in the "
            f"recording itself, {f1['shipped']:.2f} in the shipped model's audio and "
            f"{f1['fresh']:.2f} in the fresh one's."
        )
    words.append(
        "No row can be expected to pass the oracle, which is the codec with the true codes: what "
        "lies between it and the recording is the codec's loss, what lies below it the model's."
    )
    if findings:
        words.append(f"Verification had {len(findings)} findings: {findings[0]}.")
    return words
