"""Kills a command at every one of its writes, lets it go on, and compares with one that lived.

A write is a rename into place: everything that is written whole goes by one. A run is killed
before it (with half of the new file there) and after it. Each run is a fork of a process that has
everything imported and has computed nothing.

    python tests/support/killing.py SCENARIO FOLDER [EVERY]

prints a line of JSON: writes, kills, and what was wrong after them.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from midigroove_core.audio import save_audio
from midigroove_core.cache.build import build_cache
from midigroove_core.datasets.synth import synthesize
from midigroove_core.evaluation import SystemSpec, evaluate
from midigroove_core.kits.library import load_kit  # noqa: F401  imported before the forks
from midigroove_core.rendering.config import RenderConfig
from midigroove_core.rendering.files import from_files_to_files
from midigroove_core.rendering.output import Output
from midigroove_core.testing import ToyCodec
from midigroove_core.training import train
from midigroove_core.training.config import TrainConfig
from support.cache_fixtures import make_dataset
from support.midi_bytes import beat, meta, song
from support.trainable_cache import make_cache

DIFFERENT = ("summary.json", "cost.json", "times.csv")
"""Files with times in them: they must be there, whatever they say."""


@dataclass(frozen=True)
class Scenario:
    """A command.

    Attributes:
        prepare: writes its inputs into an empty folder.
        run: what is killed; writes into `work` in that folder.
    """

    prepare: Callable[[Path], object]
    run: Callable[[Path], object]


def _midi(folder: Path) -> None:
    (folder / "midi").mkdir()
    for number in range(3):
        tempo = meta(0x51, (500_000 + 9000 * number).to_bytes(3, "big"))
        (folder / "midi" / f"{number}.mid").write_bytes(song(tempo + beat(bars=1)))
    for drum, pitch in (("kick", 0.02), ("snare", 0.1), ("hat_closed", 0.5)):
        shot = np.hanning(800) * np.sin(np.arange(800) * pitch)
        save_audio(folder / "kit" / f"{drum}.wav", shot.astype(np.float32), 44100)


def _synth(folder: Path) -> None:
    synthesize(folder / "midi", folder / "kit", folder / "work", workers=1)


def _render(folder: Path) -> None:
    config = RenderConfig(engine="sampler", kit=str(folder / "kit"), tail_sec=0.1)
    files = sorted((folder / "midi").iterdir())
    pairs = [(file, folder / "work" / f"{file.stem}.wav") for file in files]
    from_files_to_files(pairs, config, Output(overwrite=True))


def _cache(folder: Path) -> None:
    dataset = make_dataset(folder / "data", count=2)
    build_cache(dataset, ToyCodec(), folder / "work", device="cpu", takes_per_shard=2)


def _two_caches(folder: Path) -> None:
    dataset = make_dataset(folder / "data", count=2)
    build_cache(dataset, ToyCodec(), folder / "work", device="cpu", normalize=True)


def _overwrite(folder: Path) -> None:
    dataset = make_dataset(folder / "data", count=2)
    build_cache(
        dataset, ToyCodec(), folder / "work", device="cpu", takes_per_shard=2, overwrite=True
    )


def _train(folder: Path) -> None:
    model = {"dim": 16, "layers": 1, "heads": 1, "head_dim": 16, "conv_kernel": 3}
    train(
        TrainConfig(
            str(folder / "cache"), str(folder / "work"), batch_size=2, max_steps=4, eval_every=2,
            eval_clips=2, context_sec=0.1, threads=1, device="cpu", model_args=model,
        )
    )  # fmt: skip


def _trained(folder: Path) -> None:
    make_cache(folder / "cache", performances=3, seconds=2.0)
    _train(folder)
    (folder / "work").rename(folder / "run")


def _evaluate(folder: Path) -> None:
    system = SystemSpec("one", folder / "run" / "best.safetensors", folder / "cache")
    evaluate([system], folder / "work", split="validation", audio_metrics=False, device="cpu")


SCENARIOS = {
    "synth": Scenario(_midi, _synth),
    "render": Scenario(_midi, _render),
    "cache": Scenario(lambda f: make_dataset(f / "data", count=2), _cache),
    "cache_overwrite": Scenario(_two_caches, _overwrite),
    "train": Scenario(
        lambda f: make_cache(f / "cache", performances=3, seconds=2.0), _train
    ),
    "eval": Scenario(_trained, _evaluate),
}  # fmt: skip


def kill_everywhere(scenario: Scenario, folder: Path, every: int = 1) -> dict[str, object]:
    """Kills at every `every`-th write, both before and after it.

    Returns:
        `writes` of a run that lives, `kills`, and `wrong`: a line for each kill after which the
        next run failed, or left other files or bytes than one that was never killed.
    """
    start, clean, place = (folder / name for name in ("start", "clean", "place"))
    start.mkdir(parents=True)
    _in_a_fork(lambda: scenario.prepare(start))
    # Always in one place, since some results name their inputs.
    shutil.copytree(start, place)
    writes = _count_writes(scenario, place, folder / "count")
    place.rename(clean)
    wanted, kills, wrong = _content(clean), 0, []
    for number in range(0, writes, every):
        for after in (False, True):
            shutil.copytree(start, place)
            status = _in_a_fork(lambda n=number, a=after: _killed(scenario, place, n, a))
            where = f"{'after' if after else 'before'} write {number}"
            if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
                wrong.append(f"{where}: was not killed")
            kills += 1
            if _in_a_fork(lambda: scenario.run(place)):
                wrong.append(f"{where}: the next run failed")
            wrong += [f"{where}: {name}" for name in _differences(wanted, _content(place))]
            shutil.rmtree(place)
    return {"writes": writes, "kills": kills, "wrong": wrong}


def _in_a_fork(action: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:  # to be seen, and never to run on in the child
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(child, 0)[1]


def _count_writes(scenario: Scenario, place: Path, report: Path) -> int:
    def count() -> None:
        done = _Writes(-1, False)
        scenario.run(place)
        report.write_text(str(done.count))

    if _in_a_fork(count):
        raise RuntimeError("a run that nobody kills failed")
    return int(report.read_text())


def _killed(scenario: Scenario, place: Path, number: int, after: bool) -> None:
    _Writes(number, after)
    scenario.run(place)


class _Writes:
    """Counts renames of this process, and ends it at one of them."""

    def __init__(self, number: int, after: bool) -> None:
        self.count, self._number, self._after = 0, number, after
        self._replace = os.replace
        os.replace = self._counting  # type: ignore[assignment]

    def _counting(self, source: Path, target: Path) -> None:
        here = self.count == self._number
        self.count += 1
        if here and not self._after:
            if ".tmp" in Path(source).name:  # what is moved is whole, and stays so
                os.truncate(source, os.path.getsize(source) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
        self._replace(source, target)
        if here:
            os.kill(os.getpid(), signal.SIGKILL)


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): b"" if path.name in DIFFERENT else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _differences(wanted: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    lines = [f"{name} is left over" for name in found.keys() - wanted.keys()]
    lines += [f"{name} is missing" for name in wanted.keys() - found.keys()]
    both = wanted.keys() & found.keys()
    return sorted([*lines, *(f"{n} has other bytes" for n in both if wanted[n] != found[n])])


if __name__ == "__main__":
    name, where, *step = sys.argv[1:]
    print(json.dumps(kill_everywhere(SCENARIOS[name], Path(where), *map(int, step))))
