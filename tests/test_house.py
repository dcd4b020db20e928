"""The house as its plan has it: rooms and functions one can take in, nothing that runs data."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import midigroove_core
from midigroove_core.cli import build_app

HOUSE = Path(midigroove_core.__file__).parent
CHECKOUT = Path(__file__).parents[1]
LONGEST_FUNCTION = 60
LARGEST_SHARE = 0.15
OWN_PROGRAM = {
    "testing/golden.py", "testing/codec_contract/__init__.py", "publishing/caches.py",
    "publishing/checkpoints.py", "publishing/kits.py",
}  # fmt: skip
"""They speak of the options of `python -m midigroove_core.testing.golden`, or write on a card how a
thing is used."""

DANGEROUS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads",
    "marshal.loads", "yaml.load",
}  # fmt: skip


def plugin_sources() -> list[Path]:
    """What the plugins of a checkout hold; nothing where core is tested alone."""
    return sorted(CHECKOUT.glob("plugins/*/src/**/*.py"))


def modules() -> list[Path]:
    return sorted(HOUSE.rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def name(path: Path) -> str:
    return str(path.relative_to(HOUSE if path.is_relative_to(HOUSE) else CHECKOUT))


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every text of a module but its docstrings, with its line."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def test_no_room_holds_more_than_its_share() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in modules()}
    rooms: dict[str, int] = {}
    for path, count in lines.items():
        room = path.relative_to(HOUSE).parts[0]
        rooms[room] = rooms.get(room, 0) + count
    whole = sum(lines.values())
    assert {r: n / whole for r, n in rooms.items() if n / whole > LARGEST_SHARE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    found = [
        f"{name(path)}: {node.name} has {length} lines"
        for path in [*modules(), *plugin_sources()]
        if not path.is_relative_to(HOUSE / "cli")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert found == []


def test_the_library_names_arguments_and_no_flags() -> None:
    """`cli` maps `out` to --out; whoever calls a function has no flags."""
    flags = options_of(typer.main.get_command(build_app()))
    assert "--out" in flags and "--tail" in flags
    found = [
        f"{name(path)}:{line}: {flag}"
        for path in [*modules(), *plugin_sources()]
        if not path.is_relative_to(HOUSE / "cli") and name(path) not in OWN_PROGRAM
        for line, text in texts(parsed(path))
        if " " in text and "python -m" not in text  # a message, no argument of another program
        for flag in sorted(flags)
        if flag in text.replace("(", " ").replace(",", " ").split()
    ]
    assert found == []


def options_of(command: typer.core.TyperCommand) -> set[str]:
    found = {option for param in command.params for option in param.opts if option[:2] == "--"}
    for inner in getattr(command, "commands", {}).values():
        found |= options_of(inner)
    return found


def test_nothing_runs_data() -> None:
    """No pickle, no eval, no shell: files are data, and programs get their arguments as a list."""
    found = [
        f"{name(path)}:{node.lineno}: {ast.unparse(node)[:60]}"
        for path in [*modules(), *plugin_sources()]
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and runs_data(node) or imports_pickle(node)
    ]
    assert found == []


def runs_data(call: ast.Call) -> bool:
    keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    called = ast.unparse(call.func)
    if called == "torch.load":  # the one way in which it reads tensors and nothing else
        return keywords.get("weights_only") != "True"
    return keywords.get("shell", "False") != "False" or called in DANGEROUS


def imports_pickle(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom) and any(
        word in ast.unparse(node).split() for word in ("pickle", "shelve", "marshal", "dill")
    )


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')", "import pickle", "from pickle import loads", "run('ls', shell=True)",
        "torch.load('x')",
    ],
)  # fmt: skip
def test_what_runs_data_is_seen(code: str) -> None:
    nodes = list(ast.walk(ast.parse(code)))
    assert any(isinstance(n, ast.Call) and runs_data(n) or imports_pickle(n) for n in nodes)
