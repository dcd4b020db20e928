"""Evaluation: reference rows in order, the same bytes twice, and bad clips that cost nothing."""

from __future__ import annotations

import csv
import json
import pickle
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from support.toy_systems import make_toy_dataset, save_toy_checkpoint

from midigroove_core.cache import Cache
from midigroove_core.cache.build import build_cache
from midigroove_core.cache.clips import cut_clips
from midigroove_core.cache.cutting import Cutting
from midigroove_core.cli import run
from midigroove_core.errors import InputError, MidigrooveError, MismatchError, PluginError
from midigroove_core.evaluation import EvalConfig, SystemSpec, evaluate, pipeline
from midigroove_core.evaluation.base.clipset import EvalClip, eval_clips, frame_window
from midigroove_core.evaluation.base.takes import CacheTakes, DatasetTakes
from midigroove_core.evaluation.rows.code_rows import NearestCodes, OracleCodes
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.tables import drum_table
from midigroove_core.takes import open_dataset
from midigroove_core.testing import ToyCodec
from midigroove_core.training.distributed import Ranks

TIMED = ("cost.json", "times.csv")
"""What is not the same every time."""

pytestmark = pytest.mark.usefixtures("toy_plugin")


@pytest.fixture(scope="module")
def workbench(toy_plugin_name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, its cache and two checkpoints, made once."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("eval")
    dataset = open_dataset(make_toy_dataset(root / "data"))
    build_cache(dataset, ToyCodec(), root / "cache", device="cpu")
    save_toy_checkpoint(root / "one.safetensors", seed=1)
    save_toy_checkpoint(root / "two.safetensors", seed=2)
    return root


def config(workbench: Path, out: Path, **options: object) -> EvalConfig:
    """Two systems on six clips, with the recordings."""
    systems = tuple(
        SystemSpec(name, workbench / f"{name}.safetensors", workbench / "cache")
        for name in ("one", "two")
    )
    plain = EvalConfig(
        systems, out, dataset=workbench / "data", max_items=6, knee_items=2, save_preds=2,
        device="cpu",
    )  # fmt: skip
    return replace(plain, **options)


@pytest.fixture(scope="module")
def evaluated(workbench: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """One evaluation that several tests look at."""
    out = tmp_path_factory.mktemp("result") / "eval"
    return out, evaluate(config(workbench, out)).summary.to_json()


class _OneOf(Ranks):
    """One of two processes that run one after the other: the second first."""

    told: ClassVar[list[Any]] = []

    def gather(self, value: Any) -> list[Any]:
        if isinstance(value, dict):  # settings that are compared
            return [value]
        self.told.append(pickle.loads(pickle.dumps(value)))
        return self.told[::-1]

    def share(self, tensors: Any, facts: Any) -> Any:
        return {}, facts


def test_several_processes_give_the_same_bytes(
    workbench: Path, evaluated: tuple[Path, dict], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = config(
        workbench, tmp_path / "one", max_items=6, rows=("oracle", "unigram", "sampler", "silence")
    )
    monkeypatch.setattr("midigroove_core.evaluation.rows.plan.batch_size", lambda *_: 1)
    evaluate(few)
    for rank in (1, 0):
        ranks = nullcontext(_OneOf(rank, 2))
        monkeypatch.setattr(pipeline, "joined", lambda _, ranks=ranks: ranks)
        evaluate(replace(few, out=tmp_path / "two"))
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    for path in files:
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.name in TIMED or path.read_bytes() == other.read_bytes(), path
    assert len(files) > 10


def mean(summary: dict, row: str, metric: str) -> float:
    (line,) = [line for line in summary["rows"] if line["row"] == row]
    return line["metrics"][metric]["mean"]


def test_rows_and_their_order(evaluated: tuple[Path, dict]) -> None:
    names = [line["row"] for line in evaluated[1]["rows"]]
    assert names == [
        "silence", "random", "unigram", "nearest", "sampler", "one", "two", "oracle", "recording",
    ]  # fmt: skip


def test_the_recording_is_perfect_where_it_is_compared_with_itself(
    evaluated: tuple[Path, dict],
) -> None:
    summary = evaluated[1]
    assert summary["audio"]["reference"] == "recording"
    for metric in ("mel_l1", "log_magnitude_distance", "rmse", "spectral_convergence"):
        assert mean(summary, "recording", metric) == 0.0
    assert mean(summary, "recording", "envelope_correlation") == 1.0


def test_silence_is_worst_and_the_oracle_beats_untrained_systems(
    evaluated: tuple[Path, dict],
) -> None:
    summary = evaluated[1]
    assert mean(summary, "silence", "onset_f1_50ms") == 0.0
    assert mean(summary, "oracle", "onset_f1_50ms") > mean(summary, "one", "onset_f1_50ms")
    assert mean(summary, "oracle", "envelope_correlation") > 0.9
    # The toy codec knows loudness only, so what it loses is nearly everything in the spectrum.
    assert mean(summary, "oracle", "mel_l1") < mean(summary, "random", "mel_l1")


def test_the_sampler_made_these_recordings(evaluated: tuple[Path, dict]) -> None:
    """16-bit rounding and the level match are all that is between them: clips and tails agree."""
    assert mean(evaluated[1], "sampler", "si_sdr_db") > 30.0
    assert mean(evaluated[1], "sampler", "mel_l1") < 1.0


def test_percent_runs_from_silence_to_oracle(evaluated: tuple[Path, dict]) -> None:
    rows = {line["row"]: line["metrics"] for line in evaluated[1]["rows"]}
    assert rows["silence"]["onset_f1_50ms"]["percent"] == 0.0
    assert rows["oracle"]["onset_f1_50ms"]["percent"] == 100.0
    assert 0.0 <= rows["unigram"]["nll_nats"]["mean"] < np.log(64)
    assert rows["random"]["nll_nats"]["mean"] == pytest.approx(np.log(64), rel=1e-5)


def test_differences_name_a_winner_or_none(evaluated: tuple[Path, dict]) -> None:
    found = {(d["first"], d["second"], d["metric"]): d for d in evaluated[1]["differences"]}
    against_oracle = found["one", "oracle", "onset_f1_50ms"]["found"]
    assert against_oracle["verdict"] == "second" and against_oracle["mean"] > 0
    pair = found["one", "two", "rmse"]["found"]
    assert pair["verdict"] in ("first", "second", "not distinguishable")
    assert pair["performances"] == 3
    # Three performances can be swapped in eight ways, so nothing can be shown with them.
    tests = [d["p"] for d in found.values() if d["p"] is not None]
    assert tests and min(tests) >= 0.25
    assert found["one", "oracle", "onset_f1_50ms"]["p_holm"] == 1.0
    assert found["one", "two", "rmse"]["p_holm"] is None  # not trusted


def test_intervals_rest_on_performances_not_on_clips(evaluated: tuple[Path, dict]) -> None:
    (line,) = [line for line in evaluated[1]["rows"] if line["row"] == "one"]
    assert line["clips"] == 6
    assert line["metrics"]["rmse"]["performances"] == 3


def test_codes_are_scored_against_unigram_and_bigram(evaluated: tuple[Path, dict]) -> None:
    lines = [line for line in evaluated[1]["codes"] if line["system"] == "one"]
    assert [line["codebook"] for line in lines] == [0, 1, 2, 3, None]
    whole = lines[-1]
    gain = whole["unigram_nats"] - whole["nll_nats"]
    assert whole["gain_over_unigram_nats"] == pytest.approx(gain, abs=1e-4)
    bits = sum(line["bits_per_second"] for line in lines[:-1])
    assert whole["bits_per_second"] == pytest.approx(bits, rel=1e-4)


def test_files(evaluated: tuple[Path, dict]) -> None:
    out, summary = evaluated
    names = {path.name for path in out.iterdir()}
    assert names == {
        "summary.json", "manifest.json", "clips.csv", "codes.csv", "takes.csv", "per_drum.csv",
        "per_kit.csv", "sets.csv", "knee.csv", "codecs.csv", "long.csv", "skipped.jsonl",
        "cost.json", "times.csv", "preds",
    }  # fmt: skip
    rows = list(csv.DictReader((out / "clips.csv").read_text().splitlines()))
    assert len(rows) == 6 * 9
    assert {row["kit"] for row in rows} <= {"jazz", "power"}
    stored = json.loads((out / "preds" / "preds.json").read_text())
    assert len(stored["clips"]) == 2
    for clip in stored["clips"]:
        assert set(clip["rows"]) == {line["row"] for line in summary["rows"]}
        for row in clip["rows"].values():
            assert (out / "preds" / row["file"]).stat().st_size > 1000
    assert "/tmp" not in (out / "manifest.json").read_text()
    embedding = json.loads((out / "manifest.json").read_text())["embedding"]
    assert embedding["id"] == "log_mel" and len(embedding["fingerprint"]) == 64


def test_per_class_is_trusted_where_the_recording_is_heard(evaluated: tuple[Path, dict]) -> None:
    classes = {(line["drum"], line["row"]): line for line in evaluated[1]["audio"]["drums"]}
    kick = classes["kick", "recording"]
    assert kick["f1"] > 0.7 and kick["trusted"]
    assert classes["kick", "silence"]["f1"] == 0.0
    assert classes["tom", "recording"]["f1"] is None and not classes["tom", "recording"]["trusted"]
    table = drum_table(Evaluation.open(evaluated[0]).summary)
    assert "kick" in table.columns and "(tom)" in table.columns and table.rows[-1][0] == "recording"


def test_the_knee_needs_a_codec_with_prefixes(evaluated: tuple[Path, dict]) -> None:
    assert evaluated[1]["audio"]["knee"] == ()  # the toy codec refuses fewer codebooks


def test_same_bytes_twice(workbench: Path, tmp_path: Path) -> None:
    outs = [tmp_path / name for name in ("first", "second")]
    for out in outs:
        evaluate(config(workbench, out, max_items=3))
    names = sorted(path.relative_to(outs[0]) for path in outs[0].rglob("*") if path.is_file())
    for name in names:
        if name.name not in TIMED:
            assert (outs[0] / name).read_bytes() == (outs[1] / name).read_bytes(), name


def test_the_oracle_is_the_reference_where_it_is_asked_for(workbench: Path, tmp_path: Path) -> None:
    chosen = config(workbench, tmp_path / "out", dataset=None, max_items=2, reference="oracle")
    result = evaluate(chosen)
    summary = result.summary.to_json()
    assert summary["audio"]["reference"] == "oracle"
    assert "recording" not in [line["row"] for line in summary["rows"]]
    assert mean(summary, "oracle", "rmse") == 0.0


def test_the_reference_never_changes_unasked(
    workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name in ("EGMD_CSV", "EGMD_ROOT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="no recordings to compare with.*`reference` to oracle"):
        evaluate(config(workbench, tmp_path / "out", dataset=None))
    system = f"one:{workbench}/one.safetensors:{workbench}/cache"
    command = ["eval", "--system", system, "--max-items", "2", "--device", "cpu", "--long-items",
               "0", "--embedding", "none", "--out", str(tmp_path / "out")]  # fmt: skip
    assert run(command) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "name the --dataset" in line and "set --reference to oracle" in line
    assert run([*command, "--reference", "oracle", "--dataset", str(workbench / "data")]) == 2
    assert not (tmp_path / "out").exists()
    monkeypatch.setenv("EGMD_ROOT", str(workbench / "data"))
    monkeypatch.setenv("EGMD_CSV", str(workbench / "data" / "takes.csv"))
    assert run(command) == 0
    manifest = Evaluation.open(tmp_path / "out").manifest
    assert manifest.reference is not None and manifest.reference.kind == "recording"


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
def test_one_rate_for_all(workbench: Path, tmp_path: Path, rate: int) -> None:
    chosen = config(workbench, tmp_path / "out", sample_rate=rate, max_items=2, long_items=1)
    result = evaluate(chosen)
    assert Evaluation.open(tmp_path / "out").manifest.sample_rate == rate
    found = result.summary.to_json()
    assert mean(found, "recording", "onset_f1_50ms") > 0.8
    _, kept = Evaluation.open(tmp_path / "out").kept()
    assert kept is not None and kept.sample_rate == rate


def test_rates_that_are_none(workbench: Path, tmp_path: Path) -> None:
    for rate in (0, 8000, 10**6):
        with pytest.raises(InputError, match="`sample_rate` must be"):
            config(workbench, tmp_path, sample_rate=rate)
    with pytest.raises(InputError, match="not recording or oracle"):
        config(workbench, tmp_path, reference="silence")


def test_codes_alone(workbench: Path, tmp_path: Path) -> None:
    result = evaluate(config(workbench, tmp_path / "out", audio_metrics=False, max_items=3))
    names = [line["row"] for line in result.summary.to_json()["rows"]]
    assert names == ["random", "unigram", "one", "two"]
    assert not (tmp_path / "out" / "preds").exists()


def test_codes_alone_need_no_codec(
    workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cache and a checkpoint from a machine that has the codec's plugin; here it is missing."""
    monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", "")
    systems = [
        f"--system={name}:{workbench}/{name}.safetensors:{workbench}/cache"
        for name in ("one", "two")
    ]
    options = ["--no-audio-metrics", "--max-items", "2", "--device", "cpu"]
    assert run(["eval", *systems, *options, "--out", str(tmp_path / "out")]) == 0
    assert Evaluation.open(tmp_path / "out").manifest.systems[0].codec.codec_id == "toy"
    with pytest.raises(PluginError, match="toy"):
        evaluate(config(workbench, tmp_path / "audio"))


def clips_of(cache: Cache, split: str, max_items: int = 0) -> list[EvalClip]:
    takes = CacheTakes(cache)
    return eval_clips(takes, takes.split(split), cutting=Cutting(), max_items=max_items, seed=0)


def test_a_smaller_draw_is_part_of_a_larger_one(workbench: Path) -> None:
    cache = Cache.open(workbench / "cache")
    drawn = [{clip.clip_id for clip in clips_of(cache, "test", count)} for count in (2, 5, 0)]
    assert [len(ids) for ids in drawn[:2]] == [2, 5]
    assert drawn[0] < drawn[1] < drawn[2]


def test_clips_depend_on_no_codec(workbench: Path) -> None:
    data = open_dataset(workbench / "data")
    found = [
        [(clip.clip_id, clip.start_sec) for clip in eval_clips(
            takes, takes.split("test"), cutting=Cutting(), max_items=0, seed=0)]
        for takes in (CacheTakes(Cache.open(workbench / "cache")), DatasetTakes(data))
    ]  # fmt: skip
    assert found[0] == found[1] and len(found[0]) > 5


def test_onsets_are_the_midi_s_own_and_only_those_inside(workbench: Path) -> None:
    cache = Cache.open(workbench / "cache")
    clips = clips_of(cache, "test")
    for clip in clips:
        onsets = clip.performance.onset_sec
        inside = onsets[(onsets >= clip.start_sec) & (onsets < clip.end_sec)]
        assert np.array_equal(clip.onsets_sec, inside - clip.start_sec)
    total = sum(len(clip.onsets_sec) for clip in clips)
    hits = sum(cache.performance(entry).num_hits for entry in cache.split("test"))
    assert total == hits  # clips tile the takes: each hit counts once


def test_windows_of_seconds_and_overlaps(workbench: Path) -> None:
    takes = DatasetTakes(open_dataset(workbench / "data"))

    def cut(**cutting: Any) -> list[EvalClip]:
        wanted = takes.split("test")[:1]
        return eval_clips(takes, wanted, cutting=Cutting(**cutting), max_items=0, seed=0)

    plain = cut(window_sec=1.0)
    assert [clip.start_sec for clip in plain] == list(range(len(plain)))
    assert {clip.duration_sec for clip in plain[:-1]} == {1.0}
    halves = [clip.start_sec for clip in cut(window_sec=1.0, hop_sec=0.5)]
    assert halves[:4] == [0.0, 0.5, 1.0, 1.5] and len(halves) >= 2 * len(plain) - 1
    whole, overlapping = cut(beats=4), cut(beats=4, hop_beats=2)
    starts = [clip.start_sec for clip in overlapping]
    assert [clip.start_sec for clip in whole] == [s for s in starts[::2]][: len(whole)]
    assert overlapping[1].start_sec < overlapping[0].end_sec


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"hop_sec": 1.0}, "say their length"),
        ({"hop_beats": 2, "window_sec": 2.0}, "`hop_beats` is of windows in beats"),
        ({"window_sec": 0.01}, "at least 0.1"),
        ({"hop_beats": -1}, "hop_beats"),
    ],
)
def test_windows_that_contradict_each_other_are_refused(
    workbench: Path, tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        config(workbench, tmp_path, **options)


def test_seconds_and_a_hop_as_typed_are_in_the_manifest(workbench: Path, tmp_path: Path) -> None:
    arguments = [
        f"--system=one:{workbench}/one.safetensors:{workbench}/cache", "--no-audio-metrics",
        "--window-sec", "1", "--hop-sec", "0.5", "--max-items", "3", "--device", "cpu",
    ]  # fmt: skip
    assert run(["eval", *arguments, "--out", str(tmp_path / "out")]) == 0
    clips = Evaluation.open(tmp_path / "out").manifest.clips
    assert (clips.window_sec, clips.hop_sec, clips.length, clips.count) == (1.0, 0.5, "1 s", 3)


def test_windows_cover_clips_with_context(workbench: Path) -> None:
    cache = Cache.open(workbench / "cache")
    (clip, *_) = clips_of(cache, "test")
    window = frame_window(clip, cache.entry(clip.take.key), cache.clock, 5, 7)
    assert cache.clock.frames_to_seconds(window.start) <= clip.start_sec + 1e-9
    assert cache.clock.frames_to_seconds(window.stop) >= clip.end_sec - 1e-9
    assert window.left == max(0, window.start - 5)
    assert window.right == min(window.entry.num_frames, window.stop + 7)
    codes = OracleCodes(cache).codes(clip, window)
    assert codes.shape[1] == window.num_frames


def test_the_nearest_clip_of_a_training_clip_is_itself(workbench: Path) -> None:
    cache = Cache.open(workbench / "cache")
    nearest = NearestCodes(cache, Cutting(), 3.0, seed=0)
    clips = clips_of(cache, "train")
    for clip in clips[:10]:
        window = frame_window(clip, cache.entry(clip.take.key), cache.clock, 3, 3)
        entry, start = nearest.find(clip, window)
        assert entry.key == clip.take.key and abs(start - window.start) <= 1
        if start == window.start:
            true = OracleCodes(cache).codes(clip, window)
            assert np.array_equal(nearest.codes(clip, window), true)


def test_one_bad_clip_costs_the_others_nothing(
    workbench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from midigroove_core.evaluation.rows import systems

    rows = ("oracle", "silence", "unigram")
    clean = evaluate(config(workbench, tmp_path / "clean", rows=rows))
    real_decode = systems.CodecGroup.decode
    spoilt: list[str] = []

    def decode(self, clips, windows, codes):  # type: ignore[no-untyped-def]
        audio = real_decode(self, clips, windows, codes)
        for index, clip in enumerate(clips):
            if clip.index == 2 and not spoilt:
                spoilt.append(clip.clip_id)
                audio[index] = np.full_like(audio[index], np.nan)
        return audio

    monkeypatch.setattr(systems.CodecGroup, "decode", decode)
    result = evaluate(config(workbench, tmp_path / "spoilt", rows=rows))
    (line,) = [json.loads(x) for x in (tmp_path / "spoilt/skipped.jsonl").read_text().splitlines()]
    assert line["clip"] == spoilt[0] and line["row"] == "oracle"
    assert "prediction not finite" in line["reason"] and "NaN" in line["reason"]
    assert result.summary.skipped == {"prediction not finite": 1}

    def table(name: str) -> dict[tuple[str, str], dict[str, str]]:
        rows = csv.DictReader((tmp_path / name / "clips.csv").read_text().splitlines())
        return {(row["clip"], row["row"]): row for row in rows}

    before, after = table("clean"), table("spoilt")
    assert set(before) - set(after) == {(spoilt[0], "oracle")}
    assert all(after[key] == before[key] for key in after)
    assert clean.summary.skipped == {}


def test_a_clip_of_ten_samples_is_named(workbench: Path, tmp_path: Path) -> None:
    from midigroove_core.evaluation.base.hearing import features_of

    with pytest.raises(InputError, match="reference too short: 10 samples"):
        features_of(np.zeros(10, np.float32), 16000, "reference")


def test_missing_recordings_are_counted(workbench: Path, tmp_path: Path) -> None:
    fewer = tmp_path / "fewer"
    shutil.copytree(workbench / "data", fewer)
    kept = [line for line in (fewer / "takes.csv").read_text().splitlines() if "jazz/6" not in line]
    (fewer / "takes.csv").write_text("\n".join(kept) + "\n")
    (fewer / "jazz" / "6.wav").unlink()
    rows = ("oracle", "silence")
    result = evaluate(config(workbench, tmp_path / "out", dataset=fewer, max_items=0, rows=rows))
    assert set(result.summary.skipped) == {"recording missing"}
    (line,) = [row for row in result.summary.rows if row.row == "one"]
    assert line.skipped == result.summary.skipped["recording missing"]
    clips = cut_clips(Cache.open(workbench / "cache"), "test")
    assert line.metrics["rmse"].clips == len(clips) - line.skipped


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name:only", "NAME:CHECKPOINT:CACHE"),
        ("a/b:x:y", "letters"),
        ("silence:x:y", "reference row"),
        ("oracle-dac:x:y", "reference row"),
    ],
)
def test_system_texts(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        SystemSpec.parse(text)


def test_two_systems_of_one_name_are_refused(workbench: Path, tmp_path: Path) -> None:
    spec = SystemSpec("a", Path("x"), Path("y"))
    with pytest.raises(MidigrooveError, match="two systems are called 'a'"):
        EvalConfig((spec, spec), tmp_path)


def test_a_split_without_takes_says_which_there_are(workbench: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"split 'validation'.*test, train"):
        evaluate(config(workbench, tmp_path / "out", split="validation"))


def test_a_mistyped_option_costs_no_earlier_evaluation(workbench: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = config(workbench, out, max_items=2, knee_items=0, rows=("silence",), long_items=0)
    evaluate(settings)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for wrong in ({"embedding": "nonsense"}, {"dataset": tmp_path / "none"}):
        with pytest.raises(MidigrooveError):
            evaluate(replace(settings, **wrong))
        with pytest.raises(MidigrooveError):
            evaluate(replace(settings, out=tmp_path / "new", **wrong))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "new").exists()


def test_foreign_files_are_not_overwritten(workbench: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(InputError, match="is no evaluation"):
        evaluate(config(workbench, tmp_path))
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_checkpoint_of_another_codec_is_refused(workbench: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    codec = ToyCodec(seed=5)
    build_cache(open_dataset(workbench / "data"), codec, other, device="cpu")
    systems = (SystemSpec("one", workbench / "one.safetensors", other),)
    with pytest.raises(MismatchError, match="codec_config"):
        evaluate(config(workbench, tmp_path / "out", systems=systems))


def test_the_command(workbench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    system = f"one:{workbench}/one.safetensors:{workbench}/cache"
    options = ["--max-items", "2", "--no-add-nearest", "--device", "cpu"]
    options += ["--reference", "oracle", "--out"]
    assert run(["eval", "--system", system, *options, str(tmp_path / "out")]) == 0
    shown = capsys.readouterr()
    assert "Does it play the MIDI?" in shown.out and "nearest" not in shown.out
    assert "the reference is the codec oracle of" in shown.err
    assert run(["eval", "--system", "nonsense", *options, str(tmp_path / "no")]) == 2
    assert "NAME:CHECKPOINT:CACHE" in capsys.readouterr().err


def test_a_smaller_draw_of_clips_is_part_of_a_larger_one(workbench: Path) -> None:
    cache = Cache.open(workbench / "cache")
    few, more, every = (
        {clip.clip_id for clip in clips_of(cache, "test", count)} for count in (2, 5, 0)
    )
    assert few < more < every and (len(few), len(more)) == (2, 5)
