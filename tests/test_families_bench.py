"""The bench of families: equal sizes, settings that fit, means over seeds."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from midigroove_core.training.config import make_config, read_settings

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "families.py"
pytestmark = pytest.mark.skipif(not SCRIPT.is_file(), reason="only in a checkout, not in the sdist")


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("families_bench", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["families_bench"] = module
    spec.loader.exec_module(module)
    return module


def test_families_have_as_many_weights_within_a_tenth(bench: ModuleType) -> None:
    counts = bench.sizes().values()
    assert len(counts) == 4 and max(counts) < 1.1 * min(counts)


def test_every_run_has_settings_that_fit(bench: ModuleType, tmp_path: Path) -> None:
    options = argparse.Namespace(
        cache=tmp_path, device="cpu", threads=1, set=["batch_size=64"]
    )  # fmt: skip
    for family, args in bench.FAMILIES.items():
        command = bench.train_command(options, family, 3, 700, tmp_path / "run")
        settings = [command[i + 1] for i, part in enumerate(command) if part == "--set"]
        config = make_config(
            command[command.index("--config") + 1], settings=read_settings(settings),
            cache="cache", out="out", model=family,
        )  # fmt: skip
        assert (config.batch_size, config.clips) == (64, "crops")
        assert config.model_args.items() >= args.items()


def test_clips_count_with_their_mean_over_seeds(bench: ModuleType) -> None:
    source = [
        {"clip": clip, "row": row, "performance": clip[0], "f1": value}
        for clip, values in {"a1": "02", "a2": ("4", ""), "b1": "86"}.items()
        for row, value in zip(("parallel-1", "parallel-2"), values, strict=True)
    ]
    found = bench.mean_of(source, "f1", ("parallel-1", "parallel-2"))
    assert found is not None and found[0] == pytest.approx((1 + 4 + 7) / 3)
    assert bench.mean_of(source, "f1", ("masked-1",)) is None
    rows = {"silence": (0.0, 0.0), "oracle": (8.0, 0.1), "parallel": (6.0, 0.5), "masked": None}
    assert bench.percent(rows, "parallel") == "6 ±0.5 (75 %)"
    assert bench.percent(rows, "oracle") == "8 ±0.1"
    assert bench.percent(rows, "masked") == "-"
