"""Several processes are one run: the same losses, and each goes on where the others stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.trainable_cache import make_cache
from training.test_train import MODEL, Killer, config, rows_of, same_bytes

from midigroove_core.errors import InputError, MidigrooveError, MismatchError, StoppedEarly
from midigroove_core.progress import Silent
from midigroove_core.training import train
from midigroove_core.training.config import make_config, to_toml
from midigroove_core.training.distributed import Cut, Ranks, joined
from midigroove_core.training.measure import Means
from midigroove_core.training.step import Stepper

LENGTH = {"max_steps": 50, "eval_every": 10, "eval_clips": 9, "batch_size": 5}
STEADY = {"schedule": "constant", "warmup": 0.0}
PLAIN = LENGTH | STEADY | {"model_args": {**MODEL, "dropout": 0.0}}
NOISY = LENGTH | {"max_steps": 20, "eval_every": 20, "accumulate": 3}


class Stop(Silent):
    """Asks the run to end as a cluster does, when it has done so many steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def advance(self, steps: int = 1, **info: object) -> None:
        if info.get("step") == self.step:
            signal.raise_signal(signal.SIGTERM)


def one_of_two(folder: Path) -> None:
    """What each of two processes does: a run and more of it, one stopped, two that fail."""
    second = os.environ["RANK"] == "1"
    plain, noisy = (make_config(folder / f"{name}.toml") for name in ("plain", "noisy"))
    train(replace(plain, max_steps=10))
    train(plain)
    try:
        train(noisy, Stop(7))
    except StoppedEarly as stopped:
        print(stopped, flush=True)
    try:
        train(replace(plain, seed=1, out=str(folder / "bad"), patience=int(second)))
    except MismatchError as error:
        print(error, flush=True)  # before what goes to stderr
    if second:
        Stepper.step = out_of_luck  # type: ignore[method-assign]
    try:
        train(replace(plain, out=str(folder / "bad")))
    except MidigrooveError as error:
        sys.exit(str(error))


def out_of_luck(*_: object) -> torch.Tensor:
    raise MidigrooveError("out of luck")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cache(tmp_path_factory.mktemp("train") / "cache").path


@pytest.fixture(scope="module")
def pair(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder in which two processes have trained, and what each said last."""
    folder = tmp_path_factory.mktemp("pair")
    for name, more in {"plain": PLAIN, "noisy": NOISY}.items():
        (folder / f"{name}.toml").write_text(to_toml(config(cache, folder / name, **more)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    code = "import sys, pathlib; from training.test_distributed import one_of_two as run; " + (
        "run(pathlib.Path(sys.argv[1]))"
    )
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"MIDIGROOVE_LOAD_PLUGINS": "", "PYTHONPATH": os.pathsep.join(sys.path)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], env={**os.environ, **shared, "RANK": rank},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=400)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return folder, said


def close(one: Path, other: Path) -> None:
    mine, theirs = rows_of(one), rows_of(other)
    assert [row["step"] for row in mine] == [row["step"] for row in theirs]
    for name in ("train_loss", "valid_nll"):
        there = [float(row[name]) for row in theirs if row[name]]
        here = [float(row[name]) for row in mine if row[name]]
        assert here == pytest.approx(there, abs=1e-4), name


def test_two_processes_train_as_one(
    pair: tuple[Path, list[str]], cache: Path, tmp_path: Path
) -> None:
    """Also where the two had ended, and were given more steps."""
    train(config(cache, tmp_path / "one", **PLAIN))
    close(pair[0] / "plain", tmp_path / "one")


def test_a_run_goes_on_with_another_number_of_processes(
    pair: tuple[Path, list[str]], cache: Path, tmp_path: Path
) -> None:
    """Dropout and all: the batch was cut into three parts, and is so still."""
    folder, said = pair
    assert all("noisy: stopped and saved at step 10" in text for text in said), said
    assert rows_of(folder / "noisy")[-1]["step"] == "0"
    train(config(cache, folder / "noisy", **NOISY))
    train(config(cache, tmp_path / "one", **NOISY))
    close(folder / "noisy", tmp_path / "one")


def test_a_process_that_fails_ends_all_with_its_message(pair: tuple[Path, list[str]]) -> None:
    _, (first, second) = pair
    for said in (first, second):
        assert "process 1 has patience = 1, process 0 has 0; start all of them" in said
    assert second.splitlines()[-1] == "out of luck"
    assert "another process of this run has ended" in first.splitlines()[-1]
    assert "Traceback" not in first + second


@pytest.mark.parametrize("step", [3, 4, 10])
def test_a_run_that_is_asked_to_end_saves_and_goes_on_to_the_same_bytes(
    cache: Path, tmp_path: Path, step: int
) -> None:
    """What its losses said since the last measurement included."""
    whole, stopped = config(cache, tmp_path / "whole"), config(cache, tmp_path / "stopped")
    train(whole)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(StoppedEarly, match=f"saved at step {step}; the same call goes on"):
        train(stopped, Stop(step))
    assert signal.getsignal(signal.SIGTERM) == before
    train(stopped)
    same_bytes(tmp_path / "whole", tmp_path / "stopped")


def test_parts_of_a_batch_add_up(cache: Path, tmp_path: Path) -> None:
    """Clips of other lengths in each part: what counts is frames."""
    short = PLAIN | {"max_steps": 4, "eval_every": 1, "batch_size": 5}
    for accumulate in (1, 5):
        train(config(cache, tmp_path / str(accumulate), **short, accumulate=accumulate))
    one, five = rows_of(tmp_path / "1"), rows_of(tmp_path / "5")
    for name in ("train_loss", "valid_nll"):
        wanted = [float(row[name]) for row in one if row[name]]
        assert [float(r[name]) for r in five if r[name]] == pytest.approx(wanted, abs=1e-5)


def test_an_overwritten_run_that_is_started_again_goes_on(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(cache, tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        train(settings, Killer(6), overwrite=True)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert rows_of(tmp_path / "run")[-1]["step"] == "4"
    told: list[str] = []
    says = Silent()
    says.message = told.append  # type: ignore[method-assign]
    train(settings, says, overwrite=True)
    assert "the run goes on at step 4" in told[0]


def test_parts_are_dealt_out_evenly() -> None:
    assert Cut.of(8, 1, Ranks()) == Cut(1, (0,))
    assert Cut.of(8, 1, Ranks(1, 3)) == Cut(3, (1,))
    assert [Cut.of(8, 5, Ranks(rank, 2)).mine for rank in range(2)] == [(0, 2, 4), (1, 3)]
    with pytest.raises(InputError, match="cannot be cut into 4 parts, with 4 processes"):
        Cut.of(3, 1, Ranks(0, 4))


def test_a_launcher_that_says_half_of_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(MidigrooveError, match="WORLD_SIZE=2 but not RANK"), joined("cpu"):
        pass


def test_means_go_on_where_others_stopped() -> None:
    whole, first, second = Means(), Means(), Means()
    for number, value in enumerate((1.0, 2.0, 4.0)):
        found: dict[str, Any] = {"": torch.tensor(value)}
        whole.add(found)
        (first if number < 2 else second).add(found)
    first.begin_with([first.so_far(), second.so_far()])
    assert first.take() == whole.take() == {"": 7 / 3}
    assert first.so_far() == {}
