"""The embeddings of set distances: the contract, and what is particular to each."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from midigroove_core import Embedding, metrics
from midigroove_core.builtin import aisfx_embedding, clap_embedding
from midigroove_core.builtin.aisfx_embedding import AisfxEmbedding, mel_frames
from midigroove_core.builtin.clap_embedding import ClapEmbedding
from midigroove_core.builtin.log_mel_embedding import LogMelEmbedding
from midigroove_core.errors import InputError, MidigrooveError
from midigroove_core.evaluation import EvalConfig, SystemSpec
from midigroove_core.registry import Registry
from midigroove_core.testing import EmbeddingContract
from midigroove_core.testing.embedding_contract import drum_clip

needs_aisfx = pytest.mark.skipif(
    importlib.util.find_spec("aisfx") is None,
    reason="aisfx is not installed (pip install --no-deps aisfx)",
)
needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None,
    reason="transformers is not installed (pip install midigroove[clap])",
)


@cache
def aisfx() -> AisfxEmbedding:
    return AisfxEmbedding.from_config({})


class TestLogMel(EmbeddingContract):
    @pytest.fixture
    def embedding(self) -> Embedding:
        return LogMelEmbedding.from_config({})


@needs_aisfx
class TestAisfx(EmbeddingContract):
    seconds = (0.5, 2.0, 4.0)

    @pytest.fixture
    def embedding(self) -> Embedding:
        return aisfx()


@needs_transformers
class TestClap(EmbeddingContract):
    seconds = (0.5, 2.0, 5.0)  # the tiny model's windows are of two seconds

    @pytest.fixture
    def embedding(self, checkpoint: Path) -> Embedding:
        return tiny_clap(checkpoint)

    @pytest.fixture
    def weights(self, checkpoint: Path) -> str:
        return str(checkpoint)


def test_all_are_registered_and_loaded_on_use() -> None:
    """Listing imports neither torch nor what the embeddings need."""
    ids = [entry.id for entry in Registry().entries("embedding")]
    assert ids == ["log_mel", "aisfx", "clap"]
    script = (
        "import sys; from midigroove_core.registry import Registry\n"
        f"for id in {ids!r}: Registry().load('embedding', id)\n"
        "print(*sorted(set(sys.modules) & {'torch', 'transformers', 'aisfx'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("kind", [LogMelEmbedding, AisfxEmbedding])
def test_no_path_where_there_are_no_weights_to_bring(kind: type[Embedding]) -> None:
    with pytest.raises(MidigrooveError, match=f"{kind.embedding_id} takes no `embedding_path`"):
        kind.from_config({}, path="somewhere")


def test_a_path_without_an_embedding_is_refused(tmp_path: Path) -> None:
    system = SystemSpec("one", tmp_path / "model", tmp_path / "cache")
    with pytest.raises(MidigrooveError, match="embedding_path is given, but no embedding"):
        EvalConfig((system,), tmp_path / "out", embedding="", embedding_path="weights")


def test_aisfx_spectrogram_of_a_tone() -> None:
    """A full-scale sine reads about 0.97 in its band; beyond the clip there is silence."""
    mel = 45 / 97 * np.log1p(22050 / 700)
    hz = 700 * np.expm1(mel)
    tone = np.sin(2 * np.pi * hz * np.arange(44100) / 44100).astype(np.float32)
    frames = mel_frames(tone)
    assert frames.shape == (44, 96) and frames.dtype == np.float32
    assert (frames[5:-5].argmax(axis=1) == 44).all()
    assert 0.85 < frames[20, 44] < 1.0
    assert not mel_frames(np.zeros(5000, np.float32)).any()
    assert mel_frames(np.ones(1, np.float32)).shape == (1, 96)


def test_aisfx_windows_overlap_and_reach_the_end() -> None:
    for frames, count in ((10, 1), (100, 1), (149, 2), (150, 2), (200, 3), (1000, 19)):
        values = np.arange(1, frames + 1, dtype=np.float32)[:, None].repeat(96, axis=1)
        windows = aisfx_embedding._windows(values)
        assert windows.shape == (count, 100, 96)
        assert windows[0, 0, 0] == 1 and windows.max() == frames


def test_aisfx_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MidigrooveError) as caught:
        AisfxEmbedding.from_config({})
    assert str(caught.value).endswith("pip install --no-deps aisfx")
    assert "\n" not in str(caught.value)


def test_aisfx_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found without being imported; what is wrong with it is one line with the way out."""
    models = tmp_path / "aisfx" / "models"
    models.mkdir(parents=True)
    (tmp_path / "aisfx" / "__init__.py").write_text("import no_such_module")
    (models / "cnn2d.py").write_text("class Other: pass")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "aisfx", raising=False)
    with pytest.raises(MidigrooveError, match=r"EmbeddingNet.*--no-deps aisfx==0\.1\.2"):
        AisfxEmbedding.from_config({})


@needs_aisfx
def test_aisfx_leaves_the_global_generator_alone() -> None:
    state = torch.get_rng_state()
    AisfxEmbedding.from_config({})
    assert torch.equal(torch.get_rng_state(), state)


@needs_aisfx
def test_aisfx_orders_kits_and_damage() -> None:
    from support.synthetic_drums import SAMPLE_RATE, groove, play

    from midigroove_core.audio import resample

    def embedded(kit: str, seeds: range, noise: float = 0.0) -> np.ndarray:
        rng = np.random.default_rng(0)
        takes = [play(groove(seed), 4.0, kit, seed) for seed in seeds]
        heard = [take + noise * rng.normal(size=len(take)) for take in takes]
        audio = [resample(take.astype(np.float32), SAMPLE_RATE, 44100) for take in heard]
        return np.concatenate([aisfx().embed(take) for take in audio])

    wood = embedded("wood", range(4))
    noisy = [embedded("wood", range(4), noise) for noise in (0.002, 0.05)]
    scores = [metrics.kernel_audio_distance(wood, found) for found in noisy]
    assert scores == sorted(scores) and scores[0] > 0.0
    same, other = embedded("wood", range(4, 8)), embedded("metal", range(4, 8))
    for distance in (metrics.kernel_audio_distance, metrics.frechet_distance):
        assert distance(wood, other) > 1.5 * distance(wood, same)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLAP checkpoint of both halves with few channels and windows of two seconds."""
    pytest.importorskip("transformers")
    from midigroove_core.hub.transformers_models import quiet, transformers_class

    folder = tmp_path_factory.mktemp("clap")
    text = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 16}
    audio = {
        "patch_embeds_hidden_size": 8, "hidden_size": 64, "depths": [1, 1, 1, 1],
        "num_attention_heads": [1, 1, 1, 1], "spec_size": 256, "num_hidden_layers": 4,
    }  # fmt: skip
    with quiet(), torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers_class("ClapConfig")(
            text_config={**text, "intermediate_size": 8}, audio_config=audio, projection_dim=16
        )
        transformers_class("ClapModel")(config).save_pretrained(folder)
        transformers_class("ClapFeatureExtractor")(
            max_length_s=2, frequency_min=50, truncation="rand_trunc"
        ).save_pretrained(folder)
    return folder


@cache
def tiny_clap(folder: Path) -> ClapEmbedding:
    return ClapEmbedding.from_config({}, path=str(folder))


@needs_transformers
def test_clap_is_what_transformers_computes(checkpoint: Path) -> None:
    """The whole model, fed as its documentation says, gives the same vector."""
    from midigroove_core.hub.transformers_models import transformers_class

    clip = drum_clip(48000, 1.5)
    model = transformers_class("ClapModel").from_pretrained(checkpoint).eval()
    extractor = transformers_class("ClapFeatureExtractor").from_pretrained(checkpoint)
    inputs = extractor(clip, sampling_rate=48000, return_tensors="pt")
    with torch.no_grad():
        expected = model.get_audio_features(inputs["input_features"].float()).pooler_output
    found = tiny_clap(checkpoint).embed(clip)
    assert found.shape == (1, 16)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, rtol=1e-5)


@needs_transformers
@pytest.mark.parametrize("padding", ["repeatpad", "repeat", "pad"])
def test_clap_sees_what_the_extractor_of_its_checkpoint_makes(
    checkpoint: Path, padding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = tiny_clap(checkpoint)
    monkeypatch.setattr(embedding._extractor, "padding", padding)
    for clip in (drum_clip(48000, 0.7), drum_clip(48000, 2.0), np.zeros(5000, np.float32)):
        inputs = embedding._extractor(clip, sampling_rate=48000, return_tensors="pt")
        found = embedding._features(torch.from_numpy(embedding._filled(clip)[None]))
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, inputs["input_features"].float(), atol=1e-3, rtol=0)


@needs_transformers
def test_clap_reads_the_weights_of_the_hub_too(checkpoint: Path, tmp_path: Path) -> None:
    """pytorch_model.bin: the same weights, the same vectors, another folder, the same identity."""
    from safetensors.torch import load_file

    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    ours, theirs = ClapEmbedding.from_config({}, path=str(folder)), tiny_clap(checkpoint)
    assert ours.identity() == theirs.identity()
    assert str(tmp_path) not in json.dumps(ours.identity())


@needs_transformers
@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_clap_checkpoint_with_a_file_missing_or_damaged(
    checkpoint: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        ClapEmbedding.from_config({}, path=str(folder))
    assert "\n" not in str(caught.value)
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"has no .*{name}"):
        ClapEmbedding.from_config({}, path=str(folder))
    with pytest.raises(InputError, match="is not a directory"):
        ClapEmbedding.from_config({}, path=str(folder / "nowhere"))


@needs_transformers
def test_clap_checkpoint_of_another_kind(checkpoint: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    weights = load_file(folder / "model.safetensors")
    del weights["audio_projection.linear1.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="1 weights are missing .*audio_projection"):
        ClapEmbedding.from_config({}, path=str(folder))
    config = json.loads((folder / "config.json").read_text())
    config["audio_config"]["enable_fusion"] = True
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="feature fusion"):
        ClapEmbedding.from_config({}, path=str(folder))


@needs_transformers
def test_clap_without_a_hub(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    """One line with the files, the repository and the option; once they are there, no hub."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MidigrooveError) as caught:
        ClapEmbedding.from_config({})
    message = str(caught.value)
    assert "\n" not in message and capfd.readouterr() == ("", "")
    for part in (clap_embedding.HUB_REPO, "pytorch_model.bin", "hf download", "`embedding_path`"):
        assert part in message
    repository = tmp_path / "models--laion--larger_clap_music"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc", encoding="utf-8")
    shutil.copytree(checkpoint, repository / "snapshots" / "abc")
    assert ClapEmbedding.from_config({}).identity() == tiny_clap(checkpoint).identity()


def test_clap_without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MidigrooveError, match=r"pip install midigroove\[clap\]$"):
        ClapEmbedding.from_config({})
