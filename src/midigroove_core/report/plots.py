"""Charts for the page and for papers."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from midigroove_core.csvfile import read_number
from midigroove_core.metrics.info import MetricInfo
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.scorecard.records import CodesLine, KneeLine
from midigroove_core.scorecard.summary import Summary
from midigroove_core.scorecard.tables import head

HEADLINES = (
    "onset_f1_50ms", "drum_f1", "velocity_correlation", "microtiming_error_ms", "mel_l1",
    "log_magnitude_distance", "envelope_correlation", "bits_per_second",
)  # fmt: skip
KNEE = ("mel_l1", "log_magnitude_distance", "onset_f1_50ms")
SYSTEM, REFERENCE = "#2f7ed8", "#8a8f98"
_GREY = "#808690"  # readable on white and on black


@dataclass(frozen=True)
class Plot:
    """A chart.

    Attributes:
        name: file name without suffix.
        title: what it shows, also read out by screen readers.
        figure: drawn, not yet turned into pixels.
    """

    name: str
    title: str
    figure: Figure

    def png(self, face: str = "white", dpi: int = 200) -> bytes:
        """As PNG; on white for papers, "none" is transparent."""
        buffer = io.BytesIO()
        # A fixed Software entry: the same figures give the same bytes.
        meta = {"Software": "midigroove"}
        self.figure.savefig(buffer, dpi=dpi, format="png", facecolor=face, metadata=meta)
        return buffer.getvalue()

    @property
    def uri(self) -> str:
        """For an <img>, readable on white and on black."""
        return "data:image/png;base64," + base64.b64encode(self.png("none", 110)).decode()


def make_plots(evaluation: Evaluation) -> dict[str, list[Plot]]:
    """Charts by the section they belong to."""
    summary = evaluation.summary
    found: dict[str, list[Plot]] = {"summary": []}
    for name in HEADLINES:
        if any(name in row.metrics for row in summary.rows):
            found["summary"].append(_intervals(summary, name))
    if summary.codes:
        found["codes"] = [_accuracy(summary.codes), _accuracy_map(summary.codes)]
    knee = () if summary.audio is None else summary.audio.knee
    if knee:
        wanted = [name for name in KNEE if name in knee[0].metrics and name in summary.metrics]
        found["knee"] = [_knee(knee, name, summary.metrics[name]) for name in wanted]
    if summary.audio is not None and len(summary.audio.codecs) > 1:
        there = [name for name in KNEE if name in summary.metrics]
        found.setdefault("knee", []).extend(_rate_distortion(summary, name) for name in there)
    curves = _training_curves(evaluation)
    if curves is not None:
        found["training"] = [curves]
    return found


def _intervals(summary: Summary, metric: str) -> Plot:
    rows = [row for row in summary.rows if metric in row.metrics]
    info = summary.metrics[metric]

    def draw(axes: Axes) -> None:
        for place, row in enumerate(reversed(rows)):
            entry = row.metrics[metric]
            color = SYSTEM if row.is_system else REFERENCE
            if entry.low is not None and entry.high is not None:
                axes.plot([entry.low, entry.high], [place, place], color=color, linewidth=2)
            if entry.mean is not None:
                axes.plot([entry.mean], [place], "o", color=color, markersize=6)
        axes.set_yticks(range(len(rows)), [_as_text(row.row) for row in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.grid(axis="x", alpha=0.25)

    height = 0.7 + 0.26 * len(rows)
    left = 0.3 + 0.075 * max(len(row.row) for row in rows)
    return _plot(f"interval_{metric}", head(info), draw, (3.3 + left, height), left)


def _accuracy(codes: Sequence[CodesLine]) -> Plot:
    def draw(axes: Axes) -> None:
        for system in dict.fromkeys(line.system for line in codes):
            own = [x for x in codes if x.system == system and x.codebook is not None]
            axes.plot(
                [_gap(x.codebook) for x in own],
                [_gap(x.accuracy) for x in own],
                "o-",
                label=_as_text(system),
            )
        axes.set_xlabel("codebook, 0 is the coarsest")
        axes.set_ylabel("accuracy")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
        _legend(axes)

    lines = len({line.system for line in codes})
    return _plot(
        "accuracy_per_codebook", "Code accuracy per codebook", draw, (5.2, 3.0), lines=lines
    )


def _accuracy_map(codes: Sequence[CodesLine]) -> Plot:
    """Codebook by system, the figure in every cell."""
    own = [line for line in codes if line.codebook is not None]
    systems = list(dict.fromkeys(line.system for line in own))
    books = sorted({line.codebook for line in own if line.codebook is not None})
    values = np.full((len(systems), len(books)), np.nan)
    for line in own:
        place = systems.index(line.system), books.index(line.codebook or 0)
        values[place] = _gap(line.accuracy)

    def draw(axes: Axes) -> None:
        axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            color = "white" if value > 0.5 else "#222222"
            text = f"{value:.2f}" if np.isfinite(value) else ""
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
        axes.set_yticks(range(len(systems)), [_as_text(name) for name in systems])
        axes.set_xticks(range(len(books)), [str(book) for book in books])
        axes.set_xlabel("codebook, 0 is the coarsest")

    left = 0.3 + 0.075 * max(len(name) for name in systems)
    size = (left + 0.42 * max(len(books), 6) + 0.15, 0.95 + 0.32 * len(systems))
    return _plot("accuracy_map", "Code accuracy by codebook", draw, size, left)


def _knee(knee: Sequence[KneeLine], metric: str, info: MetricInfo) -> Plot:
    def draw(axes: Axes) -> None:
        for oracle in dict.fromkeys(line.oracle for line in knee):
            own = [line for line in knee if line.oracle == oracle]
            figures = [_gap(line.metrics.get(metric)) for line in own]
            axes.plot([line.levels for line in own], figures, "o-", label=_as_text(oracle))
        axes.set_xlabel("levels decoded")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
        if len({line.oracle for line in knee}) > 1:
            _legend(axes)

    title = f"Oracle by number of levels: {head(info)}"
    lines = len({line.oracle for line in knee})
    return _plot(f"knee_{metric}", title, draw, (4.4, 2.8), lines=lines)


def _rate_distortion(summary: Summary, metric: str) -> Plot:
    """Each codec's line through its levels; a codec that decodes all or nothing is a point."""
    audio, info = summary.audio, summary.metrics[metric]
    assert audio is not None

    def draw(axes: Axes) -> None:
        for codec in audio.codecs:
            own = [line for line in audio.knee if line.oracle == codec.oracle]
            points = [(_gap(x.bits_per_second), _gap(x.metrics.get(metric))) for x in own]
            row = summary.row(codec.oracle)
            if not points and row is not None and metric in row.metrics:
                points = [(_gap(codec.bits_per_second), _gap(row.metrics[metric].mean))]
            if points:
                x, y = zip(*points, strict=True)
                axes.plot([bits / 1000 for bits in x], y, "o-", label=_as_text(codec.oracle))
        axes.set_xlabel("kbit/s")
        axes.grid(alpha=0.25)
        _legend(axes)

    title = f"By bit rate: {head(info)}"
    return _plot(f"rate_{metric}", title, draw, (4.4, 2.8), lines=len(audio.codecs))


def _gap(value: float | None) -> float:
    """A point, or a gap in the line."""
    return float("nan") if value is None else value


def _as_text(name: str) -> str:
    """A name that matplotlib takes for no formula."""
    return name.replace("$", r"\$")


def _training_curves(evaluation: Evaluation) -> Plot | None:
    curves = {}
    for name in evaluation.systems:
        if (evaluation.path / "training" / f"{name}.csv").is_file():
            where = f"training/{name}.csv"
            points = []
            for place, line in enumerate(evaluation.table(where), 2):
                at = f"{evaluation.path / where}: line {place}"
                step, *losses = (
                    read_number(line, key, at) for key in ("step", "valid_nll", "train_loss")
                )
                if step is not None:
                    points.append((step, *(_gap(loss) for loss in losses)))
            if any(np.isfinite(point[1]) for point in points):
                curves[name] = points
    if not curves:
        return None

    def draw(axes: Axes) -> None:
        for name, points in curves.items():
            steps, valid, trained = zip(*points, strict=True)
            line = axes.plot(steps, valid, "o-", markersize=3, label=_as_text(name))[0]
            axes.plot(steps, trained, "--", linewidth=1, color=line.get_color())
        axes.set_xlabel("step")
        axes.set_ylabel("loss [nats/code]")
        axes.grid(alpha=0.25)
        _legend(axes)

    title = "Validation loss over training; dashed, what it was trained on"
    return _plot("training", title, draw, (5.2, 3.0), lines=len(curves))


CROWD = 2
"""With more systems the legend stands beside the axes, where it hides none."""


def _legend(axes: Axes) -> None:
    if len(axes.get_legend_handles_labels()[0]) > CROWD:
        legend = axes.legend(
            frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.02)
        )
    else:
        legend = axes.legend(frameon=False)
    for text in legend.get_texts():
        text.set_color(_GREY)


def _plot(
    name: str,
    title: str,
    draw: Callable[[Axes], None],
    size: tuple[float, float],
    left: float = 0.6,
    lines: int = 1,
) -> Plot:
    """A figure of `size` inches with `left` inches for the labels of the y axis, and more for the
    legend of a crowd of lines.
    """
    right = 1.7 if lines > CROWD else 0.15
    width, height = size[0] + right - 0.15, size[1]
    figure = Figure(figsize=size)
    FigureCanvasAgg(figure)
    # Margins in inches by hand: letting matplotlib find them takes most of the drawing time.
    axes = figure.add_axes((0, 0, 1, 1))
    draw(axes)
    left += 0.15 if axes.get_ylabel() else 0.0
    bottom = 0.5 if axes.get_xlabel() else 0.3
    box = (left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + 0.35) / height)
    axes.set_position(box)
    # A title that is wider than its figure is broken into lines, not cut.
    heading = textwrap.fill(title, max(12, int(width * 14)))
    axes.set_title(heading, fontsize=10, color=_GREY, loc="left", x=-left / (width * box[2]) + 0.02)
    axes.tick_params(colors=_GREY, labelsize=9)
    axes.xaxis.label.set_color(_GREY)
    axes.yaxis.label.set_color(_GREY)
    for spine in axes.spines.values():
        spine.set_color(_GREY)
        spine.set_alpha(0.5)
    axes.set_facecolor("none")
    return Plot(name, title, figure)
