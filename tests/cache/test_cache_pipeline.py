"""Caches end as the same bytes however they were made, and count what they leave out."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from support.cache_fixtures import RATE, SmearedCodec, files_of, make_dataset, make_take

from midigroove_core import atomic
from midigroove_core.audio import load_mono, save_audio
from midigroove_core.cache import Cache
from midigroove_core.cache.build import build_cache
from midigroove_core.cache.encoding import CacheSummary
from midigroove_core.cache.shares import holding_share, share_of
from midigroove_core.coding.encode import EncodingPlan, TakeEncoder
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.midi import load_midi
from midigroove_core.takes import Dataset
from midigroove_core.testing import ToyCodec


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_dataset(tmp_path / "data")


def build(dataset: Dataset, out: Path, **options: object) -> CacheSummary:
    options = {"device": "cpu", "takes_per_shard": 3, **options}
    return build_cache(dataset, options.pop("codec", ToyCodec()), out, **options)


def test_a_cache_holds_what_the_codec_and_the_midi_say(dataset: Dataset, tmp_path: Path) -> None:
    summary = build(dataset, tmp_path / "cache")
    assert (summary.cached, summary.encoded, summary.skipped) == (10, 10, {})
    cache = Cache.open(tmp_path / "cache")
    codec = ToyCodec()
    for take, entry in zip(dataset.takes, cache.entries, strict=True):
        assert entry.key == take.key
        audio = load_mono(dataset.audio_path(take), codec.clock.sample_rate)
        whole = codec.encode(torch.from_numpy(audio)[None, None])[0].numpy()
        assert np.array_equal(cache.codes(entry), whole)
        assert (entry.num_samples, entry.num_frames) == (len(audio), whole.shape[1])
        wanted, stored = load_midi(dataset.midi_path(take)), cache.performance(entry)
        for name, values in wanted.to_arrays().items():
            assert np.array_equal(stored.to_arrays()[name], values)
    assert cache.header["counts"] == {"takes": 10, "performances": 5, "skipped": {}}
    assert not (tmp_path / "cache" / "building").exists()


def test_nothing_in_a_cache_names_this_machine(dataset: Dataset, tmp_path: Path) -> None:
    dataset.audio_path(dataset.takes[0]).write_bytes(b"RIFFjunk")
    build(dataset, tmp_path / "cache")
    for name, data in files_of(tmp_path / "cache").items():
        assert str(tmp_path).encode() not in data, name
    os.rename(tmp_path / "cache", tmp_path / "moved")
    assert len(Cache.open(tmp_path / "moved").entries) == 9


class Killed(BaseException):
    """Stands for a kill: nobody catches it."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, count: int, error: BaseException) -> None:
    seen = 0
    real = os.replace

    def replace(source: str, target: str) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            raise error
        real(source, target)

    monkeypatch.setattr(atomic.os, "replace", replace)


@pytest.mark.parametrize("count", range(1, 25, 3))
def test_killed_at_any_write_it_resumes_to_the_same_bytes(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    dataset.audio_path(dataset.takes[4]).unlink()
    build(dataset, tmp_path / "whole")
    with monkeypatch.context() as patch:
        _kill_at(patch, count, Killed())
        with pytest.raises(Killed):
            build(dataset, tmp_path / "resumed")
    assert not (tmp_path / "resumed" / "cache.json").exists()
    with pytest.raises(InputError, match="not finished|no such cache|not a cache"):
        Cache.open(tmp_path / "resumed")
    summary = build(dataset, tmp_path / "resumed")
    assert summary.encoded <= 9 and summary.cached == 9
    assert files_of(tmp_path / "resumed") == files_of(tmp_path / "whole")


SCRIPT = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from support.cache_fixtures import list_dataset
from midigroove_core import atomic
from midigroove_core.cache.build import build_cache
from midigroove_core.testing import ToyCodec
folder, kill = Path(sys.argv[1]), int(sys.argv[2])
seen, real = 0, os.replace
dataset = list_dataset(folder / "data")
def replace(a, b):
    global seen
    seen += 1
    if seen == kill:
        os.kill(os.getpid(), signal.SIGKILL)
    real(a, b)
atomic.os.replace = replace
build_cache(dataset, ToyCodec(), folder / "cache", device="cpu", takes_per_shard=3)
"""


def test_sigkill_leaves_nothing_that_resuming_does_not_mend(
    dataset: Dataset, tmp_path: Path
) -> None:
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), "9"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert any(".tmp" in name for name in files_of(tmp_path / "cache"))
    (tmp_path / "cache" / ".codes-00000.x.tmp.safetensors").write_bytes(b"of an earlier kill")
    assert 0 < build(dataset, tmp_path / "cache").encoded < 10
    build(dataset, tmp_path / "whole")
    assert files_of(tmp_path / "cache") == files_of(tmp_path / "whole")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_ranks_make_the_same_bytes(
    dataset: Dataset, tmp_path: Path, order: tuple[int, int]
) -> None:
    build(dataset, tmp_path / "whole")
    first = build(dataset, tmp_path / "ranks", rank=order[0], world=2)
    assert not first.finished and 3 < first.cached < 7
    last = build(dataset, tmp_path / "ranks", rank=order[1], world=2, workers=order[0])
    assert last.finished and last.cached == 10 and last.encoded == 10 - first.cached
    assert files_of(tmp_path / "ranks") == files_of(tmp_path / "whole")


def test_what_a_dead_rank_left_is_finished_when_asked(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "ranks"
    build(dataset, out, rank=1, world=3)
    with (
        holding_share(out, 2, 3),
        pytest.raises(MidigrooveError, match="rank 2 of 3 is writing .* no rank 0 of 1"),
    ):
        build(dataset, out, finish=True)
    (out / ".rank-0-of-3.lock").touch()  # of a process that was killed
    assert build(dataset, out, rank=2, world=3, finish=True).finished
    build(dataset, tmp_path / "whole")
    assert files_of(out) == files_of(tmp_path / "whole")


def test_ranks_of_different_worlds_are_not_mixed(dataset: Dataset, tmp_path: Path) -> None:
    with (
        holding_share(tmp_path / "cache", 0, 4),
        pytest.raises(MidigrooveError, match="rank 0 of 4 is writing .* no rank 1 of 2"),
    ):
        build(dataset, tmp_path / "cache", rank=1, world=2)


def test_shares_are_a_partition_balanced_by_duration() -> None:
    rng = np.random.default_rng(0)
    for count, world in ((14, 2), (100, 7), (3, 8), (0, 2), (1, 1)):
        durations = rng.exponential(20.0, count).tolist()
        shares = [share_of(durations, rank, world) for rank in range(world)]
        assert [take for share in shares for take in share] == list(range(count))
        sums = [sum(durations[take] + 1 for take in share) for share in shares]
        ideal, longest = sum(sums) / world, 1 + max(durations, default=0)
        assert all(abs(total - ideal) <= longest for total in sums)
    assert [len(share_of([0.0] * 14, rank, 2)) for rank in range(2)] == [7, 7]
    assert len(share_of([300.0, *[1.0] * 13], 0, 2)) == 1


def test_a_performance_in_two_splits_is_refused_by_name(tmp_path: Path) -> None:
    leak = Dataset("leak", tmp_path, [make_take(1), make_take(1, kit="b", split="test")])
    wanted = "leak: performance 'p1' is in two splits: a/1.wav in train, b/1.wav in test"
    with pytest.raises(InputError, match=wanted):
        build_cache(leak, ToyCodec(), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_finished_cache_is_not_made_again(dataset: Dataset, tmp_path: Path) -> None:
    build(dataset, tmp_path / "cache")
    before = files_of(tmp_path / "cache")
    summary = build(dataset, tmp_path / "cache")
    assert (summary.encoded, summary.cached) == (0, 10)
    assert files_of(tmp_path / "cache") == before


def test_windows_with_context_give_what_the_whole_gives() -> None:
    codec = SmearedCodec()
    rng = np.random.default_rng(0)
    for num_frames in (1, 7, 12, 13, 14, 60, 61, 100):
        samples = num_frames * codec.clock.hop_length - 17
        audio = rng.uniform(-1, 1, (1, samples)).astype(np.float32)
        whole = codec.encode(torch.from_numpy(audio)[None])[0].numpy()
        for batch in (1, 3):
            for fixed in (False, True):
                [cut] = encoded(codec, [audio], EncodingPlan(12, (2, 2), batch, fixed))
                assert np.array_equal(cut, whole)
    [short] = encoded(codec, [audio], EncodingPlan(12, (1, 1), 1))
    assert not np.array_equal(short, whole)  # too little context would have been seen


def encoded(codec: ToyCodec, audio: list[Any], plan: EncodingPlan) -> list[Any]:
    found = dict(TakeEncoder(codec, plan).encode(enumerate(audio)))
    return [found[number] for number in range(len(audio))]


class _Watched(SmearedCodec):
    """Notes what it is asked to encode, and refuses what is too loud."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, ...]] = []

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        self.asked.append(tuple(audio.shape))
        if audio.abs().max() > 1:
            raise InputError("too loud")
        return super().encode(audio)


def test_windows_of_several_takes_fill_batches_of_one_size() -> None:
    codec, rng = _Watched(), np.random.default_rng(0)
    hop = codec.clock.hop_length
    takes = [rng.uniform(-1, 1, (1, n * hop)).astype(np.float32) for n in (40, 5, 33, 12, 90)]
    plan = EncodingPlan(12, (2, 2), 4, fixed=True)
    codes = encoded(codec, takes, plan)
    for one, take in zip(codes, takes, strict=True):
        assert np.array_equal(one, SmearedCodec().encode(torch.from_numpy(take)[None])[0])
    windows = sum(len(plan.windows(take.shape[1] // hop)) for take in takes) - 2
    batches = [shape for shape in codec.asked if shape[0] > 1]
    assert batches == [(4, 1, 12 * hop)] * -(-windows // 4)
    assert sorted(set(codec.asked) - set(batches)) == [(1, 1, 5 * hop), (1, 1, 12 * hop)]


def test_a_take_that_is_refused_takes_no_other_with_it() -> None:
    codec, rng = _Watched(), np.random.default_rng(0)
    hop = codec.clock.hop_length
    takes = [rng.uniform(-1, 1, (1, n * hop)).astype(np.float32) for n in (40, 33, 50)]
    takes[1][0, 30 * hop] = 3.0
    first, refused, last = encoded(codec, takes, EncodingPlan(12, (2, 2), 4, fixed=True))
    assert str(refused) == "too loud"
    for one, take in ((first, takes[0]), (last, takes[2])):
        assert np.array_equal(one, SmearedCodec().encode(torch.from_numpy(take)[None])[0])


class _Half(ToyCodec):
    def __init__(self) -> None:
        super().__init__(num_codebooks=2)


class _OtherWeights(ToyCodec):
    weights_sha = "0" * 64


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"codec": _Half()}, r"codec_config.num_codebooks is 4 .* and 2 now"),
        ({"codec": _OtherWeights()}, r"weights_sha is \"\w+\" .* and \"0+\" now"),
        ({"normalize": True}, r"encoding.normalize is false .* and true now"),
        ({"takes_per_shard": 4}, r"encoding.takes_per_shard is 3 .* and 4 now"),
        ({"takes": 3}, r"dataset.fingerprint"),
    ],
)
def test_a_cache_of_something_else_is_refused_by_field(
    dataset: Dataset, tmp_path: Path, change: dict[str, object], field: str, finished: bool
) -> None:
    world = {} if finished else {"world": 2}
    build(dataset, tmp_path / "cache", **world)
    if "takes" in change:
        dataset = dataclasses.replace(dataset, takes=dataset.takes[: change["takes"]])
        change = {}
    before = files_of(tmp_path / "cache")
    with pytest.raises(MismatchError, match=f"{field}.*`out`.*`overwrite`"):
        build(dataset, tmp_path / "cache", **change)
    assert files_of(tmp_path / "cache") == before
    assert build(dataset, tmp_path / "cache", overwrite=True, **change).finished


def test_overwrite_removes_the_cache_and_nothing_else(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("keep")
    with pytest.raises(MismatchError, match=r"holds files but no cache.json \(mine.txt\)"):
        build(dataset, tmp_path / "notes")
    with pytest.raises(MismatchError, match=r"mine.txt"):
        build(dataset, tmp_path / "notes", overwrite=True)
    assert (tmp_path / "notes" / "mine.txt").read_text() == "keep"


def _spoil(dataset: Dataset) -> dict[str, str]:
    """Breaks a file of each kind; the reason that each take must be left out for."""

    def audio(number: int) -> Path:
        return dataset.root / make_take(number).audio_path

    audio(0).unlink()
    audio(1).write_bytes(b"not audio at all, but a text")
    audio(2).write_bytes(audio(2).read_bytes()[:3000])
    save_audio(audio(3), np.zeros(RATE, dtype=np.float32), RATE)
    noise = np.full(RATE, np.nan, dtype=np.float32)
    soundfile.write(audio(4), noise, RATE, subtype="FLOAT")
    save_audio(audio(5), np.full(100, 0.1, dtype=np.float32), RATE)
    (dataset.root / "midi/6.mid").write_bytes(b"")
    (dataset.root / "midi/7.mid").write_text("a text file named .mid")
    (dataset.root / "midi/8.mid").unlink()
    return {
        "a/0.wav": "missing audio",
        "a/1.wav": "unreadable audio",
        "a/2.wav": "unreadable audio",
        "a/3.wav": "silent audio",
        "a/4.wav": "non-finite audio",
        "a/5.wav": "audio shorter than its MIDI",
        "a/6.wav": "unreadable MIDI",
        "a/7.wav": "unreadable MIDI",
        "a/8.wav": "missing MIDI",
    }


def test_every_bad_file_is_counted_and_named(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "data", count=10, kits=("a",))
    wanted = _spoil(dataset)
    summary = build(dataset, tmp_path / "cache")
    assert summary.cached == 1 and sum(summary.skipped.values()) == 9
    skipped = Cache.open(tmp_path / "cache").skipped()
    assert {row["key"]: row["reason"] for row in skipped} == wanted
    for row in skipped:
        stem = Path(row["key"]).stem
        assert f"{stem}.wav" in row["detail"] or f"{stem}.mid" in row["detail"]
        assert str(tmp_path) not in row["detail"]


def test_strict_stops_at_the_first_bad_file(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "data", kits=("a",))
    dataset.audio_path(dataset.takes[3]).unlink()
    with pytest.raises(InputError, match="take a/3.wav: missing audio: a/3.wav: no such file"):
        build(dataset, tmp_path / "cache", strict=True)
    build(dataset, tmp_path / "cache")
    with pytest.raises(InputError, match="left out before"):
        build(dataset, tmp_path / "cache", strict=True)


def test_a_run_that_caches_nothing_is_an_error(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "data", count=2, kits=("a",))
    for take in dataset.takes:
        dataset.audio_path(take).unlink()
    for _ in range(2):
        with pytest.raises(InputError, match="nothing was cached; all 2 .*missing audio: 2"):
            build(dataset, tmp_path / "cache")
        assert list(files_of(tmp_path / "cache")) == ["skipped.jsonl"]


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        _kill_at(patch, 10, OSError(28, "No space left on device"))
        with pytest.raises(MidigrooveError, match="No space left on device.*same command again"):
            build(dataset, tmp_path / "cache")
    assert not [name for name in files_of(tmp_path / "cache") if ".tmp" in name]
    assert 0 < build(dataset, tmp_path / "cache").encoded < 10


def test_stereo_is_downmixed_with_a_word_about_it(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "data", count=2, kits=("a",))
    path = dataset.audio_path(dataset.takes[0])
    mono, _ = soundfile.read(path, dtype="float32")
    save_audio(path, np.stack([mono, np.zeros_like(mono)]), RATE)
    said: list[str] = []
    progress = type("P", (), {n: lambda *a, **k: None for n in ("start", "advance", "finish")})()
    progress.message = said.append
    assert build(dataset, tmp_path / "cache", progress=progress).downmixed == 1
    assert any("more channels than the codec's 1" in line for line in said)


def test_normalize_keeps_the_gain_that_undoes_it(dataset: Dataset, tmp_path: Path) -> None:
    build(dataset, tmp_path / "cache", normalize=True)
    for entry in Cache.open(tmp_path / "cache").entries:
        audio = load_mono(dataset.root / entry.key, ToyCodec().clock.sample_rate)
        assert np.abs(audio * entry.gain).max() == pytest.approx(10 ** (-1 / 20), rel=1e-5)


def test_ranks_are_checked(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(MidigrooveError, match="rank is 2"):
        build(dataset, tmp_path / "cache", rank=2, world=2)
    with pytest.raises(MidigrooveError, match="one process"):
        build(dataset, tmp_path / "cache", world=2, overwrite=True)


def test_versions_do_not_depend_on_what_happens_to_be_imported(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(dataset, tmp_path / "one")
    monkeypatch.setitem(sys.modules, "transformers", sys)
    build(dataset, tmp_path / "two")
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
