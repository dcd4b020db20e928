"""What a render engine is given and gives; the engines and `render` both build on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from midigroove_core import bounds
from midigroove_core.audio import audio_format
from midigroove_core.device import check_device
from midigroove_core.drums import DrumMap, load_drum_map
from midigroove_core.errors import InputError, MidigrooveError, nearest
from midigroove_core.interfaces.sampling import COMMON, check_common, gather_sampling
from midigroove_core.kits.positions import check_view
from midigroove_core.midi import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.rendering.aside import Played, in_blocks
from midigroove_core.touch import Humanize, Swing, Touch, VelocityCurve, read_part

ENGINES = ("model", "sampler")
_PATHS = ("checkpoint", "codec_path", "like", "like_midi", "feel")

_TOUCH = {"swing": Swing, "velocity_curve": VelocityCurve, "humanize": Humanize}

_ONLY = {
    "sampler": ("vary",),
    "model": (
        "checkpoint", "codec_path", "drummer", "style", "bpm", "device", "window_sec",
        "overlap_sec", "raw",
    ),
}  # fmt: skip
"""Settings of one engine alone; those of `sampling` are the model's, too."""

_BOUNDS = {
    "bpm": bounds.TEMPO_BPM,
    "bars": bounds.BARS,
    "channel": bounds.CHANNEL,
    "tail_sec": bounds.SECONDS,
    "seed": bounds.SEED,
    "sample_rate": bounds.SAMPLE_RATE,
    "window_sec": bounds.SECONDS_ABOVE_0,
    "overlap_sec": bounds.SECONDS,
}


@dataclass(frozen=True)
class RenderConfig:
    """What to render with.

    Attributes:
        engine: "model" or "sampler".
        checkpoint: model engine: a checkpoint file; None takes the model that ships with the
            package.
        codec_path: model engine: where the codec's weights lie, if not where it looks itself.
        kit: name, in any case. Model: one of the checkpoint's kits; None takes "standard" or,
            where the model does not know it, another that ships, or else its first;
            "unknown" leaves the choice open; one that hears kits takes any that the sampler does.
            Sampler: a shipped kit, a folder, a SoundFont, an address.
        like: a recording of drums to sound like, instead of `kit`. Sampler: its kit is cut out, see
            `recordings.like.kit_like`. Model: one that hears kits hears it, see `sketch.hear_kit`.
        vary: sampler: hits take turns on made versions of the one-shots that have one recording
            only, see `round_robin.varied`.
        like_midi: what is played in `like`, where that is known.
        drummer, style, beat_type: conditions of the model; None leaves them unknown.
        bpm: tempo condition; None takes the tempo of the MIDI, which may change on the way.
        drum_map: how to read the pitches: "gm", "roland_td" or a TOML file; None reads them as
            the model was trained to (sampler: as "roland_td").
        feel: a performance whose timing and dynamics are laid on a file that is rendered; None
            plays the file's own.
        swing, velocity_curve, humanize: how it is played, see `touch.Touch`; after `feel`.
        channel, track: read this MIDI channel (1 to 16) or track (number or name) of files; None
            takes their drum parts, see `load_midi`.
        strict: refuse hits that are no drum of the map instead of leaving them out.
        tail_sec: how long to go on after the performance's end.
        loop: give whole bars whose end runs into their start, see `loop.make_loop`, and no tail.
        bars: how many of them; None takes all. A number asks for a loop.
        sampling: model engine: settings of drawing by name, such as `{"temperature": 0.7}`; what is
            not named is as the checkpoint says. `SamplingConfig` has what all models have, and a
            model may declare more.
        raw: model: leave what the codec decodes as it is, see `polish` and `levels`.
        seed: of all that is drawn: codes, and the luck of hits.
        sample_rate: of the result; None keeps the codec's (or kit's) own.
        stereo: "audience" or "drummer", from where the kit is heard, see `kits.positions`; None
            keeps the codec's channels, and mono from the sampler. Stereo one-shots and codecs stay.
        mono: mix the channels of a codec that has several, see `audio.downmix`.
        device: where the model and the codec run; "auto" takes a GPU where there is one.
        window_sec, overlap_sec: length and least overlap of the windows that the model predicts;
            None takes the length and the context that the model was trained with.
    """

    engine: str = "model"
    checkpoint: Path | None = None
    codec_path: Path | None = None
    kit: str | None = None
    like: Path | None = None
    like_midi: Path | None = None
    vary: bool = False
    drummer: str | None = None
    style: str | None = None
    beat_type: str | None = None
    bpm: float | None = None
    drum_map: str | None = None
    feel: Path | None = None
    swing: Swing | None = None
    velocity_curve: VelocityCurve | None = None
    humanize: Humanize | None = None
    channel: int | None = None
    track: str | None = None
    strict: bool = False
    tail_sec: float = 2.0
    loop: bool = False
    bars: int | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    raw: bool = False
    seed: int = 0
    sample_rate: int | None = None
    stereo: str | None = None
    mono: bool = False
    device: str = "auto"
    window_sec: float | None = None
    overlap_sec: float | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            hint = nearest(self.engine, ENGINES)
            raise MidigrooveError(f"no engine {self.engine!r}{hint}; use {' or '.join(ENGINES)}")
        if self.like is not None and self.kit is not None:
            raise MidigrooveError("like: takes the place of a kit; leave one of them out")
        if self.like_midi is not None and self.like is None:
            raise MidigrooveError("like_midi: belongs to a recording; name that with like")
        if self.stereo is not None:
            check_view(self.stereo)
            if self.mono:
                raise InputError("stereo and mono exclude each other; choose one")
        self._refuse_what_the_engine_has_no_use_for()
        for name, limits in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None:
                limits.check(name, value)
        check_common(self.sampling)
        check_device(self.device)

    def _refuse_what_the_engine_has_no_use_for(self) -> None:
        other = "sampler" if self.engine == "model" else "model"
        usual = RenderConfig.__dataclass_fields__
        said = [n for n in _ONLY[other] if getattr(self, n) != usual[n].default]
        said += list(self.sampling) if other == "model" else []
        if said:
            raise InputError(f"{said[0]} is for the {other}; the {self.engine} has no use for it")

    @property
    def touch(self) -> Touch:
        """Swing, velocity curve and luck."""
        return Touch(self.swing, self.velocity_curve, self.humanize)

    def read_drum_map(self) -> DrumMap | None:
        """The drum map to read pitches with, if one was named."""
        return None if self.drum_map is None else load_drum_map(self.drum_map)


def make_config(settings: Mapping[str, Any]) -> RenderConfig:
    """A configuration from settings by name; paths may be texts, `like` takes the sampler,
    `temperature`, `top_k` and `top_p` may be said without `sampling`, and `swing`, `velocity_curve`
    and `humanize` as texts.

    Raises:
        InputError: no such setting; names it.
    """
    chosen = gather_sampling(settings)
    for name in chosen:
        if name not in RenderConfig.__dataclass_fields__:
            hint = nearest(name, [*RenderConfig.__dataclass_fields__, *COMMON])
            raise InputError(f"rendering has no setting {name!r}{hint}")
    if chosen.get("like") is not None:
        chosen.setdefault("engine", "sampler")
    for name in _PATHS:
        if chosen.get(name) is not None:
            chosen[name] = Path(chosen[name])
    for name, kind in _TOUCH.items():
        if name in chosen:
            chosen[name] = read_part(kind, chosen[name])
    return RenderConfig(**chosen)


def for_engine(settings: Mapping[str, Any], engine: str) -> dict[str, Any]:
    """Settings by name without those that an engine has no use for."""
    other = "sampler" if engine == "model" else "model"
    drop = {*_ONLY[other], *(("sampling", *COMMON) if other == "model" else ())}
    return {name: value for name, value in settings.items() if name not in drop}


@dataclass(frozen=True, eq=False)
class Rendered:
    """A performance as audio.

    Attributes:
        audio: [C, S] float32, exactly ceil((end + tail) * sample_rate) samples, peak <= 1; C is
            that of the codec, 1 from the sampler, or 2 with `stereo`.
        sample_rate: samples per second.
        codes: [K, T] int64 as the model drew them; None from the sampler.
        gain: what the audio was multiplied by so as not to clip; 1 when nothing had to be done.
        joins_sec: where one window's codes end and the next one's begin.
    """

    audio: NDArray[np.float32]
    sample_rate: int
    codes: NDArray[np.int64] | None = None
    gain: float = 1.0
    joins_sec: list[float] = field(default_factory=list)

    @property
    def duration_sec(self) -> float:
        """Length in seconds."""
        return self.audio.shape[-1] / self.sample_rate

    def save(
        self,
        path: str | Path,
        *,
        bit_depth: str = "16",
        lufs: float | None = None,
        normalize: bool = False,
        dither: bool = False,
    ) -> None:
        """Writes a WAV, FLAC or OGG (Vorbis) file, whole or not at all, over one that is there.

        Args:
            path: where to.
            bit_depth: "16", "24" or "float".
            lufs: loudness to bring it to, as far as the peak allows.
            normalize: bring the peak to -1 dB.
            dither: to 16 bits, where it is not silent.

        Raises:
            InputError: another suffix, a format without that bit depth, or two levels.
        """
        from midigroove_core.rendering.output import Output, write

        output = Output(bit_depth=bit_depth, dither=dither, lufs=lufs, normalize=normalize)
        audio_format(path, bit_depth)
        rows = np.atleast_2d(self.audio)
        blocks = in_blocks(rows, BLOCK_SAMPLES)
        write(Played(blocks, (), len(rows), rows.shape[1], self.sample_rate), Path(path), output)

    def play(self) -> None:
        """Plays it: in a notebook as a player to click on, else through this computer's speakers.

        Raises:
            MidigrooveError: no program that plays is found.
        """
        from midigroove_core.rendering.listen import play

        play(self)

    def _repr_html_(self) -> str:
        """A player, for notebooks."""
        from midigroove_core.rendering.listen import player

        return player(self.audio, self.sample_rate)


BLOCK_SAMPLES = 1 << 18
"""Six seconds at 44.1 kHz: what engines that stream play at once."""


class Engine(Protocol):
    """Plays performances at its own sample rate; keeps what is slow to load.

    Attributes:
        sample_rate: of what it plays.
        kit: what it plays on.
        drum_map: how pitches are to be read, see `drum_reading.read_with`.
        level_kit: the kit that ships whose levels hits are to have, see `levels`; None leaves them.
    """

    sample_rate: int
    kit: str
    drum_map: DrumMap
    level_kit: str | None

    def play(
        self, performance: DrumPerformance, progress: Progress, *, rounds: int = 1
    ) -> Rendered:
        """A performance that was read with `drum_map`, and its tail.

        It may be of so many equal `rounds`, as loops are. Not yet resampled or guarded against
        clipping. A line says which hits sound as something else, or not at all.
        """


@runtime_checkable
class BlockEngine(Engine, Protocol):
    """An engine that plays block by block, and its groups of drums apart.

    Attributes:
        groups: names of the groups.
        channels: C of what it plays.
    """

    groups: tuple[str, ...]
    channels: int

    def play_blocks(
        self,
        performance: DrumPerformance,
        num_samples: int,
        progress: Progress,
        *,
        groups: bool = False,
        rounds: int = 1,
    ) -> Iterator[NDArray[np.float32]]:
        """`num_samples` at `sample_rate` as blocks [C, n], or with `groups` C rows for each."""


def num_output_samples(duration_sec: float, sample_rate: int) -> int:
    """ceil(duration * rate), at least 1; a billionth of a sample too much is not a sample."""
    return max(1, math.ceil(duration_sec * sample_rate - 1e-6))
