"""The built-in codec beside Opus on held-out drums; prints the tables of docs/groove_codec.md.

    python tools/make_codec_audio.py --gmd DIR --out OUT --drummers 4,8,9,10 --single-hits 0 \
        --kits standard,room,jazz,brush,electronic,tr808 --seconds 15 --minutes 6 --seed 2
    python tools/make_codec_audio.py --gmd DIR --out OUT --drummers 4,8,9,10 --single-hits 0 \
        --kits unseen --seconds 15 --minutes 3 --seed 3
    python benchmarks/codec_table.py OUT

Needs `opusenc` and `opusdec` (opus-tools).  Opus gets the same 32 kHz files at `--hard-cbr`; its
output, which opusdec has freed of the encoder's delay, is resampled from 48 kHz with soxr.  The
measured delay that is left is in the table.  Bit rates of Opus are those of its packets alone,
without the Ogg container.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
import warnings
from collections import defaultdict
from pathlib import Path

import mido
import numpy as np
import soundfile
import soxr
import torch

from midigroove_core.builtin.groove_codec import GrooveCodec
from midigroove_core.metrics.features import AudioFeatures
from midigroove_core.metrics.onset import onset_scores
from midigroove_core.metrics.spectral import (
    level_difference_db,
    mel_l1,
    si_sdr,
    spectral_convergence,
)

RATE = 32_000
UNSEEN = {"power", "black_pearl", "red_zeppelin"}
COLUMNS = ("spectral convergence", "log-mel dB", "SI-SDR dB", "level dB", "onset F1 25 ms")


def read_onsets(path: Path) -> np.ndarray:
    now, onsets = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            onsets.append(now)
    return np.array(onsets)


def opus(path: Path, audio: np.ndarray, kbit: int) -> tuple[np.ndarray, float, float]:
    """Through Opus and back: audio at 32 kHz, bit rate of the packets, delay in ms."""
    with tempfile.TemporaryDirectory() as folder:
        packed, out = Path(folder) / "a.opus", Path(folder) / "a.wav"
        command = ["opusenc", "--quiet", "--hard-cbr", "--bitrate", str(kbit), str(path), packed]
        subprocess.run(command, check=True)
        quiet = subprocess.DEVNULL
        subprocess.run(["opusdec", "--quiet", packed, out], check=True, stderr=quiet)
        decoded, rate = soundfile.read(out, dtype="float32")
        rate_bits = packet_bytes(packed.read_bytes()) * 8 / (len(audio) / RATE)
    decoded = soxr.resample(decoded, rate, RATE)
    decoded = np.pad(decoded, (0, max(0, len(audio) - len(decoded))))[: len(audio)]
    spectrum = np.fft.rfft(audio, 2 * len(audio)).conj() * np.fft.rfft(decoded, 2 * len(audio))
    lag = np.fft.irfft(spectrum)
    place = int(np.argmax(lag))
    place -= len(lag) if place > len(audio) else 0
    return decoded, rate_bits, 1000 * place / RATE


def packet_bytes(ogg: bytes) -> int:
    """Bytes of audio packets in an Ogg stream: its pages' contents without the two header packets.

    RFC 3533 (pages) and RFC 7845 (the first two pages hold OpusHead and OpusTags).
    """
    position, page, total = 0, 0, 0
    while position < len(ogg):
        segments = ogg[position + 26]
        size = sum(ogg[position + 27 : position + 27 + segments])
        total += size if page >= 2 else 0
        position, page = position + 27 + segments + size, page + 1
    return total


def scores(reference: AudioFeatures, decoded: np.ndarray, onsets: np.ndarray) -> list[float]:
    estimated = AudioFeatures.from_audio(decoded, RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onset = onset_scores(onsets, estimated, (0.025,))["onset_f1_25ms"]
    return [
        spectral_convergence(reference, estimated),
        mel_l1(reference, estimated),
        si_sdr(reference, estimated),
        level_difference_db(reference, estimated),
        onset,
    ]


def measure(paths: list[Path], weights: str | None) -> tuple[dict, dict]:
    """Scores per system and kit; bit rates and delays per system."""
    codecs = {k: GrooveCodec(num_codebooks=k, path=weights) for k in (1, 2, 3, 4, 6, 8)}
    table: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    facts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for path in paths:
        audio, rate = soundfile.read(path, dtype="float32")
        if rate != RATE:
            raise SystemExit(f"{path}: not at {RATE} Hz")
        kit, onsets = path.parent.name, read_onsets(path.with_suffix(".mid"))
        reference = AudioFeatures.from_audio(audio, RATE)
        table["original"][kit].append(scores(reference, audio, onsets))
        codes = codecs[8].encode(torch.from_numpy(audio)[None, None])
        for count, codec in codecs.items():
            decoded = codec.decode(codes[:, :count])[0, 0, : len(audio)].numpy()
            name = f"groove_32khz, {count} codebook{'s' * (count > 1)}"
            table[name][kit].append(scores(reference, decoded, onsets))
            facts[name].append((codec.bits_per_second, 0.0))
        for kbit in (6, 12, 24):
            decoded, bits, delay = opus(path, audio, kbit)
            table[f"Opus {kbit}"][kit].append(scores(reference, decoded, onsets))
            facts[f"Opus {kbit}"].append((bits, delay))
    return table, facts


def times_real_time(codec: GrooveCodec, seconds: int = 15) -> float:
    """Encode and decode, the best of eight: other programs can only slow it down."""
    audio = torch.zeros(1, 1, seconds * RATE)
    spent = []
    for _ in range(8):
        start = time.perf_counter()
        codec.decode(codec.encode(audio))
        spent.append(time.perf_counter() - start)
    return seconds / min(spent)


def print_table(table: dict, facts: dict, kits: set[str], title: str) -> None:
    clips = sum(len(rows) for kit, rows in table["original"].items() if kit in kits)
    print(f"\n{title} ({', '.join(sorted(kits))}; {clips} clips)\n")
    print("| system | kbit/s | " + " | ".join(COLUMNS) + " |")
    print("|---" * (len(COLUMNS) + 2) + "|")
    for name, by_kit in table.items():
        mean = np.mean([np.mean(rows, 0) for kit, rows in by_kit.items() if kit in kits], 0)
        bits = f"{np.mean([b for b, _ in facts[name]]) / 1000:.2f}" if name in facts else ""
        cells = [f"{v:.{d}f}" for v, d in zip(mean, (3, 2, 1, 1, 3), strict=True)]
        print(f"| {name} | {bits} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, nargs="+", help="<kit>/<drummer>__*.wav with .mid")
    parser.add_argument("--weights", help="other weights than the shipped ones")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    paths = sorted(path for folder in args.data for path in folder.glob("*/*.wav"))
    if not paths:
        raise SystemExit(f"{args.data[0]}: no <kit>/*.wav; see the top of this file")
    table, facts = measure(paths, args.weights)
    kits = set(table["original"])
    print_table(table, facts, kits, "All kits")
    if kits & UNSEEN and kits - UNSEEN:
        print_table(table, facts, kits - UNSEEN, "Kits seen in training")
        print_table(table, facts, kits & UNSEEN, "Kits never seen in training")
    delays = {name: np.median([d for _, d in rows]) for name, rows in facts.items()
              if name.startswith("Opus")}  # fmt: skip
    print("\nDelay left in Opus (median, ms):", {k: round(float(v), 2) for k, v in delays.items()})
    speed = times_real_time(GrooveCodec(path=args.weights))
    print(f"Encode and decode, {args.threads} thread(s): {speed:.0f} times real time")


if __name__ == "__main__":
    main()
