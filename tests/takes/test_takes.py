"""Datasets: E-GMD, GMD, folders; canonical MIDI, filters, splits, samples."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from midigroove_core.audio import save_audio
from midigroove_core.errors import InputError
from midigroove_core.names import find_names
from midigroove_core.progress import Silent
from midigroove_core.takes import Dataset, open_dataset, select, split_of_performance
from midigroove_core.takes.draw import sample
from midigroove_core.takes.egmd import COLUMNS
from midigroove_core.takes.performances import DRUMMER_SPLITS, list_performances

GROOVE = Path(__file__).parents[1] / "data" / "groove"
KITS = {"808 Simple": 1, "Acoustic Kit": 2, "Jazz": 12}


def egmd_rows(num_performances: int = 12) -> list[dict[str, str]]:
    rows = []
    for n in range(num_performances):
        drummer = f"drummer{n % 3 + 1}"
        stem = f"{drummer}/session1/{n}_funk_90_{'fill' if n % 4 == 0 else 'beat'}_4-4"
        split = ("train", "train", "validation", "test")[n % 4]
        for kit, number in KITS.items():
            rows.append({
                "drummer": drummer, "session": f"{drummer}/session1",
                "id": f"{drummer}/session1/{n}",
                "style": "jazz/swing" if n % 2 else "funk", "bpm": "90",
                "beat_type": stem.split("_")[-2], "time_signature": "4-4", "duration": "10.5",
                "split": split, "midi_filename": f"{stem}_{number}.midi",
                "audio_filename": f"{stem}_{number}.wav", "kit_name": kit,
            })  # fmt: skip
    return rows


def write_csv(path: Path, rows: list[dict[str, str]], columns: Iterable[str] = COLUMNS) -> Path:
    with open(path, "w", newline="") as handle:
        writer = csv.DictWriter(handle, list(columns), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def egmd(tmp_path: Path) -> Dataset:
    write_csv(tmp_path / "e-gmd-v1.0.0.csv", egmd_rows())
    return open_dataset(tmp_path)


def test_egmd_rows_become_takes_keyed_by_audio(egmd: Dataset, tmp_path: Path) -> None:
    take = egmd.takes[0]
    assert len(egmd.takes) == len({t.key for t in egmd.takes}) == 36
    assert take.key == take.audio_path == "drummer1/session1/0_funk_90_fill_4-4_1.wav"
    assert (take.kit, take.bpm, take.duration_sec, take.split) == ("808 Simple", 90, 10.5, "train")
    assert len({t.performance_key for t in egmd.takes}) == 12
    assert len({t.performance_key for t in egmd.takes[:3]}) == 1
    assert egmd.audio_path(take) == tmp_path / take.audio_path


def test_canonical_midi_is_the_acoustic_kits_and_kit_midi_is_the_rows_own(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "e-gmd-v1.0.0.csv", egmd_rows(2))
    canonical = open_dataset(path).takes[:3]
    assert {t.midi_path for t in canonical} == {"drummer1/session1/0_funk_90_fill_4-4_2.midi"}
    own = open_dataset(path, midi="kit").takes[:3]
    assert [t.midi_path[-8:] for t in own] == ["4_1.midi", "4_2.midi", "_12.midi"]


def test_canonical_midi_is_one_that_is_there(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "e-gmd-v1.0.0.csv", egmd_rows(1))
    there = tmp_path / "drummer1/session1/0_funk_90_fill_4-4_12.midi"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"x")
    assert {tmp_path / t.midi_path for t in open_dataset(path).takes} == {there}


def test_environment_names_the_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, egmd: Dataset
) -> None:
    monkeypatch.delenv("EGMD_CSV", raising=False)
    monkeypatch.delenv("EGMD_ROOT", raising=False)
    with pytest.raises(InputError, match="EGMD_ROOT"):
        open_dataset()
    monkeypatch.setenv("EGMD_ROOT", str(tmp_path))
    assert open_dataset().takes == egmd.takes
    part = write_csv(tmp_path / "part.csv", egmd_rows(1))
    monkeypatch.setenv("EGMD_CSV", str(part))
    assert len(open_dataset().takes) == 3
    assert open_dataset().root == tmp_path


def test_split_files_decide_the_split(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    rows = egmd_rows()
    columns = [c for c in COLUMNS if c != "split"]
    train = write_csv(tmp_path / "lists" / "train.csv", rows[:6], columns)
    val = write_csv(tmp_path / "lists" / "val.csv", rows[6:9], columns)
    dataset = open_dataset(train_csv=train, val_csv=val, root=tmp_path)
    assert Counter(t.split for t in dataset.takes) == {"train": 6, "validation": 3}
    assert dataset.root == tmp_path
    with pytest.raises(InputError, match="not both"):
        open_dataset(tmp_path, train_csv=train)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bpm": "fast"}, r"row 2: bpm: 'fast' is not a number"),
        ({"split": "holdout"}, r"row 2: split: 'holdout' is not one of train, validation, test"),
        ({"audio_filename": "/abs/a.wav"}, r"row 2: audio_filename: '/abs/a.wav' is not a path"),
        ({"midi_filename": "../a.mid"}, r"row 2: midi_filename: .* is not a path"),
    ],
)
def test_bad_values_name_file_row_and_column(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    rows = egmd_rows(1)
    rows[0] |= change
    path = write_csv(tmp_path / "e-gmd-v1.0.0.csv", rows)
    with pytest.raises(InputError, match="e-gmd-v1.0.0.csv: " + message):
        open_dataset(path)


def test_missing_columns_are_named_in_one_line(tmp_path: Path) -> None:
    columns = [c for c in COLUMNS if c not in ("id", "split")]
    path = write_csv(tmp_path / "e-gmd-v1.0.0.csv", egmd_rows(1), columns)
    with pytest.raises(InputError, match="e-gmd-v1.0.0.csv: no column id, split") as caught:
        open_dataset(path)
    assert "\n" not in str(caught.value)
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="bad.csv: cannot be read"):
        open_dataset(tmp_path / "bad.csv")
    with pytest.raises(InputError, match="nowhere: no such dataset"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no info.csv"):
        open_dataset(tmp_path, kind="gmd")


def test_gmd_is_read_and_rows_without_audio_are_left_out(tmp_path: Path) -> None:
    dataset = open_dataset(GROOVE)
    assert len(dataset.takes) == 11
    assert {t.kit for t in dataset.takes} == {"Roland TD-11"}
    assert all(dataset.midi_path(t).is_file() for t in dataset.takes)
    lines = (GROOVE / "info.csv").read_text().splitlines()
    lines[1] = lines[1].replace(lines[1].split(",")[8], "")
    (tmp_path / "info.csv").write_text("\n".join(lines))
    assert len(open_dataset(tmp_path).takes) == 10


def make_pairs(root: Path, names: list[str]) -> None:
    """Audio and MIDI pairs; the file's stem says which sample it is."""
    samples = sorted(GROOVE.rglob("*.mid"))
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_audio(path, np.ones(800, dtype=np.float32) * 0.1, 8000)
        shutil.copy(samples[int(path.stem)], path.with_suffix(".mid"))


def test_a_folder_of_pairs(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["jazz/0.wav", "rock/0.wav", "rock/1.flac"])
    save_audio(tmp_path / "alone.wav", np.ones(80, dtype=np.float32), 8000)
    dataset = open_dataset(tmp_path)
    assert [t.key for t in dataset.takes] == ["jazz/0.wav", "rock/0.wav", "rock/1.flac"]
    assert dataset.unpaired == ["alone.wav"]
    first, same, other = dataset.takes
    assert first.performance_key == same.performance_key != other.performance_key
    assert first.split == same.split == split_of_performance(first.performance_key)
    assert (first.kit, first.duration_sec, first.time_signature) == ("unknown", 0.1, "4-4")
    assert first.bpm == pytest.approx(116, abs=0.01)


def test_a_csv_adds_facts_to_a_folder(tmp_path: Path) -> None:
    make_pairs(tmp_path, ["a/0.wav", "b/1.wav"])
    csv_path = tmp_path / "takes.csv"
    csv_path.write_text(
        "file,kit,style,bpm,split,drummer\na/0.wav,Jazz,swing,99,dev,me\nb/1,,,,,\n"
    )
    a, b = open_dataset(tmp_path).takes
    assert (a.kit, a.style, a.bpm, a.split, a.drummer) == ("Jazz", "swing", 99, "validation", "me")
    assert (b.kit, b.split) == ("unknown", split_of_performance(b.performance_key))
    csv_path.write_text("file,kit\nc/9.wav,Jazz\n")
    with pytest.raises(InputError, match="takes.csv: row 2: file: no audio file c/9.wav"):
        open_dataset(tmp_path)
    csv_path.write_text("name,kit\n")
    with pytest.raises(InputError, match="takes.csv: no column file; it has name, kit"):
        open_dataset(tmp_path)


def test_a_folder_without_pairs_says_what_it_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pairs of audio .* and MIDI"):
        open_dataset(tmp_path)


def test_hashed_splits_are_80_10_10_and_depend_on_the_performance_alone() -> None:
    counts = Counter(split_of_performance(f"performance{n}") for n in range(4000))
    assert 3100 < counts["train"] < 3300
    assert 340 < counts["validation"] < 460
    assert split_of_performance("performance1") == split_of_performance("performance1")


def test_filters(egmd: Dataset) -> None:
    assert {t.kit for t in select(egmd, kits=["jazz"]).takes} == {"Jazz"}
    assert {t.kit for t in select(egmd, kits_exclude=["JAZZ"]).takes} == set(KITS) - {"Jazz"}
    assert {t.style for t in select(egmd, styles=["jazz"]).takes} == {"jazz/swing"}
    assert {t.drummer for t in select(egmd, drummers=["2"]).takes} == {"drummer2"}
    assert {t.beat_type for t in select(egmd, beat_type="fill").takes} == {"fill"}
    assert {t.split for t in select(egmd, splits=["test"]).takes} == {"test"}
    with pytest.raises(InputError, match="no kit 'Banjo' in the dataset; it has 808 Simple"):
        select(egmd, kits=["Banjo"])
    with pytest.raises(InputError, match="no split 'dev'"):
        select(egmd, splits=["dev"])
    with pytest.raises(InputError, match="no take is left"):
        select(egmd, beat_type="fill", splits=["test"])


def test_samples_are_proportional_seeded_and_in_order(egmd: Dataset) -> None:
    small = select(egmd, max_takes=18, stratify=["drummer", "style", "kit"], seed=1)
    assert len(small.takes) == 18
    everything = Counter(t.split for t in egmd.takes)
    drawn = Counter(t.split for t in small.takes)
    assert all(abs(drawn[split] - n / 2) < 1 for split, n in everything.items())
    kits = Counter(t.kit for t in small.takes)
    assert all(abs(kits[kit] - 6) <= 1 for kit in KITS)
    order = [egmd.takes.index(t) for t in small.takes]
    assert order == sorted(order)
    assert (
        select(egmd, max_takes=18, stratify=["drummer", "style", "kit"], seed=1).takes
        == small.takes
    )
    assert (
        select(egmd, max_takes=18, stratify=["drummer", "style", "kit"], seed=2).takes
        != small.takes
    )
    assert len(select(egmd, max_takes=7).takes) == 7


def test_no_split_comes_out_empty_and_smaller_draws_are_part_of_larger_ones(egmd: Dataset) -> None:
    draws = [{t.key for t in select(egmd, max_takes=n, stratify=["kit"]).takes} for n in (3, 9, 20)]
    assert draws[0] < draws[1] < draws[2]
    three = select(egmd, max_takes=3, stratify=["kit"])
    assert {t.split for t in three.takes} == {"train", "validation", "test"}


def test_so_many_of_each_split_and_strata_alike(egmd: Dataset) -> None:
    few = select(egmd, max_takes={"train": 6, "test": 2}, stratify=["kit"], stratify_mode="uniform")
    found = Counter(t.split for t in few.takes)
    assert (found["train"], found["test"]) == (6, 2)
    assert found["validation"] == sum(t.split == "validation" for t in egmd.takes)
    train = Counter(t.kit for t in few.takes if t.split == "train")
    assert train == dict.fromkeys(KITS, 2)
    with pytest.raises(InputError, match="stratify: 'tempo' is not one of drummer, style, kit"):
        select(egmd, max_takes=3, stratify=["tempo"])
    with pytest.raises(InputError, match="no split 'dev'"):
        select(egmd, max_takes={"dev": 3})


def test_uniform_draws_are_even_where_what_there_is_is_not() -> None:
    items = ["a"] * 90 + ["b"] * 10
    rng = np.random.default_rng(0)
    assert Counter(sample(items, 10, str, rng)) == {"a": 9, "b": 1}
    assert Counter(sample(items, 10, str, rng, "uniform")) == {"a": 5, "b": 5}
    assert Counter(sample(items, 10, str, rng, weights={"a": 0.2, "b": 0.8})) == {"a": 2, "b": 8}


def test_names_of_kits_as_people_write_them(egmd: Dataset) -> None:
    assert {t.kit for t in select(egmd, kits=["808-simple, JAZZ"]).takes} == {"808 Simple", "Jazz"}
    assert find_names(["tr808"], ["TR-808", "jazz"], "kit") == ["TR-808"]
    assert find_names(["TR-808"], ["TR-808", "TR808"], "kit") == ["TR-808"]
    assert find_names(["Kit, with comma"], ["Kit, with comma", "Kit"], "kit") == ["Kit, with comma"]


def test_a_kit_that_is_not_there_to_leave_out_is_a_line(egmd: Dataset) -> None:
    said: list[str] = []

    class Lines(Silent):
        def message(self, text: str) -> None:
            said.append(text)

    left = select(egmd, kits_exclude=["Custom1,jazz"], progress=Lines())
    assert {t.kit for t in left.takes} == set(KITS) - {"Jazz"}
    assert said == [f"no kit 'Custom1' to leave out; the dataset has {', '.join(sorted(KITS))}"]


def test_the_most_frequent_kits_of_training(egmd: Dataset) -> None:
    takes = [t for t in egmd.takes if t.kit != "Jazz" or t.split != "train"]
    uneven = replace(egmd, takes=[*takes, *(t for t in egmd.takes if t.kit == "Jazz")][:-1])
    top = select(uneven, kit_top_n=2)
    assert {t.kit for t in top.takes} == set(KITS) - {"Jazz"}
    with pytest.raises(InputError, match="either `kits` or `kit_top_n`"):
        select(egmd, kit_top_n=2, kits=["Jazz"])


def test_one_kit_per_performance_uses_kits_evenly(egmd: Dataset) -> None:
    subset = select(egmd, one_kit_per_performance=True)
    assert len(subset.takes) == 12
    assert len({t.performance_key for t in subset.takes}) == 12
    assert Counter(t.kit for t in subset.takes) == dict.fromkeys(KITS, 4)


def splits_of_performances(dataset: Dataset) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for take in dataset.takes:
        found.setdefault(take.performance_key, set()).add(take.split)
    return list(found.values())


def test_leave_kit_out_tests_on_that_kit_alone(egmd: Dataset) -> None:
    held = select(egmd, split_mode="leave_kit_out", held_out=["Jazz"])
    assert {t.kit for t in held.takes if t.split == "test"} == {"Jazz"}
    assert "Jazz" not in {t.kit for t in held.takes if t.split != "test"}
    assert all(len(splits) == 1 for splits in splits_of_performances(held))
    with pytest.raises(InputError, match="name what is held out"):
        select(egmd, split_mode="leave_kit_out")


def test_leave_drummer_out_tests_on_that_drummer_alone(egmd: Dataset) -> None:
    held = select(egmd, split_mode="leave_drummer_out", held_out=["drummer3"])
    assert {t.drummer for t in held.takes if t.split == "test"} == {"drummer3"}
    assert {t.drummer for t in held.takes if t.split != "test"} == {"drummer1", "drummer2"}
    assert len(held.takes) == len(egmd.takes)
    assert all(len(splits) == 1 for splits in splits_of_performances(held))
    with pytest.raises(InputError, match="held-out names need"):
        select(egmd, held_out=["drummer3"])


def test_fingerprint_follows_the_rows_not_the_place(egmd: Dataset, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    shutil.copy(tmp_path / "e-gmd-v1.0.0.csv", other)
    assert open_dataset(other).fingerprint() == egmd.fingerprint()
    assert select(egmd, max_takes=5).fingerprint() != egmd.fingerprint()


def test_performances_of_gmd_and_of_a_bare_folder(tmp_path: Path) -> None:
    listed = list_performances(GROOVE, split_by="drummer")
    assert [p.split for p in listed] == [DRUMMER_SPLITS[p.drummer] for p in listed]
    assert {p.split for p in listed} == {"train", "validation", "test"}
    (tmp_path / "ann").mkdir()
    shutil.copy(sorted(GROOVE.rglob("*6-8.mid"))[0], tmp_path / "ann" / "six.mid")
    (performance,) = list_performances(tmp_path)
    assert (performance.drummer, performance.id) == ("ann", "ann/six")
    assert (performance.bpm, performance.time_signature) == ("70", "6-8")
    with pytest.raises(InputError, match="no split 'kit'"):
        list_performances(tmp_path, split_by="kit")
    with pytest.raises(InputError, match="no such folder"):
        list_performances(tmp_path / "none")


@pytest.mark.parametrize("column", ["bpm", "duration"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e999", "1e9", "x"])
def test_a_number_that_is_none_names_file_row_and_column(
    tmp_path: Path, column: str, value: str
) -> None:
    rows = egmd_rows(2)
    rows[1][column] = value
    path = write_csv(tmp_path / "e-gmd-v1.0.0.csv", rows)
    with pytest.raises(InputError, match=rf"{path.name}: row 3: {column}: '{value}' is not a num"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("name", ["../a.wav", "/a.wav", "C:/a.wav", "a\x00.wav", "..\\a.wav", ""])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    rows = egmd_rows(1)
    rows[0]["audio_filename"] = name
    write_csv(tmp_path / "e-gmd-v1.0.0.csv", rows)
    with pytest.raises(InputError, match="row 2: audio_filename: .* is not a path below"):
        open_dataset(tmp_path)


def test_one_csv_given_twice_is_read_by_its_split_column(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "all.csv", egmd_rows())
    link = tmp_path / "again.csv"
    link.symlink_to(path)
    for second in (path, link):
        dataset = open_dataset(train_csv=path, val_csv=second)
        splits = Counter(take.split for take in dataset.takes)
        assert splits == {"train": 18, "validation": 9, "test": 9}
        assert len({take.key for take in dataset.takes}) == 36
    columns = [column for column in COLUMNS if column != "split"]
    path = write_csv(tmp_path / "no_split.csv", egmd_rows(), columns)
    with pytest.raises(InputError, match="no column split"):
        open_dataset(train_csv=path, val_csv=path)


def test_a_performance_in_both_csv_files_is_refused(tmp_path: Path) -> None:
    train = write_csv(tmp_path / "train.csv", egmd_rows(4))
    val = write_csv(tmp_path / "val.csv", egmd_rows(4)[-1:])
    with pytest.raises(InputError, match="performance 'drummer1/session1/3' is in two splits: .*"):
        open_dataset(train_csv=train, val_csv=val)


def test_a_pattern_is_all_names_of_it(egmd: Dataset) -> None:
    assert {t.kit for t in select(egmd, kits=["*a*"]).takes} == {"Acoustic Kit", "Jazz"}
    assert {t.kit for t in select(egmd, kits_exclude=["ac*,jazz"]).takes} == {"808 Simple"}
    with pytest.raises(InputError, match=r"no kit 'mixed_\*' in the dataset"):
        select(egmd, kits=["mixed_*"])


def test_of_many_names_a_message_lists_some() -> None:
    with pytest.raises(InputError, match=r"kit_023 and 276 more$"):
        find_names(["none"], [f"kit_{n:03d}" for n in range(300)], "kit")
