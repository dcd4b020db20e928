"""Ids resolve lazily to classes, and every failure names the distribution to blame."""

from __future__ import annotations

import pytest

from midigroove_core.errors import PluginError
from midigroove_core.registry import KINDS, Registry

SOURCE = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    {body}
"""


def plugin(*registrations: tuple[str, str]) -> str:
    return SOURCE.format(body="; ".join(f"register({a!r}, {b!r})" for a, b in registrations))


@pytest.mark.parametrize("kind", KINDS)
def test_every_builtin_id_resolves(kind: str) -> None:
    for entry in Registry().entries(kind):
        loaded = entry.load()
        assert getattr(loaded, f"{kind}_id") == entry.id


def test_an_id_is_loaded_only_when_asked_for(install_plugin) -> None:
    install_plugin("acme-codec", plugin(("acme_8khz", "acme_missing:Codec")))
    entry = Registry().entry("codec", "acme_8khz")
    assert (entry.distribution, entry.version) == ("acme-codec", "1.0")
    with pytest.raises(
        PluginError, match=r"'acme_8khz' from acme-codec 1\.0 cannot be loaded.*acme"
    ):
        entry.load()


def test_a_family_name_means_the_variant_registered_first(install_plugin) -> None:
    install_plugin("acme-codec", plugin(("acme_8khz", "x:A"), ("acme_16khz", "x:B")))
    registry = Registry()
    assert registry.entry("codec", "acme").id == "acme_8khz"
    assert registry.entry("codec", "acme_16khz").id == "acme_16khz"


def test_two_claims_on_one_id_name_both_distributions(install_plugin) -> None:
    install_plugin("acme-a", plugin(("acme_8khz", "x:A")))
    install_plugin("acme-b", plugin(("acme_8khz", "x:B")))
    with pytest.raises(PluginError, match="claimed by both acme-a and acme-b"):
        Registry()


@pytest.mark.parametrize("bad", ["Acme", "acme-8", "8khz", "acme__x", ""])
def test_ids_are_snake_case(install_plugin, bad: str) -> None:
    install_plugin("acme-codec", plugin((bad, "x:A")))
    with pytest.raises(PluginError, match="acme-codec: codec id .* is not snake_case"):
        Registry()


def test_a_missing_codec_says_what_to_install() -> None:
    with pytest.raises(PluginError, match="pip install midigroove-xcodec"):
        Registry().entry("codec", "xcodec_16khz")


def test_a_missing_codec_of_a_broken_plugin_says_why(install_plugin) -> None:
    install_plugin("midigroove-fakedac", "import no_such_module_here")
    with pytest.raises(PluginError, match="midigroove-fakedac is broken: ModuleNotFoundError"):
        Registry().entry("codec", "fakedac")


def test_a_hook_that_raises_hurts_only_its_plugin(install_plugin) -> None:
    install_plugin("acme-bad", SOURCE.format(body="1 / 0"))
    install_plugin("acme-good", plugin(("good_8khz", "x:A")))
    registry = Registry()
    assert registry.entry("codec", "good").distribution == "acme-good"
    assert [(info.name, info.error) for info in registry.broken] == [
        ("acme_bad", "ZeroDivisionError: division by zero")
    ]
