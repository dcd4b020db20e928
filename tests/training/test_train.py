"""Training learns, ends in time, and resumes to the same bytes."""

from __future__ import annotations

import csv
import math
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.trainable_cache import K, make_cache

from midigroove_core.atomic import read_json
from midigroove_core.checkpoint import load_checkpoint, load_state, save_state
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.lock import lock_folder
from midigroove_core.progress import Silent
from midigroove_core.registry import Registry
from midigroove_core.training import TrainConfig, TrainResult, loop, train
from midigroove_core.training.config import make_config, to_toml
from midigroove_core.training.measure import Validation
from midigroove_core.training.schedule import done_share, learning_rate
from midigroove_core.training.step import Stepper

MODEL = {"dim": 32, "layers": 1, "heads": 2, "head_dim": 16, "conv_kernel": 3, "dropout": 0.1}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cache(tmp_path_factory.mktemp("train") / "cache").path


def config(on: Path, out: Path, **more: Any) -> TrainConfig:
    short = {
        "batch_size": 4,
        "max_steps": 12,
        "eval_every": 4,
        "eval_clips": 4,
        "context_sec": 0.25,
        "learning_rate": 5e-3,
        "ema": 0.9,
        "threads": 1,
        "device": "cpu",
        "model_args": MODEL,
    }
    return TrainConfig(**{"cache": str(on), "out": str(out), **short, **more})


def rows_of(run: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))


def same_bytes(one: Path, other: Path) -> None:
    names = ["best.safetensors", "last.safetensors", "state.safetensors", "metrics.csv", "loss.png"]
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


class Killer(Silent):
    """Fails after so many steps, wherever the run is then."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, steps: int = 1, **info: object) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


class Said(Killer):
    """Keeps what it is told; fails after so many steps, or never."""

    def __init__(self, steps: int = 0) -> None:
        super().__init__(steps)
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture(scope="module")
def whole(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    return train(config(cache, tmp_path_factory.mktemp("whole") / "run"))


def test_a_run_leaves_what_it_promises(whole: TrainResult) -> None:
    assert (whole.steps, whole.stopped_by) == (12, "steps")
    rows = rows_of(whole.out)
    assert [row["step"] for row in rows] == ["0", "4", "8", "12"]
    lowest = min(float(row["valid_nll"]) for row in rows)
    assert whole.valid_nll == pytest.approx(lowest, rel=1e-5)  # six digits are written
    mean = sum(whole.valid_nll_per_codebook) / K
    assert mean == pytest.approx(whole.valid_nll)
    assert len(whole.unigram_nll_per_codebook) == len(whole.bigram_nll_per_codebook) == K
    assert (whole.out / "loss.png").read_bytes().startswith(b"\x89PNG")
    loaded = load_checkpoint(whole.best, registry=Registry())
    assert loaded.vocabularies["kit"] == ("jazz", "rock")
    assert loaded.training["step"] == whole.best_step
    assert loaded.window.frames > 0
    text = str(loaded.metadata)
    assert str(whole.out) not in text and "cache'" not in text


def test_training_learns_more_than_the_codes_alone_say(cache: Path, tmp_path: Path) -> None:
    more = {"max_steps": 120, "eval_every": 120, "clips": "crops", "crop_sec": 2.0}
    result = train(config(cache, tmp_path / "run", **more))
    unigram = sum(result.unigram_nll_per_codebook) / K
    assert result.valid_nll < 0.6 * unigram


@pytest.mark.parametrize("steps", [1, 6, 9])
def test_an_interrupted_run_ends_as_the_same_bytes(
    cache: Path, tmp_path: Path, whole: TrainResult, steps: int
) -> None:
    settings = config(cache, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        train(settings, Killer(steps))
    train(settings)
    same_bytes(whole.out, tmp_path / "run")


def test_a_killed_process_ends_as_the_same_bytes(
    cache: Path, tmp_path: Path, whole: TrainResult
) -> None:
    settings = config(cache, tmp_path / "run")
    (tmp_path / "settings.toml").write_text(to_toml(settings))
    code = (
        "import os, signal, sys\n"
        "from midigroove_core.training import train\n"
        "from midigroove_core.training.config import make_config\n"
        "from midigroove_core.progress import Silent\n"
        "class Kill(Silent):\n"
        "    def advance(self, steps=1, step=0, **info):\n"
        "        if step == 7: os.kill(os.getpid(), signal.SIGKILL)\n"
        "train(make_config(sys.argv[1]), Kill())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "settings.toml")],
        env={**os.environ, "MIDIGROOVE_LOAD_PLUGINS": ""},
    )
    assert done.returncode == -signal.SIGKILL
    assert rows_of(tmp_path / "run")[-1]["step"] == "4"
    train(settings)
    same_bytes(whole.out, tmp_path / "run")


def test_a_finished_run_is_left_alone(cache: Path, whole: TrainResult) -> None:
    before = (whole.out / "state.safetensors").stat().st_mtime_ns
    again = train(config(cache, whole.out))
    assert (again.steps, again.valid_nll) == (whole.steps, whole.valid_nll)
    assert (whole.out / "state.safetensors").stat().st_mtime_ns == before


def test_a_finished_run_goes_on_with_a_higher_limit_as_if_it_had_always_had_it(
    cache: Path, tmp_path: Path
) -> None:
    steady: dict[str, Any] = {"schedule": "constant", "warmup": 0.0}
    train(config(cache, tmp_path / "long", **steady))
    run = tmp_path / "run"
    train(config(cache, run, **steady, max_steps=4))
    raised = config(cache, run, **steady)
    said = Said(5)
    with pytest.raises(KeyboardInterrupt):
        train(raised, said)
    assert said.lines[0] == (
        f"{run}: the run goes on at step 4, max_steps raised from 4 to 12; the learning rate is "
        "now that of a run so long, 0.005, and 0.005 at the end"
    )
    train(raised)
    same_bytes(tmp_path / "long", run)
    with pytest.raises(MismatchError, match="max_steps = 12, now it is 4; it may only be raised"):
        train(config(cache, run, **steady, max_steps=4))


def test_a_raised_limit_lifts_the_learning_rate_to_that_of_a_longer_run(
    cache: Path, whole: TrainResult, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole.out, run)
    result = train(config(cache, run, max_steps=20))
    assert (result.steps, result.stopped_by) == (20, "steps")
    rates = [float(row["learning_rate"]) for row in rows_of(run)]
    longer = config(cache, run, max_steps=20)
    assert rates[-2:] == pytest.approx([learning_rate(longer, s / 20) for s in (15, 19)], rel=1e-5)
    assert rates[-3] < rates[-2]
    said = Said()
    train(longer, said)
    assert said.lines == [f"{run}: the run is finished at step 20; raise max_steps to go on"]


def test_a_run_that_time_ended_goes_on_with_more_of_it(cache: Path, tmp_path: Path) -> None:
    def settings(minutes: float) -> TrainConfig:
        return config(cache, tmp_path, max_steps=10**6, eval_every=1000, max_minutes=minutes)

    first = train(settings(1e-4))
    said = Said()
    assert train(settings(1e-4), said).steps == first.steps
    assert said.lines[0].endswith("raise max_minutes to go on")
    with pytest.raises(KeyboardInterrupt):
        train(settings(60.0), said := Said(3))
    assert "max_minutes raised from 0.0001 to 60.0" in said.lines[0]
    with pytest.raises(MismatchError, match=r"= 60\.0, now it is 0\.0001; it may only be raised"):
        train(settings(1e-4))
    with pytest.raises(KeyboardInterrupt):
        train(settings(0.0), said := Said(3))
    assert "max_minutes raised from 60.0 to no limit" in said.lines[0]


def test_another_configuration_is_refused_by_its_field(cache: Path, whole: TrainResult) -> None:
    with pytest.raises(MismatchError, match=r"learning_rate = 0\.005, now it is 0\.001"):
        train(config(cache, whole.out, learning_rate=1e-3))


def test_another_cache_is_refused(cache: Path, whole: TrainResult, tmp_path: Path) -> None:
    other = make_cache(tmp_path / "other", seed=5).path
    with pytest.raises(MismatchError, match="another cache"):
        train(config(other, whole.out))


def test_only_runs_are_overwritten(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(MidigrooveError, match="not a training run"):
        train(config(cache, tmp_path / "thesis"), overwrite=True)
    (tmp_path / "thesis" / "config.toml").write_text('theme = "ananke"')
    for overwrite in (False, True):
        with pytest.raises(MidigrooveError, match="not a training run"):
            train(config(cache, tmp_path / "thesis"), overwrite=overwrite)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


def test_overwriting_removes_own_files_alone_and_late(
    cache: Path, whole: TrainResult, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole.out, run)
    (run / "notes.txt").write_text("mine")
    before = (run / "state.safetensors").read_bytes()
    for wrong in ({"cache": str(tmp_path / "none")}, {"split": "none"}, {"model": "none"}):
        with pytest.raises(MidigrooveError):
            train(config(cache, run, **wrong), overwrite=True)
    assert (run / "state.safetensors").read_bytes() == before
    result = train(config(cache, run, seed=3, max_steps=1), overwrite=True)
    assert result.steps == 1 and (run / "notes.txt").read_text() == "mine"


def test_a_kill_in_the_first_write_or_after_the_last_state(
    cache: Path, whole: TrainResult, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / ".config.tmp.toml").write_text("cac")
    (run / ".lock").touch()
    train(config(cache, run))
    assert sorted(path.name for path in run.iterdir()) == sorted(
        path.name for path in whole.out.iterdir()
    )
    (run / "summary.json").unlink()
    train(config(cache, run))
    assert read_json(run / "summary.json")["best_step"] == whole.best_step


def test_a_second_process_is_refused(cache: Path, tmp_path: Path) -> None:
    with (
        lock_folder(tmp_path / "run", "training run"),
        pytest.raises(MidigrooveError, match="another process is writing to this training run"),
    ):
        train(config(cache, tmp_path / "run"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t, s: s.update(counters=3), "counters: expected object, got int"),
        (lambda t, s: s["counters"].update(step="x"), "counters.step: expected int"),
        (lambda t, s: s["counters"].update(rows=[]), "no measurements"),
        (lambda t, s: s["counters"].update(best_step=5), "measurement of its best step"),
        (lambda t, s: s.pop("cache_fingerprint"), "missing required field cache_fingerprint"),
        (lambda t, s: t.pop("optimizer/0/step"), "optimizer/0/step"),
        (lambda t, s: t.update({"optimizer/x": torch.zeros(1)}), "optimizer/x"),
        (lambda t, s: t.update({"optimizer/0/exp_avg": torch.zeros(3)}), "optimizer/0/exp_avg"),
        (lambda t, s: t["optimizer/0/exp_avg"].fill_(float("nan")), "is not finite"),
    ],
)
def test_a_wrong_state_is_one_line(
    cache: Path, whole: TrainResult, tmp_path: Path, change: Any, says: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole.out, run)
    tensors, state = load_state(run / "state.safetensors")
    tensors = {name: value.clone() for name, value in tensors.items()}
    change(tensors, state)
    save_state(run / "state.safetensors", tensors, state)
    with pytest.raises(InputError, match=says) as caught:
        train(config(cache, run))
    assert "state.safetensors" in str(caught.value) and "\n" not in str(caught.value)


def test_a_time_limit_ends_the_run_and_its_schedule(cache: Path, tmp_path: Path) -> None:
    result = train(config(cache, tmp_path / "run", max_steps=10**6, max_minutes=0.02))
    assert result.stopped_by == "time"
    assert 0 < result.steps < 10**6


def test_early_stopping(cache: Path, tmp_path: Path) -> None:
    more = {"learning_rate": 1e-9, "patience": 2, "max_steps": 1000, "eval_every": 1, "ema": 0.0}
    result = train(config(cache, tmp_path / "run", **more, weight_decay=0.0))
    assert result.stopped_by == "patience" and result.steps < 1000


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"valid_split": "test"}, "no takes in split 'test'.*it has train, validation"),
        ({"kits": ["brush"]}, "no kit 'brush' in .*; it has jazz, rock"),
        ({"cache": "nowhere"}, "nowhere: no such cache"),
        ({"model": "mystery"}, "no model 'mystery'"),
        ({"model_args": {"width": 3}}, "width"),
        ({"device": "cuda"}, "cuda is not there; use cpu"),
    ],
)
def test_wrong_input_is_one_line(
    cache: Path, tmp_path: Path, more: dict[str, Any], says: str
) -> None:
    if more.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(MidigrooveError, match=says) as caught:
        train(config(cache, tmp_path / "run", **more))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_one_kit_may_be_trained_on_alone(cache: Path, tmp_path: Path) -> None:
    result = train(config(cache, tmp_path / "run", kits=["rock"], max_steps=1))
    assert load_checkpoint(result.best, registry=Registry()).vocabularies["kit"] == ("rock",)


def test_a_loss_that_is_not_finite_ends_the_run(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midigroove_core.training.loop.learning_rate", lambda *_: 1e30)
    with pytest.raises(MidigrooveError, match="the loss is"):
        train(config(cache, tmp_path / "run", clip_norm=0.0))


class _OneBadStep:
    """A loss that is not finite at some steps, or whose gradients are not."""

    def __init__(self, real: Any, bad: set[int], factor: float) -> None:
        self.real, self.bad, self.factor = real, bad, factor

    def __call__(self, batch: Any, step: int) -> Any:
        loss = self.real(batch, step)
        if step in self.bad:
            return replace(loss, total=loss.total * self.factor)
        return loss


def with_bad_steps(
    monkeypatch: pytest.MonkeyPatch, bad: set[int], factor: float = math.nan
) -> None:
    step = Stepper.step

    def spoiled(self: Any, batch: Any, rate: float) -> Any:
        if not isinstance(self._loss, _OneBadStep):
            self._loss = _OneBadStep(self._loss, bad, factor)
        return step(self, batch, rate)

    monkeypatch.setattr(Stepper, "step", spoiled)


@pytest.mark.parametrize("factor", [math.nan, 1e38])
def test_steps_that_are_not_finite_can_be_left_out(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    with_bad_steps(monkeypatch, {1, 2, 7}, factor)
    result = train(config(cache, tmp_path / "run", nonfinite="skip"))
    assert (result.skipped, result.steps) == (3, 12)
    assert result.valid_nll is not None and math.isfinite(result.valid_nll)
    assert all(row["train_loss"] for row in rows_of(tmp_path / "run")[1:])


def test_a_run_that_only_skips_ends_in_a_line(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("midigroove_core.training.loop._MOST_SKIPS", 5)
    with_bad_steps(monkeypatch, set(range(2, 100)))
    with pytest.raises(MidigrooveError, match="5 steps in a row up to step 6 were not finite"):
        train(config(cache, tmp_path / "run", nonfinite="skip"))


def test_a_measurement_that_is_not_finite_is_a_line_or_passed_over(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.validate

    def spoiled(*args: Any, **more: Any) -> Validation:
        found = real(*args, **more)
        return Validation([math.nan] * len(found.per_codebook)) if more["step"] == 4 else found

    monkeypatch.setattr(loop, "validate", spoiled)
    with pytest.raises(MidigrooveError, match="validation loss is nan at step 4; the saved state"):
        train(config(cache, tmp_path / "halt"))
    result = train(config(cache, tmp_path / "skip", nonfinite="skip"))
    assert result.best_step != 4
    empty = [row["valid_nll"] == "" for row in rows_of(tmp_path / "skip")]
    assert empty == [False, True, False, False]


def test_configurations_come_from_preset_file_and_options(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[train]\npreset = "tiny"\nbatch_size = 3\n[train.model_args]\nlayers = 7\n')
    made = make_config(file, cache="c", out="o", batch_size=None, seed=4)
    assert (made.batch_size, made.seed, made.learning_rate) == (3, 4, 3e-3)
    assert made.model_args == {"dim": 96, "layers": 7, "heads": 4, "head_dim": 48}
    again = tmp_path / "again.toml"
    again.write_text(to_toml(made))
    assert make_config(again) == made
    paper = make_config(None, preset="paper", cache="c", out="o")
    assert paper.model_args["norm"] == "post" and paper.learning_rate == 6e-5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('preset = "huge"', "no preset 'huge'"),
        ('preset = "tny"', r"no preset 'tny' \(did you mean tiny\?\)"),
        ("lerning_rate = 1", r"setting 'lerning_rate' \(did you mean learning_rate\?\)"),
        ("batchsize = 3", "unknown training setting 'batchsize'"),
        ('batch_size = "many"', "expected int"),
        ("batch_size = 0", "batch_size must be a whole number from 1"),
        ("ema = 1.0", "ema = 1.0: must be below 1"),
        ("learning_rate = nan", "learning_rate: nan is no finite number"),
        ("weight_decay = -1.0", "weight_decay must be a number from 0"),
        ("seed = 9223372036854775808", "seed must be a whole number from 0 to 92233"),
        ('device = "tpu"', "no device 'tpu'; use auto, cpu"),
        ("train = 3", "train: expected object, got int"),
        ('clips = "bars"', "use one of beats, seconds, crops"),
        ("batch_size =", "not readable as TOML"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        make_config(file, cache="c", out="o")


def test_a_configuration_needs_a_cache_and_a_place(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs `cache`: give it"):
        make_config(None, out="o")
    with pytest.raises(InputError, match="missing.toml: no such file"):
        make_config(tmp_path / "missing.toml", out="o")


def test_the_schedule_rises_and_falls_with_whichever_limit_is_nearer() -> None:
    made = TrainConfig("c", "o", max_steps=100, max_minutes=1, warmup=0.1, final_rate=0.1)
    assert done_share(made, 50, 6.0) == 0.5 and done_share(made, 5, 45.0) == 0.75
    assert done_share(made, 100, 0) == done_share(made, 0, 61) == 1.0
    rates = [learning_rate(made, share) for share in (0, 0.05, 0.1, 0.55, 1.0)]
    assert rates == pytest.approx([0, 0.5e-3, 1e-3, 0.55e-3, 0.1e-3])
    constant = TrainConfig("c", "o", schedule="constant", warmup=0.0)
    assert learning_rate(constant, 0) == learning_rate(constant, 1) == 1e-3


HEARING = {**MODEL, "span": 16, "sketch": True}


def test_a_model_that_hears_kits_is_given_sketches(cache: Path, tmp_path: Path) -> None:
    """And processes that read change nothing."""
    settings: dict[str, Any] = {
        "model": "autoregressive", "model_args": HEARING, "sketches": str(cache),
        "unnamed_kits": ["*"], "max_steps": 4,
    }  # fmt: skip
    for workers in (0, 1):
        out = tmp_path / f"run{workers}"
        train(config(cache, out, loader_workers=workers, **settings))
    same_bytes(tmp_path / "run0", tmp_path / "run1")
    checkpoint = load_checkpoint(tmp_path / "run0" / "best.safetensors", needs_codec=False)
    assert checkpoint.model.uses_sketch
    assert checkpoint.vocabularies["kit"] == ()
    deaf = train(config(cache, tmp_path / "deaf", **{**settings, "hide_sketch": 1.0}))
    assert deaf.valid_nll != read_json(tmp_path / "run0" / "summary.json")["valid_nll"]
    with pytest.raises(InputError, match="hears none"):
        train(config(cache, tmp_path / "other", sketches=str(cache), max_steps=1))
