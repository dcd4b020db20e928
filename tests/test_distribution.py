"""What users get when they install the package."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import tomllib
import zlib
from pathlib import Path

import pytest

from midigroove_core import __version__

ROOT = Path(__file__).parents[1]
ASSETS = importlib.resources.files("midigroove_core") / "assets"


def test_the_version_is_that_of_the_distribution() -> None:
    assert importlib.metadata.version("midigroove") == __version__


def test_the_program_is_an_entry_point() -> None:
    scripts = importlib.metadata.entry_points(group="console_scripts", name="midigroove")
    assert [script.value for script in scripts] == ["midigroove_core.cli:main"]


@pytest.mark.parametrize(
    "name",
    ["ATTRIBUTION.md", "groove_32khz.safetensors", "groove_model.safetensors", "kits", "grooves"],
)
def test_assets_are_installed(name: str) -> None:
    asset = ASSETS / name
    assert asset.is_dir() or asset.is_file()


def test_the_package_is_typed_and_light() -> None:
    package = Path(str(ASSETS)).parent
    assert (package / "py.typed").is_file()
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert sum(len(zlib.compress(path.read_bytes())) for path in files) < 25e6, "as in a wheel"


def test_every_shipped_asset_is_attributed() -> None:
    attribution = (ASSETS / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for asset in ASSETS.iterdir():
        if asset.name == "ATTRIBUTION.md":
            continue
        assert asset.name in attribution, f"{asset.name} is not in ATTRIBUTION.md"


@pytest.mark.parametrize("plugin", ["encodec", "dac", "xcodec"])
def test_plugins_pin_the_minor_version_of_core(plugin: str) -> None:
    path = ROOT / "plugins" / f"midigroove_{plugin}" / "pyproject.toml"
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    major, minor, _ = __version__.split(".")
    assert project["name"] == f"midigroove-{plugin}"
    assert f"midigroove>={major}.{minor},<{major}.{int(minor) + 1}" in project["dependencies"]
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert extra["optional-dependencies"][plugin] == [project["name"]]
