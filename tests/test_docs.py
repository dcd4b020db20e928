"""What the documentation says can be typed can be typed, and what it points at is there."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from midigroove_core.cli import build_app

CHECKOUT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "docs").is_dir(), reason="only in a checkout, not in the sdist"
)
PAGES = sorted(
    [
        *CHECKOUT.glob("*.md"),
        *CHECKOUT.glob("docs/**/*.md"),
        *CHECKOUT.glob("plugins/*/README.md"),
        *CHECKOUT.glob("examples/*/README.md"),
    ]
)
TABLES = sorted([*CHECKOUT.glob("recipes/*.toml"), *CHECKOUT.glob("examples/*.toml")])
SCRIPTS = sorted([*CHECKOUT.glob("tools/*.py"), *CHECKOUT.glob("benchmarks/*.py")])
_SPAN = re.compile(r"(?<!`)`(midigroove [^`]+)`(?!`)")
_PATH = re.compile(
    r"(?<![\w/.-])(?:benchmarks|docs|examples|plugins|recipes|src|tests|tools)/[\w*./-]*[\w*/]"
)
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
_MADE = re.compile(r"\A(?:tests/data|.*\.wav)\Z")


@cache
def program() -> typer.core.TyperGroup:
    """The program, with the command of the example plugin, whose README shows it."""
    app = build_app()
    for plugin in CHECKOUT.glob("examples/midigroove_example_command/src/*/plugin.py"):
        spec = importlib.util.spec_from_file_location("example_command", plugin)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.register_commands(app)
    return typer.main.get_command(app)


def commands_of(text: str) -> Iterator[str]:
    """Lines of code blocks that begin with `midigroove`, continued ones joined."""
    text = re.sub(r"```python\n.*?```", "", text, flags=re.DOTALL)
    lines = iter(text.splitlines())
    for line in lines:
        if re.match(r"(    |#\s+)?midigroove [a-z-]+", line) and not line.startswith("midigroove "):
            yield joined(line, lines)
    for block in re.findall(r"```(?:sh|bash|console)?\n(.*?)```", text, flags=re.DOTALL):
        lines = iter(block.splitlines())
        for line in lines:
            if line.startswith("midigroove "):
                yield joined(line, lines)


def joined(line: str, rest: Iterator[str]) -> str:
    while line.endswith("\\"):
        line = line[:-1] + " " + next(rest).strip().removeprefix("#")
    return line.strip().removeprefix("#").strip()


def parse(line: str) -> None:
    """Sends a line through the real parser, up to but not including the call.

    Raises:
        click.UsageError: an unknown command or option, a missing or a wrong argument.
    """
    command, words = found(shlex.split(line, comments=True)[1:])
    command.make_context(line, words)


def found(words: list[str]) -> tuple[typer.core.TyperCommand, list[str]]:
    command = program()
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {words[0]!r}"
        command, words = command.commands[words[0]], words[1:]
    return command, words


def pages() -> list[Path]:
    return [*PAGES, *TABLES, *SCRIPTS]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_command_line_parses(page: Path) -> None:
    for line in commands_of(page.read_text("utf-8")):
        try:
            parse(line)
        except (Exception, SystemExit) as error:
            pytest.fail(f"{line}: {error}")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_mention_of_a_command_has_its_name_and_options(page: Path) -> None:
    """In running text a command may lack its arguments, but not be another."""
    for line in _SPAN.findall(page.read_text("utf-8")):
        words = " ".join(line.split()).replace("...", "").split()[1:]
        if words[0].isupper() or not re.fullmatch(r"-?-?[a-z][a-z-]*", words[0]):
            continue  # `midigroove COMMAND --help`
        command, rest = found(words)
        known = {option for param in command.params for option in param.opts} | {"--help", "-h"}
        unknown = [word for word in rest if word.startswith("-") and word not in known]
        assert not unknown, f"{line}: {unknown}"


def examples() -> list[tuple[str, str]]:
    def walk(command: typer.core.TyperCommand) -> Iterator[tuple[str, str]]:
        for line in re.findall(r"Example: `([^`]+)`", command.help or ""):
            yield str(command.name), " ".join(line.split())
        for inner in getattr(command, "commands", {}).values():
            yield from walk(inner)

    return list(walk(program()))


@pytest.mark.parametrize(("name", "line"), examples(), ids=[name for name, _ in examples()])
def test_every_example_of_help_parses_and_names_what_is_there(name: str, line: str) -> None:
    parse(line)
    check_paths(line, CHECKOUT)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_paths_are_there(page: Path) -> None:
    check_paths(page.read_text("utf-8"), page.parent)


def check_paths(text: str, folder: Path) -> None:
    """Paths from the root of the checkout, or from the page's folder; they may have stars."""
    without_links = re.sub(r"\w+://\S+", "", text)
    for path in _PATH.findall(without_links):
        if not _MADE.match(path):
            places = [
                *CHECKOUT.glob(path),
                *folder.glob(path),
                *CHECKOUT.glob(f"examples/*/{path}"),
            ]
            assert places, f"{path} is not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


def test_nox_sessions_that_are_named_exist() -> None:
    sessions = re.findall(
        r"@nox\.session.*?\ndef (\w+)", (CHECKOUT / "noxfile.py").read_text(), re.S
    )
    named = {
        name
        for page in [*PAGES, CHECKOUT / ".ci" / "run"]
        for names in re.findall(r"nox (?:[^\n]*)-s ((?:[a-z_]+ ?)+)", page.read_text("utf-8"))
        for name in names.split()
    }
    assert "tests" in named and named <= set(sessions), named - set(sessions)


def test_the_readme_has_commands_to_parse() -> None:
    lines = list(commands_of((CHECKOUT / "README.md").read_text("utf-8")))
    assert len(lines) >= 12 and any("--system dac:" in line for line in lines)


def test_the_readme_names_every_command() -> None:
    table = (CHECKOUT / "README.md").read_text("utf-8").split("| command |")[1].split("\n\n")[0]
    names = {word for cell in re.findall(r"`([a-z -]+)`", table) for word in cell.split()}
    own = {command.name for command in typer.main.get_group(build_app()).commands.values()}
    assert own <= names, own - names


@pytest.mark.parametrize(
    "line", ["midigroove rendr a.mid", "midigroove render a.mid --kitt b", "midigroove eval --out"]
)
def test_a_line_that_cannot_run_is_seen(line: str) -> None:
    with pytest.raises((Exception, SystemExit)):
        parse(line)
