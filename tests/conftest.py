"""Fixtures that several test modules share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

Install = Callable[..., None]


@pytest.fixture(autouse=True)
def only_builtins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever plugins are installed beside core, its tests see core alone unless they ask."""
    monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", "")


@pytest.fixture(scope="module")
def toy_plugin_name(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plugin with a toy codec and models, installed for a module's tests; see `toy_systems`."""
    from support.toy_systems import toy_plugin_installed

    with toy_plugin_installed(tmp_path_factory.mktemp("plugin")) as name:
        yield name


@pytest.fixture
def toy_plugin(toy_plugin_name: str, only_builtins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that use it see core and that plugin."""
    monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", toy_plugin_name)


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the cache in the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDIGROOVE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def install_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a fake distribution: a dist-info folder with entry points, and its module."""
    monkeypatch.delenv("MIDIGROOVE_LOAD_PLUGINS")
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(
        distribution: str,
        source: str,
        *,
        name: str = "",
        version: str = "1.0",
        requires: Sequence[str] = (),
    ) -> None:
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
            + "".join(f"Requires-Dist: {one}\n" for one in requires)
        )
        (info / "entry_points.txt").write_text(f"[midigroove]\n{name or module} = {module}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install
