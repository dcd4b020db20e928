"""Play Groove MIDI performances through SoundFont drum kits: audio for training the codec.

Needs the ``fluidsynth`` program and the SoundFonts of Debian's ``fluid-soundfont-gm`` (training)
and ``avldrums.lv2-soundfont`` (evaluation only).  Writes ``OUT/<kit>/<drummer>__<name>.wav``
(32 kHz, mono, 16 bit) with the MIDI that was played beside it, which is the layout that
``train_codec.py`` and ``benchmarks/codec_table.py`` read.  Any other folder of that layout does.

    python tools/make_codec_audio.py --gmd DIR --out DIR --minutes 180 \
        --drummers 1,2,3,5,6,7 --kits seen --seed 1
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mido
import numpy as np
import soundfile
import soxr

SAMPLE_RATE = 32_000
FLUID, PEARL, ZEPPELIN = (
    "FluidR3_GM.sf2",
    "Black_Pearl_4_LV2.sf2",
    "Red_Zeppelin_4_LV2.sf2",
)
# kit -> (SoundFont, program on the drum channel); FluidR3's numbered variants share most samples
# with their family but differ in tuning and in some drums.
SEEN = {
    "standard": (FLUID, 0), "standard1": (FLUID, 1), "standard2": (FLUID, 2),
    "standard3": (FLUID, 3), "standard4": (FLUID, 4), "standard5": (FLUID, 5),
    "room": (FLUID, 8), "room1": (FLUID, 9), "room2": (FLUID, 10), "room3": (FLUID, 11),
    "electronic": (FLUID, 24), "tr808": (FLUID, 25),
    "jazz": (FLUID, 32), "jazz1": (FLUID, 33), "jazz2": (FLUID, 34),
    "brush": (FLUID, 40), "brush1": (FLUID, 41),
}  # fmt: skip
UNSEEN = {"power": (FLUID, 16), "black_pearl": (PEARL, 0), "red_zeppelin": (ZEPPELIN, 0)}
SILENT_PITCHES = {22: 42, 26: 46}  # the TD-11's hat edges sound in no SoundFont
HITS = [35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 57, 58, 59]


def read_hits(path: Path) -> list[tuple[float, int, int]]:
    """(onset_sec, pitch, velocity) of every note-on, in order."""
    now, hits = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            hits.append((now, SILENT_PITCHES.get(message.note, message.note), message.velocity))
    return hits


def write_midi(hits: list[tuple[float, int, int]], path: Path, channel: int, program: int) -> None:
    """A type-0 file at 1000 ticks a second, notes of 100 ms, closed before a re-strike."""
    events = []
    for onset, pitch, velocity in hits:
        tick = round(onset * 1000)
        later = [round(o * 1000) for o, p, _ in hits if p == pitch and round(o * 1000) > tick]
        events.append((tick, 1, pitch, velocity))
        events.append((min([tick + 100, *later[:1]]), 0, pitch, 0))
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    track.append(mido.Message("program_change", channel=channel, program=program))
    last = 0
    for tick, on, pitch, velocity in sorted(events):
        kind = "note_on" if on else "note_off"
        track.append(mido.Message(kind, channel=channel, note=pitch, velocity=velocity,
                                  time=tick - last))  # fmt: skip
        last = tick
    mido.MidiFile(type=0, ticks_per_beat=500, tracks=[track]).save(path)


def render(hits: list[tuple[float, int, int]], kit: str, stem: Path, sf2_dir: Path,
           seconds: float, gain: float) -> float:  # fmt: skip
    """Play the hits on one kit; writes ``stem.wav`` and ``stem.mid``; returns the peak."""
    font, program = (SEEN | UNSEEN)[kit]
    stem.parent.mkdir(parents=True, exist_ok=True)
    midi = stem.with_suffix(".mid")
    write_midi(hits, midi, channel=9 if font == FLUID else 0, program=program)
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "out.wav"
        subprocess.run(
            ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", str(gain), "-r", "44100",
             "-O", "float", "-F", str(wav), str(sf2_dir / font), str(midi)],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        audio, rate = soundfile.read(wav, dtype="float32", always_2d=True)
    mono = soxr.resample(audio.mean(axis=1), rate, SAMPLE_RATE, quality="HQ")
    mono = mono[: round(seconds * SAMPLE_RATE)]
    peak = float(np.abs(mono).max(initial=0.0))
    soundfile.write(stem.with_suffix(".wav"), mono / max(1.0, peak / 0.99), SAMPLE_RATE, "PCM_16")
    return peak


def random_hits(rng: np.random.Generator, seconds: float) -> list[tuple[float, int, int]]:
    """Single hits far apart, so that whole decays and the silence after them are heard."""
    now, hits = 0.05, []
    while now < seconds - 0.5:
        hits.append((now, int(rng.choice(HITS)), int(rng.integers(8, 128))))
        now += float(rng.exponential(0.6)) + 0.08
    return hits


def plan(args: argparse.Namespace) -> list[tuple[str, str, list[tuple[float, int, int]]]]:
    """Jobs (kit, name, hits): windows of performances in turn over the kits, plus single hits."""
    rng = np.random.default_rng(args.seed)
    wanted = {f"drummer{d}" for d in args.drummers.split(",")}
    with open(args.gmd / "info.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file)
                if r["drummer"] in wanted and float(r["duration"]) >= args.min_seconds]  # fmt: skip
    kits = list({"seen": SEEN, "unseen": UNSEEN}.get(args.kits) or args.kits.split(","))
    order = rng.permutation(len(rows))
    jobs = []
    for i in range(round(args.minutes * 60 / args.seconds)):
        kit = kits[i % len(kits)]
        if rng.random() < args.single_hits:
            jobs.append((kit, f"hits__{i:04d}", random_hits(rng, args.seconds)))
            continue
        row = rows[order[i % len(rows)]]
        start = float(rng.uniform(0, max(0.0, float(row["duration"]) - args.seconds)))
        hits = [(t - start, p, v) for t, p, v in read_hits(args.gmd / row["midi_filename"])
                if start <= t < start + args.seconds]  # fmt: skip
        jobs.append((kit, f"{row['drummer']}__{i:04d}", hits))
    return [job for job in jobs if job[2]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gmd", type=Path, required=True, help="folder with info.csv")
    parser.add_argument("--sf2", type=Path, default=Path("/usr/share/sounds/sf2"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--drummers", required=True, help="numbers, e.g. 1,2,3")
    parser.add_argument("--kits", default="seen", help="seen, unseen, or names with commas")
    parser.add_argument("--minutes", type=float, default=180)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each take")
    parser.add_argument("--min-seconds", type=float, default=8.0, help="shortest performance")
    parser.add_argument("--single-hits", type=float, default=0.08, help="share of such takes")
    parser.add_argument("--gain", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()

    def work(job: tuple[str, str, list[tuple[float, int, int]]]) -> float:
        kit, name, hits = job
        return render(hits, kit, args.out / kit / name, args.sf2, args.seconds, args.gain)

    with ThreadPoolExecutor(args.workers) as pool:
        peaks = list(pool.map(work, plan(args)))
    print(f"{len(peaks)} takes, peaks: median {np.median(peaks):.2f}, max {max(peaks):.2f}")


if __name__ == "__main__":
    main()
