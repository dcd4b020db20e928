"""Who is told of every measurement while a run goes on: TensorBoard, Weights & Biases, trackio.

They are told after the run's own files are written: metrics.csv is the record, and one who can no
longer be told does not end a run. Each is an extra, imported when the first measurement comes.
"""

from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from midigroove_core.atomic import write_json
from midigroove_core.errors import MidigrooveError
from midigroove_core.progress import Progress
from midigroove_core.structured import read_json_as
from midigroove_core.training.config import TrainConfig

EVENTS = "tensorboard"
WATCHED = "watched.json"
"""File of a run: the name that it has elsewhere, so that a resumed run goes on there."""

PROJECT = "midigroove"


class Watcher(Protocol):
    """One who is told.

    Attributes:
        package: that it needs.
        place: where people see it, for a line.
    """

    package: ClassVar[str]
    place: str

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """One measurement: every number of the row of metrics.csv that is there."""

    def close(self, ok: bool) -> None:
        """The run ended, or failed."""


class TensorBoard:
    """Event files in the run's folder."""

    package: ClassVar[str] = "tensorboard"

    def __init__(self, config: TrainConfig, run_id: str) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.place = str(Path(config.out) / EVENTS)
        self._writer = SummaryWriter(self.place)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """See `Watcher`."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self, ok: bool) -> None:
        """See `Watcher`."""
        self._writer.close()


class WeightsAndBiases:
    """A run of wandb, whose settings (WANDB_MODE, WANDB_PROJECT, a login) are wandb's affair."""

    package: ClassVar[str] = "wandb"

    def __init__(self, config: TrainConfig, run_id: str) -> None:
        import os

        import wandb

        settings = wandb.Settings(silent=True, console="off")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT), name=Path(config.out).resolve().name,
            id=run_id, resume="allow", dir=config.out, config=config.identity(), settings=settings,
        )  # fmt: skip
        # A run that was killed repeats some steps: a step of ours is no step of wandb's, which rise
        self._run.define_metric("*", step_metric="step")
        self.place = (
            f"{Path(self._run.dir).parent} (wandb sync sends it)"
            if self._run.offline else str(self._run.url)
        )  # fmt: skip

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """See `Watcher`."""
        self._run.log({"step": step, **values})

    def close(self, ok: bool) -> None:
        """See `Watcher`."""
        self._run.finish(exit_code=int(not ok))


class Trackio:
    """A run of trackio, on this machine (TRACKIO_DIR)."""

    package: ClassVar[str] = "trackio"

    def __init__(self, config: TrainConfig, run_id: str) -> None:
        import trackio

        name = f"{Path(config.out).resolve().name}-{run_id}"
        with contextlib.redirect_stdout(io.StringIO()):  # which holds the results of commands
            self._run = trackio.init(
                project=PROJECT, name=name, config=config.identity(), resume="allow", embed=False,
                auto_log_gpu=False, auto_log_cpu=False,
            )  # fmt: skip
        self.place = f"run {name} (trackio show --project {PROJECT} shows it)"

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """See `Watcher`."""
        self._run.log(dict(values), step=step)

    def close(self, ok: bool) -> None:
        """See `Watcher`."""
        import trackio

        with contextlib.redirect_stdout(io.StringIO()):
            trackio.finish()


_ALL: Mapping[str, Callable[[TrainConfig, str], Watcher]] = {
    "tensorboard": TensorBoard, "wandb": WeightsAndBiases, "trackio": Trackio,
}  # fmt: skip
"""Setting of `TrainConfig` -> who is told."""


class Watchers:
    """All who are told of one run.

    Args:
        config: says who.
        progress: told where they may be seen.

    Raises:
        MidigrooveError: one needs a package that is not here; says which.
    """

    def __init__(self, config: TrainConfig, progress: Progress) -> None:
        self._config, self._progress = config, progress
        self._asked = [name for name in _ALL if getattr(config, name)]
        self._open: dict[str, Watcher] = {}
        for name in self._asked:
            if find_spec(name) is None:
                raise MidigrooveError(f"`{name}` needs a package: pip install midigroove[{name}]")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for name, watcher in list(self._open.items()):
            self._try(name, partial(watcher.close, kind is None))

    def log(self, row: Mapping[str, Any]) -> None:
        """Tells all of a row of metrics.csv; the first one opens them.

        Raises:
            MidigrooveError: one of them cannot be opened (no login, no network); says why.
        """
        values = {name: x for name, x in row.items() if name != "step" and x is not None}
        for name in self._asked:
            if name not in self._open:
                self._open[name] = self._begin(name)
                self._progress.message(f"{name}: {self._open[name].place}")
            self._try(name, partial(self._open[name].log, row["step"], values))
        self._asked = [name for name in self._asked if name in self._open]

    def _begin(self, name: str) -> Watcher:
        try:
            return _ALL[name](self._config, run_id(Path(self._config.out)))
        except Exception as error:  # each package has kinds of its own
            raise MidigrooveError(f"`{name}`: {_why(error)}") from error

    def _try(self, name: str, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:
            self._progress.message(f"{name}: is told no more ({_why(error)}); the run goes on")
            del self._open[name]


def run_id(out: Path) -> str:
    """The name of a run elsewhere: drawn once, and kept in its folder."""
    path = out / WATCHED
    if not path.is_file():
        write_json(path, {"id": secrets.token_hex(4)})
    return read_json_as(path, dict[str, str])["id"]


def _why(error: Exception) -> str:
    cause = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {cause}"
