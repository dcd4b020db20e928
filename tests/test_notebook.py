"""The notebook in examples/ runs as a script, says the same, and its pictures show what it says."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[1]
SCRIPT = CHECKOUT / "examples" / "scorecard.py"
pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="only in a checkout, not in the sdist")


def maker() -> ModuleType:
    """tools/make_notebook.py."""
    path = CHECKOUT / "tools" / "make_notebook.py"
    spec = importlib.util.spec_from_file_location("make_notebook", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_notebook_is_the_script() -> None:
    """After a change: python tools/make_notebook.py examples/scorecard.py."""
    notebook = json.loads(SCRIPT.with_suffix(".ipynb").read_text())
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    assert found == maker().read_cells(SCRIPT.read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 3
    assert "/tmp" not in json.dumps(outputs)


def test_it_runs_and_each_damage_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    scope: dict[str, object] = {"__name__": "__main__"}
    exec(compile(SCRIPT.read_text(), str(SCRIPT), "exec"), scope)
    sys.modules["matplotlib.pyplot"].close("all")
    share = scope["share"]
    assert callable(share)
    assert share("late", "onset_f1_10ms") < 0.5 < 0.9 < share("late", "onset_f1_50ms")
    assert share("dull", "band_balance_difference_db") < 0.9 < share("dull", "onset_f1_50ms")
    assert share("other_kit", "mel_l1") < 0.7 < 0.9 < share("sampler", "mel_l1")
