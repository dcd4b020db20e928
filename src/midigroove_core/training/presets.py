"""Named settings to start from: how a run goes. What a model is made of, its own presets say."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {"learning_rate": 3e-3, "ema": 0.99},
    "base": {"batch_size": 32, "learning_rate": 5e-4, "ema": 0.9995},
    "paper": {
        "featurizer": "paper_grid",
        "featurizer_args": {"soft_hits": True, "sustain": False, "pedal": False},
        "lead_sec": 0.0,
        "context_sec": 0.0,
        "batch_size": 24,
        "learning_rate": 6e-5,
        "weight_decay": 0.0,
        "beta2": 0.999,
        "schedule": "constant",
        "warmup": 0.0,
        "ema": 0.0,
        "condition_dropout": 0.0,
        "sampling": {"temperature": 0.0},
    },
}
"""What comes with a model's preset of that name. `paper` is the recipe of the baseline
(arXiv 2605.10281)."""
