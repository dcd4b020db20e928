"""Named settings to start from."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {
        "model_args": {"dim": 96, "layers": 3, "heads": 4, "head_dim": 48},
        "learning_rate": 3e-3,
        "ema": 0.99,
    },
    "small": {"model_args": {"dim": 192, "layers": 4, "heads": 4, "head_dim": 96}},
    "base": {
        "model_args": {
            "dim": 384, "layers": 10, "heads": 6, "head_dim": 256, "dropout": 0.1,
        },
        "batch_size": 32,
        "learning_rate": 5e-4,
        "ema": 0.9995,
    },
    "paper": {
        "model_args": {
            "dim": 768, "layers": 6, "heads": 8, "norm": "post", "depth": False,
            "conv_kernel": 0, "dropout": 0.1, "conditions": ["kit"],
        },
        "featurizer": "paper_grid",
        "lead_sec": 0.0,
        "context_sec": 0.0,
        "batch_size": 24,
        "learning_rate": 6e-5,
        "weight_decay": 0.01,
        "beta2": 0.999,
        "schedule": "constant",
        "warmup": 0.0,
        "ema": 0.0,
        "condition_dropout": 0.0,
    },
}  # fmt: skip
"""What a preset sets. `paper` is the shape and recipe of the baseline (arXiv 2605.10281); to play
like it, render with temperature 0."""
