"""Which take is the reference of which."""

from __future__ import annotations

from dataclasses import replace

from midigroove_core.datasets.references import Sound, choose_references, references_of
from midigroove_core.takes import Take


def sound(kit: str, split: str, name: str, duration: float = 20.0) -> Sound:
    return Sound(f"{name}_{kit}.wav", name, kit, split, duration)


def test_a_reference_is_another_performance_on_the_same_kit_in_the_same_split() -> None:
    sounds = [sound(k, s, f"{s}{n}") for k in "ab" for s in ("train", "test") for n in range(5)]
    chosen = choose_references(sounds)
    by_key = {one.key: one for one in sounds}
    for one in sounds:
        other = by_key[chosen[one.key]]
        assert (other.kit, other.split) == (one.kit, one.split)
        assert other.performance_key != one.performance_key


def test_each_take_serves_about_as_often_whatever_the_order() -> None:
    sounds = [sound("a", "train", f"p{n}") for n in range(10)]
    chosen = choose_references(sounds)
    assert chosen == choose_references(reversed(sounds))
    served = list(chosen.values())
    assert max(map(served.count, served)) <= 2


def test_long_takes_are_preferred_and_a_take_that_is_alone_has_none() -> None:
    sounds = [sound("a", "train", f"fill{n}", 2.0) for n in range(4)]
    sounds += [sound("a", "train", "long1"), sound("a", "train", "long2")]
    sounds += [sound("b", "train", "alone"), sound("a", "test", "short1", 2.0)]
    sounds += [sound("a", "test", "short2", 2.0)]
    chosen = choose_references(sounds)
    assert all("long" in chosen[one.key] for one in sounds[:6])
    assert sounds[6].key not in chosen
    assert chosen[sounds[7].key] == "short2_a.wav"


def test_what_the_dataset_names_comes_first() -> None:
    takes = [
        Take(f"{n}.wav", f"p{n}", f"{n}.mid", f"{n}.wav", "a", "d", "s", 0.0, "beat", "4-4",
             "train", 20.0)
        for n in range(4)
    ]  # fmt: skip
    plain = references_of(takes)
    other = next(t for t in takes[1:] if t is not plain["0.wav"])
    named = [replace(takes[0], reference=other.key), *takes[1:]]
    assert references_of(named)["0.wav"] == other
    assert references_of(named)["1.wav"].key == plain["1.wav"].key
