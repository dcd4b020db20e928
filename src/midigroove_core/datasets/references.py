"""Which take is heard to know the kit of another: part of the dataset, not of a training run."""

from __future__ import annotations

import hashlib

from midigroove_core.takes import egmd

LONG_SEC = 8.0
"""A take of less is a reference only where its kit and split have no longer one."""


def name_references(rows: list[dict[str, str]]) -> None:
    """Fills the column `egmd.REFERENCE` of csv rows: another take of the same kit and split.

    It is another performance, at least `LONG_SEC` long where there is one, and all of them serve
    about equally often. Nothing but the rows decides. A take that is alone gets "".
    """
    groups: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault((row["kit_name"], row["split"]), []).append(row)
    for group in groups.values():
        group.sort(key=_shuffled)
        long = [row for row in group if float(row["duration"]) >= LONG_SEC]
        for candidates in (long, group):
            if len({row["id"] for row in candidates}) > 1:
                break
        for place, row in enumerate(group):
            turned = candidates[place % len(candidates) :] + candidates[: place % len(candidates)]
            other = (c["audio_filename"] for c in turned if c["id"] != row["id"])
            row[egmd.REFERENCE] = next(other, "")


def _shuffled(row: dict[str, str]) -> str:
    return hashlib.sha256(row["audio_filename"].encode()).hexdigest()
