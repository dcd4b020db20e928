"""Who watches a run is told of every measurement, and neither holds it up nor ends it."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from midigroove_core.errors import MidigrooveError
from midigroove_core.training import watch
from midigroove_core.training.config import TrainConfig
from midigroove_core.training.record import open_run
from midigroove_core.training.watch import Watchers, run_id

ROWS = [
    {"step": 0, "train_loss": None, "valid_loss": 3.5, "valid_nll_0": 3.5},
    {"step": 20, "train_loss": 2.5, "valid_loss": 2.25, "valid_nll_0": 2.25},
]


class Said(list[str]):
    """A progress that keeps messages."""

    def message(self, text: str) -> None:
        self.append(text)

    def start(self, description: str, total: int | None) -> None: ...
    def advance(self, steps: int = 1, **info: object) -> None: ...
    def finish(self) -> None: ...


class Fake:
    """A watcher that keeps what it is told."""

    package: ClassVar[str] = "wandb"
    told: ClassVar[list[object]] = []

    def __init__(self, config: TrainConfig, run_id: str) -> None:
        self.place = f"run {run_id}"
        self.told.append(run_id)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        if "boom" in values:
            raise OSError("no route\nto host")
        self.told.append((step, dict(values)))

    def close(self, ok: bool) -> None:
        self.told.append(ok)


@pytest.fixture
def config(tmp_path: Path) -> TrainConfig:
    return TrainConfig(cache="cache", out=str(tmp_path / "run"), wandb=True, max_steps=20)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, config: TrainConfig) -> list[object]:
    Path(config.out).mkdir()
    monkeypatch.setattr(watch, "_ALL", {"wandb": Fake})
    monkeypatch.setattr(watch, "find_spec", lambda name: name)
    monkeypatch.setattr(Fake, "told", [])
    return Fake.told


def test_all_numbers_are_told_and_the_end(config: TrainConfig, fake: list[object]) -> None:
    said = Said()
    with Watchers(config, said) as watchers:
        assert fake == [], "nobody is woken before there is something to say"
        for row in ROWS:
            watchers.log(row)
    name = run_id(Path(config.out))
    assert fake == [
        name, (0, {"valid_loss": 3.5, "valid_nll_0": 3.5}),
        (20, {"train_loss": 2.5, "valid_loss": 2.25, "valid_nll_0": 2.25}), True,
    ]  # fmt: skip
    assert said == [f"wandb: run {name}"]
    with pytest.raises(KeyboardInterrupt), Watchers(config, said) as watchers:
        watchers.log(ROWS[1])
        raise KeyboardInterrupt
    assert fake[4] == name, "it goes on where it was"
    assert fake[-1] is False, "a run that was stopped has not succeeded"


def test_one_who_can_no_longer_be_told_ends_nothing(
    config: TrainConfig, fake: list[object]
) -> None:
    said = Said()
    with Watchers(config, said) as watchers:
        watchers.log(ROWS[0])
        watchers.log({"step": 10, "boom": 1.0})
        watchers.log(ROWS[1])
    assert len(fake) == 2 and len(said) == 2
    assert said[1] == "wandb: is told no more (OSError: no route); the run goes on"


def test_one_who_cannot_be_told_at_all_is_said_at_once(
    config: TrainConfig, fake: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("no API key\nconfigured")

    monkeypatch.setattr(watch, "_ALL", {"wandb": refuse})
    with (
        pytest.raises(MidigrooveError, match=r"^`wandb`: ValueError: no API key$"),
        Watchers(config, Said()) as watchers,
    ):
        watchers.log(ROWS[0])


def test_a_missing_package_is_named(config: TrainConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "find_spec", lambda name: None)
    with pytest.raises(MidigrooveError, match=r"`wandb` needs .* pip install midigroove\[wandb\]$"):
        Watchers(config, Said())
    assert not Path(config.out).exists()


def test_a_run_begun_anew_is_another_elsewhere_too(config: TrainConfig) -> None:
    out = Path(config.out)
    open_run(out, config)
    first = run_id(out)
    open_run(out, config)
    assert run_id(out) == first
    open_run(out, config, overwrite=True)
    assert run_id(out) != first


def test_weights_and_biases_offline(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The real package, which sends nothing: its files lie in the run's folder."""
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    open_run(Path(config.out), config)
    said = Said()
    with Watchers(config, said) as watchers:
        for row in ROWS:
            watchers.log(row)
    name = run_id(Path(config.out))
    [kept] = (Path(config.out) / "wandb").glob(f"offline-run-*-{name}/run-{name}.wandb")
    until = time.monotonic() + 20
    while b"valid_nll_0" not in kept.read_bytes():  # a process of wandb's writes it, a bit later
        assert time.monotonic() < until
        time.sleep(0.02)
    assert str(kept.parent) in said[0]
    assert "wandb sync" in said[0] and capfd.readouterr().out == ""


def test_trackio_keeps_it_on_this_machine(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The real package; what it says goes to nobody's standard output."""
    if "trackio" in sys.modules:
        pytest.skip("trackio reads where to keep things once, when it is imported")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    pytest.importorskip("trackio")
    config = TrainConfig(cache="cache", out=config.out, trackio=True, max_steps=20)
    open_run(Path(config.out), config)
    with Watchers(config, Said()) as watchers:
        for row in ROWS:
            watchers.log(row)
    [kept] = (tmp_path / "trackio").glob("*.db")
    with sqlite3.connect(kept) as database:
        rows = list(database.execute("select step, metrics from metrics order by step"))
    assert [step for step, _ in rows] == [0, 20] and b"valid_nll_0" in rows[1][1]
    assert capsys.readouterr().out == ""
