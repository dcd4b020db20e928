"""Make the checkpoint that ships from a training run's best one: small, with licence and card.

Weights are stored as float16, and the tables that codes are looked up in, whose values need no more
than that, as 8-bit floats (e4m3).

    python tools/ship_model.py out/groove_model/run/best.safetensors

If the codec's decoder was trained further after the model's codes were made, name the weights they
were made with (`--codec-was FILE`): encoder and codebooks must be the same to the bit, and then the
checkpoint is bound to the weights that ship.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import torch
from safetensors.torch import load_file

from midigroove_core.builtin.groove_codec import GrooveCodec
from midigroove_core.checkpoint import load_checkpoint, save_checkpoint

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "src" / "midigroove_core" / "assets"
LOOKED_UP = ("past.weight", "head.embed.")
CODES_DEPEND_ON = ("analysis", "enter", "encoder", "encoder_norm", "latent", "codebooks")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--codec-was", type=Path)
    parser.add_argument("--sample", action="append", default=[], help="NAME=VALUE its users get")
    parser.add_argument("--out", type=Path, default=ASSETS / "groove_model.safetensors")
    options = parser.parse_args()
    loaded = load_checkpoint(options.checkpoint)
    sampling = {name: float(value) for name, value in (s.split("=") for s in options.sample)}
    codec = GrooveCodec()
    weights_sha = loaded.codec.weights_sha
    if options.codec_was is not None:
        weights_sha = rebound(options.codec_was, weights_sha, codec)
    if weights_sha != codec.weights_sha:
        raise SystemExit("the checkpoint was trained on codes of other codec weights")
    save_checkpoint(
        options.out,
        loaded.model,
        featurizer=loaded.featurizer,
        codec=msgspec.structs.replace(loaded.codec, weights_sha=weights_sha),
        window=loaded.window,
        training=loaded.training,
        sampling={**loaded.metadata.model.sampling, **sampling},
        license="MIT",
        model_card=(ROOT / "docs" / "groove_model.md").read_text(encoding="utf-8"),
        tensors={name: shortened(name, x) for name, x in loaded.model.state_dict().items()},
    )
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


def shortened(name: str, weights: torch.Tensor) -> torch.Tensor:
    """The weights as they are stored."""
    if not weights.is_floating_point():
        return weights
    return weights.to(torch.float8_e4m3fn if name.startswith(LOOKED_UP) else torch.float16)


def rebound(was: Path, trained_on: str, codec: GrooveCodec) -> str:
    """The sha of the codec that ships, once it is shown to give the codes of the one before."""
    if GrooveCodec(path=str(was)).weights_sha != trained_on:
        raise SystemExit(f"{was}: not the weights that the checkpoint was trained with")
    before, now = load_file(was), load_file(ASSETS / "groove_32khz.safetensors")
    for name in before:
        same = name in now and torch.equal(before[name], now[name])
        if name.split(".")[0] in CODES_DEPEND_ON and not same:
            raise SystemExit(f"{was}: {name} differs, so the codes do too")
    return codec.weights_sha


if __name__ == "__main__":
    main()
