"""The loss curve of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midigroove_core.atomic import atomic_path


def plot_loss(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Draws training and validation loss over steps, with unigram and bigram as level lines.

    Args:
        path: where to, .png.
        rows: measurements, as in metrics.csv.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    steps = [row["step"] for row in rows]
    trained = [(row["step"], row["train_nll"]) for row in rows if row["train_nll"] is not None]
    if trained:
        axes.plot(*zip(*trained, strict=True), color="tab:gray", label="training")
    axes.plot(steps, [row["valid_nll"] for row in rows], color="tab:blue", label="validation")
    for name, style in (("unigram", ":"), ("bigram", "--")):
        level = rows[-1][f"{name}_nll"]
        axes.axhline(level, linestyle=style, color="tab:orange", label=f"{name} of the codes")
    axes.set(xlabel="step", ylabel="nats per code")
    axes.grid(alpha=0.3)
    axes.legend()
    with atomic_path(path) as temporary:
        # A fixed Software entry: the same rows give the same bytes.
        figure.savefig(temporary, dpi=120, format="png", metadata={"Software": "midigroove"})
