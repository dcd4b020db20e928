"""What the methods of a codec refuse, and the sum over its weights: for authors of codecs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codec

if TYPE_CHECKING:
    import torch


def check_audio(codec: Codec, audio: torch.Tensor) -> None:
    """Raises InputError unless `audio` is finite float32 [B >= 1, C, S >= 1] for this codec."""
    import torch

    if not isinstance(audio, torch.Tensor):
        raise InputError(f"{codec.codec_id}: audio is {type(audio).__name__}, expected a tensor")
    shape = tuple(audio.shape)
    if audio.ndim != 3 or audio.shape[1] != codec.channels or 0 in shape:
        raise InputError(
            f"{codec.codec_id}: audio has shape {shape}, expected [B, {codec.channels}, S] "
            f"with at least one sample"
        )
    if audio.dtype != torch.float32:
        raise InputError(f"{codec.codec_id}: audio is {audio.dtype}, expected torch.float32")
    if not bool(torch.isfinite(audio).all()):
        raise InputError(f"{codec.codec_id}: audio has NaN or infinite samples")


def check_codes(codec: Codec, codes: torch.Tensor, levels: int | None = None) -> None:
    """Raises InputError unless this codec can decode `codes` from their first `levels` levels.

    They must be int64 [B >= 1, K, T >= 1]; the rows of those levels must lie in [0, size), the
    others are not looked at.
    """
    import torch

    if not isinstance(codes, torch.Tensor):
        raise InputError(f"{codec.codec_id}: codes are {type(codes).__name__}, expected a tensor")
    shape = tuple(codes.shape)
    if codes.ndim != 3 or codes.shape[1] != codec.num_codebooks or 0 in shape:
        raise InputError(
            f"{codec.codec_id}: codes have shape {shape}, expected "
            f"[B, {codec.num_codebooks}, T] with at least one frame"
        )
    if codes.dtype != torch.int64:
        raise InputError(f"{codec.codec_id}: codes are {codes.dtype}, expected torch.int64")
    _check_levels(codec, levels)
    rows = codec.num_rows(levels)
    low, high = (values.amax(0) for values in (-codes[:, :rows].amin(-1), codes[:, :rows].amax(-1)))
    sizes = torch.tensor([book.size for book in codec.codebooks[:rows]], device=codes.device)
    for row in torch.nonzero((low > 0) | (high >= sizes)).flatten().tolist():
        raise InputError(
            f"{codec.codec_id}: codes of codebook {row} lie in [{-int(low[row])}, "
            f"{int(high[row])}], expected [0, {int(sizes[row])})"
        )


def _check_levels(codec: Codec, levels: int | None) -> None:
    if levels is None:
        return
    if type(levels) is not int or not 1 <= levels <= codec.num_levels:
        raise InputError(
            f"{codec.codec_id}: levels is {levels!r}, expected 1 to {codec.num_levels}"
        )
    if levels < codec.num_levels and not codec.decodes_prefix:
        raise InputError(
            f"{codec.codec_id}: levels is {levels}, but it decodes all {codec.num_levels} or none"
        )


def check_latents(codec: Codec, latents: torch.Tensor) -> None:
    """Raises InputError unless `latents` is finite float32 [B >= 1, D, T >= 1] for this codec."""
    import torch

    if not isinstance(latents, torch.Tensor):
        raise InputError(
            f"{codec.codec_id}: latents are {type(latents).__name__}, expected a tensor"
        )
    shape = tuple(latents.shape)
    if latents.ndim != 3 or latents.shape[1] != codec.latent_dim or 0 in shape:
        raise InputError(
            f"{codec.codec_id}: latents have shape {shape}, expected [B, {codec.latent_dim}, T] "
            f"with at least one frame"
        )
    if latents.dtype != torch.float32:
        raise InputError(f"{codec.codec_id}: latents are {latents.dtype}, expected torch.float32")
    if not bool(torch.isfinite(latents).all()):
        raise InputError(f"{codec.codec_id}: latents have NaN or infinite values")


def sha256_of_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 over names, dtypes, shapes and values, in order of name; for `weights_sha`."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous().numpy()
        digest.update(f"{name} {value.dtype} {value.shape}\n".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()
