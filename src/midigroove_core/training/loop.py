"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from midigroove_core.allocator import keep_freed_memory
from midigroove_core.atomic import write_json
from midigroove_core.cache import Cache
from midigroove_core.cache.clips import vocabularies_of
from midigroove_core.checkpoint import CodecPart, TrainedWindow, save_checkpoint
from midigroove_core.device import choose_device
from midigroove_core.errors import MidigrooveError, PluginError
from midigroove_core.interfaces.batch import GridBatch
from midigroove_core.interfaces.model import Loss
from midigroove_core.interfaces.model_checks import check_loss
from midigroove_core.lock import lock_folder
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.training.baselines import code_baselines
from midigroove_core.training.batches import make_batches, read_ahead
from midigroove_core.training.config import TrainConfig, TrainResult
from midigroove_core.training.measure import Means, validate
from midigroove_core.training.record import (
    STATE,
    SUMMARY,
    check_place,
    make_row,
    open_run,
    story,
    write_measurements,
)
from midigroove_core.training.schedule import done_share, learning_rate
from midigroove_core.training.starting import new_model
from midigroove_core.training.state import TrainState
from midigroove_core.training.windows import make_windows

_MOST_SKIPS = 100
"""Steps in a row that may be left out before the run counts as lost."""

_CHECK_EVERY = 10
"""Steps between looks at the loss; each look makes a GPU wait."""


def run(
    config: TrainConfig, progress: Progress | None = None, *, overwrite: bool = False
) -> TrainResult:
    """See `midigroove_core.training.train`."""
    began = time.perf_counter()
    out = Path(config.out)
    check_place(out)
    keep_freed_memory()
    # All that can be wrong is found before the folder is touched.
    trainer = Trainer(config, progress or Silent(), began)
    with lock_folder(out, "training run"):
        open_run(out, config, overwrite=overwrite)
        if (out / STATE).exists():
            trainer.resume()
        trainer.fit()
        return trainer.result()


class Trainer:
    """Everything a run needs: data, model, state."""

    def __init__(self, config: TrainConfig, progress: Progress, began: float) -> None:
        self.config, self.progress = config, progress
        self._began = began
        if config.threads:
            torch.set_num_threads(config.threads)
        self.device = choose_device(config.device)
        self.registry = Registry()
        self.cache = Cache.open(config.cache)
        self.windows = make_windows(self.cache, config)
        entries = [self.cache.entries[clip.entry_index] for clip in self.windows.train]
        names = vocabularies_of(entries, unnamed_kits=config.unnamed_kits)
        featurizer_class = self.registry.load("featurizer", config.featurizer)
        self.featurizer = featurizer_class.from_config(config.featurizer_args)
        self.baselines = code_baselines(self.cache, self.windows.train, self.windows.valid)
        model = new_model(
            config, self.cache, self.featurizer, names, self.baselines,
            registry=self.registry, progress=progress,
        )  # fmt: skip
        self.state = TrainState(model.to(self.device), config)
        self.batches = make_batches(config, self.cache, self.featurizer, model, self.windows)
        model.sampling(**config.sampling)  # what does not fit is said now, not at the first save
        self._loss = torch.compile(model.loss, dynamic=True) if config.compile else model.loss
        self._reserve_sec = 0.0
        self._skips_in_a_row = 0
        self._train_sec, self._train_steps = 0.0, 0

    @property
    def out(self) -> Path:
        """Folder of the run."""
        return Path(self.config.out)

    def resume(self) -> None:
        """Goes on where the saved state ends."""
        self.state.load(self.out, self.cache.fingerprint)
        counters = self.state.counters
        self._began -= counters.elapsed_sec
        again = "is finished" if counters.finished else "goes on"
        self.progress.message(f"{self.out}: the run {again} at step {counters.step}")

    def fit(self) -> None:
        """Trains until a limit is reached, measuring and saving on the way."""
        counters = self.state.counters
        if counters.finished:
            return
        if not counters.rows:
            self.measure({})
        self.state.model.train()
        total = 100 if self.config.max_minutes else self.config.max_steps
        self.progress.start("Training", total)
        shown = 0
        means = Means()
        for batch in read_ahead(self.batches, counters.step, self.config.loader_workers):
            share = self._share()
            loss = self.step(batch, learning_rate(self.config, share))
            if not self._skips_in_a_row:
                means.add({"": loss.total, **loss.logs})
            share = self._share()
            if counters.step % _CHECK_EVERY == 0:
                self._check(loss.total)
            now = int(share * total)
            self.progress.advance(now - shown, step=counters.step)
            shown = now
            if share >= 1.0 or counters.step % self.config.eval_every == 0:
                self._check(loss.total)
                self.measure(means.take())
            if counters.finished:
                break
        self.progress.finish()

    def step(self, batch: GridBatch, rate: float) -> Loss:
        """One step; returns the loss."""
        counters, optimizer, config = self.state.counters, self.state.optimizer, self.config
        began = time.perf_counter()
        # The seed of dropout depends on the step alone, so that a resumed run draws the same.
        torch.manual_seed((config.seed * 1_000_003 + counters.step) % 2**63)
        for group in optimizer.param_groups:
            group["lr"] = rate
        with self._autocast():
            loss = check_loss(self.state.model, self._loss(batch.to(self.device), counters.step))
        if not loss.total.requires_grad:
            raise PluginError(f"model {config.model}: loss: total does not depend on its weights")
        loss.total.backward()
        largest = config.clip_norm or math.inf
        if config.clip_norm or config.nonfinite == "skip":
            parameters = self.state.model.parameters()
            norm = torch.nn.utils.clip_grad_norm_(parameters, largest)
        if config.nonfinite == "skip" and not torch.isfinite(loss.total.detach() + norm):
            self._skip(loss.total)
        else:
            self._skips_in_a_row = 0
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        counters.step += 1
        if not self._skips_in_a_row:
            self.state.average()
        self._train_sec += time.perf_counter() - began
        self._train_steps += 1
        return loss

    def measure(self, trained: dict[str, float]) -> None:
        """Validates the averaged model, writes checkpoints, curves and state."""
        began = time.perf_counter()
        state, counters = self.state, self.state.counters
        found = validate(
            state.averaged, self.batches.validation(),
            loss=state.averaged.loss, step=counters.step, seed=self.config.seed,
            device=self.device, autocast=self._autocast,
        )  # fmt: skip
        finite = math.isfinite(found.value)
        if not finite and (self.config.nonfinite == "halt" or not counters.rows):
            raise MidigrooveError(
                f"{self.out}: the validation loss is {found.value} at step {counters.step}; "
                f"the saved state is from before: use a lower `learning_rate` with `overwrite`, or "
                f"`nonfinite` skip"
            )
        counters.rows.append(
            make_row(
                step=counters.step,
                epoch=counters.step / self.windows.steps_per_epoch,
                learning_rate=state.optimizer.param_groups[0]["lr"] if counters.step else 0.0,
                trained=trained,
                found=found,
                unigram=self.baselines.unigram,
                bigram=self.baselines.bigram,
            )
        )
        better = finite and (counters.best_value is None or found.value < counters.best_value)
        counters.since_best = 0 if better else counters.since_best + 1
        if better:
            counters.best_value, counters.best_step = found.value, counters.step
        if self._share() >= 1.0:
            by_steps = counters.step >= self.config.max_steps
            counters.finished = "steps" if by_steps else "time"
        elif self.config.patience and counters.since_best >= self.config.patience:
            counters.finished = "patience"
        self.save(better)
        self.progress.message(story(counters.rows[-1]))
        state.model.train()
        self._reserve_sec = max(self._reserve_sec, time.perf_counter() - began)

    def save(self, better: bool) -> None:
        """Writes what this measurement found; the state comes last, so a killed run repeats it."""
        rows = self.state.counters.rows
        if better:
            self._save_checkpoint(self.out / "best.safetensors")
        self._save_checkpoint(self.out / "last.safetensors")
        write_measurements(self.out, rows, tensorboard=self.config.tensorboard)
        if self.config.max_minutes:
            self.state.counters.elapsed_sec = time.perf_counter() - self._began
        self.state.save(self.out, self.cache.fingerprint)

    def result(self) -> TrainResult:
        """How the run ended; also written to summary.json."""
        counters = self.state.counters
        best: dict[str, Any] = next(
            row for row in counters.rows if row["step"] == counters.best_step
        )
        result = TrainResult(
            out=self.out,
            best=self.out / "best.safetensors",
            last=self.out / "last.safetensors",
            steps=counters.step,
            skipped=counters.skipped,
            stopped_by=counters.finished,
            best_step=counters.best_step,
            valid_nll=best["valid_nll"],
            valid_loss=best["valid_loss"],
            valid_nll_per_codebook=self._per_codebook(best),
            unigram_nll_per_codebook=self.baselines.unigram,
            bigram_nll_per_codebook=self.baselines.bigram,
            minutes=(time.perf_counter() - self._began) / 60,
            steps_per_sec=self._train_steps / self._train_sec if self._train_sec else 0.0,
        )
        paths = {name: getattr(result, name).name for name in ("best", "last")}
        summary = {**vars(result), **paths}
        del summary["out"]
        # A finished run that is opened again keeps its times, if it came to write them.
        if self._train_steps or not (self.out / SUMMARY).exists():
            write_json(self.out / SUMMARY, summary)
        return result

    def _share(self) -> float:
        # Under a time limit the last measurement must fit in, too: it takes as long as the others.
        elapsed = time.perf_counter() - self._began + self._reserve_sec
        return done_share(self.config, self.state.counters.step, elapsed)

    @contextmanager
    def _autocast(self) -> Iterator[None]:
        gpu = self.device.startswith("cuda")
        able = gpu and torch.cuda.is_bf16_supported()
        wanted = {"bfloat16": True, "float32": False, "auto": able}[self.config.precision]
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=wanted):
            yield

    def _check(self, loss: torch.Tensor) -> None:
        if not torch.isfinite(loss) and not self._skips_in_a_row:
            raise MidigrooveError(
                f"{self.out}: the loss is {loss.item()} at step {self.state.counters.step}; "
                f"the saved state is from before: use a lower `learning_rate` with `overwrite`, or "
                f"`nonfinite` skip"
            )

    def _skip(self, loss: torch.Tensor) -> None:
        """Counts a step that changes nothing."""
        self.state.counters.skipped += 1
        self._skips_in_a_row += 1
        step = self.state.counters.step
        if self._skips_in_a_row == 1:
            self.progress.message(f"step {step}: loss or gradients are not finite; left out")
        if self._skips_in_a_row >= _MOST_SKIPS:
            raise MidigrooveError(
                f"{self.out}: {_MOST_SKIPS} steps in a row up to step {step} were not finite "
                f"(the loss is {loss.item()}); use a lower `learning_rate` with `overwrite`"
            )

    def _save_checkpoint(self, path: Path) -> None:
        row = self.state.counters.rows[-1]
        takes = {clip.entry_index for clip in self.windows.train}
        frames = sum(self.cache.entries[index].num_frames for index in takes)
        training = {
            "step": row["step"],
            "epoch": row["epoch"],
            "valid_nll": row["valid_nll"],
            "valid_loss": row["valid_loss"],
            "valid_nll_per_codebook": self._per_codebook(row),
            "unigram_nll_per_codebook": self.baselines.unigram,
            "bigram_nll_per_codebook": self.baselines.bigram,
            "train_takes": len(takes),
            "train_hours": float(self.cache.clock.frames_to_seconds(frames)) / 3600,
            "dataset": self.cache.header["dataset"],
            "cache_fingerprint": self.cache.fingerprint,
            "settings": self.config.identity(),
        }
        save_checkpoint(
            path,
            self.state.averaged,
            featurizer=self.featurizer,
            codec=CodecPart.of_cache(self.cache.header),
            window=TrainedWindow(self.windows.typical_frames, self.windows.context_frames),
            training=training,
            sampling=self.config.sampling,
            registry=self.registry,
        )

    def _per_codebook(self, row: dict[str, Any]) -> list[float]:
        """[K] nats per code; empty without a likelihood."""
        books = range(self.cache.num_codebooks)
        return [row[f"valid_nll_{k}"] for k in books if f"valid_nll_{k}" in row]
