"""Addresses on the hub: what is one, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from midigroove_core.errors import InputError
from midigroove_core.evaluation.base.config import SystemSpec
from midigroove_core.hub import HubAddress, is_address


@pytest.mark.parametrize(
    ("text", "repo", "kind", "revision"),
    [
        ("hf://ann/drums", "ann/drums", None, "main"),
        ("hf://ann/drums@v1.0", "ann/drums", None, "v1.0"),
        ("hf://ann/drums@refs/pr/3", "ann/drums", None, "refs/pr/3"),
        ("hf://datasets/ann/cache_dac@" + "0a" * 20, "ann/cache_dac", "dataset", "0a" * 20),
        ("hf://models/ann/x.y-z", "ann/x.y-z", "model", "main"),
    ],
)
def test_what_an_address_says(text: str, repo: str, kind: str | None, revision: str) -> None:
    for written in (text, Path(text)):
        assert is_address(written)
        assert HubAddress.parse(written) == HubAddress(repo, kind, revision)
    assert HubAddress.parse(text).is_pinned == (len(revision) == 40)
    again = HubAddress.parse(str(HubAddress.parse(text)))
    assert (again.repo, again.revision, again.kind == "dataset") == (
        repo, revision, kind == "dataset",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "hf://ann", "hf://", "hf://ann/drums/best.safetensors", "hf://../../etc/passwd",
        "hf://ann/..", "hf://ann/drums@../../x", "hf://ann/drums@", "hf://ann/drums@a@b",
        "hf://spaces/ann/drums", "hf://ann/a--b", "hf://ann/dr\nums", "hf://ann/drums@-x",
    ],
)  # fmt: skip
def test_what_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        HubAddress.parse(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_paths_are_no_addresses() -> None:
    assert not any(
        map(is_address, ("best.safetensors", "/hf/x", "C:\\hf", "hf", "hf:x", "xhf://a"))
    )


def test_a_system_may_lie_on_the_hub() -> None:
    spec = SystemSpec.parse("dac:hf://ann/drums@v1:hf://ann/cache:dac_44khz")
    assert (spec.name, spec.codec) == ("dac", "dac_44khz")
    assert HubAddress.parse(spec.checkpoint) == HubAddress("ann/drums", None, "v1")
    assert HubAddress.parse(spec.cache) == HubAddress("ann/cache")
    assert SystemSpec.parse("hf:/runs/a:/cache/b").checkpoint == Path("/runs/a")
    with pytest.raises(InputError, match="NAME:CHECKPOINT:CACHE"):
        SystemSpec.parse("dac:hf://ann/drums")


def test_addresses_cost_no_import() -> None:
    """Whoever renders from files waits for no library of the hub."""
    import subprocess

    code = (
        "import sys, midigroove_core.checkpoint, midigroove_core.cache, midigroove_core.kits;"
        "print([m for m in sys.modules if m.startswith(('huggingface', 'httpx', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
