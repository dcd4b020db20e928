"""Which clips are trained and measured on: draws, strata, overlaps, kits in any spelling."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from support.trainable_cache import make_cache

from midigroove_core.cache import Cache
from midigroove_core.errors import InputError
from midigroove_core.training import TrainConfig
from midigroove_core.training.windows import Windows, make_windows


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return make_cache(tmp_path_factory.mktemp("windows") / "cache")


def windows(cache: Cache, **more: Any) -> Windows:
    return make_windows(cache, TrainConfig(cache=str(cache.path), out="run", **more))


def kits(cache: Cache, clips: list[Any]) -> Counter[str]:
    return Counter(cache.entries[clip.entry_index].kit for clip in clips)


def test_no_number_of_clips_to_measure_on_is_all(cache: Cache) -> None:
    assert len(windows(cache, eval_clips=0).valid) == len(windows(cache, eval_clips=10**6).valid)
    assert len(windows(cache, eval_clips=3).valid) == 3


def test_clips_to_train_on_are_drawn_over_strata(cache: Cache) -> None:
    drawn = windows(cache, max_clips=6, stratify=["kit"])
    assert kits(cache, drawn.train) == {"jazz": 3, "rock": 3}
    again = windows(cache, max_clips=6, stratify=["kit"])
    assert again.train == drawn.train
    assert set(windows(cache, max_clips=3, stratify=["kit"]).train) < set(drawn.train)


def test_clips_to_measure_on_have_the_strata_of_training(cache: Cache) -> None:
    measured = windows(cache, kits=["Jazz,ROCK"], stratify=["drummer,kit"], eval_clips=4)
    assert kits(cache, measured.valid) == {"jazz": 2, "rock": 2}


def test_seconds_and_hops_reach_the_clips(cache: Cache) -> None:
    whole = windows(cache).train
    assert len(windows(cache, hop_beats=1).train) > 2 * len(whole)
    seconds = windows(cache, clips="seconds", window_sec=1.0)
    assert max(clip.num_frames for clip in seconds.train) == 63
    assert seconds.crop_frames == 0


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"kits": ["brush"]}, "no kit 'brush' in .*cache; it has jazz, rock"),
        ({"stratify": ["bpm"]}, "training setting stratify: 'bpm' is not one of drummer, style"),
        ({"stratify_mode": "even"}, "stratify_mode = 'even': use one of proportional, uniform"),
    ],
)
def test_wrong_draws_are_named(cache: Cache, more: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        windows(cache, **more)
