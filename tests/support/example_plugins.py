"""The plugins in examples/, installed for tests as their pyproject.toml says, without a build."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def example_installed(kind: str, folder: Path, others: str = "") -> Iterator[Path]:
    """Installs midigroove_example_KIND: its metadata in `folder`, its sources where they are.

    Args:
        kind: "codec", "featurizer", "model", "reader", "metric" or "command".
        folder: an empty folder.
        others: further plugins to load, as in MIDIGROOVE_LOAD_PLUGINS.

    Yields:
        The example's folder.
    """
    example = EXAMPLES / f"midigroove_example_{kind}"
    project = tomllib.loads((example / "pyproject.toml").read_text("utf-8"))["project"]
    info = folder / f"{example.name}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Requires-Dist: {one}" for one in project["dependencies"]]
    (info / "METADATA").write_text("\n".join(lines) + "\n", "utf-8")
    points = project["entry-points"]["midigroove"]
    text = "".join(f"{name} = {module}\n" for name, module in points.items())
    (info / "entry_points.txt").write_text(f"[midigroove]\n{text}", "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.syspath_prepend(str(example / "src"))
        patch.setenv("MIDIGROOVE_LOAD_PLUGINS", ",".join(filter(None, (*points, others))))
        yield example
    for name in [name for name in sys.modules if name.startswith(example.name)]:
        del sys.modules[name]
