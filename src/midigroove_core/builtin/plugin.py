"""The hook implementations of the built-ins."""

from __future__ import annotations

from midigroove_core import hookimpl
from midigroove_core.hookspecs import Register


@hookimpl
def register_codecs(register: Register) -> None:
    register("groove_32khz", "midigroove_core.builtin.groove_codec:GrooveCodec")


@hookimpl
def register_featurizers(register: Register) -> None:
    register("expressive_grid", "midigroove_core.builtin.expressive_grid:ExpressiveGrid")
    register("paper_grid", "midigroove_core.builtin.paper_grid:PaperGrid")


@hookimpl
def register_models(register: Register) -> None:
    register("parallel", "midigroove_core.builtin.parallel:ParallelModel")


@hookimpl
def register_embeddings(register: Register) -> None:
    register("log_mel", "midigroove_core.builtin.log_mel_embedding:LogMelEmbedding")
    register("aisfx", "midigroove_core.builtin.aisfx_embedding:AisfxEmbedding")
    register("clap", "midigroove_core.builtin.clap_embedding:ClapEmbedding")
