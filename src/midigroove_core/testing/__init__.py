"""Contract suites for plugin authors, and a codec without weights to test pipelines with.

Subclass a suite in a test module, give it the fixture that it names, and pytest runs it:

    from midigroove_core.testing import CodecContract

    class TestMyCodec(CodecContract):
        golden = Path(__file__).parent / "golden" / "my_codec.json"

        @pytest.fixture
        def codec(self):
            return MyCodec()

The suites need pytest; `ToyCodec` does not.
"""

from __future__ import annotations

import importlib
from typing import Any

_SUITES = {
    "CodecContract": "midigroove_core.testing.codec_contract",
    "EmbeddingContract": "midigroove_core.testing.embedding_contract",
    "FeaturizerContract": "midigroove_core.testing.featurizer_contract",
    "HubCodecContract": "midigroove_core.testing.hub_contract",
    "MetricContract": "midigroove_core.testing.metric_contract",
    "ModelContract": "midigroove_core.testing.model_contract",
    "PluginContract": "midigroove_core.testing.plugin_contract",
    "ReaderContract": "midigroove_core.testing.reader_contract",
}

__all__ = ["ToyCodec", *_SUITES]


def __getattr__(name: str) -> Any:
    if name == "ToyCodec":
        return importlib.import_module("midigroove_core.testing.toy").ToyCodec
    if name in _SUITES:
        import pytest

        pytest.register_assert_rewrite(_SUITES[name])  # so that a failed assert shows its values
        return getattr(importlib.import_module(_SUITES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
