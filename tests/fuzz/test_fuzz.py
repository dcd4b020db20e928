"""Whatever is in a file: read right, or one clear line; no other exception, no hang, no gigabyte.

A few inputs for each kind of file run with all tests; `nox -s fuzz` runs many more, and writes
what it counted (docs/reliability.md has the figures).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from support.fuzzing.mutate import kind_of, mutate, only_text
from support.fuzzing.targets import TARGETS, Target

from midigroove_core.errors import MidigrooveError

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings, strategies  # noqa: E402

INPUTS = int(os.environ.get("MIDIGROOVE_FUZZ_INPUTS", "4"))
"""Of a target whose share is 1."""
COUNTS = os.environ.get("MIDIGROOVE_FUZZ_COUNTS")
"""A file that gets a line of JSON per target."""

LONGEST_SEC = 5.0
MOST_KIB = 1 << 20


class Hang(BaseException):
    """Reading took longer than it may."""


@contextmanager
def time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 4 * LONGEST_SEC)
    began = time.process_time()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if time.process_time() - began > LONGEST_SEC:
        raise Hang


def peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.skipif(sys.platform != "linux", reason="measures time and memory as Linux does")
@pytest.mark.parametrize("target", [pytest.param(x, id=x.name) for x in TARGETS])
def test_damage_is_one_line(target: Target, tmp_path: Path) -> None:
    seed, work = tmp_path / "seed", tmp_path / "work"
    seed.mkdir()
    target.make(seed)
    shutil.copytree(seed, work)
    target.read(work)
    found = {p.relative_to(seed) for x in target.damaged for p in seed.glob(x) if p.is_file()}
    names = sorted(map(str, found))
    assert names, "nothing to damage"
    counts: Counter[str] = Counter()

    @settings(
        max_examples=max(2, round(INPUTS * target.share)), deadline=None, derandomize=True,
        database=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(strategies.integers(0, 2**64 - 1))
    def one(number: int) -> None:
        rng = Random(number)
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(seed, work)
        path = work / rng.choice(names)
        path.write_bytes(mutate(kind_of(path), path.read_bytes(), rng))
        target.mend(work, rng)
        before = peak_kib()
        counts[outcome(target, work)] += 1
        assert peak_kib() - before < MOST_KIB, "took more than a gigabyte"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one()
    if COUNTS:
        with open(COUNTS, "a", encoding="utf-8") as handle:
            handle.write(json.dumps({"target": target.name, **counts}) + "\n")


def outcome(target: Target, folder: Path) -> str:
    """ "read" or "clear"; anything else is raised."""
    with time_limit():
        try:
            target.read(folder)
        except MidigrooveError as error:
            assert only_text(str(error)), str(error)
            return "clear"
    return "read"
