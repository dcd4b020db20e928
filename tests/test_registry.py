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


def defaults(*registrations: tuple[str, bool]) -> str:
    return SOURCE.format(body="; ".join(f"register({a!r}, 'x:A', {b})" for a, b in registrations))


def test_a_family_name_means_the_variant_that_says_so(install_plugin) -> None:
    install_plugin("acme-codec", defaults(("acme_8khz", False), ("acme_16khz", True)))
    install_plugin("aaa-codec", defaults(("acme_4khz", False)))
    registry = Registry()
    assert registry.entry("codec", "acme").id == "acme_16khz"
    assert registry.entry("codec", "acme_8khz").id == "acme_8khz"


@pytest.mark.parametrize("variants", [("acme_8khz",), ("acme_8khz", "acme_16khz")])
def test_a_family_without_a_default_lists_its_variants(install_plugin, variants) -> None:
    install_plugin("acme-codec", defaults(*((id, False) for id in variants)))
    with pytest.raises(PluginError, match=f"no default variant.*{', '.join(variants)}$"):
        Registry().entry("codec", "acme")


def test_two_defaults_of_a_family_are_an_error_when_it_is_used(install_plugin) -> None:
    install_plugin("acme-a", defaults(("acme_8khz", True)))
    install_plugin("acme-b", defaults(("acme_16khz", True)))
    registry = Registry()
    with pytest.raises(PluginError, match="acme_8khz of acme-a and acme_16khz of acme-b"):
        registry.entry("codec", "acme")
    assert registry.entry("codec", "acme_16khz").distribution == "acme-b"


def test_two_claims_on_one_id_hurt_that_id_alone(install_plugin) -> None:
    install_plugin("acme-a", plugin(("acme_8khz", "x:A"), ("only_a", "x:A")))
    install_plugin("acme-b", plugin(("acme_8khz", "x:B"), ("groove_32khz", "x:B")))
    registry = Registry()
    with pytest.raises(PluginError, match="claimed by both acme-a and acme-b"):
        registry.entry("codec", "acme_8khz")
    with pytest.raises(PluginError, match="claimed by both midigroove and acme-b"):
        registry.load("codec", "groove_32khz")
    assert registry.entry("codec", "only_a").distribution == "acme-a"
    assert registry.load("model", "parallel").model_id == "parallel"


@pytest.mark.parametrize("bad", ["Acme", "acme-8", "8khz", "acme__x", "", "acme\n"])
def test_ids_are_snake_case_or_cannot_be_used(install_plugin, bad: str) -> None:
    install_plugin("acme-codec", plugin((bad, "x:A"), ("good_8khz", "x:A")))
    registry = Registry()
    with pytest.raises(PluginError, match="acme-codec: codec id .* is not snake_case"):
        registry.entry("codec", bad)
    assert registry.entry("codec", "good_8khz").id == "good_8khz"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("no colon", "not of the form package.module:Class"),
        ("fractions:Fraction", "Fraction is no subclass of midigroove_core.Codec"),
        ("math:pi", "it is a float, no class"),
        ("midigroove_core.interfaces.codec:Codec", "Codec lacks decode, "),
        ("midigroove_core.testing.toy:ToyCodec", "says codec_id = 'toy', which is not its id"),
        ("acme_codec:Factless", "Factless does not say its clock"),
        ("acme_codec:Misclocked", "Misclocked.clock is 44100, expected FrameClock"),
        ("acme_codec:Absent", "AttributeError"),
        ("acme_exits:Codec", "SystemExit: 0"),
    ],
)
def test_a_class_that_is_no_codec_says_why_when_used(install_plugin, target, reason) -> None:
    classes = """
from midigroove_core import Codec
from midigroove_core.testing import ToyCodec

class Factless(Codec):
    codec_id = "acme_8khz"
    weights_sha = device = ""
    def get_config(self): ...
    def encode(self, audio): ...
    def decode(self, codes): ...
    def to(self, device): ...

class Misclocked(ToyCodec):
    codec_id = "acme_8khz"
    clock = 44100
"""
    install_plugin("acme-codec", plugin(("acme_8khz", target)) + classes)
    install_plugin("acme-exits", "import sys; sys.exit(0)")
    with pytest.raises(PluginError, match="acme_8khz' from acme-codec 1.0") as raised:
        Registry().load("codec", "acme_8khz")
    assert reason in str(raised.value) and "\n" not in str(raised.value)


def test_a_missing_codec_says_what_to_install() -> None:
    with pytest.raises(PluginError, match="pip install midigroove-xcodec"):
        Registry().entry("codec", "xcodec_16khz")


def test_a_missing_codec_of_a_broken_plugin_says_why(install_plugin) -> None:
    install_plugin("midigroove-fakedac", "import no_such_module_here")
    with pytest.raises(PluginError, match="midigroove-fakedac is broken: ModuleNotFoundError"):
        Registry().entry("codec", "fakedac")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise SystemExit", "SystemExit"),
        ("register('half_8khz', 'x:A'); register()", "TypeError"),
    ],
)
def test_a_hook_that_raises_hurts_only_itself(install_plugin, body: str, reason: str) -> None:
    models = "\n@hookimpl\ndef register_models(register): register('bad_model', 'x:A')"
    install_plugin("acme-bad", SOURCE.format(body=body) + models)
    install_plugin("acme-good", plugin(("good_8khz", "x:A")))
    registry = Registry()
    assert registry.entry("codec", "good_8khz").distribution == "acme-good"
    assert registry.entry("model", "bad_model").distribution == "acme-bad"
    assert "half_8khz" not in [entry.id for entry in registry.entries("codec")]
    (broken,) = registry.broken
    assert broken.name == "acme_bad" and f"register_codecs raises {reason}" in broken.error
    with pytest.raises(PluginError, match=f"acme-bad is broken: register_codecs raises {reason}"):
        registry.entry("codec", "half_8khz")


def test_ctrl_c_in_a_plugin_is_still_ctrl_c(install_plugin) -> None:
    install_plugin("acme-slow", SOURCE.format(body="raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt):
        Registry()
