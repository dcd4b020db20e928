"""Every hook works, is documented with its exact signature, and has a test here."""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from pathlib import Path

import pluggy
import pytest
import typer
from typer.testing import CliRunner

from midigroove_core import hookimpl, hookspecs
from midigroove_core.cli.plugin_commands import add_plugin_commands
from midigroove_core.plugins import LoadedPlugins, PluginInfo
from midigroove_core.registry import KINDS, Registry

DOCS = Path(__file__).parent.parent / "docs" / "plugin_hooks.md"
SOURCE = inspect.getsource(hookspecs)


def hooks() -> list[ast.FunctionDef]:
    """The functions of hookspecs.py marked with hookspec."""
    return [
        node
        for node in ast.parse(SOURCE).body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(d, ast.Name) and d.id == "hookspec" for d in node.decorator_list)
    ]


def registry(plugin: object) -> Registry:
    """A registry of one plugin."""
    manager = pluggy.PluginManager("midigroove")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, "acme")
    manager.check_pending()
    return Registry(LoadedPlugins(manager, (PluginInfo("acme", "acme-drums", "1.2"),)))


CLASSES = {
    "codec": "midigroove_core.testing.toy:ToyCodec",
    "featurizer": "midigroove_core.builtin.paper_grid:PaperGrid",
    "model": "midigroove_core.builtin.parallel:ParallelModel",
    "embedding": "midigroove_core.builtin.log_mel_embedding:LogMelEmbedding",
    "reader": "midigroove_core.builtin.midi_reader:MidiReader",
    "metric": "support.peak_metric:PeakRatio",
}


def registers(kind: str) -> None:
    """A plugin that implements `register_<kind>s` alone puts its id under that kind alone."""

    class Plugin:
        pass

    cls = pkgutil.resolve_name(CLASSES[kind])
    id = getattr(cls, f"{kind}_id")

    def implementation(register: hookspecs.Register) -> None:
        register(id, CLASSES[kind], default=True)

    implementation.__name__ = f"register_{kind}s"
    setattr(Plugin, implementation.__name__, staticmethod(hookimpl(implementation)))
    found = registry(Plugin())
    entry = found.entry(kind, id.split("_")[0])
    assert (entry.distribution, entry.version, entry.kind) == ("acme-drums", "1.2", kind)
    assert entry.load() is cls
    for other in set(KINDS) - {kind}:
        assert found.entries(other) == []


def test_register_codecs() -> None:
    registers("codec")


def test_register_featurizers() -> None:
    registers("featurizer")


def test_register_models() -> None:
    registers("model")


def test_register_embeddings() -> None:
    registers("embedding")


def test_register_readers() -> None:
    registers("reader")


def test_register_metrics() -> None:
    registers("metric")


def test_register_commands() -> None:
    class Plugin:
        @hookimpl
        def register_commands(self, app: typer.Typer) -> None:
            @app.command()
            def hello() -> None:
                print("hello from acme")

    app = typer.Typer()
    app.callback()(lambda: None)
    assert add_plugin_commands(app, registry(Plugin()).plugins).troubles == ()
    assert CliRunner().invoke(app, ["hello"]).stdout == "hello from acme\n"


def test_every_hook_has_a_test() -> None:
    tests = {name for name in globals() if name.startswith("test_register_")}
    assert tests == {f"test_{hook.name}" for hook in hooks()}


@pytest.mark.skipif(not DOCS.is_file(), reason="only in a checkout, not in the sdist")
def test_headings_are_the_hooks() -> None:
    headings = re.findall(r"^## (.*)$", DOCS.read_text("utf-8"), flags=re.MULTILINE)
    signatures = [f"{hook.name}({ast.unparse(hook.args)}) -> None" for hook in hooks()]
    assert all(isinstance(hook.returns, ast.Constant) for hook in hooks())
    assert headings == signatures


@pytest.mark.skipif(not DOCS.is_file(), reason="only in a checkout, not in the sdist")
def test_examples_in_the_text_are_valid_hooks() -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), flags=re.DOTALL)
    assert len(blocks) == len(hooks())
    manager = pluggy.PluginManager("midigroove")
    manager.add_hookspecs(hookspecs)
    for block, hook in zip(blocks, hooks(), strict=True):
        space: dict[str, object] = {"hookimpl": hookimpl}
        exec(block, space)
        manager.register(type("Plugin", (), {hook.name: staticmethod(space[hook.name])})())
    manager.check_pending()
