"""A plugin's commands: what is sound is added, and what is not hurts that plugin alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from midigroove_core import cli

GROOVES = Path(cli.__file__).parents[1] / "assets" / "grooves"

COMMANDS = """
import typer
from midigroove_core import hookimpl

@hookimpl
def register_commands(app):
"""
HELLO = '''
    @app.command()
    def {name}():
        """Says hello."""
        print("hello from {who}")
'''


def commands(*names: str, who: str = "acme", more: str = "") -> str:
    return COMMANDS + "".join(HELLO.format(name=name, who=who) for name in names) + more


def test_commands_and_groups_of_a_plugin_run(install_plugin, capsys) -> None:
    group = """
    group = typer.Typer()
    @group.command()
    def inner():
        print("from the group")
    app.add_typer(group, name="acme-group", help="A group.")
"""
    install_plugin("acme-command", commands("acme", more=group))
    assert cli.run(["acme"]) == cli.run(["acme-group", "inner"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "hello from acme\nfrom the group\n" and captured.err == ""


BROKEN = {
    "raises at once": "    1 / 0",
    "raises half-way": HELLO.format(name="acme", who="acme") + "    1 / 0",
    "exits": HELLO.format(name="acme", who="acme") + "    raise SystemExit(0)",
    "a parameter no command line has": HELLO.format(name="acme", who="acme")
    + "    @app.command()\n    def odd(x: 'nowhere'): 1",
    "no names": "    app.add_typer(typer.Typer())",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_plugin_that_fails_to_add_its_commands_adds_none(install_plugin, capsys, body) -> None:
    install_plugin("acme-bad", COMMANDS + body)
    install_plugin("other-command", commands("other", who="other"))
    assert cli.run(["other"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "hello from other\n"
    assert captured.err.startswith("warning: plugin acme_bad of acme-bad 1.0: register_commands ")
    assert captured.err.count("\n") == 1
    assert cli.run(["acme"]) == 2


@pytest.mark.parametrize("name", ["render", "plugins", "data", "codec_stats"])
def test_the_name_of_a_core_command_is_reserved(install_plugin, capsys, name: str) -> None:
    install_plugin("acme-command", commands(name, "acme"))
    assert cli.run([name.replace("_", "-"), "--help"]) == 0
    captured = capsys.readouterr()
    assert "Says hello" not in captured.out
    if name != "plugins":
        assert "is left out: midigroove has one of that name" in captured.err
    assert cli.run(["acme"]) == 0
    assert capsys.readouterr().out == "hello from acme\n"


def test_a_command_that_two_plugins_claim_is_nobodys(install_plugin, capsys) -> None:
    install_plugin("acme-a", commands("same", "only_a", who="a"))
    install_plugin("acme-b", commands("same", who="b"))
    assert cli.run(["same"]) == 2
    assert "acme-a and acme-b claim that name; uninstall one" in capsys.readouterr().err
    assert cli.run(["only-a"]) == 0


def test_a_plugin_cannot_take_commands_away(install_plugin) -> None:
    body = "    app.registered_commands.clear(); app.registered_groups.clear()"
    install_plugin("acme-bad", COMMANDS + body)
    assert cli.run(["kits"]) == 0


def test_a_plugin_that_exits_when_imported_ends_no_command(install_plugin, capsys) -> None:
    install_plugin("acme-exits", "import sys; sys.exit(0)")
    assert cli.run(["kits", "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)) > 3
    assert captured.err == "warning: plugin acme_exits of acme-exits 1.0: SystemExit: 0\n"


CLASSES = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("acme_8khz", "fractions:Fraction")
    register("acme_16khz", "acme_classes:Codec")
    register("BAD", "x:Y")

@hookimpl
def register_models(register):
    register("acme_model", "math:pi")

@hookimpl
def register_readers(register):
    register("acme_reader", "acme_classes:Reader")

@hookimpl
def register_featurizers(register):
    1 / 0

def __getattr__(name):
    if name == "Codec":
        from midigroove_core.testing import ToyCodec
        return type("Codec", (ToyCodec,), {"codec_id": "acme_16khz", "describe": 1 and (lambda: 1 / 0)})
    if name == "Reader":
        from midigroove_core.interfaces.reader import PerformanceReader
        return type("Reader", (PerformanceReader,), {"reader_id": "acme_reader", "suffixes": ".acme", "read": print})
    raise AttributeError(name)
"""  # noqa: E501


def test_classes_of_the_wrong_kind_are_lines_in_the_listings(install_plugin, capsys) -> None:
    install_plugin("acme-classes", CLASSES)
    assert cli.run(["codecs"]) == 0
    captured = capsys.readouterr()
    assert "groove_32khz" in captured.out and "acme" not in captured.out
    lines = captured.err.splitlines()
    assert len(lines) == 3 and all("acme-classes" in line for line in lines)
    assert "Fraction is no subclass of midigroove_core.Codec" in lines[0]
    assert "ZeroDivisionError" in lines[1] and "not snake_case" in lines[2]
    assert cli.run(["readers"]) == 0
    assert "Reader.suffixes is '.acme', expected " in capsys.readouterr().err
    assert cli.run(["models"]) == 0


def test_plugins_check_says_all_that_is_wrong(install_plugin, capsys) -> None:
    install_plugin("acme-classes", CLASSES)
    install_plugin("acme-good", commands("fine"))
    assert cli.run(["plugins", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["acme_classes"]["error"].startswith(
        "register_featurizers raises ZeroDivisionError: division by zero; "
    )
    assert cli.run(["plugins", "--check", "--json"]) == 1
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert len(rows["acme_classes"]["errors"]) == 6
    assert "math:pi" in CLASSES and "'acme_model'" in rows["acme_classes"]["error"]
    assert rows["acme_good"]["errors"] == [] and rows["builtin"]["errors"] == []
    assert "codec groove_32khz" in rows["builtin"]["found"]
    assert "command fine" in rows["acme_good"]["found"]


def test_plugins_check_is_code_0_when_all_is_well(capsys) -> None:
    assert cli.run(["plugins", "--check"]) == 0
    assert "parallel" in capsys.readouterr().out


def test_rendering_goes_on_beside_plugins_that_are_broken_in_every_way(
    install_plugin, capsys, tmp_path
) -> None:
    install_plugin("acme-classes", CLASSES)
    install_plugin("acme-exits", "import sys; sys.exit(0)")
    install_plugin("acme-commands", commands("render", "plugins", more="    1 / 0"))
    midi = next(GROOVES.glob("*.mid"))
    assert cli.run(["render", str(midi), "-o", str(tmp_path / "x.wav"), "--engine", "sampler"]) == 0
    assert (tmp_path / "x.wav").stat().st_size > 1000
