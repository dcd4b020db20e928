"""Runs a contract suite on one object without pytest around it, to see which tests refuse it."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import pytest


def refusals(suite: Any, **fixtures: Any) -> dict[str, str]:
    """The tests of a suite that fail, by name, with what each said first.

    Args:
        suite: an instance of a contract suite.
        fixtures: values of the fixtures that its tests ask for; a callable is called anew for each
            test, so that no test sees what another did.
    """
    found: dict[str, str] = {}
    for name, test in inspect.getmembers(suite, inspect.ismethod):
        if not name.startswith("test_"):
            continue
        for arguments in _cases(test):
            wanted = inspect.signature(test).parameters
            values = {key: make() for key, make in fixtures.items() if key in wanted}
            try:
                test(**values, **arguments)
            except (Exception, pytest.fail.Exception) as error:
                found.setdefault(name, str(error).strip().partition("\n")[0] or repr(error))
    return found


def _cases(test: Any) -> Iterator[dict[str, Any]]:
    """The arguments of each case of `pytest.mark.parametrize`; one empty case without."""
    tables = []
    for mark in getattr(test, "pytestmark", []):
        if mark.name == "parametrize":
            names = [name.strip() for name in mark.args[0].split(",")]
            rows = (row if len(names) > 1 else (row,) for row in mark.args[1])
            tables.append([dict(zip(names, row, strict=True)) for row in rows])
    for chosen in itertools.product(*tables):
        yield {key: value for row in chosen for key, value in row.items()}
