"""From this machine to a hub and back: the same bytes, in one commit, and nothing by accident."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.hub_server import Hub
from support.hub_things import cache_files, hub, kit_files, small_checkpoint

from midigroove_core import Cache
from midigroove_core.checkpoint import checkpoint_file
from midigroove_core.cli import run
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.kits import library
from midigroove_core.kits.library import load_kit
from midigroove_core.publishing import push

pytest.importorskip("huggingface_hub")
__all__ = ["cache_files", "hub", "kit_files"]  # fixtures
pytestmark = pytest.mark.filterwarnings("ignore:Use .content=:DeprecationWarning")

SHIPPED = library.ASSETS / "groove_model.safetensors"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    path.write_bytes(small_checkpoint(SHIPPED))
    return path


@pytest.fixture
def cache(tmp_path: Path, cache_files: dict[str, bytes]) -> Path:
    return write(tmp_path / "codes", cache_files)


@pytest.fixture
def kit(tmp_path: Path, kit_files: dict[str, bytes]) -> Path:
    shots = {name: data for name, data in kit_files.items() if name.endswith(("wav", "flac"))}
    return write(tmp_path / "shots", {**shots, "notes.txt": b"mine", "blurb.wav": b"RIFF"})


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_checkpoint_there_and_back(hub: Hub, checkpoint: Path, tmp_path: Path) -> None:
    run_folder = tmp_path / "run"
    write(run_folder, {"config.toml": b"", "best.safetensors": checkpoint.read_bytes()})
    done = push(run_folder, "ann/drums", data="Grooves, CC BY 4.0")
    assert sorted(hub.files("models/ann/drums")) == [
        ".gitattributes", "README.md", "model.safetensors",
    ]  # fmt: skip
    assert done.address.startswith("hf://ann/drums@") and done.what == "checkpoint"
    assert checkpoint_file(done.address).read_bytes() == checkpoint.read_bytes()
    card = hub.files("models/ann/drums")["README.md"].decode()
    assert 'license: "mit"' in card and "Grooves, CC BY 4.0" in card
    first = dict(hub.repositories["models/ann/drums"].commits)
    assert push(run_folder, "ann/drums", revision="v2").address != done.address
    assert hub.repositories["models/ann/drums"].branches["main"] in first
    assert checkpoint_file("hf://ann/drums@v2").is_file()


def test_a_cache_there_and_back(hub: Hub, cache: Path, cache_files: dict[str, bytes]) -> None:
    hub.make("datasets/ann/codes", {"codes-00007.safetensors": b"of an older one", "mine.md": b"x"})
    done = push(cache, "ann/codes")
    there = hub.files("datasets/ann/codes")
    assert {name: there[name] for name in cache_files} == cache_files
    assert sorted({*there} - {*cache_files}) == ["README.md", "mine.md"], "the old shard went"
    pulled = Cache.open(done.address)
    assert {path.name: path.read_bytes() for path in pulled.path.iterdir()} == cache_files


def test_a_kit_there_and_back(hub: Hub, kit: Path, kit_files: dict[str, bytes]) -> None:
    done = push(kit, "ann/my-kit", license="CC0-1.0")
    there = hub.files("datasets/ann/my-kit")
    shots = [name for name in kit_files if name.endswith(("wav", "flac"))]
    assert sorted(there) == sorted([".gitattributes", "README.md", "kit.json", *shots])
    assert all(there[name] == (kit / name).read_bytes() for name in shots)
    back, here = load_kit(done.address), load_kit(kit)
    assert (back.name, back.license) == ("my-kit", "CC0-1.0")
    assert here.unread == ("blurb.wav", "notes.txt")
    for name, layers in here.articulations.items():
        assert [a.audio.tobytes() for a in layers] == [
            b.audio.tobytes() for b in back.articulations[name]
        ]


def test_what_is_public_is_not_taken_for_private(hub: Hub, checkpoint: Path) -> None:
    assert push(checkpoint, "ann/secret", private=True).private
    sha = hub.make("models/ann/drums", {"x": b""})
    with pytest.raises(MidigrooveError, match="is there, and public"):
        push(checkpoint, "ann/drums", private=True)
    assert hub.repositories["models/ann/drums"].branches == {"main": sha}, "nothing was sent"


def test_damage_is_not_published(hub: Hub, cache: Path, tmp_path: Path) -> None:
    shard = cache / "codes-00000.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match="not what was written"):
        push(cache, "ann/codes")
    with pytest.raises(InputError, match="no such file or folder"):
        push(tmp_path / "nothing", "ann/codes")
    with pytest.raises(InputError, match="no run and no cache; .* no wav or flac one-shots"):
        push(write(tmp_path / "empty", {}), "ann/codes")
    assert hub.requests == []


@pytest.mark.parametrize(
    ("repo", "revision", "says"),
    [
        ("drums", "main", "write USER/NAME"), ("../x/y", "main", "write USER/NAME"),
        ("ann/drums", "a b", "no branch"), ("ann/drums", "0" * 40, "is a commit"),
    ],
)  # fmt: skip
def test_where_one_cannot_push(checkpoint: Path, repo: str, revision: str, says: str) -> None:
    with pytest.raises(MidigrooveError, match=says):
        push(checkpoint, repo, revision=revision)


def test_offline_sends_nothing(hub: Hub, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(MidigrooveError, match="HF_HUB_OFFLINE is set; unset it to push"):
        push(checkpoint, "ann/drums")
    assert hub.requests == []


def test_the_command(
    hub: Hub, checkpoint: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["push", str(checkpoint), "ann/drums", "--dry-run"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("---\n") and "# drums" in shown.out
    assert "model.safetensors: " in shown.err and "has no figures" in shown.err
    assert hub.requests == []
    assert run(["push", str(checkpoint), "ann/drums", "--json"]) == 0
    address = json.loads(capsys.readouterr().out)["address"]
    assert run(["inspect", address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "checkpoint"
    hub.token = "hf_secret"
    assert run(["push", str(checkpoint), "ann/drums"]) == 2
    assert "log in with hf auth login" in capsys.readouterr().err
