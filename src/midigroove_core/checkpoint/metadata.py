"""What a checkpoint says of itself, typed; read without torch and without the weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from midigroove_core.checkpoint.shipped import SHIPPED, shipped_checkpoint
from midigroove_core.clock import FrameClock
from midigroove_core.errors import InputError, nearest
from midigroove_core.hub import Layout, is_address, pull
from midigroove_core.interfaces.codec import Codebook, read_codebooks
from midigroove_core.structured import Count, Sha256, convert_as
from midigroove_core.tensorfile import read_header

SCHEMA = 1
KEY = "midigroove"
STATE_KEY = "midigroove_state"
BEST = "best.safetensors"
"""The best checkpoint of a run, in its folder."""

PUBLISHED = Layout("checkpoint", "model", "model.safetensors", 2**36)
"""A checkpoint on the hub."""

_Positive = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ModelPart(msgspec.Struct, frozen=True):
    """The model.

    Attributes:
        id: registry id.
        args: arguments of `Model.build`.
        likelihood: what its `score` gives.
        sampling: settings of drawing that are taken when nothing else is asked for.
        distribution, version: of the package that it came from.
    """

    id: _Id
    args: dict[str, Any]
    likelihood: Literal["exact", "bound", "none"]
    sampling: dict[str, bool | int | float | str]
    distribution: str
    version: str


class FeaturizerPart(msgspec.Struct, frozen=True):
    """The featurizer: registry id, constructor arguments, and where it came from."""

    id: _Id
    config: dict[str, Any]
    distribution: str
    version: str


class CodecPart(msgspec.Struct, frozen=True):
    """The codec whose codes the model predicts, as the cache that was trained on has it."""

    id: _Id
    config: dict[str, Any]
    facts: dict[str, Any]
    weights_sha: Sha256
    distribution: str
    version: str

    @classmethod
    def of_cache(cls, header: Mapping[str, Any]) -> CodecPart:
        """What `Cache.header` says of the codec."""
        return cls(
            id=header["codec_id"],
            config=header["codec_config"],
            facts=header["codec_facts"],
            weights_sha=header["weights_sha"],
            distribution=header["provider"]["distribution"],
            version=header["provider"]["version"],
        )


class TrainedWindow(msgspec.Struct, frozen=True):
    """What the model saw in training, in frames.

    Attributes:
        frames: a length that nine in ten windows did not exceed, context included.
        context_frames: how many of them came before the clip; 0 for none.
    """

    frames: _Positive
    context_frames: Count


class CheckpointMetadata(msgspec.Struct, frozen=True):
    """The JSON object of a checkpoint; docs/formats.md says what each field is."""

    schema: int
    model: ModelPart
    featurizer: FeaturizerPart
    codec: CodecPart
    feature_names: tuple[str, ...]
    vocabularies: dict[str, tuple[str, ...]]
    window: TrainedWindow
    training: dict[str, Any]
    license: str = ""
    model_card: str = ""

    def to_json(self) -> dict[str, Any]:
        """The JSON object; texts that are empty are left out."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return {k: v for k, v in value.items() if v or k not in ("license", "model_card")}

    def geometry(self, where: Path) -> tuple[FrameClock, tuple[Codebook, ...]]:
        """Clock and codebooks of the codec.

        Raises:
            InputError: its facts are not as `Codec.facts` writes them.
        """
        clock = convert_as(self.codec.facts, _ClockFacts, f"{where}: codec.facts")
        try:
            books = read_codebooks(self.codec.facts)
        except InputError as error:
            raise InputError(f"{where}: codec.facts: {error}") from error
        return FrameClock(clock.sample_rate, clock.hop_length), books


class _ClockFacts(msgspec.Struct):
    sample_rate: _Positive
    hop_length: _Positive


class _SchemaAlone(msgspec.Struct):
    schema: Any = None


def checkpoint_file(path: str | Path) -> Path:
    """The file itself, the best checkpoint of a run's folder, that of an address on the hub, or by
    the name `groove_model` the one that ships.

    Raises:
        InputError: no such file, a folder without one, or an address of something else.
        MidigrooveError: an address that cannot be fetched.
    """
    if is_address(path):
        return pull(path, PUBLISHED) / PUBLISHED.first
    path = Path(path)
    if not path.exists():
        if str(path) == SHIPPED:
            return shipped_checkpoint()
        raise InputError(f"{path}: no such file{nearest(str(path), [SHIPPED])}")
    if not path.is_dir():
        return path
    if not (path / BEST).is_file():
        raise InputError(f"{path}: a folder without {BEST}; name a checkpoint, or a run's folder")
    return path / BEST


def read_metadata(path: str | Path) -> CheckpointMetadata:
    """What a checkpoint, or the best one of a run's folder, says of itself.

    Raises:
        InputError: not a checkpoint, damaged, or of another schema; names file and field.
    """
    path = checkpoint_file(path)
    header, what = read_header(path), "a midigroove checkpoint"
    schema = header.json(KEY, what, _SchemaAlone).schema
    if schema != SCHEMA:
        raise InputError(
            f"{path}: checkpoint schema is {schema!r}, this version reads {SCHEMA}; "
            f"install the version of midigroove that wrote it"
        )
    return header.json(KEY, what, CheckpointMetadata)
