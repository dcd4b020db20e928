"""The loss curve of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midigroove_core.atomic import atomic_path


def plot_loss(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Draws the losses over steps, with unigram and bigram as level lines where they compare.

    What a model's loss says besides has a second panel.

    Args:
        path: where to, .png.
        rows: measurements, as in metrics.csv.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    logs = sorted({name for row in rows for name in row if "/" in name})
    figure = Figure(figsize=(7, 7 if logs else 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes, *below = figure.subplots(2 if logs else 1, squeeze=False)[:, 0]
    _line(axes, rows, "train_loss", color="tab:gray", label="training")
    _line(axes, rows, "valid_loss", color="tab:blue", label="validation")
    _line(axes, rows, "valid_nll", color="tab:blue", label="validation")
    if rows[-1]["valid_nll"] is not None:
        for name, style in (("unigram", ":"), ("bigram", "--")):
            level = rows[-1][f"{name}_nll"]
            axes.axhline(level, linestyle=style, color="tab:orange", label=f"{name} of the codes")
    axes.set(ylabel="loss" if rows[-1]["valid_nll"] is None else "nats per code")
    for axes_of_logs in below:
        for name in logs:
            _line(axes_of_logs, rows, name, label=name)
    for one in (axes, *below):
        one.set(xlabel="step")
        one.grid(alpha=0.3)
        one.legend()
    with atomic_path(path) as temporary:
        # A fixed Software entry: the same rows give the same bytes.
        figure.savefig(temporary, dpi=120, format="png", metadata={"Software": "midigroove"})


def _line(axes: Any, rows: Sequence[dict[str, Any]], name: str, **style: Any) -> None:
    points = [(row["step"], row[name]) for row in rows if row.get(name) is not None]
    if points:
        axes.plot(*zip(*points, strict=True), **style)
