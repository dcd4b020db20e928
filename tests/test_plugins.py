"""Discovery: every plugin is found, and a broken one hurts nobody but itself."""

from __future__ import annotations

import pytest

from midigroove_core.plugins import load_plugins

CODEC = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("{id}", "{target}")
"""


def infos() -> dict[str, object]:
    return {info.name: info for info in load_plugins().infos}


def own(names: object) -> set[str]:
    """Leaves out the plugins that happen to be installed beside core."""
    return {name for name in names if name.startswith(("builtin", "acme", "other"))}


def test_builtins_come_through_the_same_hooks() -> None:
    builtin = load_plugins().info("builtin")
    assert builtin.distribution == "midigroove"
    assert {"register_codecs", "register_featurizers", "register_models"} <= set(builtin.hooks)


def test_an_installed_plugin_is_listed_with_its_distribution(install_plugin) -> None:
    install_plugin("acme-codec", CODEC.format(id="acme_8khz", target="acme_codec:X"))
    info = load_plugins().info("acme_codec")
    assert (info.distribution, info.version, info.error) == ("acme-codec", "1.0", None)
    assert info.hooks == ("register_codecs",)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import no_such_module_here",
            "ModuleNotFoundError: No module named 'no_such_module_here'",
        ),
        ("def (", "SyntaxError"),
        ("raise SystemError('on\\ntwo lines')", "SystemError: on"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise BaseException", "BaseException"),
        ("class Odd(Exception):\n    def __str__(self): 1 / 0\nraise Odd", "Odd"),
        (
            "midigroove_edition = 1",
            "it is written for edition 1 of the hooks, and midigroove 0.1.0 has edition 2",
        ),
        (
            "from midigroove_core import hookimpl\n@hookimpl\ndef register_codecs(x): 1",
            "PluginValidationError",
        ),
    ],
)
def test_a_broken_plugin_is_one_line_and_breaks_nothing(install_plugin, source, reason) -> None:
    install_plugin("acme-broken", source)
    install_plugin("other-codec", CODEC.format(id="other_8khz", target="other_codec:X"))
    plugins = load_plugins()
    assert [info.name for info in plugins.broken] == ["acme_broken"]
    error = plugins.info("acme_broken").error
    assert reason in error and "\n" not in error
    assert plugins.info("other_codec").error is None


def test_a_broken_plugin_leaves_no_hooks_behind(install_plugin) -> None:
    half = "\n@hookimpl\ndef register_models(nonsense): 1"
    install_plugin("acme-half", CODEC.format(id="acme_8khz", target="x:Y") + half)
    plugins = load_plugins()
    registered = [h.plugin_name for h in plugins.manager.hook.register_codecs.get_hookimpls()]
    assert "acme_half" not in registered and plugins.info("acme_half").error


def test_an_unknown_hook_is_a_warning_and_the_others_work(install_plugin) -> None:
    newer = "\n@hookimpl\ndef register_codex(register): 1"
    install_plugin("acme-newer", CODEC.format(id="acme_8khz", target="x:Y") + newer)
    plugins = load_plugins()
    info = plugins.info("acme_newer")
    assert info.error is None and "register_codecs" in info.hooks
    (warning,) = info.warnings
    assert warning.startswith("unknown hook register_codex (the hooks are register_codecs, ")
    registered = [h.plugin_name for h in plugins.manager.hook.register_codecs.get_hookimpls()]
    assert "acme_newer" in registered


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("midigroove>=9", "it needs midigroove>=9, and 0.1.0 is installed; upgrade midigroove"),
        ("midigroove (<0.1)", "it needs midigroove<0.1"),
        ("Midigroove[clap]>=9 ; python_version > '3'", "it needs Midigroove>=9"),
        ("midigroove-nowhere>=2", "it needs midigroove-nowhere>=2; not installed"),
        ("midigroove not a requirement", "InvalidRequirement"),
        ("midigroove>=0.1,<0.2", None),
        ("midigroove>=9 ; extra == 'later'", None),
        ("midigroove", None),
        ("numpy>=999", None),
    ],
)
def test_an_unmet_requirement_is_seen(install_plugin, requirement, reason) -> None:
    source = CODEC.format(id="acme_8khz", target="x:Y")
    install_plugin("acme-codec", source, requires=[requirement])
    error = load_plugins().info("acme_codec").error
    assert error is None if reason is None else reason in error


def test_two_plugins_of_one_name_are_told_apart(install_plugin) -> None:
    install_plugin("acme-a", "", name="acme")
    install_plugin("acme-b", "", name="acme")
    broken = load_plugins().broken
    assert [info.distribution for info in broken] == ["acme-b"]
    assert "already taken by acme-a" in broken[0].error


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {"builtin", "acme_a", "acme_b"}),
        ("", {"builtin"}),
        ("acme_a", {"builtin", "acme_a"}),
        ("acme-b, acme_a", {"builtin", "acme_a", "acme_b"}),
    ],
)
def test_the_environment_chooses_plugins(install_plugin, monkeypatch, value, expected) -> None:
    install_plugin("acme-a", "")
    install_plugin("acme-b", "")
    if value is not None:
        monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", value)
    assert own(infos()) == expected


def test_every_call_makes_a_fresh_manager() -> None:
    assert load_plugins().manager is not load_plugins().manager
