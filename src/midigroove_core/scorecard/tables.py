"""A summary as tables to read; without torch, so that `compare` and `report` can use it too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from midigroove_core.metrics.drums import TRUSTED_F1
from midigroove_core.metrics.info import SET_METRICS, MetricInfo
from midigroove_core.scorecard.cost import Cost, CostLine, EncodingCost
from midigroove_core.scorecard.figures import Difference, Figure, Range
from midigroove_core.scorecard.metrics import ALL_METRICS, BOUNDED
from midigroove_core.scorecard.records import SetDistances, SetFloor, SetLine
from midigroove_core.scorecard.summary import LongRow, RowSummary, Summary

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Does it play the MIDI?",
        ("onset_f1_50ms", "onset_f1_25ms", "onset_f1_10ms", "onset_offset_mean_ms",
         "reference_onset_f1_50ms", "drum_f1",
         "velocity_correlation", "microtiming_correlation", "microtiming_error_ms"),
    ),
    (
        "Does it sound like the recording?",
        ("mel_l1", "log_magnitude_distance", "log_spectral_distance", "envelope_correlation",
         "transient_tail_difference_db", "level_difference_db"),
    ),
    ("Codes", ("nll_nats", "bits_per_second", "accuracy")),
    ("Misleading figures, for comparison with other work",
     ("spectral_convergence", "rmse", "mae", "si_sdr_db")),
)  # fmt: skip


@dataclass(frozen=True)
class TextTable:
    """A table of texts and numbers.

    Attributes:
        title: above it.
        columns: heads; the first names the row.
        rows: cells.
    """

    title: str
    columns: list[str]
    rows: list[list[object]]

    def to_text(self) -> str:
        """Columns side by side, for a terminal or a notebook."""
        lines = [self.columns, *([str(value) for value in row] for row in self.rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        padded = [
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, padded[0], "-" * max(map(len, padded)), *padded[1:]])


def added_group(summary: Summary) -> tuple[str, tuple[str, ...]]:
    """The figures that plugins added, as a group like the others."""
    return "Figures of plugins", tuple(n for n in summary.metrics if n not in ALL_METRICS)


def main_tables(summary: Summary) -> list[TextTable]:
    """Every row of the evaluation by the questions asked."""
    tables = []
    spread = f" (in brackets: over {summary.seeds} seeds)" if summary.seeds > 1 else ""
    for title, wanted in (*GROUPS, added_group(summary)):
        metrics = [name for name in wanted if name in summary.metrics]
        lines: list[list[object]] = []
        for row in summary.rows:
            if any(name in row.metrics for name in metrics):
                cells = [row_cell(row, name) for name in metrics]
                lines.append([row.row, row.clips, *cells])
        if lines:
            heads = [head(summary.metrics[name]) for name in metrics]
            tables.append(TextTable(title + spread, ["row", "clips", *heads], lines))
    if summary.audio is not None and summary.audio.sets is not None and summary.audio.sets.lines:
        tables.append(set_table(summary.audio.sets))
    return tables


def set_table(sets: SetDistances) -> TextTable:
    """Distances between sets, over all kits; the floor is real against real."""
    rows: list[list[object]] = [
        ["floor", floor_text(floor), *["-"] * (len(SET_METRICS) - 1)]
        for floor in sets.floors
        if floor.kit == ""
    ]
    for line in sets.lines:
        if line.kit == "":
            rows.append([line.row, *(set_text(line, name) for name in SET_METRICS)])
    title = f"Does the whole sound like the recordings? ({sets.embedding})"
    return TextTable(title, ["row", *map(head, SET_METRICS.values())], rows)


def set_text(line: SetLine, metric: str) -> str:
    """A distance, the kernel's with its spread over seeds."""
    text = plain(getattr(line, metric))
    return text + (seeds_text(line.over_seeds) if metric == "kernel_audio_distance" else "")


def seeds_text(over_seeds: float | None) -> str:
    """The standard deviation over sampling seeds in brackets; nothing for one seed."""
    return "" if over_seeds is None else f" (±{plain(over_seeds, 2)})"


def floor_text(floor: SetFloor) -> str:
    """What real against real scores."""
    high = plain(floor.kernel_audio_distance_p95)
    return f"{plain(floor.kernel_audio_distance)} (95 % below {high})"


def long_table(summary: Summary, cost: Cost) -> TextTable | None:
    """Joins of windows in long renders, beside the same moments of the reference; None if none."""
    long = None if summary.audio is None else summary.audio.long
    if long is None or not long.rows:
        return None
    factors = {line.row: line.real_time_factor for line in cost.long}
    heads = [head(info) for info in long.metrics.values()]
    rows = [_long_line(line, list(long.metrics), factors.get(line.row)) for line in long.rows]
    title = f"Can the joins of long renders be heard? (takes of up to {long.seconds:g} s)"
    before = ["row", "joins of", "takes", "joins", "away from hits"]
    return TextTable(title, [*before, *heads, "samples off", "real-time factor"], rows)


def _long_line(line: LongRow, metrics: Sequence[str], factor: float | None) -> list[object]:
    cells = [range_cell(line.metrics.get(name)) for name in metrics]
    own = line.row == line.joins_of
    return [
        line.row, line.joins_of, line.takes, line.joins, line.seams_compared, *cells,
        "-" if line.samples_off is None else line.samples_off, plain(factor) if own else "-",
    ]  # fmt: skip


def range_cell(found: Range | None) -> str:
    """Mean over takes with the lowest and the highest."""
    if found is None or found.mean is None or found.least == found.most:
        return plain(None if found is None else found.mean)
    return f"{plain(found.mean)} ({plain(found.least)}–{plain(found.most)})"


CODEC_FIGURES = ("mel_l1", "log_magnitude_distance", "onset_f1_50ms", "drum_f1")
"""What the table of codecs says of their oracles."""


def codec_table(summary: Summary, cost: Cost) -> TextTable | None:
    """The codecs beside each other: rate, what their oracles lose, speed; None without codecs."""
    codecs = () if summary.audio is None else summary.audio.codecs
    if not codecs:
        return None
    metrics = [name for name in CODEC_FIGURES if name in summary.metrics]
    made = {line.row: line for line in cost.rows}
    encoded = {line.cache: line for line in cost.encoding}
    rows: list[list[object]] = []
    for line in codecs:
        row = summary.row(line.oracle)
        figures = {} if row is None else row.metrics
        bits = None if line.bits_per_second is None else line.bits_per_second / 1000
        rows.append(
            [line.oracle, line.codec, plain(bits), line.sample_rate, plain(line.frame_rate),
             f"{line.codebooks}", *(cell(figures.get(name)) for name in metrics),
             *_spent(encoded.get(line.cache), made.get(line.oracle))]
        )  # fmt: skip
    heads = [head(summary.metrics[name]) for name in metrics]
    columns = ["row", "codec", "kbit/s", "sample rate", "frames/s", "rows of codes", *heads]
    title = "What each codec loses, and what it takes"
    return TextTable(title, [*columns, *SPENT_COLUMNS], rows)


SPENT_COLUMNS = (
    "encoding, x real time", "decoding, x real time", "decoding, s per clip", "memory, MiB",
)  # fmt: skip


def _spent(encoding: EncodingCost | None, decoding: CostLine | None) -> list[object]:
    """What a codec takes, under `SPENT_COLUMNS`."""
    return [
        plain(None if encoding is None else encoding.real_time_factor),
        plain(None if decoding is None else decoding.real_time_factor),
        plain(None if decoding is None else decoding.sec_per_clip),
        plain(None if encoding is None else encoding.memory_mib),
    ]


def drum_table(summary: Summary) -> TextTable:
    """F1 of each drum, all rows; a head says where the reference itself is not heard."""
    lines = () if summary.audio is None else summary.audio.drums
    drums = {line.drum: line.trusted for line in lines}
    found = {(line.row, line.drum): line.f1 for line in lines}
    rows: list[list[object]] = [
        [row.row, *(plain(found.get((row.row, drum))) for drum in drums)]
        for row in summary.rows
        if any((row.row, drum) in found for drum in drums)
    ]
    heads = [drum if trusted else f"({drum})" for drum, trusted in drums.items()]
    title = f"Each drum, F1 ↑ (in brackets, not trusted: the reference is under {TRUSTED_F1})"
    return TextTable(title, ["row", *heads], rows)


def difference_table(summary: Summary) -> TextTable:
    """The paired differences between systems, trusted metrics only."""
    systems = set(summary.systems)
    rows = [
        difference_row(line, summary.metrics[line.metric])
        for line in summary.differences
        if line.second in systems and is_trusted(summary, line.metric)
    ]
    return TextTable("Paired differences (95 %)", list(DIFFERENCE_COLUMNS), rows)


def order_table(summary: Summary) -> TextTable:
    """What the figures got in the wrong order; see `order`."""
    rows: list[list[object]] = [
        [
            head(summary.metrics[line.metric]),
            line.but,
            line.better,
            plain(line.mean),
            f"{plain(line.low)} to {plain(line.high)}",
            "figure not trusted" if line.marks else "look at the system",
        ]
        for line in summary.disorder
        if line.metric in summary.metrics
    ]
    columns = ["figure", "this row", "beats", "by", "interval", "so"]
    return TextTable("Figures that break the order of the rows", columns, rows)


DIFFERENCE_COLUMNS = (
    "first", "second", "metric", "second - first", "95 % interval", "p", "p of the table", "better",
)  # fmt: skip
"""Heads of tables of differences; the table's p-values are corrected for its length."""


def difference_row(line: Difference, info: MetricInfo) -> list[object]:
    """One paired difference as cells, under `DIFFERENCE_COLUMNS`."""
    interval = f"{plain(line.found.low)} to {plain(line.found.high)}"
    return [
        line.first, line.second, head(info), plain(line.found.mean), interval,
        plain(line.p, 2), plain(line.p_holm, 2), line.better,
    ]  # fmt: skip


def is_trusted(summary: Summary, metric: str) -> bool:
    """Whether a metric is there and trusted."""
    info = summary.metrics.get(metric)
    return info is not None and info.trusted


def in_order(names: Iterable[str]) -> list[str]:
    """Metrics in the order of the questions, then what is in no question."""
    there = dict.fromkeys(names)
    asked = [name for _, group in GROUPS for name in group if name in there]
    return [*asked, *(name for name in there if name not in asked)]


def head(info: MetricInfo) -> str:
    """A column's head: label, unit, and which way is better."""
    arrow = {"higher": "↑", "lower": "↓", "zero": "→0"}[info.better]
    unit = f", {info.unit}" if info.unit else ""
    return f"{info.label}{unit} {arrow}"


def row_cell(row: RowSummary, metric: str) -> str:
    """A row's figure, marked where it is no more than an upper bound."""
    text = cell(row.metrics.get(metric))
    return f"≤ {text}" if row.is_bound and metric in BOUNDED and text != "-" else text


def cell(figure: Figure | None) -> str:
    """Mean, half the width of its interval, and in brackets the spread over seeds."""
    if figure is None or figure.mean is None:
        return "-"
    luck = seeds_text(figure.over_seeds)
    if figure.low is None or figure.high is None or figure.low == figure.high:
        return plain(figure.mean) + luck
    return f"{plain(figure.mean)} ±{plain((figure.high - figure.low) / 2, 2)}{luck}"


def plain(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits; "-" for none."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return f"{value:.{digits}g}"
