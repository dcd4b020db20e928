"""Four families of models on one bench: same cache, grid, parameters (within 10 %) and minutes.

    python benchmarks/families.py
    python benchmarks/families.py train --cache CACHE --out RUNS --minutes 20 --seeds 1,2,3
    python benchmarks/families.py judge --runs RUNS --cache JUDGE --dataset DATA --out OUT

Without more it prints the parameters of each family. `train` can run on another machine than
`judge`, which needs RUNS/*/best.safetensors and summary.json alone. Minutes are of a processor:
what a step costs a family is measured first, on short runs in turn, and says how many steps it
gets, so that other work on the machine changes nothing. On a GPU, or for other lengths, `--steps`
says them. `--set` changes any setting of recipes/families.toml, the same for all. `judge` evaluates
all runs at once, renders a groove with one of each in a process of its own for its memory, and
writes OUT/table.md: means over seeds, with half the 95 % interval over performances of each clip's
mean over seeds, and what that is in percent of the way from silence to the codec's oracle.
docs/families.md says more.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midigroove_core.builtin.expressive_grid import ExpressiveGrid
from midigroove_core.checkpoint import load_checkpoint, read_metadata
from midigroove_core.clock import FrameClock
from midigroove_core.evaluation import evaluate
from midigroove_core.interfaces.codec import residual_codebooks
from midigroove_core.interfaces.model import ModelSpec
from midigroove_core.metrics.statistics import bootstrap_mean
from midigroove_core.registry import Registry

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "recipes" / "families.toml"
FAMILIES: dict[str, dict[str, Any]] = {
    "parallel": {"dim": 192, "layers": 4, "head_dim": 96},
    "autoregressive": {"dim": 128, "layers": 4, "decoder_layers": 2, "head_dim": 80},
    "masked": {"dim": 192, "layers": 4, "head_dim": 96},
    "latent_flow": {"dim": 272, "layers": 4},
}
"""Arguments that give each about as many weights on codes of 8 x 1024."""

TRIED = (8, 32)
"""Steps of the short runs that tell what a step costs."""

CLIP_FIGURES = {
    "onset_f1_50ms": "Onset F1 (50 ms) ↑",
    "onset_f1_25ms": "(25 ms) ↑",
    "onset_f1_10ms": "(10 ms) ↑",
    "drum_f1": "Drum F1 ↑",
    "velocity_correlation": "Velocity corr. ↑",
    "mel_l1": "Mel L1, dB ↓",
}
REFERENCES = ("silence", "oracle", "recording")


@dataclass(frozen=True)
class Line:
    """A line of the table: name of a family or a reference row, and the rows it is the mean of."""

    name: str
    rows: tuple[str, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command")
    train = commands.add_parser("train", help="train all families")
    train.add_argument("--cache", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True)
    length = train.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="of a processor, of each run")
    length.add_argument("--steps", type=int, help="of each run, the same for all")
    train.add_argument("--seeds", default="1,2,3")
    train.add_argument("--families", default=",".join(FAMILIES))
    train.add_argument("--jobs", type=int, default=1, help="trainings at once")
    train.add_argument("--device", default="auto")
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--set", action="append", default=[], help="NAME=VALUE, as `midigroove`'s")
    judge = commands.add_parser("judge", help="evaluate runs, and write the table")
    judge.add_argument("--runs", type=Path, required=True)
    judge.add_argument("--cache", type=Path, required=True, help="of the clips to judge on")
    judge.add_argument("--dataset", type=Path, required=True)
    judge.add_argument("--out", type=Path, required=True)
    judge.add_argument("--split", default="test")
    judge.add_argument("--max-items", type=int, default=160)
    judge.add_argument("--long-items", type=int, default=8)
    options = parser.parse_args(arguments)
    if options.command == "train":
        return train_all(options)
    if options.command == "judge":
        judge_all(options)
        return 0
    for family, count in sizes().items():
        print(f"{family:16}{count:>10,}")
    return 0


def sizes() -> dict[str, int]:
    """Parameters of each family on the codes and grid of the bench, seven kits and six drummers."""
    names = {"kit": 7, "drummer": 6, "style": 18}
    spec = ModelSpec(
        tuple(ExpressiveGrid().feature_names),
        FrameClock(32_000, 512),
        residual_codebooks(8, 1024),
        {name: tuple(map(str, range(count))) for name, count in names.items()},
    )
    made = {f: Registry().load("model", f).build(spec, **args) for f, args in FAMILIES.items()}
    return {family: parameters(model) for family, model in made.items()}


def parameters(model: Any) -> int:
    return sum(weights.numel() for weights in model.parameters())


def train_all(options: argparse.Namespace) -> int:
    """Runs FAMILY-SEED in folders of that name, some at a time; 1 if one failed."""
    options.out.mkdir(parents=True, exist_ok=True)
    families = options.families.split(",")
    steps = steps_in(options, families) if options.minutes else {}
    wanted = [(int(seed), family) for seed in options.seeds.split(",") for family in families]

    def run(job: tuple[int, str]) -> bool:
        seed, family = job
        out = options.out / f"{family}-{seed}"
        length = steps.get(family, options.steps)
        command = train_command(options, family, seed, length, out)
        command += ["--eval-every", str(max(1, length // 3))]
        with out.with_suffix(".log").open("w") as log:
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False)
        print(f"{out.name}: {'trained' if done.returncode == 0 else 'failed, see its log'}")
        return done.returncode == 0

    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        return 0 if all(list(pool.map(run, wanted))) else 1


def steps_in(options: argparse.Namespace, families: Sequence[str]) -> dict[str, int]:
    """How many steps of each family `--minutes` of a processor are; written to OUT/steps.json.

    A step costs the difference of a long and a short run, without what starting costs; of two
    pairs, taken in turn, the cheaper.
    """
    told = options.out / "steps.json"
    if told.is_file():
        return dict(json.loads(told.read_text("utf-8")))
    costs: dict[str, float] = dict.fromkeys(families, float("inf"))
    for _ in range(2):
        for family in families:
            short, long = (processor_seconds(options, family, steps) for steps in TRIED)
            costs[family] = min(costs[family], (long - short) / (TRIED[1] - TRIED[0]))
    steps = {family: round(60 * options.minutes / cost) for family, cost in costs.items()}
    for family, count in steps.items():
        print(f"{family}: {costs[family]:.3f} s a step, {count} steps")
    told.write_text(json.dumps(steps) + "\n", encoding="utf-8")
    return steps


def processor_seconds(options: argparse.Namespace, family: str, steps: int) -> float:
    """What a run of `steps` costs, with all its processes."""
    with tempfile.TemporaryDirectory() as folder:
        command = train_command(options, family, 1, steps, Path(folder) / "run")
        command += ["--eval-every", str(steps), "--set", "eval_clips=1"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"a trial of {family} failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def train_command(
    options: argparse.Namespace, family: str, seed: int, steps: int, out: Path
) -> list[str]:
    said = [f"model_args.{name}={value}" for name, value in FAMILIES[family].items()]
    return [
        sys.executable, "-m", "midigroove_core", "train", "--config", str(SETTINGS),
        "--cache", str(options.cache), "--out", str(out), "--model", family,
        "--max-steps", str(steps), "--seed", str(seed),
        "--device", options.device, "--threads", str(options.threads),
        *(part for one in (*said, *options.set) for part in ("--set", one)),
    ]  # fmt: skip


def judge_all(options: argparse.Namespace) -> None:
    runs = {path.parent.name: path for path in sorted(options.runs.glob("*-*/best.safetensors"))}
    if not runs:
        sys.exit(f"{options.runs}: no */best.safetensors")
    evaluate(
        [f"{name}:{path}:{options.cache}" for name, path in runs.items()],
        out=options.out,
        dataset=options.dataset,
        split=options.split,
        max_items=options.max_items,
        long_items=options.long_items,
        knee_items=0,
        save_preds=0,
    )
    text = table(options.out, runs)
    (options.out / "table.md").write_text(text, encoding="utf-8")
    print(text)


def table(folder: Path, runs: dict[str, Path]) -> str:
    """The families and references of an evaluation, and then every run, as Markdown."""
    families = [family for family in FAMILIES if any(r.startswith(f"{family}-") for r in runs)]
    lines = [Line(f, tuple(r for r in runs if r.rpartition("-")[0] == f)) for f in families] + [
        Line(name, (name,)) for name in REFERENCES
    ]
    clips, takes = rows_of(folder / "clips.csv"), rows_of(folder / "takes.csv")
    columns = {"Row": [line.name for line in lines], "NLL, nats/code ↓": []}
    for line in lines:
        bound = read_metadata(runs[line.rows[0]]).model.likelihood if line.name in FAMILIES else ""
        found = mean_of(clips, "nll_nats", line.rows)
        sign = "≤ " if bound == "bound" else ""
        columns["NLL, nats/code ↓"].append("-" if found is None else sign + shown(*found))
    for name, label in CLIP_FIGURES.items():
        source = clips if name in clips[0] else takes
        found_all = {line.name: mean_of(source, name, line.rows) for line in lines}
        columns[label] = [percent(found_all, line.name) for line in lines]
    columns["Kernel distance ↓"] = [
        spread(of_sets(folder, "kernel_audio_distance", line.rows)) for line in lines
    ]
    columns["Seam flux →1"] = [spread(seams(folder, line.rows)) for line in lines]
    columns |= costs_of(folder, runs, lines)
    return "\n".join([*markdown(columns), "", *markdown(each_run(clips, runs)), ""])


def costs_of(folder: Path, runs: dict[str, Path], lines: Sequence[Line]) -> dict[str, list[str]]:
    """Seconds a second of long renders, memory of a process that renders a groove, parameters."""
    cost = json.loads((folder / "cost.json").read_text("utf-8"))
    factor = {one["row"]: one["real_time_factor"] for one in cost["long"]}
    found: dict[str, list[str]] = {"s/s ↓": [], "Peak MiB ↓": [], "Parameters": []}
    for line in lines:
        own = line.name in FAMILIES
        speeds = [factor[row] for row in line.rows if row in factor]
        found["s/s ↓"].append(f"{np.mean(speeds):.3f}" if speeds else "-")
        found["Peak MiB ↓"].append(f"{peak_mib(runs[line.rows[0]]):.0f}" if own else "-")
        count = parameters(load_checkpoint(runs[line.rows[0]]).model) if own else 0
        found["Parameters"].append(f"{count / 1e6:.2f} M" if own else "-")
    return found


def peak_mib(checkpoint: Path) -> float:
    """Most memory of a process that renders the example groove."""
    out = checkpoint.with_name("groove.wav")
    arguments = [
        "render", str(ROOT / "examples" / "groove.mid"), "--checkpoint", str(checkpoint),
        "-o", str(out), "--overwrite", "--device", "cpu",
    ]  # fmt: skip
    # Not what `wait4` says of it: a child begins with the peak of the process that made it.
    code = """
import re, sys
from midigroove_core.cli import run
failed = run(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
sys.exit(failed)
"""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout.split()[-1]) / 1024 if done.returncode == 0 else float("nan")


def each_run(clips: list[dict[str, str]], runs: dict[str, Path]) -> dict[str, list[str]]:
    """How far each run came, and what one seed or another makes of it."""
    columns: dict[str, list[str]] = {"Run": list(runs), "Steps": [], "Minutes": []}
    for path in runs.values():
        told = path.with_name("summary.json")
        summary = json.loads(told.read_text("utf-8")) if told.is_file() else {}
        columns["Steps"].append(str(summary.get("steps", "-")))
        columns["Minutes"].append(f"{summary['minutes']:.1f}" if "minutes" in summary else "-")
    labels = {"nll_nats": "NLL", "onset_f1_25ms": "Onset F1 (25 ms)", "drum_f1": "Drum F1",
              "mel_l1": "Mel L1, dB"}  # fmt: skip
    for name, label in labels.items():
        found = [mean_of(clips, name, (row,)) for row in runs]
        columns[label] = ["-" if one is None else f"{one[0]:.3g}" for one in found]
    return columns


def rows_of(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def mean_of(
    source: list[dict[str, str]], name: str, rows: Sequence[str]
) -> tuple[float, float] | None:
    """Mean of a figure, and half its interval over performances: of each clip (or take) the mean
    over `rows` counts. None where it is not defined."""
    values: dict[str, list[float]] = {}
    performance = {}
    for one in source:
        if one["row"] in rows and one.get(name):
            place = one.get("clip") or one["take"]
            values.setdefault(place, []).append(float(one[name]))
            performance[place] = one["performance"]
    if not values:
        return None
    means = [float(np.mean(found)) for found in values.values()]
    found = bootstrap_mean(means, [performance[place] for place in values])
    return found.mean, (found.high - found.low) / 2


def of_sets(folder: Path, name: str, rows: Sequence[str]) -> list[float]:
    """A distance of whole sets, of each of the rows that has it."""
    found = [x for x in rows_of(folder / "sets.csv") if not x["kit"] and x["row"] in rows]
    return [float(x[name]) for x in found if x[name]]


def seams(folder: Path, rows: Sequence[str]) -> list[float]:
    """Flux at the joins over elsewhere, of each of the rows that has joins: means over takes."""
    found: dict[str, list[float]] = {}
    for one in rows_of(folder / "long.csv"):
        if one["row"] == one["joins_of"] and one["seam_flux_ratio"]:
            found.setdefault(one["row"], []).append(float(one["seam_flux_ratio"]))
    return [float(np.mean(found[row])) for row in rows if row in found]


def percent(found: dict[str, tuple[float, float] | None], row: str) -> str:
    """A figure as text, with its place on the way from silence to the oracle."""
    one, low, high = found[row], found.get("silence"), found.get("oracle")
    if one is None:
        return "-"
    if row in REFERENCES or low is None or high is None or high[0] == low[0]:
        return shown(*one)
    return f"{shown(*one)} ({100 * (one[0] - low[0]) / (high[0] - low[0]):.0f} %)"


def shown(mean: float, half: float) -> str:
    return f"{mean:.3g}" if np.isnan(half) else f"{mean:.3g} ±{half:.2g}"


def spread(values: Sequence[float]) -> str:
    """Mean over seeds, and their standard deviation in brackets."""
    if not values:
        return "-"
    return f"{np.mean(values):.3g}" + (f" [{np.std(values, ddof=1):.2g}]" if values[1:] else "")


def markdown(columns: dict[str, list[str]]) -> list[str]:
    rows = zip(*columns.values(), strict=True)
    lines = [tuple(columns), ("---",) * len(columns), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


if __name__ == "__main__":
    sys.exit(main())
