"""Several sampling seeds: figures are means over the draws, with their spread beside them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from support.evaluation_files import write_evaluation
from support.toy_systems import make_toy_dataset, save_toy_checkpoint

from midigroove_core.cache.build import build_cache
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate
from midigroove_core.report.compare import compare_evaluations
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.scores import Scores, spread_over_seeds
from midigroove_core.scorecard.tables import main_tables
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec


@pytest.fixture(scope="module")
def evaluated(toy_plugin_name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One system with the seeds 5 and 6 together, and with the seed 6 alone."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("seeds")
    data = make_toy_dataset(root / "data", train=1, test=2)
    build_cache(open_dataset(data), ToyCodec(), root / "cache", device="cpu")
    save_toy_checkpoint(root / "one.safetensors")
    systems = (SystemSpec("one", root / "one.safetensors", root / "cache"),)
    for name, seed, seeds in (("both", 5, 2), ("second", 6, 1)):
        rows = (RowKind.ORACLE,)
        evaluate(
            EvalConfig(
                systems,
                root / name,
                dataset=data,
                rows=rows,
                device="cpu",
                seed=seed,
                seeds=seeds,
                long_items=0,
                knee_items=0,
                save_preds=1,
            )  # fmt: skip
        )
    return root


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_clips_have_the_mean_of_what_seeds_csv_has(evaluated: Path) -> None:
    clips = [x for x in read(evaluated / "both" / "clips.csv") if x["row"] == "one"]
    draws = read(evaluated / "both" / "seeds.csv")
    assert {x["seed"] for x in draws} == {"5", "6"} and {x["row"] for x in draws} == {"one"}
    assert len(draws) == 2 * len(clips)
    for line in clips:
        found = [float(x["mel_l1"]) for x in draws if x["clip"] == line["clip"]]
        assert found[0] != found[1]
        assert float(line["mel_l1"]) == pytest.approx(np.mean(found), rel=1e-4)


def test_a_draw_is_that_of_its_seed_alone(evaluated: Path) -> None:
    alone = read(evaluated / "second" / "clips.csv")
    wanted = {x["clip"]: x["mel_l1"] for x in alone if x["row"] == "one"}
    draws = read(evaluated / "both" / "seeds.csv")
    assert {x["clip"]: x["mel_l1"] for x in draws if x["seed"] == "6"} == wanted
    assert not (evaluated / "second" / "seeds.csv").exists()


def test_the_spread_is_that_of_the_means_and_codes_have_none(evaluated: Path) -> None:
    summary = Evaluation.open(evaluated / "both").summary
    draws = read(evaluated / "both" / "seeds.csv")
    means = [np.mean([float(x["mel_l1"]) for x in draws if x["seed"] == s]) for s in ("5", "6")]
    row, oracle = summary.row("one"), summary.row("oracle")
    assert row is not None and oracle is not None and summary.seeds == 2
    assert row.metrics["mel_l1"].over_seeds == pytest.approx(np.std(means, ddof=1), rel=1e-4)
    assert row.metrics["nll_nats"].over_seeds is None
    assert oracle.metrics["mel_l1"].over_seeds is None
    assert "over 2 seeds" in main_tables(summary)[0].title
    assert summary.audio is not None and summary.audio.sets is not None
    (line,) = [x for x in summary.audio.sets.lines if (x.row, x.kit) == ("one", "")]
    assert line.over_seeds is not None and line.over_seeds > 0


def test_compare_shows_the_spread_and_says_that_seeds_differ(evaluated: Path) -> None:
    found = compare_evaluations([evaluated / "both", evaluated / "second"], intersection=True)
    both, second = found.over_seeds["mel_l1"]
    assert both is not None and second is None
    assert any(note.startswith("seeds differs") for note in found.notes)
    (row,) = [row for row in found.mean_rows if str(row[0]).startswith("Mel")]
    assert "(±" in str(row[1]) and "(±" not in str(row[2])


def test_spread_counts_only_clips_that_every_draw_has() -> None:
    values = np.array([[1.0, 5.0, np.nan], [3.0, np.nan, 2.0]])
    assert spread_over_seeds(values) == pytest.approx(np.sqrt(2))
    assert np.isnan(spread_over_seeds(values[:1]))
    assert np.isnan(spread_over_seeds(values[:, 1:]))


def test_scores_are_means_over_draws() -> None:
    scores = Scores(("f",), 3)
    scores.add("a", 0, {"f": 1.0})
    scores.add("a", 0, {"f": 3.0}, draw=1)
    scores.add("a", 1, {"f": 4.0}, draw=1)
    np.testing.assert_array_equal(scores.values("a", "f"), [2.0, 4.0, np.nan])
    assert scores.scored("a").tolist() == [True, True, False]
    assert scores.scored("a", 0).tolist() == [True, False, False]
    assert scores.scored("none").tolist() == [False] * 3


def test_evaluations_of_one_seed_have_no_spread(tmp_path: Path) -> None:
    paths = [write_evaluation(tmp_path / name, {name: 0.5}) for name in ("a", "b")]
    assert compare_evaluations(paths).over_seeds["onset_f1_50ms"] == (None, None)
