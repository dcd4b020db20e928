"""What is fuzzed: a folder with real files, and what reads them."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import soundfile
import torch

from midigroove_core.atomic import sha256_of_file
from midigroove_core.audio import load_audio, load_mono
from midigroove_core.cache import Cache
from midigroove_core.cache.build import build_cache
from midigroove_core.cache.clips import cut_clips
from midigroove_core.checkpoint import load_checkpoint
from midigroove_core.datasets.synth import synthesize
from midigroove_core.datasets.verify_take import Limits, check_takes
from midigroove_core.drums import load_drum_map
from midigroove_core.evaluation import SystemSpec, evaluate
from midigroove_core.evaluation.base.config import read_systems_file
from midigroove_core.evaluation.scoring.vector_cache import VectorCache
from midigroove_core.inspect import inspect_path
from midigroove_core.interfaces.embedding import Embedding
from midigroove_core.kits.kitsfile import kit_specs
from midigroove_core.kits.library import load_kit
from midigroove_core.midi import load_midi
from midigroove_core.readers import load_performance
from midigroove_core.recipe import read_recipe
from midigroove_core.registry import Registry
from midigroove_core.report import listening
from midigroove_core.report.compare import compare_evaluations
from midigroove_core.report.listening import read_votes
from midigroove_core.report.page import write_report
from midigroove_core.scorecard.files import Evaluation
from midigroove_core.takes import open_dataset, select
from midigroove_core.tensorfile import read_header
from midigroove_core.testing import ToyCodec
from midigroove_core.training import train
from midigroove_core.training.config import TrainConfig, make_config
from support.cache_fixtures import files_of, make_dataset
from support.evaluation_files import write_evaluation
from support.midi_bytes import beat, meta, song
from support.toy_systems import make_toy_dataset, save_toy_checkpoint, toy_plugin_installed
from support.trainable_cache import make_cache

DATA = Path(__file__).parents[2] / "data"
GROOVE = song(meta(0x51, b"\x07\xa1\x20") + beat())


class Odd(Exception):
    """Something wrong was taken without a word."""


@dataclass(frozen=True)
class Target:
    """One kind of file.

    Attributes:
        name: of the target.
        make: writes good files into an empty folder.
        damaged: patterns of the files that are damaged, one at a time.
        read: reads the folder; raises MidigrooveError, or nothing, or else it is a fault.
        mend: brings sums that name a file in line with it, so that what is behind them is reached.
        share: of the inputs, relative to 1.
    """

    name: str
    make: Callable[[Path], None]
    damaged: tuple[str, ...]
    read: Callable[[Path], object]
    mend: Callable[[Path, Random], None] = lambda folder, rng: None
    share: float = 1.0


def _write(name: str, data: bytes | str) -> Callable[[Path], None]:
    content = data.encode() if isinstance(data, str) else data
    return lambda folder: (folder / name).write_bytes(content) and None


def _audio(folder: Path) -> None:
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, 2))
    for name, subtype in (
        ("a.wav", "PCM_16"), ("b.wav", "FLOAT"), ("c.flac", "PCM_16"), ("d.ogg", "VORBIS"),
        ("e.aiff", "PCM_24"), ("f.w64", "PCM_16"), ("g.au", "PCM_16"), ("h.rf64", "PCM_16"),
    ):  # fmt: skip
        soundfile.write(folder / name, samples, 8000, subtype)


def _read_audio(folder: Path) -> None:
    for path in folder.iterdir():
        load_audio(path)
        load_mono(path, 16000)


def _take(folder: Path) -> None:
    (folder / "a.mid").write_bytes(GROOVE)
    soundfile.write(folder / "a.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 16000), 8000)


def _verify_take(folder: Path) -> None:
    dataset = open_dataset(folder, kind="folder")
    (report,) = check_takes((folder, dataset.takes, Limits()))
    json.dumps([vars(finding) for finding in report.findings], allow_nan=False)


def _scores(folder: Path) -> None:
    for path in (DATA / "scores").iterdir():
        shutil.copy(path, folder)


def _each(read: Callable[[Path], object]) -> Callable[[Path], None]:
    def read_all(folder: Path) -> None:
        for path in folder.iterdir():
            read(path)

    return read_all


_EGMD = (
    "drummer,session,id,style,bpm,beat_type,time_signature,duration,split,midi_filename,"
    "audio_filename,kit_name\n"
    "d1,s,p1,rock,120,beat,4-4,2.0,train,a.mid,a.wav,Jazz\n"
    "d1,s,p2,rock,90,fill,4-4,2.0,test,b.mid,b.wav,Jazz\n"
)
_GMD = "\n".join(",".join(c for i, c in enumerate(row.split(",")) if i != 11)
                 for row in _EGMD.splitlines())  # fmt: skip


def _open_csv(kind: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        dataset = open_dataset(next(folder.iterdir()), kind=kind)  # type: ignore[arg-type]
        return select(dataset, max_takes=1, stratify=["drummer", "style", "kit"]).fingerprint()

    return read


_KITS = """[[kit]]
name = "Jazz"
oneshots = "jazz"
gain = 0.5
[[kit]]
name = "Font"
soundfont = "a.sf2"
bank = 128
program = 32
channel = 10
remap = { 22 = 42, 26 = 46 }
[[kit]]
name = "Random"
random = "0-3"
"""
_MAP = (
    'base = "gm"\nhat_pedal = "cc4"\npedal_down = "low"\nclosed_at = 90\n[pitches]\n36 = "kick"\n'
    '38 = "snare"\n42 = "hat_closed"\n'
)


def _kits(folder: Path) -> None:
    (folder / "a.sf2").write_bytes(b"sfbk")
    (folder / "kits.toml").write_text(_KITS)


def _recipe(folder: Path) -> None:
    (folder / "base.toml").write_text(
        '[dataset]\nkind = "egmd"\nmax_takes = 10\n[cache]\ncodec = "dac"\n[eval]\nbeats = 4\n'
    )
    (folder / "recipe.toml").write_text(
        'base = "base.toml"\n[train]\npreset = "tiny"\nseed = 3\nkits = ["a"]\nema = 0.9\n'
        "[train.model_args]\nlayers = 2\n"
    )


def _read_recipe(folder: Path) -> None:
    found = read_recipe(folder / "recipe.toml")
    make_config(settings={**found.get("train", {}), "cache": "c", "out": "o"})


def _oneshots(folder: Path) -> None:
    for name in ("kick.wav", "snare_064.wav", "snare.wav", "hat_closed_p42.flac"):
        soundfile.write(folder / name, np.hanning(500), 44100)


def _cache(folder: Path) -> None:
    make_cache(folder / "cache", performances=3, seconds=2.0)


def _read_cache(folder: Path) -> None:
    cache = Cache.open(folder / "cache")
    for entry in cache.entries:
        codes, performance = cache.codes(entry), cache.performance(entry)
        if codes.shape != (cache.num_codebooks, entry.num_frames):
            raise Odd("codes of another shape than the index says")
        performance.seconds_to_beats(1.0)
    cut_clips(cache)
    cache.vocabularies(), cache.skipped(), cache.verify()
    inspect_path(folder / "cache")


def mend_cache(folder: Path, rng: Random) -> None:
    """Most of the time the sums in cache.json become those of the files that are there."""
    path = folder / "cache" / "cache.json"
    try:
        header = json.loads(path.read_bytes())
        if rng.random() < 0.8:
            for name, facts in header["files"].items():
                file = folder / "cache" / name
                facts.update(bytes=file.stat().st_size, sha256=sha256_of_file(file))
            path.write_text(json.dumps(header))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError, OSError):
        return


def _begun(folder: Path) -> None:
    """A build that was interrupted in its fourth take, and what it would have become."""
    dataset = make_dataset(folder / "data", count=2)
    build_cache(dataset, ToyCodec(), folder / "whole", device="cpu")
    codec, done = ToyCodec(), []
    encode = codec.encode

    def encode_three(audio: torch.Tensor) -> torch.Tensor:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(audio)
        return encode(audio)

    codec.encode = encode_three  # type: ignore[method-assign]
    with contextlib.suppress(KeyboardInterrupt):
        build_cache(dataset, codec, folder / "cache", device="cpu")


def _resume(folder: Path) -> None:
    dataset = make_dataset(folder / "data", count=2)
    build_cache(dataset, ToyCodec(), folder / "cache", device="cpu")
    if files_of(folder / "cache") != files_of(folder / "whole"):
        raise Odd("the cache differs from a clean one")


_MODEL = {"dim": 16, "layers": 1, "heads": 1, "head_dim": 16, "conv_kernel": 3}


def _config(folder: Path) -> TrainConfig:
    return TrainConfig(
        str(folder / "cache"), str(folder / "run"), batch_size=2, max_steps=1, eval_clips=1,
        context_sec=0.1, threads=1, device="cpu", model_args=_MODEL,
    )  # fmt: skip


def _run(folder: Path) -> None:
    make_cache(folder / "cache", performances=3, seconds=2.0)
    train(_config(folder))


def _read_checkpoint(folder: Path) -> None:
    load_checkpoint(folder / "run" / "best.safetensors", registry=Registry())
    inspect_path(folder / "run" / "best.safetensors")


def _read_run(folder: Path) -> None:
    train(_config(folder))
    inspect_path(folder / "run" / "state.safetensors")


def _evaluations(folder: Path) -> None:
    write_evaluation(folder / "a", {"one": 0.8, "two": 0.7}, clips=12)
    write_evaluation(folder / "b", {"three": 0.6}, clips=12)


def _read_evaluations(folder: Path) -> None:
    found = Evaluation.open(folder / "a")
    for system in found.systems:
        found.clip_figures(system)
    found.kept()
    compare_evaluations([folder / "a", folder / "b"])


def _whole_evaluation(folder: Path) -> None:
    """One with audio, and the votes of a listener."""
    with toy_plugin_installed(folder):
        data = make_toy_dataset(folder / "data", train=1, test=1, end_sec=2.0)
        build_cache(open_dataset(data), ToyCodec(), folder / "cache", device="cpu")
        checkpoint = save_toy_checkpoint(folder / "best.safetensors")
        evaluate(
            [SystemSpec("one", checkpoint, folder / "cache")], folder / "eval", dataset=data,
            device="cpu", rows=("oracle", "silence"), long_items=0,
        )  # fmt: skip
    found = Evaluation.open(folder / "eval")
    _, kept = found.kept()
    test = listening.test_id(found)
    ratings = [
        {"stimulus": listening.stimulus_id(test, clip.index, row), "score": 50}
        for clip in (kept.clips if kept else ())
        for row in clip.rows
    ]
    whole = {"format": listening.FORMAT, "version": listening.VERSION, "test": test}
    text = json.dumps({**whole, "listener": "x", "ratings": ratings})
    (folder / "votes.json").write_text(text)


def _report(folder: Path) -> None:
    write_report([folder / "eval"], folder / "report.html", votes=[folder / "votes.json"])
    (folder / "report.html").unlink()


def _votes(folder: Path) -> None:
    read_votes([folder / "votes.json"], [Evaluation.open(folder / "eval")])


def _synth(folder: Path) -> None:
    (folder / "midi").mkdir()
    (folder / "midi" / "a.mid").write_bytes(GROOVE)
    synthesize(folder / "midi", "jazz", folder / "out", workers=1)


class _Sums(Embedding):
    """Sums of a clip's quarters."""

    embedding_id = "sums"
    sample_rate = 8000
    license = "MIT"
    keep_vectors = True

    @property
    def weights_sha(self) -> str:
        return "0" * 64

    @property
    def dim(self) -> int:
        return 4

    def embed(self, audio: np.ndarray) -> np.ndarray:
        return audio.reshape(4, -1).sum(axis=1, dtype=np.float32)[None]


def _vectors(folder: Path) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, 4000).astype(np.float32)
    said: list[str] = []
    cache = VectorCache(_Sums(), 8000, "cpu", said.append, folder / "v.sqlite3")
    if not np.array_equal(cache.vectors(audio, _Sums().embed), _Sums().embed(audio)):
        raise Odd("vectors of something else")


TARGETS = (
    Target("vector_cache", _vectors, ("*.sqlite3",), _vectors),
    Target("midi", _write("a.mid", GROOVE), ("*",), _each(load_midi), share=3),
    Target("midi_gmd", lambda f: shutil.copy(sorted((DATA / "groove").rglob("*.mid"))[0], f)
           and None, ("*",), _each(load_midi)),
    Target("audio", _audio, ("*",), _read_audio, share=2),
    Target("verify_take", _take, ("*",), _verify_take),
    Target("scores", _scores, ("*",), _each(load_performance), share=0.5),
    Target("egmd_csv", _write("e.csv", _EGMD), ("*",), _open_csv("egmd")),
    Target("gmd_csv", _write("info.csv", _GMD), ("*",), _open_csv("gmd")),
    Target("drum_map", _write("map.toml", _MAP), ("*",), _each(load_drum_map)),
    Target("kits_toml", _kits, ("kits.toml",), lambda f: kit_specs(f / "kits.toml")),
    Target("recipe", _recipe, ("*",), _read_recipe, share=2),
    Target("systems_file", _write("s.txt", "a:b.safetensors:c\nb:d.safetensors:e:dac # x\n"),
           ("*",), _each(read_systems_file), share=0.5),
    Target("votes", _whole_evaluation, ("votes.json",), _votes),
    Target("oneshots", _oneshots, ("*",), load_kit, share=0.5),
    Target("cache", _cache, ("cache/*.*",), _read_cache, mend_cache, share=3),
    Target("tensors", _cache, ("cache/codes-*",),
           lambda f: read_header(f / "cache" / "codes-00000.safetensors").arrays()),
    Target("cache_resume", _begun, ("cache/building/*",), _resume, share=0.3),
    Target("checkpoint", _run, ("run/best.safetensors",), _read_checkpoint, share=2),
    Target("train_state", _run, ("run/state.safetensors", "run/config.toml"), _read_run, share=0.5),
    Target("evaluation", _evaluations, ("a/*",), _read_evaluations, share=2),
    Target("report", _whole_evaluation, ("eval/*", "eval/preds/preds.json"), _report, share=0.2),
    Target("synth_state", _synth, ("out/synth.json", "out/*.csv"),
           lambda f: synthesize(f / "midi", "jazz", f / "out", workers=1)),
)  # fmt: skip
