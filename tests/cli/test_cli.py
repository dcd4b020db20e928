"""The program: fast to start, one line for an error, help that helps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from support.midi_bytes import beat, song

from midigroove_core import __version__, cli
from midigroove_core.plugins import load_plugins


def loaded_modules(*arguments: str) -> set[str]:
    code = (
        "import sys, io, contextlib\n"
        "from midigroove_core.cli import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    assert run({list(arguments)!r}) == 0\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("arguments", [["--help"], ["codecs"], ["plugins"], ["kits"]])
def test_nothing_that_lists_imports_torch(arguments: list[str]) -> None:
    heavy = {"torch", "transformers", "partitura", "matplotlib", "scipy.signal"}
    assert not heavy & loaded_modules(*arguments)


def test_the_sampler_plays_without_torch(tmp_path: Path) -> None:
    midi = tmp_path / "a.mid"
    midi.write_bytes(song(beat((36, 38))))
    heavy = {"torch", "partitura", "matplotlib", "scipy.signal"}
    assert not heavy & loaded_modules("render", str(midi), "--engine", "sampler")


def test_the_package_imports_no_torch() -> None:
    code = "import midigroove_core, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def commands() -> list[tuple[str, typer.core.TyperCommand]]:
    def walk(prefix: str, group):
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from walk(f"{prefix}{name} ", command)
            else:
                yield f"{prefix}{name}", command

    return list(walk("", typer.main.get_command(cli.build_app())))


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_has_help_with_an_example(name, command) -> None:
    help_text = command.help or ""
    assert help_text.strip(), f"{name} has no help"
    assert "xample" in help_text and f"midigroove {name.split()[0]}" in help_text
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_an_error_is_one_line_and_code_2(capsys, tmp_path) -> None:
    missing = tmp_path / "no such file.safetensors"
    assert cli.run(["inspect", str(missing)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and str(missing) in captured.err
    assert "Traceback" not in captured.err


def test_debug_shows_the_traceback(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("MIDIGROOVE_DEBUG", "")
    assert cli.run(["--debug", "inspect", str(tmp_path / "missing")]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_option_is_code_2(capsys) -> None:
    assert cli.run(["codecs", "--no-such-option"]) == 2
    assert "--no-such-option" in capsys.readouterr().err


def test_version(capsys) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"midigroove {__version__}"


def test_presets_have_their_weights_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["models", "--presets", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    found = {(row["id"], row["preset"]): row for row in rows}
    small = found["latent_flow", "small"]
    assert small["args"]["dim"] == 264 and 3_400_000 < small["parameters"] < 3_600_000
    assert found["parallel", "base"]["parameters"] > 20_000_000
    assert {id for id, _ in found} >= {"parallel", "autoregressive", "masked", "latent_flow"}


def test_no_option_is_shortened_in_help_at_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    whole: Any = typer.main.get_command(cli.build_app())

    def look(command: Any, words: list[str]) -> None:
        for name, below in getattr(command, "commands", {}).items():
            look(below, [*words, name])
        if hasattr(command, "commands"):
            return
        whole([*words, "--help"], standalone_mode=False)
        text = capsys.readouterr().out
        names = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        missing = {n for n in names if n.startswith("--")} - set(re.findall("--[a-z0-9-]+", text))
        assert not missing and "…" not in text, words

    look(whole, [])


def test_models_come_with_the_names_of_their_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["models", "--json"]) == 0
    rows = {row["id"]: row["presets"] for row in json.loads(capsys.readouterr().out)}
    assert rows["parallel"] == ["tiny", "small", "base", "paper"]
    assert cli.run(["models"]) == 0
    assert "tiny small base paper" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["plugins", "codecs", "featurizers", "models", "embeddings"])
def test_lists_come_as_json_too(capsys, kind: str) -> None:
    assert cli.run([kind, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows and all(row["distribution"] == "midigroove" for row in rows)


def test_codecs_lists_the_facts(capsys) -> None:
    assert cli.run(["codecs", "--json"]) == 0
    row = next(r for r in json.loads(capsys.readouterr().out) if r["id"] == "groove_32khz")
    assert row["default"] and row["weights_here"]
    assert row["frame_rate"] == row["sample_rate"] / row["hop_length"]
    assert row["kbit_per_second"] <= 6


def test_a_plugin_adds_a_command(install_plugin, capsys) -> None:
    source = """
from midigroove_core import hookimpl

@hookimpl
def register_commands(app):
    @app.command()
    def acme():
        print("hello from acme")
"""
    install_plugin("acme-command", source)
    assert cli.run(["acme"]) == 0
    assert "hello from acme" in capsys.readouterr().out


def test_a_broken_plugin_is_a_line_in_the_list(install_plugin, capsys) -> None:
    install_plugin("acme-broken", "import no_such_module_here")
    assert cli.run(["plugins", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert "no_such_module_here" in rows["acme_broken"]["error"]
    assert cli.run(["codecs"]) == 0


def test_a_codec_that_cannot_be_imported_is_a_warning(install_plugin, capsys) -> None:
    source = """
from midigroove_core import hookimpl

@hookimpl
def register_codecs(register):
    register("acme_8khz", "no_such_module_here:Codec")
"""
    install_plugin("acme-codec", source)
    assert cli.run(["codecs"]) == 0
    captured = capsys.readouterr()
    assert "groove_32khz" in captured.out
    assert "acme-codec" in captured.err and "no_such_module_here" in captured.err


def test_the_quick_list_of_commands_is_the_whole_one(
    capsys: pytest.CaptureFixture[str], install_plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--help` leaves out what it does not show: no name, panel or line may go with it."""
    source = """
from midigroove_core import hookimpl
import typer

@hookimpl
def register_commands(app):
    @app.command()
    def acme(times: int = 1):
        "Acme one.\\n\\nThe rest."
    more = typer.Typer(help="More of acme.")
    more.command()(acme)
    app.add_typer(more, name="more-acme")
"""
    install_plugin("acme-command", source)
    monkeypatch.setenv("MIDIGROOVE_DEBUG", "")  # --debug sets it; taken back after the test
    assert cli.run(["--help"]) == 0
    quick = capsys.readouterr().out
    assert cli.run(["--debug", "--help"]) == 0
    assert capsys.readouterr().out == quick
    assert "Acme one." in quick and "More of acme." in quick


@pytest.mark.parametrize(
    ("needs", "loads"),
    [
        ("midigroove", True), ("midigroove>=0.1,<0.2", True), ("midigroove (>=0.1)", True),
        ("midigroove>=9", False), ("midigroove ~= 9.1", False), ("midigroove-nowhere", False),
        ("midigroove>=9; sys_platform == 'nowhere'", True), ("midigroove>=9; extra == 'a'", True),
        ("midigroove[clap]>=0.1", True), ("midigroove[clap]>=9", False),
    ],
)  # fmt: skip
def test_what_a_plugin_needs_is_compared(install_plugin, needs: str, loads: bool) -> None:
    install_plugin("acme-needs", "from midigroove_core import hookimpl", requires=[needs])
    info = next(i for i in load_plugins().infos if i.distribution == "acme-needs")
    assert (info.error is None) == loads, info.error
