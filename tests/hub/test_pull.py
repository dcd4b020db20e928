"""What is fetched from a hub: whole, checked, once, and not at all when nobody may be asked."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from support.hub_server import Hub
from support.hub_things import cache_files, hub, kit_files, small_checkpoint

from midigroove_core import Cache, load_checkpoint
from midigroove_core.checkpoint import read_metadata
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.inspect import inspect_path
from midigroove_core.kits import library
from midigroove_core.kits.kitsfile import kit_specs
from midigroove_core.kits.library import load_kit, random_recipe

pytest.importorskip("huggingface_hub")
__all__ = ["cache_files", "hub", "kit_files"]  # fixtures

SHIPPED = library.ASSETS / "groove_model.safetensors"
SMALL = small_checkpoint(SHIPPED)
MODEL, CACHE, KIT = "models/ann/drums", "datasets/ann/codes", "datasets/ann/my-kit"


def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    no_sockets(monkeypatch)


def test_a_checkpoint_comes_byte_for_byte(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    sha = hub.make(MODEL, {"model.safetensors": SHIPPED.read_bytes(), "README.md": b"hello"})
    found = load_checkpoint("hf://ann/drums")
    assert found.path.read_bytes() == SHIPPED.read_bytes()
    assert found.path.parent.name == sha and not (found.path.parent / "README.md").exists()
    hub.make(MODEL, {"model.safetensors": b"another one by now"})
    no_sockets(monkeypatch)  # a commit never changes: nobody is asked about one that is here
    assert read_metadata(f"hf://ann/drums@{sha}") == found.metadata
    assert inspect_path(f"hf://ann/drums@{sha}")["kind"] == "checkpoint"


def test_offline_takes_what_is_here_and_opens_no_socket(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.make(MODEL, {"model.safetensors": SMALL})
    read_metadata("hf://ann/drums")
    offline(monkeypatch)
    assert read_metadata("hf://ann/drums@main").schema == 1
    for address in ("hf://ann/drums@v2", "hf://ann/other"):
        with pytest.raises(MidigrooveError, match=r"HF_HUB_OFFLINE .* hf download ann/") as caught:
            load_checkpoint(address)
        assert "\n" not in str(caught.value)


def test_a_cache_comes_byte_for_byte(
    hub: Hub, cache_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.make(CACHE, {**cache_files, "evil.pkl": b"never fetched"})
    cache = Cache.open("hf://ann/codes")
    assert {path.name: path.read_bytes() for path in cache.path.iterdir()} == cache_files
    assert cache.verify() == [] and cache.codes(cache.entries[0]).size
    offline(monkeypatch)
    assert Cache.open(Path("hf://datasets/ann/codes")).fingerprint == cache.fingerprint
    assert inspect_path("hf://datasets/ann/codes")["kind"] == "cache"


def test_a_kit_comes_byte_for_byte(
    hub: Hub, kit_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.make(KIT, {**kit_files, "tom.wav": b"not in its list"})
    kit = load_kit("hf://ann/my-kit")
    assert (kit.name, kit.license, kit.unread) == ("my-kit", "CC0-1.0", ())
    assert sorted(kit.articulations) == ["hat_closed", "kick", "snare"]
    folder = next((Path(hub_cache()) / "datasets--ann--my-kit" / "snapshots").iterdir())
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert there == {name: data for name, data in kit_files.items() if name != "README.md"}
    offline(monkeypatch)
    assert load_kit("hf://ann/my-kit@main").name == "my-kit"
    mixed = {name for part in random_recipe("random_0001+hf://ann/my-kit").families.values()
             for name, _ in part.kits}  # fmt: skip
    assert "my-kit" in mixed
    assert [spec.name for spec in kit_specs("jazz,hf://ann/my-kit")] == ["jazz", "my-kit"]


def hub_cache() -> str:
    from midigroove_core.hub.place import hub_cache as cache

    return str(cache())


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("hf://ann/nothing", "no such repository, or none that you may see; log in"),
        ("hf://ann/drums@v9", "no such branch, tag or commit"),
        ("hf://ann/drums", "there is no model.safetensors in it"),
        ("hf://datasets/ann/drums", "a checkpoint lies in a model repository"),
    ],
)
def test_what_cannot_be_had_is_one_line(hub: Hub, address: str, says: str) -> None:
    hub.make(MODEL, {"pytorch_model.bin": b"\x80\x04"})
    with pytest.raises(MidigrooveError, match=says) as caught:
        load_checkpoint(address)
    assert "\n" not in str(caught.value)
    assert not any(call.startswith("GET /ann/drums/resolve") for call in hub.requests)


def test_a_hub_that_does_not_answer_is_no_reason_to_guess(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.make(MODEL, {"model.safetensors": SMALL})
    read_metadata("hf://ann/drums")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(MidigrooveError, match="could not be asked"):
        read_metadata("hf://ann/drums")


def test_a_login_is_huggingface_hubs_affair(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.make(MODEL, {"model.safetensors": SMALL})
    hub.token = "hf_secret"
    with pytest.raises(MidigrooveError, match="log in with hf auth login"):
        read_metadata("hf://ann/drums")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert read_metadata("hf://ann/drums").schema == 1


def test_damage_on_the_way_is_seen_and_not_kept(hub: Hub) -> None:
    hub.make(MODEL, {"model.safetensors": SMALL})
    hub.damaged = "model.safetensors"
    with pytest.raises(InputError, match="came damaged"):
        read_metadata("hf://ann/drums")
    hub.damaged = ""
    assert read_metadata("hf://ann/drums").schema == 1


@pytest.mark.parametrize(
    "name", ["../kick.wav", "a/kick.wav", "/kick.wav", "..\\kick.wav", ".kick.wav", "kick.pkl"]
)
def test_names_that_lead_out_of_a_kit_are_refused(
    hub: Hub, kit_files: dict[str, bytes], name: str
) -> None:
    content = json.loads(kit_files["kit.json"])
    content["files"][name] = content["files"]["kick.wav"]
    hub.make(
        KIT, {**kit_files, name: kit_files["kick.wav"], "kit.json": json.dumps(content).encode()}
    )
    with pytest.raises(InputError, match="is no one-shot of a kit"):
        load_kit("hf://ann/my-kit")
    assert not any("kick" in call for call in hub.requests)


def test_sizes_are_known_before_anything_is_fetched(
    hub: Hub, cache_files: dict[str, bytes], kit_files: dict[str, bytes]
) -> None:
    """What the list does not say, or says to be larger than may be, is not fetched."""
    shard = "codes-00000.safetensors"
    hub.make(CACHE, {**cache_files, shard: cache_files[shard] + b" "})
    with pytest.raises(InputError, match=rf"{shard} has [\d,]+ bytes, cache.json says"):
        Cache.open("hf://ann/codes")
    hub.make(CACHE, {name: data for name, data in cache_files.items() if name != shard})
    with pytest.raises(InputError, match=f"{shard} is missing; cache.json names it"):
        Cache.open("hf://ann/codes")
    content = json.loads(kit_files["kit.json"])
    content["files"]["kick.wav"]["bytes"] = 2**40
    hub.make(KIT, {**kit_files, "kit.json": json.dumps(content).encode()})
    with pytest.raises(InputError, match="files.kick.wav.bytes: expected int <="):
        load_kit("hf://ann/my-kit")
    hub.make(KIT, {**kit_files, "kit.json": b" " * 2**22})
    with pytest.raises(InputError, match="more than a kit may have"):
        load_kit("hf://ann/my-kit")
    assert not any("codes-" in call or "kick" in call for call in hub.requests)


def test_without_the_package(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("midigroove_core.hub.session.find_spec", lambda name: None)
    with pytest.raises(MidigrooveError, match=r"pip install midigroove\[hub\]$"):
        load_kit("hf://ann/my-kit")
