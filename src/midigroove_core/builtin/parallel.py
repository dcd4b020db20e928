"""The default model: an encoder that predicts all frames at once.

An encoder-only Transformer (pre-LN; rotary positions, Su et al. 2021,
https://arxiv.org/abs/2104.09864) reads the grid, so every frame sees the whole window. Its output
goes to one head per codebook. With `depth`, the head of codebook k also sees the codes of the
codebooks before it in the same frame: levels of a residual quantizer refine each other, and drawn
independently they add up to noise. That costs K small steps when generating, whatever the length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from midigroove_core.builtin.code_heads import DepthHead, PlainHead
from midigroove_core.builtin.sampling import draw
from midigroove_core.errors import MidigrooveError
from midigroove_core.interfaces.model import GridBatch, Model, SamplingConfig

CONDITIONS = ("kit", "drummer", "style", "bpm")


class ParallelModel(Model):
    """Predicts codes [B, K, T] from a grid [B, F, T] and per-clip conditions.

    Args:
        num_features: grid rows F.
        codebook_sizes: V of each of the K rows of codes.
        vocabularies: names of each condition that is a choice; index -1 means unknown and has an
            embedding of its own.
        conditions: which of `kit`, `drummer`, `style`, `bpm` the model takes.
        dim: width D of the trunk; a multiple of 2 * heads.
        layers: Transformer blocks.
        heads: attention heads.
        conv_kernel: frames seen by the depthwise convolution in front of the trunk (odd); 0: none.
        dropout: dropout on attention and feed-forward outputs in training.
        norm: "pre" (layer norm before each part) or "post" (after, as the baseline).
        depth: heads see the codes of earlier codebooks of their frame.
        head_dim: width of the depth heads.

    Raises:
        MidigrooveError: arguments that do not fit together; names the argument.
    """

    model_id: ClassVar[str] = "parallel"

    head: DepthHead | PlainHead
    stem: nn.Conv1d | None
    tempo: nn.Linear | None

    def __init__(
        self,
        num_features: int,
        codebook_sizes: Sequence[int],
        vocabularies: Mapping[str, Sequence[str]],
        conditions: Sequence[str] = CONDITIONS,
        dim: int = 192,
        layers: int = 4,
        heads: int = 4,
        conv_kernel: int = 7,
        dropout: float = 0.0,
        norm: str = "pre",
        depth: bool = True,
        head_dim: int = 96,
    ) -> None:
        super().__init__()
        self._config: dict[str, Any] = {
            "num_features": num_features,
            "codebook_sizes": list(codebook_sizes),
            "vocabularies": {name: list(values) for name, values in vocabularies.items()},
            "conditions": list(conditions),
            "dim": dim,
            "layers": layers,
            "heads": heads,
            "conv_kernel": conv_kernel,
            "dropout": dropout,
            "norm": norm,
            "depth": depth,
            "head_dim": head_dim,
        }
        _check(self._config)
        self._conditions = tuple(conditions)
        self.input = nn.Linear(num_features, dim)
        self.stem = (
            nn.Conv1d(dim, dim, conv_kernel, padding="same", groups=dim) if conv_kernel else None
        )
        self._unknown = {name: len(vocabularies[name]) for name in conditions if name != "bpm"}
        self.embeddings = nn.ModuleDict(
            {name: nn.Embedding(size + 1, dim) for name, size in self._unknown.items()}
        )
        self.tempo = nn.Linear(2, dim) if "bpm" in conditions else None
        self._rotary_dim = dim // heads
        blocks = [Block(dim, heads, dropout, norm) for _ in range(layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(dim) if norm == "pre" else nn.Identity()
        self.apply(_initialise)
        for block in blocks:  # keeps the sum of all residual branches at unit scale (GPT-2)
            for last in (block.attention_out, block.mlp_out):
                nn.init.normal_(last.weight, std=0.02 / math.sqrt(2 * layers))
        if depth:
            self.head = DepthHead(dim, codebook_sizes, head_dim)
        else:
            self.head = PlainHead(dim, codebook_sizes)

    @property
    def conditions(self) -> tuple[str, ...]:
        return self._conditions

    @torch.no_grad()
    def start_from_frequencies(self, frequencies: Sequence[Tensor]) -> None:
        for out, frequency in zip(self.head.out, frequencies, strict=True):
            assert isinstance(out, nn.Linear)
            out.bias.copy_(frequency.log())

    def get_config(self) -> dict[str, Any]:
        return {**self._config}

    def forward(self, batch: GridBatch) -> Tensor:
        hidden = self._trunk(batch)  # [B, T, D]
        return self.head(hidden, self._codes(batch)).movedim(-2, 1).float()  # [B, K, T, V]

    def loss(self, batch: GridBatch) -> dict[str, Tensor]:
        if batch.codes is None:
            raise MidigrooveError(f"model {self.model_id}: a loss needs a batch with codes")
        hidden = self._trunk(batch)[batch.mask]  # [N, D], N real frames
        codes = batch.codes.transpose(1, 2)[batch.mask]  # [N, K]
        nll = torch.stack(
            [
                F.cross_entropy(logits.float(), codes[:, k])
                for k, logits in enumerate(self.head.each(hidden, codes))
            ]
        )
        return {"loss": nll.mean(), "nll_per_codebook": nll.detach()}

    @torch.no_grad()
    def generate(self, batch: GridBatch, sampling: SamplingConfig) -> Tensor:
        generator = torch.Generator(batch.grid.device).manual_seed(sampling.seed)
        hidden = self._trunk(batch)
        codes = self.head.generate(hidden, lambda logits: draw(logits, sampling, generator))
        return codes.transpose(1, 2) * batch.mask[:, None]  # [B, K, T]

    def _trunk(self, batch: GridBatch) -> Tensor:
        """Grid and conditions to one vector per frame: [B, T, D]."""
        self.check_conditions(batch)
        hidden = self._grid(batch)
        for name, embedding in self.embeddings.items():
            index = batch.conditions[name]
            index = torch.where(index < 0, self._unknown[name], index)
            hidden = hidden + embedding(index)[:, None]
        if self.tempo is not None:
            hidden = hidden + self.tempo(_tempo_features(batch.conditions["bpm"]))[:, None]
        if self.stem is not None:
            quiet = hidden * batch.mask[..., None]  # padding must not leak into real frames
            hidden = hidden + self.stem(quiet.transpose(1, 2)).transpose(1, 2)
        attend = batch.mask[:, None, None, :]
        rotation = _rotation(hidden.shape[1], self._rotary_dim, hidden.device)
        for block in self.blocks:
            hidden = block(hidden, attend, rotation)
        return self.norm(hidden)

    def _grid(self, batch: GridBatch) -> Tensor:
        """The grid alone, as it enters: [B, T, D]."""
        return self.input(batch.grid.transpose(1, 2))

    def _codes(self, batch: GridBatch) -> Tensor | None:
        """Codes as the head takes them: [B, T, K]."""
        if batch.codes is None and isinstance(self.head, DepthHead):
            raise MidigrooveError(
                f"model {self.model_id}: logits of later codebooks depend on earlier codes; "
                f"give a batch with codes, or generate"
            )
        return None if batch.codes is None else batch.codes.transpose(1, 2)


class Block(nn.Module):
    """Self-attention and a feed-forward part, each with a residual: [B, T, D] -> [B, T, D]."""

    def __init__(self, dim: int, heads: int, dropout: float, norm: str) -> None:
        super().__init__()
        self.heads, self.head_dim = heads, dim // heads
        self.dropout, self.pre = dropout, norm == "pre"
        self.attention_norm = nn.LayerNorm(dim)
        self.attention_in = nn.Linear(dim, 3 * dim)
        self.attention_out = nn.Linear(dim, dim)
        self.mlp_norm = nn.LayerNorm(dim)
        self.mlp_in = nn.Linear(dim, 4 * dim)
        self.mlp_out = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor, attend: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        if self.pre:
            x = x + self._drop(self._attention(self.attention_norm(x), attend, rotation))
            return x + self._drop(self._mlp(self.mlp_norm(x)))
        x = self.attention_norm(x + self._drop(self._attention(x, attend, rotation)))
        return self.mlp_norm(x + self._drop(self._mlp(x)))

    def _mlp(self, x: Tensor) -> Tensor:
        return self.mlp_out(F.gelu(self.mlp_in(x)))

    def _attention(self, x: Tensor, attend: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        batch, frames, dim = x.shape
        split = self.attention_in(x).view(batch, frames, 3, self.heads, self.head_dim)
        query, key, value = split.permute(2, 0, 3, 1, 4)  # each [B, H, T, D / H]
        mixed = F.scaled_dot_product_attention(
            _rotate(query, rotation), _rotate(key, rotation), value, attn_mask=attend
        )
        return self.attention_out(mixed.transpose(1, 2).reshape(batch, frames, dim))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


def _check(config: Mapping[str, Any]) -> None:
    def refuse(name: str, why: str) -> None:
        raise MidigrooveError(f"model parallel: {name} = {config[name]!r}: {why}")

    if config["dim"] % (2 * config["heads"]):
        refuse("dim", f"must be a multiple of 2 * heads = {2 * config['heads']}")
    if config["conv_kernel"] and config["conv_kernel"] % 2 == 0:
        refuse("conv_kernel", "must be odd, or 0 for none")
    if config["norm"] not in ("pre", "post"):
        refuse("norm", "must be 'pre' or 'post'")
    unknown = sorted(set(config["conditions"]) - set(CONDITIONS))
    if unknown:
        refuse("conditions", f"unknown {unknown}; choose from {list(CONDITIONS)}")
    missing = sorted(set(config["conditions"]) - {"bpm", *config["vocabularies"]})
    if missing:
        refuse("vocabularies", f"no names for {missing}")


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _tempo_features(bpm: Tensor) -> Tensor:
    """[B] beats per minute (0 = unknown) -> [B, 2]: log2(bpm / 120), and whether it is known."""
    known = (bpm > 0).float()
    return torch.stack([known * torch.log2(bpm.clamp(min=1.0) / 120.0), known], dim=-1)


def _rotation(frames: int, dim: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine [T, D / 2] of the rotary angles."""
    speed = 10000.0 ** (-torch.arange(0, dim, 2, device=device) / dim)
    angle = torch.arange(frames, device=device)[:, None] * speed
    return angle.cos(), angle.sin()


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turns pairs (x[i], x[i + D / 2]) of [B, H, T, D] by the angle of their frame."""
    cos, sin = rotation
    first, second = x.float().chunk(2, dim=-1)
    turned = torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
    return turned.to(x.dtype)
