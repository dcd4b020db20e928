"""The lines of the tables: systems under test, and the references that give figures a meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RowKind(StrEnum):
    """What a row is, in the order of the tables: from what nobody should lose against on."""

    SILENCE = "silence"
    RANDOM = "random"
    UNIGRAM = "unigram"
    NEAREST = "nearest"
    SAMPLER = "sampler"
    SYSTEM = "system"
    ORACLE = "oracle"
    RECORDING = "recording"


REFERENCE_KINDS = tuple(kind for kind in RowKind if kind is not RowKind.SYSTEM)
"""Kinds that one does not name."""

CHANCE_KINDS = (RowKind.RANDOM, RowKind.UNIGRAM, RowKind.NEAREST)
"""Codes that come about without looking at the hits, or with no more than looking up."""

CODES_KINDS = (*CHANCE_KINDS, RowKind.ORACLE)
"""Reference rows that play codes: once per codec."""


@dataclass(frozen=True)
class Row:
    """One line of the tables.

    Attributes:
        name: what tables call it.
        kind: what it is.
        codec_id: whose codes it plays; None for rows without a codec.
        oracle: name of the oracle row it is measured against; None without one.
        is_bound: its nats per code are an upper bound of what codes cost, not the cost itself.
    """

    name: str
    kind: RowKind
    codec_id: str | None = None
    oracle: str | None = None
    is_bound: bool = False

    @property
    def is_system(self) -> bool:
        """Whether it is under test."""
        return self.kind is RowKind.SYSTEM
