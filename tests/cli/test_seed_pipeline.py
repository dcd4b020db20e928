"""The pipeline that the proof of concept's README has, with its options, as typed here."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from support.toy_systems import performance
from support.typed_pipeline import typed

from midigroove_core.audio import load_audio, save_audio
from midigroove_core.cache import Cache
from midigroove_core.kits import sampler
from midigroove_core.kits.library import load_kit
from midigroove_core.midi import load_midi, save_midi
from midigroove_core.takes.egmd import COLUMNS

for plugin in ("midigroove_encodec", "midigroove_xcodec", "midigroove_dac"):
    pytest.importorskip(plugin)

KITS = {"Acoustic Kit": "standard", "Custom1": "tr808"}
CODECS = {"encodec": [], "xcodec": ["--bandwidth", 2.0], "dac": []}
TINY_MODEL = [
    part
    for name in ("dim=16", "layers=1", "heads=2", "ff_mult=2")
    for part in ("--set", f"model_args.{name}")
]
"""Where the paper has 768, 6, 8 and 4."""


def make_egmd(root: Path) -> Path:
    """A csv and files as E-GMD has them: four performances of three seconds on two kits."""
    splits = ("train", "train", "validation", "test")
    lines = []
    for number, split in enumerate((*splits, "train")):
        played = performance(12, 3.0, seed=number, bpm=160.0)
        beat_type = "beat" if number < len(splits) else "fill"
        for place, (kit, ours) in enumerate(KITS.items(), 1):
            stem = f"drummer1/session1/{number}_rock_160_{beat_type}_4-4_{place}"
            (root / stem).parent.mkdir(parents=True, exist_ok=True)
            save_midi(played, root / f"{stem}.midi")
            audio = sampler.render(load_midi(root / f"{stem}.midi"), load_kit(ours), tail_sec=0.3)
            save_audio(root / f"{stem}.wav", 0.5 * audio, 44100)
            lines.append(
                ["drummer1", "drummer1/session1", f"drummer1/session1/{number}", "rock", 160,
                 beat_type, "4-4", 3.3, split, f"{stem}.midi", f"{stem}.wav", kit]
            )  # fmt: skip
    with open(root / "e-gmd-v1.0.0.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *lines])
    return root / "e-gmd-v1.0.0.csv"


def test_from_caches_of_three_codecs_to_one_report_of_six_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    egmd_csv = make_egmd(tmp_path / "egmd")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIDIGROOVE_LOAD_PLUGINS", ",".join(CODECS))
    monkeypatch.setenv("EGMD_CSV", str(egmd_csv))
    monkeypatch.setenv("EGMD_ROOT", str(egmd_csv.parent))
    systems = []
    for codec, options in CODECS.items():
        cache, out = f"cache/{codec}_acoustic", f"runs/{codec}_acoustic"
        typed(
            "cache", "--out", cache, "--codec", codec, "--codec-option", "weights=tiny", *options,
            "--train-csv", egmd_csv, "--val-csv", egmd_csv, "--beat-type", "beat",
            "--kit", "acoustic-kit", "--kit-exclude", "Custom2,Custom3", "--device", "cpu",
            "--stratify", "drummer,kit", "--max-takes", 100, "--seed", 0,
        )  # fmt: skip
        takes = Cache.open(cache).entries
        assert {take.split for take in takes} == {"train", "validation", "test"}
        assert {(take.kit, take.beat_type) for take in takes} == {("Acoustic Kit", "beat")}
        typed(
            "train", "--cache", cache, "--out", out, "--preset", "paper", *TINY_MODEL,
            "--beats", 4, "--hop-beats", 4, "--max-steps", 2, "--batch-size", 2,
            "--eval-every", 1, "--eval-clips", 0, "--patience", 17, "--nonfinite", "halt",
            "--stratify", "drummer,kit", "--device", "cpu", "--seed", 0,
        )  # fmt: skip
        for which in ("best", "last"):
            system = f"{codec}-{which}:{out}/{which}.safetensors:{cache}:{codec}"
            systems += ["--system", system]
    typed(
        "eval", "--split", "test", "--intersection", "--max-items", 0, "--device", "cpu",
        "--decode-device", "cpu", "--audio-metrics", "--add-oracle", "--no-add-nearest",
        "--no-add-sampler", "--no-add-unigram", "--no-add-silence",
        "--embedding", "none", "--long-items", 0, "--knee-items", 0, "--sample-rate", 32000,
        "--pred-dir", "pred", "--pred-include-ref", "--save-preds", "all", *systems,
        "--out", "eval/example_run",
    )  # fmt: skip
    summary = json.loads(Path("eval/example_run/summary.json").read_text())
    names = {f"{codec}-{which}" for codec in CODECS for which in ("best", "last")}
    assert {row["row"] for row in summary["rows"] if row["kind"] == "system"} == names
    assert summary["audio"]["sample_rate"] == 32000
    kept = json.loads(Path("pred/preds.json").read_text())["clips"]
    assert len(kept) == summary["clips"] >= 1
    for codec in CODECS:
        assert load_audio(next(Path("pred").rglob(f"{codec}-best.wav")))[1] == 32000
    typed("report", "eval/example_run", "--preds", "pred", "-o", "report.html")
    page = Path("report.html").read_text()
    rows = names | {f"oracle-{line['codec']}" for line in summary["audio"]["codecs"]}
    assert len(rows) == 9 and all(row in page for row in rows)
    midi = next(egmd_csv.parent.rglob("3_*_1.midi"))
    checkpoint = "runs/dac_acoustic/best.safetensors"
    typed("render", midi, "--checkpoint", checkpoint, "--temperature", 0, "-o", "dac.wav")
    assert Path("dac.wav").stat().st_size > 44
