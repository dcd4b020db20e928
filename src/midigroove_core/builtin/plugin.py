"""The hook implementations of the built-ins."""

from __future__ import annotations

from midigroove_core import hookimpl
from midigroove_core.hookspecs import EDITION, Register

midigroove_edition = EDITION


@hookimpl
def register_codecs(register: Register) -> None:
    register("groove_32khz", "midigroove_core.builtin.groove_codec:GrooveCodec", default=True)


@hookimpl
def register_featurizers(register: Register) -> None:
    register(
        "expressive_grid", "midigroove_core.builtin.expressive_grid:ExpressiveGrid", default=True
    )
    register("paper_grid", "midigroove_core.builtin.paper_grid:PaperGrid", default=True)


@hookimpl
def register_models(register: Register) -> None:
    register("parallel", "midigroove_core.builtin.parallel:ParallelModel", default=True)
    register(
        "autoregressive", "midigroove_core.builtin.autoregressive:AutoregressiveModel", default=True
    )
    register("masked", "midigroove_core.builtin.masked:MaskedModel", default=True)
    register("latent_flow", "midigroove_core.builtin.latent_flow:LatentFlowModel", default=True)


@hookimpl
def register_embeddings(register: Register) -> None:
    register("log_mel", "midigroove_core.builtin.log_mel_embedding:LogMelEmbedding", default=True)
    register("aisfx", "midigroove_core.builtin.aisfx_embedding:AisfxEmbedding", default=True)
    register("clap", "midigroove_core.builtin.clap_embedding:ClapEmbedding", default=True)


@hookimpl
def register_readers(register: Register) -> None:
    register("midi", "midigroove_core.builtin.midi_reader:MidiReader", default=True)
    register("score", "midigroove_core.builtin.score_reader:ScoreReader", default=True)
