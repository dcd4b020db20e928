"""Evaluates systems against the MIDI, the recordings, the codec oracle and silence.

`evaluate(EvalConfig(...))` writes an evaluation directory (docs/evaluation.md): summary.json,
clips.csv, codes.csv, takes.csv, per_class.csv, per_kit.csv, sets.csv, knee.csv, long.csv,
manifest.json, skipped.jsonl, cost.json and the audio of some clips in preds/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from midigroove_core.evaluation.base.config import EvalConfig, SystemSpec

if TYPE_CHECKING:
    from midigroove_core.evaluation.pipeline import EvalResult
    from midigroove_core.progress import Progress

__all__ = ["EvalConfig", "SystemSpec", "evaluate"]


def evaluate(config: EvalConfig, progress: Progress | None = None) -> EvalResult:
    """Runs an evaluation and writes its directory; torch is imported here, not before.

    Raises:
        MidigrooveError: systems, caches and the dataset that do not fit together, or no clips.
    """
    from midigroove_core.evaluation.pipeline import run_evaluation

    return run_evaluation(config, progress)
