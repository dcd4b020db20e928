"""A masked model: all frames at once, the surest first, in a few passes (MaskGIT, VampNet)."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from midigroove_core import CodeScores, Loss, Model, SamplingOption, costs, draw, make_generator


class MaskedModel(Model):
    """Sees the grid, the kit and the codes of some frames, and tells the codes of the others."""

    model_id = "example_masked"
    likelihood = "bound"  # frames may be told in any order: the mean over orders is a bound
    uses_known = True
    conditions = ("kit",)

    def __init__(self, spec, *, dim: int = 96, layers: int = 3, heads: int = 4):
        super().__init__()
        self.grid = nn.Conv1d(spec.num_features, dim, 7, padding="same")
        self.kit = nn.Embedding(len(spec.vocabularies["kit"]) + 1, dim)  # the last row is for -1
        self.heard = nn.ModuleList(nn.Embedding(size, dim) for size in spec.codebook_sizes)
        self.hidden = nn.Parameter(torch.zeros(dim))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(dim, heads, 2 * dim, 0.0, batch_first=True, norm_first=True)
            for _ in range(layers)
        )
        self.out = nn.ModuleList(nn.Linear(dim, size) for size in spec.codebook_sizes)
        if spec.code_frequencies is not None:  # a new run: begin as the unigram
            for out, share in zip(self.out, spec.code_frequencies, strict=True):
                out.bias.data = share.clamp(min=1e-6).log().float()

    @classmethod
    def presets(cls):
        return {"small": {"dim": 96, "layers": 3}, "base": {"dim": 256, "layers": 8}}

    @classmethod
    def sampling_options(cls):
        return (
            SamplingOption("passes", 8, "In how many passes frames are drawn.", low=1, high=256),
        )

    def logits(self, batch, codes, hidden):  # codes [B, K, T], hidden [B, T] -> K times [B, T, V]
        self.check_conditions(batch)
        kit = batch.conditions["kit"]
        x = self.grid(batch.grid * batch.mask[:, None]).transpose(1, 2)  # padding must not leak
        x = x + self.kit(torch.where(kit < 0, self.kit.num_embeddings - 1, kit))[:, None]
        heard = sum(embed(codes[:, k]) for k, embed in enumerate(self.heard))
        x = x + torch.where(hidden[..., None], self.hidden, heard)
        for block in self.blocks:
            x = block(x, src_key_padding_mask=~batch.mask)
        return [out(x) for out in self.out]

    def loss(self, batch, step):
        codes, asked = self.codes_of(batch), batch.mask & ~batch.known
        share = torch.rand(len(codes), 1, device=codes.device)
        hidden = asked & (torch.rand(asked.shape, device=codes.device) < share.clamp(min=0.1))
        told = self.logits(batch, codes, hidden)
        count = hidden.sum().clamp(min=1)
        each = [
            F.cross_entropy(one.transpose(1, 2).float(), codes[:, k], reduction="none")
            for k, one in enumerate(told)
        ]
        nll = torch.stack([(one * hidden).sum() / count for one in each])
        return Loss(nll.mean(), logs={"hidden": hidden.float().mean(), "nll_coarsest": nll[0]})

    def score(self, batch):
        codes, asked = self.codes_of(batch), batch.mask & ~batch.known
        total = asked.sum(1, keepdim=True)
        count = 1 + (torch.rand(total.shape, device=codes.device) * total).long()
        chance = torch.rand(asked.shape, device=codes.device).masked_fill(~asked, 2.0)
        hidden = asked & (chance.argsort(1).argsort(1) < count)  # so many of them, any ones
        told, alone = (self.logits(batch, codes, these) for these in (hidden, asked))
        nll = torch.stack([costs(one, codes[:, k])[0] for k, one in enumerate(told)], dim=1)
        right = torch.stack([costs(one, codes[:, k])[1] for k, one in enumerate(alone)], dim=1)
        return CodeScores(nll * (hidden * total / count)[:, None], right & asked[:, None])

    @torch.no_grad()
    def generate(self, batch, sampling):
        generator = make_generator(sampling, batch.grid.device)
        passes, hidden = sampling.extras["passes"], batch.mask & ~batch.known
        shape = (len(batch.grid), len(self.out), batch.grid.shape[2])
        codes = torch.zeros(shape, dtype=torch.int64, device=batch.grid.device)
        if batch.codes is not None:
            codes = torch.where(batch.known[:, None], batch.codes, codes)
        total = hidden.sum(1, keepdim=True)
        for number in range(1, passes + 1):
            told = self.logits(batch, codes, hidden)
            drawn = torch.stack([draw(one.float(), sampling, generator) for one in told], dim=1)
            codes = torch.where(hidden[:, None], drawn, codes)
            unsure = sum(costs(one, drawn[:, k])[0] for k, one in enumerate(told))
            rank = unsure.masked_fill(~hidden, -1.0).argsort(1, descending=True).argsort(1)
            hidden = hidden & (rank < (total * math.cos(math.pi / 2 * number / passes)).long())
        return codes
