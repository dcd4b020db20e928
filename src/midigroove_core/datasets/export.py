"""`data export`: performances of any dataset for other tools, as MIDI and JAMS."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from midigroove_core.atomic import dump_json, write_bytes, write_text
from midigroove_core.datasets.jams import to_jams
from midigroove_core.datasets.synth_work import SMPTE_TICKS_PER_BEAT
from midigroove_core.errors import InputError
from midigroove_core.midi import load_midi
from midigroove_core.midi_file import read_midi_file
from midigroove_core.midi_write import midi_bytes
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.takes import Dataset, Take


@dataclass
class ExportSummary:
    """What was written.

    Attributes:
        out: the folder.
        midi, jams: number of files.
        skipped: MIDI path -> why it could not be read, naming it.
    """

    out: Path
    midi: int = 0
    jams: int = 0
    skipped: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        counts = {"midi": self.midi, "jams": self.jams}
        return {"out": str(self.out), **counts, "skipped": self.skipped}


def export(
    dataset: Dataset, out: str | Path, *, jams: bool = False, progress: Progress | None = None
) -> ExportSummary:
    """Writes the drums of each performance as a MIDI file, and of each take as JAMS.

    The MIDI files hold what midigroove reads: one track on channel 10 with tempo, meter, hits,
    pedal and chokes, at the resolution of the file that it comes from and under its name, with the
    suffix .midi. A JAMS file has the name of the take's audio.

    Args:
        dataset: from `open_dataset`.
        out: folder to write to; files of these names there are replaced.
        jams: whether to write JAMS, too.
        progress: told of every take.

    Raises:
        InputError: `out` lies in the dataset's folder, or no performance can be read.
        MidigrooveError: a file cannot be written.
    """
    progress, out = progress or Silent(), Path(out)
    if dataset.root.resolve() in (out.resolve(), *out.resolve().parents):
        raise InputError(
            f"{out}: lies in the dataset's folder; its files would be taken for more takes. "
            "Choose another folder for `out`"
        )
    summary, written = ExportSummary(out), set[str]()
    progress.start("exporting takes", len(dataset.takes))
    for take in dataset.takes:
        try:
            performance, ticks_per_beat = _read(dataset.midi_path(take))
        except InputError as error:
            summary.skipped[take.midi_path] = str(error).removeprefix(f"{dataset.root}/")
        else:
            if take.midi_path not in written:
                written.add(take.midi_path)
                content = midi_bytes(performance, ticks_per_beat=ticks_per_beat)
                write_bytes(_named(out, take.midi_path, ".midi"), content)
            if jams:
                text = dump_json(_jams(dataset, take, performance), indent=None)
                write_text(_named(out, take.audio_path, ".jams"), text)
                summary.jams += 1
        progress.advance(1, left_out=len(summary.skipped))
    progress.finish()
    summary.midi = len(written)
    if not written:
        first = next(iter(summary.skipped.values()), "it has no takes")
        raise InputError(f"{dataset.name}: nothing to export: {first}")
    return summary


@lru_cache(maxsize=64)
def _read(path: Path) -> tuple[DrumPerformance, int]:
    """What a file plays, and its ticks a beat."""
    return load_midi(path), read_midi_file(path).ticks_per_beat or SMPTE_TICKS_PER_BEAT


def _named(out: Path, path: str, suffix: str) -> Path:
    return out / PurePosixPath(path).with_suffix(suffix)


def _jams(dataset: Dataset, take: Take, performance: DrumPerformance) -> dict[str, Any]:
    names = ("audio_path", "midi_path", "performance_key", "kit", "drummer", "style", "bpm",
             "beat_type", "time_signature", "split")  # fmt: skip
    return to_jams(
        performance,
        title=take.key,
        artist=take.drummer,
        duration_sec=take.duration_sec or None,
        corpus=dataset.name,
        facts={name: getattr(take, name) for name in names},
    )
