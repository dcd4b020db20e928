"""The built-in codec: exact geometry, exact chunks, and sound from the shipped weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import midigroove_core
from midigroove_core.builtin.groove_codec import WEIGHTS, GrooveCodec
from midigroove_core.builtin.groove_codec_net import GrooveNet, NetConfig, band_matrix
from midigroove_core.errors import MidigrooveError

ASSETS = Path(midigroove_core.__file__).parent / "assets"
TINY = {"width": 16, "latent": 8, "codebook_size": 32, "encoder_blocks": 1, "decoder_blocks": 2}


@pytest.fixture(scope="module")
def codec() -> GrooveCodec:
    return GrooveCodec()


@pytest.fixture(scope="module")
def drums() -> torch.Tensor:
    """1.5 s of synthetic kick, snare and hat at 32 kHz `[1, 1, S]`, hits off the frames."""
    rng = np.random.default_rng(3)
    audio = np.zeros(48_000)
    for beat in range(3):
        start, time = 700 + beat * 17_000, np.arange(9_000) / 32_000
        sweep = np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-40 * time)))) * np.exp(-12 * time)
        noise = rng.standard_normal(9_000)
        snare = (noise * 0.4 + np.sin(2 * np.pi * 190 * time)) * np.exp(-25 * time)
        hat = np.diff(rng.standard_normal(9_001)) * np.exp(-60 * time)
        audio[start : start + 9_000] += 0.5 * (sweep if beat % 2 == 0 else 0.5 * snare)
        audio[start + 4_000 : start + 13_000] += 0.1 * hat
    return torch.tensor(audio, dtype=torch.float32)[None, None]


def test_shipped_file_is_small_enough_and_the_rate_is_low_enough(codec: GrooveCodec) -> None:
    assert (ASSETS / WEIGHTS).stat().st_size <= 8_000_000
    assert codec.bits_per_second <= 6_000
    assert (codec.clock.sample_rate, codec.clock.hop_length) == (32_000, 512)


@pytest.mark.parametrize("samples", [1, 511, 512, 513, 3_000])
def test_frame_count_is_the_ceiling_and_decode_gives_whole_frames(
    codec: GrooveCodec, samples: int
) -> None:
    codes = codec.encode(torch.full((1, 1, samples), 0.1))
    frames = -(-samples // 512)
    assert codes.shape == (1, 8, frames) and codes.dtype == torch.int64
    assert codec.decode(codes).shape == (1, 1, frames * 512)


def test_codes_are_in_range_and_repeat_exactly(codec: GrooveCodec, drums: torch.Tensor) -> None:
    first, second = codec.encode(drums), GrooveCodec().encode(drums)
    assert int(first.min()) >= 0 and int(first.max()) < 1024
    assert torch.equal(first, second)
    assert torch.equal(codec.decode(first), codec.decode(second))


def test_a_chunk_with_context_equals_the_whole(codec: GrooveCodec, drums: torch.Tensor) -> None:
    codes, hop = codec.encode(drums), 512
    before = codec.encode_reach[0]
    start, stop = 40, 71
    chunk = drums[:, :, (start - before) * hop : (stop + before) * hop]
    assert torch.equal(codec.encode(chunk)[:, :, before:-before], codes[:, :, start:stop])
    audio, before = codec.decode(codes), codec.decode_reach[0]
    part = codec.decode(codes[:, :, start - before : stop + before])
    inner = part[:, :, before * hop : -before * hop]
    assert _gap(inner, audio[:, :, start * hop : stop * hop]) < 2e-6


def test_a_chunk_at_the_start_needs_context_on_the_right_only(
    codec: GrooveCodec, drums: torch.Tensor
) -> None:
    codes, after = codec.encode(drums), codec.encode_reach[1]
    assert torch.equal(codec.encode(drums[:, :, : (20 + after) * 512])[:, :, :20], codes[:, :, :20])


def test_the_stated_context_is_what_the_network_needs() -> None:
    """One changed sample or frame moves nothing beyond the context, and something near its edge."""
    codec = GrooveCodec(random=TINY)
    net: GrooveNet = codec._net
    left = codec.encode_reach[0]
    audio = torch.zeros(1, 40 * 512)
    audio[0, 20 * 512 + 5] = 1.0
    moved = (net.analyse(audio) - net.analyse(audio * 0)).abs().amax(-1)[0].nonzero()[:, 0]
    assert 20 - left <= int(moved.min()) and int(moved.max()) <= 20 + left
    around = codec.decode_reach[0]
    codes = torch.zeros(1, 8, 60, dtype=torch.int64)
    other = codes.clone()
    other[0, 0, 30] = 1
    change = (codec.decode(codes) - codec.decode(other))[0, 0].reshape(60, 512).abs().amax(1)
    moved = change.nonzero()[:, 0]
    assert 30 - around <= int(moved.min()) <= 30 - around + 2
    assert int(moved.max()) <= 30 + around


def test_batch_equals_single(codec: GrooveCodec, drums: torch.Tensor) -> None:
    batch = torch.cat([drums, drums.flip(-1) * 0.3, torch.zeros_like(drums)])
    codes = codec.encode(batch)
    audio = codec.decode(codes)
    for row in range(3):
        assert torch.equal(codec.encode(batch[row : row + 1])[0], codes[row])
        single = codec.decode(codes[row : row + 1])[0]
        assert _gap(single, audio[row]) < 2e-6


def test_any_prefix_decodes_and_more_codebooks_are_closer(
    codec: GrooveCodec, drums: torch.Tensor
) -> None:
    codes = codec.encode(drums)
    errors = []
    for count in (1, 2, 4, 8):
        few = GrooveCodec(num_codebooks=count)
        assert torch.equal(few.encode(drums), codes[:, :count])
        audio = few.decode(codes[:, :count])
        assert _gap(codec.decode(codes, levels=count), audio) == 0
        errors.append(_convergence(drums[0, 0], audio[0, 0]))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.5


def test_level_and_attacks_survive(codec: GrooveCodec, drums: torch.Tensor) -> None:
    audio = codec.decode(codec.encode(drums))[0, 0, : drums.shape[-1]]
    original = drums[0, 0]
    assert abs(20 * torch.log10(audio.norm() / original.norm())) < 2.5
    early = slice(700 - 640, 700 - 320)  # 20 to 10 ms ahead of the first hit: silence
    assert audio[early].abs().max() < 0.03 * original.abs().max()
    assert audio[700 - 160 : 700 + 160].abs().argmax() > 150


def test_silence_and_quiet_input_stay_quiet(codec: GrooveCodec, drums: torch.Tensor) -> None:
    silence = codec.decode(codec.encode(torch.zeros(1, 1, 16_000)))
    assert float(silence.abs().max()) < 10 ** (-60 / 20)
    quiet = codec.decode(codec.encode(drums * 0.01))[0, 0, : drums.shape[-1]]
    level = 20 * torch.log10(quiet.norm() / (drums * 0.01).norm())
    assert abs(float(level)) < 4


def test_config_round_trips_and_names_its_weights(codec: GrooveCodec, tmp_path: Path) -> None:
    assert GrooveCodec.from_config(codec.get_config()).weights_sha == codec.weights_sha
    tiny = GrooveCodec(num_codebooks=3, random=TINY)
    again = GrooveCodec.from_config(tiny.get_config())
    assert again.get_config() == tiny.get_config()
    assert again.weights_sha == tiny.weights_sha != codec.weights_sha
    copy = tmp_path / WEIGHTS
    copy.write_bytes((ASSETS / WEIGHTS).read_bytes())
    assert GrooveCodec(path=str(tmp_path)).weights_sha == codec.weights_sha


def test_unusable_input_is_one_clear_line(codec: GrooveCodec, tmp_path: Path) -> None:
    with pytest.raises(MidigrooveError, match=r"expected \[B, 1, S\]"):
        codec.encode(torch.zeros(1, 2, 100))
    with pytest.raises(MidigrooveError, match=r"codebook 0 lie in \[1024, 1024\]"):
        codec.decode(torch.full((1, 8, 4), 1024))
    with pytest.raises(MidigrooveError, match="num_codebooks must be 1 to 8"):
        GrooveCodec(num_codebooks=9)
    with pytest.raises(MidigrooveError, match="does not hold its weights"):
        GrooveCodec(path=str(tmp_path / "missing.safetensors"))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes((ASSETS / WEIGHTS).read_bytes()[:100_000])
    with pytest.raises(MidigrooveError, match="does not hold its weights"):
        GrooveCodec(path=str(broken))


def test_transform_inverts_itself_and_bands_cover_every_bin() -> None:
    net = GrooveNet(NetConfig(**TINY))
    audio = torch.randn(2, 10 * 512, generator=torch.Generator().manual_seed(1))
    again = net.waveform(net.spectrum(audio))
    assert _gap(again[:, :-128], audio[:, :-128]) < 1e-5
    assert _gap(net.expanded(net.companded(audio)), audio) < 1e-4
    assert torch.allclose(band_matrix(16, 128).sum(0), torch.ones(128, dtype=torch.float64))


def _gap(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first - second).abs().max())


def _convergence(reference: torch.Tensor, estimated: torch.Tensor) -> float:
    estimated = estimated[: len(reference)]
    window = torch.hann_window(1024)
    one, two = (torch.stft(audio, 1024, 256, window=window, return_complex=True).abs()
                for audio in (reference, estimated))  # fmt: skip
    return float((one - two).norm() / one.norm())


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('{"width": 99999999999}', "width must be a whole number from 0 to 65536"),
        ('{"decoder_blocks": 60000}', "decoder_blocks must be a whole number from 0 to 64"),
        ('{"width": 65536, "hop_length": 65536}', "other tensors than its config says"),
        ('{"width": "x"}', "width: expected int, got str"),
        ('{"path": "/etc/passwd"}', "other tensors than"),
        ("[" * 9999, "nested more than"),
        ("{", "not readable as JSON"),
    ],
)
def test_a_config_that_lies_is_refused_before_memory_is_taken(
    tmp_path: Path, config: str, says: str
) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors", {"config": config})
    with pytest.raises(MidigrooveError, match=says) as caught:
        GrooveCodec(path=str(tmp_path / "w.safetensors")).weights_sha  # noqa: B018
    assert "\n" not in str(caught.value)
