"""Which take is the reference of which."""

from __future__ import annotations

from midigroove_core.datasets.references import name_references


def row(kit: str, split: str, name: str, duration: float = 20.0) -> dict[str, str]:
    return {
        "kit_name": kit, "split": split, "id": name, "audio_filename": f"{name}_{kit}.wav",
        "duration": str(duration),
    }  # fmt: skip


def test_a_reference_is_another_performance_on_the_same_kit_in_the_same_split() -> None:
    rows = [row(k, s, f"{s}{n}") for k in "ab" for s in ("train", "test") for n in range(5)]
    name_references(rows)
    by_file = {r["audio_filename"]: r for r in rows}
    for one in rows:
        other = by_file[one["reference_filename"]]
        assert (other["kit_name"], other["split"]) == (one["kit_name"], one["split"])
        assert other["id"] != one["id"]


def test_each_take_serves_about_as_often_whatever_the_order() -> None:
    rows = [row("a", "train", f"p{n}") for n in range(10)]
    turned = [dict(r) for r in reversed(rows)]
    name_references(rows)
    name_references(turned)
    chosen = [r["reference_filename"] for r in rows]
    assert chosen == [r["reference_filename"] for r in reversed(turned)]
    assert max(map(chosen.count, chosen)) <= 2


def test_long_takes_are_preferred_and_a_take_that_is_alone_has_none() -> None:
    rows = [row("a", "train", f"fill{n}", 2.0) for n in range(4)]
    rows += [row("a", "train", "long1"), row("a", "train", "long2")]
    rows += [row("b", "train", "alone"), row("a", "test", "short1", 2.0)]
    rows += [row("a", "test", "short2", 2.0)]
    name_references(rows)
    assert all("long" in r["reference_filename"] for r in rows[:6])
    assert rows[6]["reference_filename"] == ""
    assert rows[7]["reference_filename"] == "short2_a.wav"
