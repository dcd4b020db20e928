"""The example of the tutorial: a third party's codec, in-process, through contract and registry."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from midigroove_core import Codec
from midigroove_core.hookspecs import Register
from midigroove_core.plugins import LoadedPlugins, PluginInfo, load_plugins
from midigroove_core.registry import Registry
from midigroove_core.testing import CodecContract

EXAMPLE = Path(__file__).parents[2] / "examples" / "midigroove_example_codec"
pytestmark = pytest.mark.skipif(not EXAMPLE.is_dir(), reason="only in a checkout, not in the sdist")


@pytest.fixture(autouse=True)
def source_on_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Makes the example importable without installing it."""
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    yield
    for name in [name for name in sys.modules if name.startswith("midigroove_example_codec")]:
        del sys.modules[name]


def plugin() -> ModuleType:
    return importlib.import_module("midigroove_example_codec.plugin")


def loaded() -> LoadedPlugins:
    """The built-ins and the example, as if it were installed."""
    plugins = load_plugins()
    name = "example_codec"
    if plugins.manager.get_plugin(name) is None:
        plugins.manager.register(plugin(), name)
        info = PluginInfo(name, "midigroove-example-codec", "0.1.0")
        plugins = LoadedPlugins(plugins.manager, (*plugins.infos, info))
    return plugins


class TestBandVocoder(CodecContract):
    golden = EXAMPLE / "tests" / "band_vocoder_24khz.json"
    golden_tolerance = 0.01

    @pytest.fixture
    def codec(self) -> Codec:
        return importlib.import_module("midigroove_example_codec.codec").BandVocoder()


def test_registers_one_codec_from_its_own_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", "")
    entry = Registry(loaded()).entry("codec", "band")
    assert entry.id == "band_vocoder_24khz"
    assert entry.distribution == "midigroove-example-codec"
    assert entry.load().codec_id == entry.id


def test_listing_it_needs_no_torch() -> None:
    found: dict[str, str] = {}

    def register(id: str, import_string: str, default: bool = False) -> None:
        found[id] = import_string

    hook: Any = plugin().register_codecs
    typed: Register = register
    hook(typed)
    source = (EXAMPLE / "src" / "midigroove_example_codec" / "codec.py").read_text("utf-8")
    assert "import torch" not in [line.rstrip() for line in source.splitlines()]
    assert found == {"band_vocoder_24khz": "midigroove_example_codec.codec:BandVocoder"}


def test_a_click_stays_in_its_frame() -> None:
    codec = importlib.import_module("midigroove_example_codec.codec").BandVocoder()
    audio = torch.zeros(1, 1, 24000)
    audio[..., 12000 : 12000 + 120] = 0.5
    out = codec.decode(codec.encode(audio))[0, 0]
    loud = out.abs().nonzero().flatten()
    assert int(loud.min()) >= 12000 and int(loud.max()) < 12240
    assert out.norm().item() == pytest.approx(audio.norm().item(), rel=0.2)


def test_is_about_60_lines() -> None:
    files = (EXAMPLE / "src" / "midigroove_example_codec").glob("*.py")
    assert sum(len(f.read_text("utf-8").splitlines()) for f in files) < 64


def test_the_tutorial_shows_the_code_as_it_is() -> None:
    text = (EXAMPLE.parent.parent / "docs" / "plugin_tutorial.md").read_text("utf-8")
    source = "\n".join(path.read_text("utf-8") for path in EXAMPLE.rglob("*.py"))
    lines = {line for line in source.splitlines() if line.strip()}
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines() if line.strip()]
    without_comment = {re.sub(r"  # .*", "", line) for line in lines}
    assert blocks and [line for line in shown if line not in lines | without_comment] == []
