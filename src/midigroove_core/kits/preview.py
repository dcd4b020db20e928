"""A few seconds of a built-in groove on a kit: what a kit sounds like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from midigroove_core.audio import save_audio
from midigroove_core.errors import InputError
from midigroove_core.kits.library import builtin_grooves, load_kit
from midigroove_core.kits.oneshots import SAMPLE_RATE
from midigroove_core.kits.sampler import render
from midigroove_core.midi import load_midi


@dataclass(frozen=True)
class Preview:
    """What was written, and on what it was played; `silent` lists what the kit cannot play."""

    path: Path
    kit: str
    groove: str
    seconds: float
    silent: list[str]


def preview_kit(
    kit: str | Path, out: str | Path, *, groove: str | None = None, seconds: float = 12.0
) -> Preview:
    """Plays the start of a groove on a kit and saves it (.wav, .flac or .ogg).

    Args:
        kit: as `kits.load_kit` takes it.
        out: audio file to write.
        groove: a built-in groove's name or a MIDI file; the first test groove if not given.
        seconds: how much of it to play.

    Raises:
        InputError: no such kit, groove or file.
    """
    loaded = load_kit(kit)
    known = {info.name: info.path for info in builtin_grooves()}
    if groove is None:
        groove = next(info.name for info in builtin_grooves() if info.split == "test")
    path = known.get(groove, Path(groove))
    if not path.is_file():
        raise InputError(f"no groove {groove!r}: no such file, nor listed by `midigroove grooves`")
    performance = load_midi(path)
    part = performance.slice(0.0, min(seconds, performance.end_sec))
    save_audio(out, render(part, loaded, sample_rate=SAMPLE_RATE), SAMPLE_RATE)
    return Preview(Path(out), loaded.name, groove, part.end_sec, loaded.silent)
