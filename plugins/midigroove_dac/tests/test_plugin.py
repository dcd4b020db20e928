"""The plugin module: hooks that exist, classes that load, listing without torch."""

from __future__ import annotations

from midigroove_core.registry import Registry
from midigroove_core.testing import PluginContract


class TestPlugin(PluginContract):
    module = "midigroove_dac.plugin"


def test_installed_as_an_entry_point() -> None:
    entry = Registry().entry("codec", "dac")
    assert (entry.id, entry.distribution) == ("dac_44khz", "midigroove-dac")
