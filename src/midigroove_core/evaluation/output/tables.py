"""summary.json as tables to read; without torch, so that `compare` and `report` can use it too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Does it play the MIDI?",
        ("onset_f1_50ms", "onset_f1_25ms", "onset_f1_10ms", "onset_offset_mean_ms", "drum_f1",
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

LONG_FIGURES = ("seam_flux_ratio", "seam_percentile_mean", "onset_f1_50ms")
"""Figures of long renders, in the order of columns."""

Table = tuple[str, list[str], list[list[object]]]


def main_table(summary: dict[str, Any]) -> list[Table]:
    """Tables of (title, columns, rows): every row of the evaluation by the questions asked."""
    tables = []
    for title, wanted in GROUPS:
        metrics = [name for name in wanted if name in summary["metrics"]]
        lines = []
        for row in summary["rows"]:
            if any(name in row["metrics"] for name in metrics):
                cells = [cell(row["metrics"].get(name)) for name in metrics]
                lines.append([row["row"], row["clips"], *cells])
        if lines:
            heads = [head(summary["metrics"][name]) for name in metrics]
            tables.append((title, ["row", "clips", *heads], lines))
    if summary["sets"]:
        tables.append(set_table(summary["sets"], summary["embedding"]))
    return tables


def set_table(lines: Sequence[dict[str, Any]], embedding: str) -> Table:
    """Distances between sets, over all kits; the floor is real against real."""
    names = ("kernel_audio_distance", "frechet_distance", "frechet_distance_infinity")
    rows: list[list[object]] = []
    for line in lines:
        if line["kit"] == "":
            cells = [plain(line.get(name)) for name in names]
            if line["row"] == "floor":
                cells[0] += f" (95 % below {plain(line['kernel_audio_distance_p95'])})"
            rows.append([line["row"], *cells])
    title = f"Does the whole sound like the recordings? ({embedding})"
    return title, ["row", "kernel distance", "Frechet", "Frechet, extrapolated"], rows


def long_table(summary: dict[str, Any], cost: dict[str, Any]) -> Table | None:
    """Joins of windows in long renders, beside the same moments of the reference; None if none."""
    long = summary.get("long") or {"rows": []}
    if not long["rows"]:
        return None
    factors = {line["row"]: line["real_time_factor"] for line in cost.get("long", [])}
    names = [name for name in LONG_FIGURES if name in long["metrics"]]
    rows: list[list[object]] = []
    for line in long["rows"]:
        cells: list[object] = [range_cell(line["metrics"][name]) for name in names]
        own = line["row"] == line["joins_of"]
        off = "-" if line["samples_off"] is None else line["samples_off"]
        factor = plain(factors.get(line["row"])) if own else "-"
        counts = [line[name] for name in ("row", "joins_of", "takes", "joins", "seams_compared")]
        rows.append([*counts, *cells, off, factor])
    heads = [head(long["metrics"][name]) for name in names]
    title = f"Can the joins of long renders be heard? (takes of up to {long['seconds']:g} s)"
    before = ["row", "joins of", "takes", "joins", "away from hits"]
    return title, [*before, *heads, "samples off", "real-time factor"], rows


def range_cell(entry: dict[str, Any]) -> str:
    """Mean over takes with the lowest and the highest."""
    if entry["mean"] is None or entry["least"] == entry["most"]:
        return plain(entry["mean"])
    return f"{plain(entry['mean'])} ({plain(entry['least'])}–{plain(entry['most'])})"


def difference_table(summary: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """Columns and rows of the paired differences between systems, trusted metrics only."""
    systems = {row["row"] for row in summary["rows"] if row["kind"] == "system"}
    rows: list[list[object]] = []
    for line in summary["differences"]:
        info = summary["metrics"].get(line["metric"])
        if info is None or not info["trusted"] or line["second"] not in systems:
            continue
        rows.append(difference_row(line, info))
    return ["first", "second", "metric", "second - first", "interval", "better"], rows


def order_table(summary: dict[str, Any]) -> tuple[list[str], list[list[object]]]:
    """Columns and rows of what the figures got in the wrong order; see `evaluate.order`."""
    rows: list[list[object]] = []
    for line in summary.get("disorder", []):
        interval = f"{plain(line['low'])} to {plain(line['high'])}"
        meaning = "figure not trusted" if line["marks"] else "look at the system"
        info = summary["metrics"][line["metric"]]
        rows.append(
            [head(info), line["but"], line["better"], plain(line["mean"]), interval, meaning]
        )
    return ["figure", "this row", "beats", "by", "interval", "so"], rows


def difference_row(line: dict[str, Any], info: dict[str, Any]) -> list[object]:
    """One paired difference as cells; the better one by name, or "not distinguishable"."""
    verdict = line["verdict"]
    interval = f"{plain(line['low'])} to {plain(line['high'])}"
    better = line[verdict] if verdict in ("first", "second") else verdict
    return [line["first"], line["second"], head(info), plain(line["mean"]), interval, better]


def head(info: dict[str, Any]) -> str:
    """A column's head: label, unit, and which way is better."""
    arrow = {"higher": "↑", "lower": "↓", "zero": "→0"}[info["better"]]
    unit = f", {info['unit']}" if info["unit"] else ""
    return f"{info['label']}{unit} {arrow}"


def cell(entry: dict[str, Any] | None) -> str:
    """Mean and half the width of its interval."""
    if entry is None or entry["mean"] is None:
        return "-"
    if entry["low"] is None or entry["low"] == entry["high"]:
        return plain(entry["mean"])
    return f"{plain(entry['mean'])} ±{plain((entry['high'] - entry['low']) / 2, 2)}"


def plain(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits; "-" for none."""
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:.0f}"
    return f"{value:.{digits}g}"
