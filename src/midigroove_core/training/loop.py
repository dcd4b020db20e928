"""The training loop."""

from __future__ import annotations

import math
import time
from contextlib import closing, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from midigroove_core.allocator import keep_freed_memory
from midigroove_core.atomic import write_json
from midigroove_core.cache import Cache
from midigroove_core.cache.clips import vocabularies_of
from midigroove_core.checkpoint import CodecPart, TrainedWindow, save_checkpoint
from midigroove_core.device import choose_device
from midigroove_core.errors import MidigrooveError, StoppedEarly
from midigroove_core.lock import lock_folder
from midigroove_core.progress import Progress, Silent
from midigroove_core.registry import Registry
from midigroove_core.training.baselines import code_baselines
from midigroove_core.training.batches import make_batches, read_ahead
from midigroove_core.training.config import TrainConfig, TrainResult
from midigroove_core.training.distributed import Cut, Ranks, joined, restarted
from midigroove_core.training.measure import validate
from midigroove_core.training.record import (
    SUMMARY,
    check_place,
    make_row,
    open_run,
    story,
    write_measurements,
)
from midigroove_core.training.schedule import done_share, learning_rate, outlook
from midigroove_core.training.starting import new_model
from midigroove_core.training.state import TrainState
from midigroove_core.training.step import Stepper
from midigroove_core.training.stopping import StopRequest, stop_request
from midigroove_core.training.watch import Watchers
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
    with joined(choose_device(config.device)) as ranks:
        told = progress if progress and ranks.first else Silent()
        # All that can be wrong is found before the folder is touched.
        trainer = Trainer(config, told, began, ranks)
        with lock_folder(out, "training run") if ranks.first else nullcontext():
            raised = ""
            if ranks.first:
                raised = open_run(out, config, overwrite=overwrite and not restarted())
            with trainer.watchers:
                trainer.resume(raised)
                trainer.fit()
            return trainer.result()


class Trainer:
    """Everything a run needs: data, model, state."""

    def __init__(self, config: TrainConfig, progress: Progress, began: float, ranks: Ranks) -> None:
        self.config, self.progress, self.ranks = config, progress, ranks
        self._began = began
        self.cut = Cut.of(config.batch_size, config.accumulate, ranks)
        if config.threads:
            torch.set_num_threads(config.threads)
        self.device = choose_device(config.device)
        self.registry = Registry()
        self.cache = Cache.open(config.cache)
        ranks.check_same({"cache": self.cache.fingerprint, **config.identity()})
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
        self.batches = make_batches(
            config, self.cache, self.featurizer, model, self.windows, self.cut
        )
        model.sampling(**config.sampling)  # what does not fit is said now, not at the first save
        self.stepper = Stepper(config, self.state, self.device, ranks, self.cut)
        self.watchers = Watchers(config, progress)
        self._reserve_sec = 0.0

    @property
    def out(self) -> Path:
        """Folder of the run."""
        return Path(self.config.out)

    def resume(self, raised: str = "") -> None:
        """Goes on where the saved state ends, if there is one.

        Args:
            raised: which limits are higher than when it was saved, in words.
        """
        if not self.state.load(self.out, self.cache.fingerprint, self.ranks):
            return
        counters = self.state.counters
        self._began -= counters.elapsed_sec
        share = done_share(self.config, counters.step, counters.elapsed_sec)
        if counters.finished != "patience" and share < 1.0:
            counters.finished = ""  # it was, by a limit that is higher now
        how = outlook(self.config, counters.step, counters.finished, share, raised)
        self.progress.message(f"{self.out}: the run {how}")

    def fit(self) -> None:
        """Trains until a limit is reached, measuring and saving on the way."""
        counters, state = self.state.counters, self.state
        if counters.finished:
            return
        with stop_request() as request:
            share = self._share()
            measured = counters.rows[-1]["step"] if counters.rows else None
            if self._due(share) and measured != counters.step:
                self.measure(share)
            state.model.train()
            self._go_on(share, request)
        self.progress.finish()

    def _go_on(self, share: float, request: StopRequest) -> None:
        """Steps and measurements until one of them is the last."""
        counters = self.state.counters
        total = 100 if self.config.max_minutes else self.config.max_steps
        self.progress.start("Training", total)
        shown, live = 0, {}
        ahead = read_ahead(self.batches, counters.step, self.config.loader_workers)
        with closing(ahead):
            while not counters.finished:
                self._stop_if(request.asked)
                parts = islice(ahead, len(self.cut.mine))
                loss = self.stepper.step(parts, learning_rate(self.config, share))
                if self.stepper.skips:
                    self._say_skipped(loss)
                share = self._share()
                if self._due(share) or counters.step % _CHECK_EVERY == 0:
                    self._check(loss)
                    live = {"loss": float(f"{loss.item():.4g}")}
                now = int(share * total)
                self.progress.advance(now - shown, step=counters.step, **live)
                shown = now
                if self._due(share):
                    self.measure(share)

    def _due(self, share: float) -> bool:
        """Whether it is time to measure."""
        return share >= 1.0 or self.state.counters.step % self.config.eval_every == 0

    def _stop_if(self, asked: bool) -> None:
        """Saves and ends where any process was asked to; several look up at the same steps."""
        step = self.state.counters.step
        if self.ranks.world > 1 and step % _CHECK_EVERY:
            return
        if self.ranks.any(asked):
            means = self.state.means
            means.begin_with(self.ranks.gather(means.so_far()))
            if self.config.nonfinite == "halt":
                self._check(torch.tensor(means.so_far().get("", (0.0, 0.0))[0]))
            self._save_state()
            raise StoppedEarly(
                f"{self.out}: stopped and saved at step {step}; the same call goes on from there"
            )

    def measure(self, share: float) -> None:
        """Validates the averaged model, writes checkpoints, curves and state.

        Args:
            share: of the run that is over, in [0, 1].
        """
        began = time.perf_counter()
        state, counters, ranks = self.state, self.state.counters, self.ranks
        state.means.begin_with(ranks.gather(state.means.so_far()))
        trained = state.means.take()
        found = validate(
            state.averaged, self.batches.validation(ranks.rank, ranks.world), step=counters.step,
            seed=self.config.seed, device=self.device, autocast=self.stepper.autocast, ranks=ranks,
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
        if share >= 1.0:
            by_steps = counters.step >= self.config.max_steps
            counters.finished = "steps" if by_steps else "time"
        elif self.config.patience and counters.since_best >= self.config.patience:
            counters.finished = "patience"
        if ranks.first:
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
        write_measurements(self.out, rows)
        self._save_state()
        self.watchers.log(rows[-1])

    def _save_state(self) -> None:
        counters, limit_sec = self.state.counters, 60 * self.config.max_minutes
        if limit_sec:
            elapsed = time.perf_counter() - self._began
            # What was kept in reserve for the last measurement is used up, too.
            counters.elapsed_sec = max(elapsed, limit_sec * (counters.finished == "time"))
        if self.ranks.first:
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
            steps_per_sec=self.stepper.steps / self.stepper.seconds if self.stepper.steps else 0.0,
        )
        paths = {name: getattr(result, name).name for name in ("best", "last")}
        summary = {**vars(result), **paths}
        del summary["out"]
        # A finished run that is opened again keeps its times, if it came to write them.
        if self.ranks.first and (self.stepper.steps or not (self.out / SUMMARY).exists()):
            write_json(self.out / SUMMARY, summary)
        return result

    def _share(self) -> float:
        """How much of the run is over; the same for all processes."""
        if not self.config.max_minutes:
            return done_share(self.config, self.state.counters.step, 0.0)
        # The last measurement must fit in, too: it takes as long as the others.
        elapsed = time.perf_counter() - self._began + self._reserve_sec
        return done_share(self.config, self.state.counters.step, self.ranks.of_first(elapsed))

    def _check(self, loss: torch.Tensor) -> None:
        if not torch.isfinite(loss) and not self.stepper.skips:
            raise MidigrooveError(
                f"{self.out}: the loss is {loss.item()} at step {self.state.counters.step}; "
                f"the saved state is from before: use a lower `learning_rate` with `overwrite`, or "
                f"`nonfinite` skip"
            )

    def _say_skipped(self, loss: torch.Tensor) -> None:
        step = self.state.counters.step - 1
        if self.stepper.skips == 1:
            self.progress.message(f"step {step}: loss or gradients are not finite; left out")
        if self.stepper.skips >= _MOST_SKIPS:
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
