"""Freed memory stays with the process where glibc can be told so."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from midigroove_core.allocator import keep_freed_memory

FAULTS = """
import resource, sys
import numpy as np
from midigroove_core.allocator import keep_freed_memory
told = keep_freed_memory()
np.ones(1 << 18)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(1 << 18)
print(told, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the allocator of glibc is what is told"
)


def faults(**settings: str) -> tuple[bool, int]:
    done = subprocess.run(
        [sys.executable, "-c", FAULTS], env=os.environ | settings, capture_output=True, text=True
    )
    told, count = done.stdout.split()
    return told == "True", int(count)


def test_pages_are_not_asked_for_again() -> None:
    told, count = faults()
    left_alone, many = faults(MALLOC_TRIM_THRESHOLD_="131072")
    assert (told, left_alone) == (True, False)
    assert many > 20 * 500 and count < 100


def test_what_the_environment_says_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=131072")
    assert keep_freed_memory() is False
