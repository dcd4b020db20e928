"""What a codec over a Hugging Face checkpoint has to do beyond `CodecContract`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from midigroove_core import hub_codec
from midigroove_core.errors import MidigrooveError
from midigroove_core.hub.weights import FILES
from midigroove_core.hub_codec import HubCodec
from midigroove_core.testing.codec_contract import CodecContract
from midigroove_core.testing.signals import drum_like


class HubCodecContract(CodecContract):
    """Subclass with a fixture `codec` that returns a codec with `weights="tiny"`."""

    @pytest.fixture
    def saved(self, codec: HubCodec, tmp_path: Path) -> Path:
        """A local checkpoint of this codec, to be broken at will."""
        codec._model.save_pretrained(tmp_path / "checkpoint")
        return tmp_path / "checkpoint"

    @staticmethod
    def pretrained(codec: HubCodec, path: Path | None) -> HubCodec:
        """This codec with the weights in a directory, or from the hub."""
        config: dict[str, Any] = {**codec.get_config(), "weights": "pretrained"}
        config.pop("seed")
        return type(codec).from_config(config, path=None if path is None else str(path))

    def test_local_directory(self, codec: HubCodec, saved: Path, capfd: Any) -> None:
        loaded = self.pretrained(codec, saved)
        assert loaded.weights_sha == codec.weights_sha
        audio = drum_like(codec, 9 * codec.clock.hop_length)
        assert torch.equal(loaded.encode(audio), codec.encode(audio))
        assert str(saved) not in json.dumps(loaded.get_config())
        assert capfd.readouterr() == ("", ""), "loading is silent"

    @pytest.mark.parametrize("name", FILES)
    def test_missing_file(self, codec: HubCodec, saved: Path, name: str) -> None:
        (saved / name).unlink()
        with pytest.raises(MidigrooveError, match=f"{codec.codec_id}: .* has no {name}"):
            self.pretrained(codec, saved)

    def test_missing_directory(self, codec: HubCodec, tmp_path: Path) -> None:
        with pytest.raises(MidigrooveError, match="is not a directory"):
            self.pretrained(codec, tmp_path / "nowhere")

    @pytest.mark.parametrize("name", FILES)
    def test_damaged_file(self, codec: HubCodec, saved: Path, name: str) -> None:
        content = (saved / name).read_bytes()
        (saved / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(MidigrooveError, match="cannot be loaded") as caught:
            self.pretrained(codec, saved)
        assert "\n" not in str(caught.value)

    def test_missing_weights(self, codec: HubCodec, saved: Path) -> None:
        from safetensors.torch import load_file, save_file

        weights = load_file(saved / FILES[1])
        del weights[sorted(weights)[0]]
        save_file(weights, saved / FILES[1], metadata={"format": "pt"})
        with pytest.raises(MidigrooveError, match="1 weights are missing"):
            self.pretrained(codec, saved)

    def test_another_geometry(self, codec: HubCodec, saved: Path) -> None:
        text = (saved / FILES[0]).read_text(encoding="utf-8")
        for key in ("sampling_rate", "sample_rate"):
            rate = f'"{key}": {codec.clock.sample_rate}'
            text = text.replace(rate, f"{rate}0")
        (saved / FILES[0]).write_text(text, encoding="utf-8")
        with pytest.raises(MidigrooveError, match=f"sample rate .*{codec.hub_repo}"):
            self.pretrained(codec, saved)

    def test_offline(
        self, codec: HubCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
    ) -> None:
        """One line with the files, the repository and the way to bring them."""
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
        assert type(codec).weights_here() is False
        with pytest.raises(MidigrooveError) as caught:
            self.pretrained(codec, None)
        message = str(caught.value)
        assert "\n" not in message
        for part in (codec.codec_id, codec.hub_repo, *FILES, "hf download", "`codec_path` DIR"):
            assert part in message
        assert capfd.readouterr() == ("", "")

    def test_hub_cache_is_used_without_a_hub(
        self, codec: HubCodec, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository = tmp_path / f"models--{codec.hub_repo.replace('/', '--')}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text("abc", encoding="utf-8")
        shutil.copytree(saved, repository / "snapshots" / "abc")
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(hub_codec, "download", lambda *_: pytest.fail("it asked the hub"))
        assert type(codec).weights_here() is True
        assert self.pretrained(codec, None).weights_sha == codec.weights_sha

    def test_wrong_kind_of_weights(self, codec: HubCodec, tmp_path: Path) -> None:
        with pytest.raises(MidigrooveError, match="weights must be one of"):
            type(codec)(weights="imaginary")
        with pytest.raises(MidigrooveError, match="take no path"):
            type(codec)(weights="tiny", path=str(tmp_path))

    def test_seed(self, codec: HubCodec) -> None:
        other = type(codec).from_config({**codec.get_config(), "seed": 1})
        assert other.weights_sha != codec.weights_sha
