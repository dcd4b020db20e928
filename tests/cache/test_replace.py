"""Making a cache again: what stays, what goes, and when."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.cache_fixtures import files_of, make_dataset

from midigroove_core.cache import Cache
from midigroove_core.cache import replace as replacing
from midigroove_core.cache.build import CacheSummary, build_cache
from midigroove_core.errors import InputError, MidigrooveError, MismatchError
from midigroove_core.lock import lock_folder
from midigroove_core.takes import Dataset
from midigroove_core.testing import ToyCodec


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return make_dataset(tmp_path / "data")


def build(dataset: Dataset, out: Path, seed: int = 0, **options: object) -> CacheSummary:
    codec = ToyCodec(sample_rate=8000, hop_length=100, seed=seed)
    return build_cache(dataset, codec, out, device="cpu", takes_per_shard=4, **options)  # type: ignore[arg-type]


class Killed(BaseException):
    """As if the process had been killed."""


def test_the_old_cache_stays_until_the_new_one_is_whole(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "cache"
    build(dataset, out)
    before = files_of(out)
    build(dataset, tmp_path / "other", seed=1)
    seen: list[int] = []

    def encode(self: ToyCodec, audio: object) -> object:
        seen.append(1)
        if len(seen) == 6:
            raise Killed
        return original(self, audio)  # type: ignore[arg-type]

    original = ToyCodec.encode
    with monkeypatch.context() as patch:
        patch.setattr(ToyCodec, "encode", encode)
        with pytest.raises(Killed):
            build(dataset, out, seed=1, overwrite=True)
    there = files_of(out)
    assert {name: there[name] for name in before} == before
    Cache.open(out).codes(Cache.open(out).entries[0])
    assert build(dataset, out, seed=1, overwrite=True).finished
    assert files_of(out) == files_of(tmp_path / "other")


@pytest.mark.parametrize("moves", range(6))
def test_a_kill_while_it_is_put_in_place_is_made_good(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    out = tmp_path / "cache"
    build(dataset, out)
    build(dataset, tmp_path / "other", seed=1)
    done: list[int] = []

    def move(source: Path, target: Path) -> None:
        if len(done) == moves:
            raise Killed
        done.append(1)
        Path(source).rename(target)

    with monkeypatch.context() as patch:
        patch.setattr(replacing.os, "replace", _only_from(replacing.REPLACEMENT, move))
        with pytest.raises(Killed):
            build(dataset, out, seed=1, overwrite=True)
    with pytest.raises(InputError, match="not finished; give the same"):
        Cache.open(out)
    assert build(dataset, out, seed=1).finished
    assert files_of(out) == files_of(tmp_path / "other")


def _only_from(folder: str, move: object) -> object:
    """`os.replace` that asks `move` for files of one folder; the writers rename files, too."""
    original = replacing.os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(source).parent.name == folder and Path(target).parent.name != folder:
            move(source, target)  # type: ignore[operator]
        else:
            original(source, target)

    return replace


def test_only_files_of_a_cache_go(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "cache"
    build(dataset, out)
    (out / "notes.txt").write_text("mine")
    assert build(dataset, out, seed=1, overwrite=True).finished
    assert (out / "notes.txt").read_text() == "mine"
    house = tmp_path / "house"
    (house / "building").mkdir(parents=True)
    (house / "building" / "plan.pdf").write_text("mine")
    before = files_of(house)
    for overwrite in (True, False):
        with pytest.raises(MismatchError, match="holds files"):
            (house / "roof.txt").write_text("mine") if not overwrite else None
            build(dataset, house, overwrite=overwrite)
        (house / "roof.txt").unlink(missing_ok=True)
        assert files_of(house) == before
    (house / "cache.json").write_text('{"pages": 3}')
    with pytest.raises(MismatchError, match="is no header of a cache"):
        build(dataset, house, overwrite=True)


def test_a_second_process_of_the_same_rank_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "cache"
    with (
        lock_folder(out, "cache", name=".rank-0-of-1.lock"),
        pytest.raises(MidigrooveError, match="another process is writing to this cache as rank 0"),
    ):
        build(dataset, out)
    assert build(dataset, out).finished
    assert not list(out.glob(".*"))


def test_a_cache_made_again_while_it_is_open_is_seen(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "cache"
    build(dataset, out)
    cache = Cache.open(out)
    cache.codes(cache.entries[0])
    other = ToyCodec(sample_rate=8000, hop_length=100, codebook_size=32)
    build_cache(dataset, other, out, device="cpu", takes_per_shard=4, overwrite=True)
    last = cache.entries[-1]
    with pytest.raises(InputError, match="not those that were written"):
        cache.codes(last)
