"""Clips start before the beat, lose nothing, and read the same from anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from support.trainable_cache import CLOCK, codes_of, make_cache

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.cache import Cache
from midigroove_core.cache.clips import Clip, ClipReader, cut_clips, vocabularies_of
from midigroove_core.errors import MidigrooveError

CONDITIONS = ("kit", "drummer", "style", "bpm")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return make_cache(tmp_path_factory.mktemp("cache") / "cache")


@pytest.fixture
def reader(cache: Cache) -> ClipReader:
    return ClipReader(cache, ExpressiveGrid(), vocabularies_of(cache.split("train")), CONDITIONS)


def test_clips_tile_their_takes(cache: Cache) -> None:
    clips = cut_clips(cache, "train", beats=4)
    assert clips == cut_clips(cache, "train", beats=4)
    for index, entry in enumerate(cache.entries):
        mine = [clip for clip in clips if clip.entry_index == index]
        assert bool(mine) == (entry.split == "train")
        for clip, following in zip(mine, mine[1:], strict=False):
            assert following.start_frame == clip.start_frame + clip.num_frames
        if mine:
            assert mine[0].start_frame == 0
            end = mine[-1].start_frame + mine[-1].num_frames
            window_sec = 240 / float(cache.performance(entry).tempo_bpm[0])
            assert 0 <= entry.num_frames - end <= CLOCK.seconds_to_frames(window_sec / 2) + 1
    whole = cut_clips(cache, None, beats=4)
    assert len(whole) == len(clips) + len(cut_clips(cache, "validation"))


def test_clips_begin_a_little_before_their_beat(cache: Cache) -> None:
    """Known mistake 3: a window cut on the beat beheads hits that are played ahead of it."""
    beheaded_on_the_beat = 0
    for clip in cut_clips(cache, "train", beats=2, lead_sec=0.1):
        if clip.start_frame == 0:
            continue
        performance = cache.performance(cache.entries[clip.entry_index])
        start_sec = float(CLOCK.frames_to_seconds(clip.start_frame))
        beat_sec = start_sec + 0.1
        beats = float(performance.seconds_to_beats(beat_sec))
        assert abs(beats - 2 * round(beats / 2)) < 0.08
        gap = performance.onset_sec - start_sec
        assert not ((gap < 0) & (gap > -0.03)).any()
        gap = performance.onset_sec - beat_sec
        beheaded_on_the_beat += int(((gap < 0) & (gap > -0.03)).any())
    assert beheaded_on_the_beat > 0


def test_a_short_take_is_one_clip(tmp_path: Path) -> None:
    cache = make_cache(tmp_path / "cache", performances=3, seconds=0.7)
    clips = cut_clips(cache, beats=4)
    assert [clip.num_frames for clip in clips] == [entry.num_frames for entry in cache.entries]


def test_windows_overlap_where_the_hop_is_shorter(cache: Cache) -> None:
    apart = [clip for clip in cut_clips(cache, lead_sec=0.0) if clip.entry_index == 0]
    often = [c for c in cut_clips(cache, lead_sec=0.0, hop_beats=2) if c.entry_index == 0]
    assert len(often) in (2 * len(apart) - 1, 2 * len(apart))
    assert often[::2][: len(apart)] == apart
    starts = np.array([clip.start_frame for clip in often])
    beat = 60 / float(cache.performance(cache.entries[0]).tempo_bpm[0])
    frames = float(CLOCK.seconds_to_frames(2 * beat))
    np.testing.assert_allclose(np.diff(starts), frames, atol=1.01)


def test_windows_in_seconds_follow_no_beat(cache: Cache) -> None:
    for clip in cut_clips(cache, window_sec=2.0, hop_sec=0.5):
        entry = cache.entries[clip.entry_index]
        start_sec = float(CLOCK.frames_to_seconds(clip.start_frame))
        assert abs(start_sec / 0.5 - round(start_sec / 0.5)) < 0.05
        whole = min(125, entry.num_frames - clip.start_frame)
        assert abs(clip.num_frames - whole) <= 1
        assert clip.num_frames >= 62


@pytest.mark.parametrize("options", [{"beats": 0}, {"lead_sec": -0.1}, {"hop_beats": -1}])
def test_wrong_windows_are_refused(cache: Cache, options: dict) -> None:
    with pytest.raises(MidigrooveError, match="beats >= 1"):
        cut_clips(cache, **options)


def test_reading_gives_the_take_seen_through_a_window(cache: Cache, reader: ClipReader) -> None:
    for clip in cut_clips(cache, "train"):
        entry = cache.entries[clip.entry_index]
        read = reader.read(clip, context_frames=20)
        assert read.context_frames == min(20, clip.start_frame)
        start = clip.start_frame - read.context_frames
        assert read.codes.shape[1] == read.grid.shape[1] == clip.num_frames + read.context_frames
        whole = codes_of(cache.performance(entry), entry.num_frames, int(entry.kit == "rock"))
        np.testing.assert_array_equal(read.codes, whole[:, start : start + read.codes.shape[1]])
        bare = reader.read(clip)
        np.testing.assert_allclose(bare.grid, read.grid[:, read.context_frames :], atol=1e-6)


def test_conditions_are_indices_and_what_is_not_known_is_minus_one(
    cache: Cache, reader: ClipReader
) -> None:
    vocabularies = vocabularies_of(cache.split("train"))
    assert vocabularies == {
        "kit": ["jazz", "rock"],
        "drummer": ["drummer0", "drummer1"],
        "style": ["funk"],
        "beat_type": ["beat"],
    }
    values = [reader.read(clip).conditions for clip in cut_clips(cache, "validation")]
    assert {value["drummer"] for value in values} == {-1}
    assert {value["kit"] for value in values} == {0, 1}
    first = reader.read(cut_clips(cache, "train")[0]).conditions
    assert first["style"] == -1
    assert first["bpm"] == pytest.approx(cache.entries[0].bpm)
    with pytest.raises(MidigrooveError, match="condition 'mood'"):
        ClipReader(cache, ExpressiveGrid(), vocabularies, ["mood"])


def test_batches_are_padded_at_the_end(reader: ClipReader) -> None:
    clips = [Clip(0, 10, 30), Clip(1, 0, 45)]
    arrays = [reader.read(clip, context_frames=5) for clip in clips]
    batch = reader.collate(arrays)
    assert batch.grid.shape == (2, len(reader.featurizer.feature_names), 45)
    assert batch.mask.sum(dim=1).tolist() == [35, 45]
    assert (batch.codes[0, :, 35:] == 0).all() and (batch.grid[0, :, 35:] == 0).all()
    assert torch.equal(batch.codes[1], torch.from_numpy(arrays[1].codes.astype(np.int64)))
    assert {name: value.dtype for name, value in batch.conditions.items()} == {
        "kit": torch.int64,
        "drummer": torch.int64,
        "style": torch.int64,
        "bpm": torch.float32,
    }
