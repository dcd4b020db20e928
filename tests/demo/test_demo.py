"""The demo's own parts; `nox -s demo` runs the whole of it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from midigroove_core.demo import story
from midigroove_core.demo.pictures import draw_renders
from midigroove_core.errors import InputError
from midigroove_core.kits.library import builtin_grooves
from midigroove_core.metrics.info import MetricInfo
from midigroove_core.rendering.render import Rendered
from midigroove_core.scorecard.figures import Figure
from midigroove_core.scorecard.rows import RowKind
from midigroove_core.scorecard.summary import RowSummary, Summary
from midigroove_core.takes.performances import list_performances


def test_the_grooves_are_copied_as_a_dataset_with_a_drummer_in_one_split_only(tmp_path) -> None:
    config = story.DemoConfig(tmp_path, train=6, validation=2, test=3)
    held_out = story._write_midi(config, tmp_path / "midi")
    performances = list_performances(tmp_path / "midi", split_by="drummer")
    counts = {split: 0 for split in ("train", "validation", "test")}
    drummers: dict[str, set[str]] = {split: set() for split in counts}
    for performance in performances:
        assert (tmp_path / "midi" / performance.midi_path).is_file()
        counts[performance.split] += 1
        drummers[performance.split].add(performance.drummer)
    assert counts == {"train": 6, "validation": 2, "test": 3}
    assert not drummers["train"] & (drummers["validation"] | drummers["test"])
    assert len(drummers["train"]) > 1
    assert held_out.split == "test"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    keep = tmp_path / "thesis.txt"
    keep.write_text("years of work")
    with pytest.raises(InputError, match="no demo made it"):
        story.run_demo(story.DemoConfig(tmp_path))
    assert keep.read_text() == "years of work"


def test_an_earlier_demo_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    story._prepare(out)
    (out / "old.wav").write_bytes(b"x")
    story._prepare(out)
    assert [path.name for path in out.iterdir()] == [story.MARK]


def test_the_table_has_a_line_per_row_and_survives_a_missing_figure() -> None:
    info = MetricInfo("Onset F1", "", "higher", True, "")
    figure = Figure(0.7, None, None, 1, 1)
    rows = (
        RowSummary("silence", RowKind.SILENCE, None, 1, 0, {}),
        RowSummary("fresh", RowKind.SYSTEM, None, 1, 0, {"onset_f1_50ms": figure}),
    )
    facts = {"onset_f1_50ms": info}
    summary = Summary("test", 1, 1, 1, 0.95, facts, rows, (), (), (), {}, None)
    columns, rows = story._table(summary)
    assert columns == ["", "Onset F1 ↑"]
    assert rows == [["silence", None], ["fresh", 0.7]]


def test_the_words_say_what_was_measured() -> None:
    trained = SimpleNamespace(
        unigram_nll_per_codebook=[6.0, 7.0], valid_nll=5.5, minutes=2.0, steps=120
    )
    at = story.TABLE.index("onset_f1_50ms") + 1
    rows = []
    for name, value in (("recording", 0.91), ("shipped", 0.82), ("fresh", 0.53)):
        row = [name] + [None] * len(story.TABLE)
        row[at] = value
        rows.append(row)
    words = " ".join(story._words(rows, trained, []))
    assert "from 6.50 nats" in words and "to 5.50" in words and "learned 1.00" in words
    assert "0.91" in words and "0.82" in words and "0.53" in words


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    groove = min(builtin_grooves(), key=lambda groove: groove.duration_sec)
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    path = tmp_path / "renders.png"
    draw_renders(path, groove.path, {"noise": Rendered(noise[None], 16_000)})
    assert path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 10_000
