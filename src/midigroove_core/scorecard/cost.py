"""cost.json: the time and memory an evaluation took, apart from what is the same every time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from midigroove_core.scorecard.measured import Measured
from midigroove_core.scorecard.records import number
from midigroove_core.scorecard.scores import Spent
from midigroove_core.structured import convert_as


@dataclass(frozen=True)
class CostLine:
    """Seconds spent on a row; real-time factor: seconds spent per second of audio.

    Attributes:
        sec_per_clip: of predicting and decoding, each draw counted as a clip.
    """

    row: str
    predict_sec: float | None
    decode_sec: float | None
    score_sec: float | None
    audio_sec: float | None
    real_time_factor: float | None
    sec_per_clip: float | None = None


@dataclass(frozen=True)
class LongCost:
    """Seconds spent on a system's long renders."""

    row: str
    render_sec: float | None
    audio_sec: float | None
    real_time_factor: float | None


@dataclass(frozen=True)
class EncodingCost:
    """What a codec took to encode its takes, inside the codec, per cache.

    Attributes:
        encode_sec, audio_sec, real_time_factor: None where nothing was encoded.
        memory_mib: that its weights and ten seconds of audio add to a process of its own, or on a
            GPU take of that one's memory, at the most; None where it was not measured.
    """

    cache: str
    codec: str
    encode_sec: float | None
    audio_sec: float | None
    real_time_factor: float | None
    memory_mib: float | None = None


@dataclass(frozen=True)
class Cost:
    """cost.json.

    Attributes:
        wall_sec: the whole evaluation; None where it is not known.
        peak_memory_mib: most memory that the process held; None where the system does not say.
        rows, long, encoding: where the time went.
    """

    wall_sec: float | None = None
    peak_memory_mib: float | None = None
    rows: tuple[CostLine, ...] = ()
    long: tuple[LongCost, ...] = ()
    encoding: tuple[EncodingCost, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON; `from_json` of it is equal."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any, where: str = "cost.json") -> Cost:
        """From JSON.

        Raises:
            InputError: not of this form; names the path in it.
        """
        return convert_as(value, cls, where)


def make_cost(measured: Measured, wall_sec: float, encoding: Sequence[EncodingCost] = ()) -> Cost:
    """The time of each row, of its long renders, and of encoding."""
    audio = measured.audio
    spent = audio.long.spent if audio is not None and audio.long is not None else ()
    long = [
        LongCost(
            x.row, number(x.render_sec), number(x.audio_sec), number(x.render_sec / x.audio_sec)
        )
        for x in spent
    ]
    rows = [
        _line(
            row.name,
            measured.spent.get(row.name, Spent()),
            sum(
                int(measured.scores.scored(row.name, draw).sum())
                for draw in range(measured.scores.draws(row.name))
            ),
        )
        for row in measured.rows
    ]
    return Cost(number(wall_sec), peak_memory_mib(), tuple(rows), tuple(long), tuple(encoding))


def _line(row: str, spent: Spent, clips: int) -> CostLine:
    made = spent.total("predict") + spent.total("decode")
    factor = made / spent.audio_sec if spent.audio_sec else float("nan")
    return CostLine(
        row,
        number(spent.total("predict")),
        number(spent.total("decode")),
        number(spent.total("score")),
        number(spent.audio_sec),
        number(factor),
        number(made / clips) if clips else None,
    )


def peak_memory_mib() -> float | None:
    """Most memory that this process held, in MiB; None where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes / (2**20 if sys.platform == "darwin" else 2**10), 1)
