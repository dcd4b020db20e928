"""Several processes that train one model together, as torchrun or srun started them.

Each process takes some parts of a step's batch and has its own copy of the model; what they compute
is one sum over all parts. Everything that steers a run (the clock, a wish to stop, what was
measured) is agreed on, so that no process waits for one that has gone another way.
"""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from midigroove_core.errors import InputError, MidigrooveError, MismatchError

T = TypeVar("T")

_TIMEOUT = timedelta(minutes=30)
"""Longer than any process is alone with something: reading a state, writing a checkpoint."""

_OTHERS = re.compile(r"gloo|nccl|Connection (closed|reset|refused)|Broken pipe|TCPStore", re.I)
"""How torch says that a process at the other end is gone."""


@dataclass(frozen=True)
class Ranks:
    """The processes of a run, as one of them sees them; a single one waits for nobody.

    Attributes:
        rank: number of this process, from 0; number 0 alone writes files and speaks.
        world: how many there are.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def wrap(self, module: nn.Module) -> nn.Module:
        """The module, with gradients that are means over all processes after each backward."""
        if self.world == 1:
            return module
        # A part of a batch may leave weights alone that another part needs.
        return DistributedDataParallel(module, find_unused_parameters=True)

    def keeping(self, module: nn.Module) -> AbstractContextManager[None]:
        """While it is open, backward adds to this process's own gradients and tells nobody."""
        if isinstance(module, DistributedDataParallel):
            return module.no_sync()
        return nullcontext()

    def any(self, wish: bool) -> bool:
        """Whether it is so in any process."""
        if self.world == 1:
            return wish
        found = torch.tensor(int(wish))
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return bool(found)

    def of_first(self, value: float) -> float:
        """The first process's number."""
        if self.world == 1:
            return value
        found = torch.tensor(value, dtype=torch.float64)
        dist.broadcast(found, 0)
        return float(found)

    def gather(self, value: T) -> list[T]:
        """What each process has, by rank."""
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        dist.all_gather_object(found, value)
        return found

    def share(
        self, tensors: Mapping[str, Tensor] | None, facts: T | None
    ) -> tuple[dict[str, Tensor], T] | None:
        """Tensors and facts that the first process alone has; None when it has none.

        The folder of a run need not be seen from other machines.
        """
        if self.world == 1:
            return None if tensors is None or facts is None else (dict(tensors), facts)
        shapes = {name: (value.shape, value.dtype) for name, value in (tensors or {}).items()}
        told: list[Any] = [shapes, facts]
        dist.broadcast_object_list(told, 0)
        shapes, known = told
        if known is None:
            return None
        found = {}
        for name, (shape, dtype) in shapes.items():
            value = torch.empty(shape, dtype=dtype) if tensors is None else tensors[name]
            dist.broadcast(value, 0)
            found[name] = value
        return found, known

    def check_same(self, facts: Mapping[str, Any]) -> None:
        """Raises where processes were started with different things.

        Raises:
            MismatchError: names the fact, both values and the process.
        """
        everywhere = self.gather(dict(facts))
        for rank, theirs in enumerate(everywhere):
            for name, value in everywhere[0].items():
                if theirs.get(name) != value:
                    raise MismatchError(
                        f"process {rank} has {name} = {theirs.get(name)!r}, process 0 has "
                        f"{value!r}; start all of them with the same command"
                    )


@dataclass(frozen=True)
class Cut:
    """How the batch of a step is cut into parts, and which of them are this process's.

    Parts are numbered; part p of P has the clips p, p + P, p + 2 P, ... of the batch, so that all
    have about as many frames. What is drawn at random depends on seed, step and part: as long as
    the number of parts is the same, so are the draws, however many processes share them.
    """

    parts: int
    mine: tuple[int, ...]

    @classmethod
    def of(cls, batch_size: int, accumulate: int, ranks: Ranks) -> Cut:
        """As many parts as were asked for, and at least one for each process.

        Raises:
            InputError: more parts than there are clips in a batch.
        """
        parts = max(accumulate, ranks.world)
        if batch_size < parts:
            raise InputError(
                f"training setting batch_size = {batch_size}: cannot be cut into {parts} parts, "
                f"with {ranks.world} processes and accumulate = {accumulate}"
            )
        return cls(parts, tuple(range(ranks.rank, parts, ranks.world)))


def restarted() -> bool:
    """Whether a launcher has started this run again, after a process failed or was preempted."""
    counts = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")
    return any(os.environ.get(name, "0") not in ("", "0") for name in counts)


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """The processes that a launcher started beside this one; only this one without a launcher.

    Args:
        device: that this process computes on; GPUs talk by nccl, all else by gloo.

    Raises:
        MidigrooveError: the launcher's variables are not complete, or the other processes cannot
            be reached; later, when one of them ends before its time.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks()
        return
    missing = [n for n in ("RANK", "MASTER_ADDR", "MASTER_PORT") if not os.environ.get(n)]
    if missing:
        raise MidigrooveError(
            f"the environment says WORLD_SIZE={world} but not {', '.join(missing)}; start "
            "processes with torchrun, or unset WORLD_SIZE"
        )
    gpu = device.startswith("cuda")
    if gpu:
        torch.cuda.set_device(device)
    with _blaming_others():
        if not dist.is_initialized():
            _meet("cpu:gloo,cuda:nccl" if gpu else "gloo")
            atexit.register(dist.destroy_process_group)
        # Left open for a next run: a second meeting at the same port can miss the first one's end.
        try:
            yield Ranks(dist.get_rank(), world)
        except BaseException:
            atexit.unregister(dist.destroy_process_group)  # which would wait for the others
            raise


def _meet(backend: str) -> None:
    """Joins the other processes at the place that the launcher names."""
    store, rank, world = next(dist.rendezvous("env://", timeout=_TIMEOUT))  # type: ignore[attr-defined]
    # torchrun keeps the place when it starts processes again: there are addresses of dead ones.
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    own = dist.PrefixStore(f"attempt-{attempt}", store)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=own, rank=rank, world_size=world, timeout=_TIMEOUT)


@contextmanager
def _blaming_others() -> Iterator[None]:
    """One line where a process waits for one that is gone, whose own message says why."""
    try:
        yield
    except (RuntimeError, dist.DistError) as error:
        if not _OTHERS.search(str(error)):
            raise
        raise MidigrooveError(
            "another process of this run has ended or cannot be reached; its own message says why "
            f"({str(error).strip().splitlines()[0][:200]})"
        ) from error
