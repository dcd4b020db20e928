"""Train the built-in codec on a folder of drum recordings.

The folder is `<data>/<kit>/<drummer>__<anything>.wav` (mono, at the codec's rate), as
`make_codec_audio.py` writes it; kits and drummers named in the configuration are left out.

    python tools/train_codec.py tools/groove_codec.toml --data DIR --out DIR [--device cuda]

Writes `<out>/groove_32khz.safetensors` (float16) every `save_every` steps and at the end, and
`<out>/state.pt`, from which `--resume` continues.  `--minutes` ends the schedule by the clock
instead of by the number of steps, for a machine that others use too.  `--decoder-from FILE` goes
on from finished weights with the encoder and the codebooks frozen: the codes stay as they are.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from codec_losses import SpectralLoss, repetition
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from midigroove_core.builtin.groove_codec_net import GrooveNet, NetConfig

ENCODER_PARTS = ("analysis", "enter", "encoder", "encoder_norm", "latent")


class Crops(IterableDataset[Tensor]):
    """Endless augmented batches `[B, frames * hop]`, reproducible from the seed and first step."""

    def __init__(self, data: Path, config: dict[str, Any], net: NetConfig, first: int) -> None:
        self.config, self.rate, self.first = config, net.sample_rate, first
        self.size = config["frames"] * net.hop_length
        skip_kits, skip_drummers = set(config["held_out_kits"]), set(config["held_out_drummers"])
        paths = [p for p in sorted(data.glob("*/*.wav")) if p.parent.name not in skip_kits
                 and p.name.split("__")[0] not in skip_drummers]  # fmt: skip
        if not paths:
            raise SystemExit(f"{data}: no <kit>/<drummer>__*.wav to train on")
        self.takes = []
        for path in paths:
            audio, rate = soundfile.read(path, dtype="int16")
            if rate != self.rate or audio.ndim != 1:
                raise SystemExit(f"{path}: not mono at {self.rate} Hz")
            self.takes.append(audio)
        self.hours = sum(map(len, self.takes)) / self.rate / 3600

    def __iter__(self):  # type: ignore[no-untyped-def]
        step = self.first
        while True:
            rng = np.random.default_rng([self.config["seed"], step])
            batch = [self.crop(rng) for _ in range(self.config["batch"])]
            yield torch.from_numpy(np.stack(batch))
            step += 1

    def piece(self, rng: np.random.Generator) -> np.ndarray:
        """One random crop, its pitch and speed moved by resampling in half of the cases."""
        ratio = float(np.exp(rng.uniform(-0.2, 0.2))) if rng.random() < 0.5 else 1.0
        take = self.takes[rng.integers(len(self.takes))]
        need = math.ceil(self.size * ratio) + 64
        start = int(rng.integers(max(1, len(take) - need)))
        audio = take[start : start + need].astype(np.float32) / 32768
        if ratio != 1.0:
            audio = soxr.resample(audio, self.rate * ratio, self.rate, quality="MQ")
        return np.pad(audio, (0, max(0, self.size - len(audio))))[: self.size]

    def crop(self, rng: np.random.Generator) -> np.ndarray:
        """A crop after mixing, filtering, gain, and sometimes silence on one side."""
        audio = self.piece(rng)
        if rng.random() < 0.15:
            audio = audio + self.piece(rng) * rng.uniform(0.2, 1.0)
        if rng.random() < 0.5:  # a smooth random equaliser, +-9 dB at six points
            spectrum = np.fft.rfft(audio)
            place = np.log2(np.linspace(1, 257, len(spectrum))) / 8 * 5
            curve = np.interp(place, np.arange(6), rng.uniform(-9, 9, 6))
            audio = np.fft.irfft(spectrum * 10 ** (curve / 20), len(audio))
        peak = float(np.abs(audio).max())
        if peak > 0:  # a third near full scale, the rest at the levels that recordings have
            decibels = rng.uniform(-3, 0) if rng.random() < 0.33 else -(rng.gamma(2.0, 6.0))
            audio = audio * 10 ** (decibels / 20) / max(peak, 1e-3)
        if rng.random() < 0.06:
            cut = int(rng.integers(self.size))
            audio[:cut] = 0.0
        elif rng.random() < 0.02:
            audio = audio * 0.0
        return audio.astype(np.float32)


class Quantizer:
    """Training side of the codebooks: k-means start, moving averages, restarts, dropout."""

    def __init__(self, net: GrooveNet, config: dict[str, Any], frozen: bool) -> None:
        self.net, self.config, self.frozen = net, config, frozen
        self.sums = net.codebooks.clone()
        self.counts = torch.ones(net.codebooks.shape[:2], device=net.codebooks.device)

    def __call__(self, latents: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Latents `[B, T, D]` to (quantized straight through, codes, commitment loss)."""
        books = self.net.codebooks
        batch, total = latents.shape[0], books.shape[0]
        keep = torch.full((batch,), total, device=latents.device)
        dropped = torch.rand(batch) < self.config["quantizer_dropout"]
        keep[dropped] = torch.randint(1, total, (int(dropped.sum()),)).to(keep)
        rest, quantized, codes = latents.detach(), torch.zeros_like(latents), []
        with torch.no_grad():
            for k in range(total):
                flat = rest.reshape(-1, rest.shape[-1])
                index = (books[k].square().sum(1) - 2 * flat @ books[k].T).argmin(1)
                entry = books[k][index].reshape(rest.shape)
                if not self.frozen:
                    self.follow(k, flat, index)
                kept = (keep > k)[:, None]
                quantized += entry * kept[..., None]
                codes.append(torch.where(kept, index.reshape(kept.shape[0], -1), -1))
                rest = rest - entry
        whole = keep == total
        commitment = (latents - quantized).square().mean((1, 2))
        commitment = (commitment * whole).sum() / whole.sum().clamp(min=1)
        return latents + (quantized - latents).detach(), torch.stack(codes, 1), commitment

    def follow(self, k: int, flat: Tensor, index: Tensor) -> None:
        """Move codebook k to the running mean of what chose each entry; replace dead ones."""
        books, decay = self.net.codebooks, self.config["codebook_decay"]
        used = torch.bincount(index, minlength=books.shape[1]).float()
        self.counts[k].mul_(decay).add_(used, alpha=1 - decay)
        summed = torch.zeros_like(self.sums[k]).index_add_(0, index, flat)
        self.sums[k].mul_(decay).add_(summed, alpha=1 - decay)
        books[k] = self.sums[k] / self.counts[k].clamp(min=1e-5)[:, None]
        dead = (self.counts[k] < self.config["dead_below"]).nonzero()[:, 0]
        if len(dead):
            pick = flat[torch.randint(len(flat), (len(dead),), device=flat.device)]
            books[k][dead] = pick
            self.counts[k][dead] = 4 * self.config["dead_below"]
            self.sums[k][dead] = pick * self.counts[k][dead][:, None]


@torch.no_grad()
def start_linear(net: GrooveNet, crops: Crops, config: dict[str, Any]) -> None:
    """Principal components of the companded MDCT frames, then codebooks by k-means."""
    batches = iter(crops)
    many = math.ceil(config["start_frames"] / config["batch"] / config["frames"])
    flat = torch.cat([net.companded(net.spectrum(next(batches))) for _ in range(many)])
    flat = flat.reshape(-1, flat.shape[-1])
    values, vectors = torch.linalg.eigh(flat.T @ flat / len(flat))
    size = net.config.latent
    scale = 1 / math.sqrt(float(values[-size:].mean()))
    basis = vectors.flip(1)[:, :size]
    net.analysis.weight.copy_(basis.T * scale)
    net.synthesis.weight.copy_(basis / scale)
    rest = flat @ net.analysis.weight.T
    for k in range(net.config.num_codebooks):
        book = rest[torch.randperm(len(rest))[: net.config.codebook_size]].clone()
        for _ in range(config["start_iterations"]):
            index = torch.cat([(book.square().sum(1) - 2 * part @ book.T).argmin(1)
                               for part in rest.split(8192)])  # fmt: skip
            count = torch.bincount(index, minlength=len(book)).float()
            total = torch.zeros_like(book).index_add_(0, index, rest)
            spare = rest[torch.randint(len(rest), (len(book),))]
            book = torch.where(count[:, None] > 0, total / count.clamp(min=1)[:, None], spare)
        net.codebooks[k] = book
        rest = rest - book[index]


def export(net: GrooveNet, average: dict[str, Tensor], path: Path, summary: dict[str, Any]) -> None:
    """Float16 weights with the configuration, licence and training summary in the metadata."""
    tensors = {k: v.to("cpu", torch.float16).contiguous() for k, v in average.items()}
    metadata = {
        "config": json.dumps(net.config.to_json()),
        "license": "MIT",
        "training": json.dumps(summary),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata=metadata)


class Trainer:
    """The loop: optimizer, schedule, averages, saving."""

    def __init__(self, args: argparse.Namespace, config: dict[str, Any]) -> None:
        self.args, self.config = args, config
        torch.manual_seed(config["seed"])
        torch.set_num_threads(args.threads)
        self.net = GrooveNet(NetConfig(**config["net"]))
        self.crops = Crops(args.data, config, self.net.config, 0)
        self.step, self.elapsed = 0, 0.0
        state = args.out / "state.pt"
        saved = torch.load(state, weights_only=True) if args.resume else None
        if args.decoder_from is not None:
            tensors = load_file(args.decoder_from)
            self.net.load_state_dict({name: value.float() for name, value in tensors.items()})
            for part in ENCODER_PARTS:
                self.net.get_submodule(part).requires_grad_(False)
            self.net.reset_noise()
        elif saved is None:
            start_linear(self.net, self.crops, config)
        self.net.to(args.device)
        self.quantizer = Quantizer(self.net, config, args.decoder_from is not None)
        self.loss = SpectralLoss(config["loss"], self.net.config.sample_rate).to(args.device)
        self.optimizer = torch.optim.AdamW(
            [p for p in self.net.parameters() if p.requires_grad],
            lr=0.0,
            betas=(0.9, 0.98),
            weight_decay=config["weight_decay"],
        )
        self.average = {k: v.clone() for k, v in self.net.state_dict().items()}
        if saved is not None:
            self.load(saved)

    def load(self, saved: dict[str, Any]) -> None:
        self.net.load_state_dict(saved["net"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.average, self.step, self.elapsed = saved["average"], saved["step"], saved["elapsed"]
        self.quantizer.sums, self.quantizer.counts = saved["sums"], saved["counts"]
        self.crops.first = self.step

    def save(self) -> None:
        summary = {
            "steps": self.step, "minutes": round(self.elapsed / 60, 1),
            "decoder_only": self.args.decoder_from is not None,
            "hours_of_audio": round(self.crops.hours, 2), "config": self.config,
            "data": "FluidR3 GM drum kits (MIT) playing Groove MIDI performances (CC BY 4.0)",
        }  # fmt: skip
        export(self.net, self.average, self.args.out / "groove_32khz.safetensors", summary)
        state = {
            "net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(),
            "average": self.average, "step": self.step, "elapsed": self.elapsed,
            "sums": self.quantizer.sums, "counts": self.quantizer.counts,
        }  # fmt: skip
        torch.save(state, self.args.out / "state.tmp")
        (self.args.out / "state.tmp").rename(self.args.out / "state.pt")

    def progress(self) -> float:
        if self.args.minutes:
            return self.elapsed / 60 / self.args.minutes
        return self.step / self.config["steps"]

    def rate(self, progress: float) -> float:
        warm = min(1.0, (self.step + 1) / self.config["warmup"])
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        return self.config["learning_rate"] * warm * (0.01 + 0.99 * cosine)

    def run(self) -> None:
        loader = iter(DataLoader(self.crops, batch_size=None, num_workers=1, prefetch_factor=4))
        tick, recent = time.monotonic(), []
        while self.progress() < 1.0:
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate(self.progress())
            recent.append(self.update(next(loader).to(self.args.device)))
            self.step += 1
            now = time.monotonic()
            self.elapsed, tick = self.elapsed + now - tick, now
            if self.step % self.config["log_every"] == 0:
                mean = {k: np.mean([r[k] for r in recent]) for k in recent[0]}
                parts = " ".join(f"{k} {v:.4f}" for k, v in mean.items())
                print(f"{self.step} {self.elapsed / 60:.2f} min  {parts}", flush=True)
                recent = []
            if self.step % self.config["save_every"] == 0:
                self.save()
        self.save()

    def update(self, audio: Tensor) -> dict[str, float]:
        latents = self.net.analyse(audio)
        quantized, codes, commitment = self.quantizer(latents)
        output = self.net.synthesise(quantized, codes)
        terms = self.loss(audio, output)
        terms["commitment"] = commitment
        subframes = [
            self.net.spectrum(sound).reshape(sound.shape[0], -1, self.net.config.bins)
            for sound in (audio, output)
        ]
        terms["repetition"] = repetition(*subframes)
        weights = self.config["loss"]["weights"]
        total = sum(weights[name] * value for name, value in terms.items())
        self.net.zero_grad(set_to_none=True)
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.config["clip"])
        self.optimizer.step()
        keep = min(self.config["average"], (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                self.average[name].lerp_(value, 1 - keep)
        terms |= {"total": total, "norm": norm}
        return {name: float(value.detach()) for name, value in terms.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, help="end by the clock, not by steps")
    parser.add_argument("--decoder-from", type=Path, help="freeze encoder and codebooks of these")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--set", action="append", default=[], help="key=value, e.g. batch=8")
    args = parser.parse_args()
    config = tomllib.loads(args.config.read_text())
    second = config.pop("decoder_only")
    if args.decoder_from is not None:
        loss = second.pop("loss")
        config["loss"]["weights"] |= loss.pop("weights")
        config["loss"] |= loss
        config |= second
    for item in args.set:
        key, value = item.split("=", 1)
        place, *parents = reversed(key.split("."))
        table = config
        for parent in reversed(parents):
            table = table[parent]
        table[place] = json.loads(value)
    args.out.mkdir(parents=True, exist_ok=True)
    Trainer(args, config).run()


if __name__ == "__main__":
    main()
