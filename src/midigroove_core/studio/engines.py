"""The engines of the studio: kits and one model, kept loaded, and how they play a slot."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from midigroove_core.allocator import keep_freed_memory
from midigroove_core.checkpoint import Checkpoint
from midigroove_core.drum_reading import keep_hits
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.interfaces.codec import Codec
from midigroove_core.kits.library import list_kits
from midigroove_core.kits.sampler import STEMS
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.rendering.config import RenderConfig, Rendered, num_output_samples
from midigroove_core.rendering.output import Output, level_gain
from midigroove_core.rendering.render import fade_end, fit_length, open_played, read_drums
from midigroove_core.rendering.sampler_engine import SamplerEngine
from midigroove_core.studio.settings import Redraw, Settings
from midigroove_core.studio.takes import Take, changed_span

if TYPE_CHECKING:
    from midigroove_core.rendering.model_engine import ModelEngine

MOST_KITS = 4
"""So many kits stay loaded; a kit is some megabytes."""

HEARD_AFTER_SEC = 0.5
"""A changed hit is drawn with so much of what follows it; then the take goes on as it was."""

HEARD_BEFORE_SEC = 0.05


class Engines:
    """Plays slots; what is slow to load is loaded once. One call at a time.

    Args:
        checkpoint: of the model; None takes the one that ships.
        recordings: id of a recording -> its file.
        device: where the model runs.
    """

    def __init__(
        self, checkpoint: Path | None, recordings: dict[str, Path], device: str = "auto"
    ) -> None:
        self._path, self._recordings, self._device = checkpoint, recordings, device
        self._kits: OrderedDict[tuple[str, int, bool], SamplerEngine] = OrderedDict()
        self._model: tuple[Checkpoint, Codec] | None = None
        self._numbers = count(1)

    def describe_model(self) -> dict[str, Any]:
        """What the page offers for the model; loads it.

        Raises:
            MidigrooveError: there is none, or it cannot be loaded.
        """
        checkpoint, _ = self._loaded()
        takes_kit = "kit" in checkpoint.model.conditions
        return {
            "kits": list(checkpoint.vocabularies.get("kit", ())) if takes_kit else [],
            "temperature": checkpoint.sampling({}).temperature,
            "uses_known": checkpoint.model.uses_known,
        }

    def play(
        self,
        performance: DrumPerformance,
        settings: Settings,
        before: Take | None,
        redraw: Redraw | None,
        progress: Progress,
        lines: list[str],
    ) -> Take:
        """A take of a performance; where `before` can be gone on from, only what changed is drawn.

        Args:
            performance: every hit a drum of the default map.
            settings: of the slot.
            before: the slot's last take.
            redraw: the part to draw anew; model.
            progress: told how far it is; it may raise to stop.
            lines: what progress was told, by then.

        Raises:
            MidigrooveError: no such kit or recording; nothing to redraw.
        """
        played = settings.touched(performance)
        if settings.engine == "sampler":
            rendered = self._sampled(played, settings, progress)
            audio = rendered.audio
        else:
            played = _at_levels(played, settings)
            rendered = self._drawn(played, settings, before, redraw, progress)
            seconds, rate = played.end_sec + RenderConfig().tail_sec, rendered.sample_rate
            audio = fade_end(fit_length(rendered.audio, num_output_samples(seconds, rate)), rate)
        gain, line = level_gain(float(np.abs(audio).max(initial=0.0)), -math.inf, Output())
        if line is not None:
            audio = audio * np.float32(gain)
            lines.append(line)
        number = next(self._numbers)
        return Take(number, settings, played, rendered, audio, tuple(lines))

    def stems(self, take: Take, progress: Progress) -> dict[str, NDArray[np.float32]]:
        """Group -> audio [S] of a take by the sampler, at its levels; silent groups left out.

        Raises:
            InputError: the take is a model's, which predicts all drums at once.
        """
        if take.settings.engine != "sampler":
            raise InputError("a model predicts all drums at once: stems are the sampler's")
        groups = self._groups(take.played, take.settings, progress)
        gains = take.settings.gains()
        peak = float(np.abs(groups.sum(axis=0)).max(initial=0.0))
        gain, _ = level_gain(peak, -math.inf, Output())
        return {
            name: row * np.float32(gain)
            for name, row in zip(STEMS, groups, strict=True)
            if gains[name] > 0.0 and row.any()
        }

    def _sampled(
        self, performance: DrumPerformance, settings: Settings, progress: Progress
    ) -> Rendered:
        gains = settings.gains()
        engine, config = self._kit(settings, progress)
        if any(gain != 1.0 for gain in gains.values()):
            mix = self._groups(performance, settings, progress).sum(axis=0)[None]
        else:
            played = open_played(performance, config, engine, progress)
            mix = _collected(played.blocks, played.num_samples, progress)
        return Rendered(mix, engine.sample_rate)

    def _groups(
        self, performance: DrumPerformance, settings: Settings, progress: Progress
    ) -> NDArray[np.float32]:
        """The groups [G, S], at their levels."""
        engine, config = self._kit(settings, progress)
        played = open_played(performance, config, engine, progress, groups=True)
        rows = _collected(played.blocks, played.num_samples, progress)
        gains = settings.gains()
        return rows * np.array([[gains[name]] for name in played.groups], dtype=np.float32)

    def _drawn(
        self,
        performance: DrumPerformance,
        settings: Settings,
        before: Take | None,
        redraw: Redraw | None,
        progress: Progress,
    ) -> Rendered:
        engine = self._drawing(settings, settings.seed if redraw is None else redraw.seed, progress)
        heard = read_drums(performance, engine.drum_map, False, progress)
        kept = before if before is not None and _same_draw(before.settings, settings) else None
        if redraw is not None:
            if kept is None:
                raise InputError("play the whole once with these settings; then a bar can be drawn")
            span: tuple[float, float] | None = (redraw.start_sec, redraw.stop_sec)
        elif kept is not None:
            span = changed_span(kept.played, performance)
            if span is None:
                return kept.rendered
            span = max(0.0, span[0] - HEARD_BEFORE_SEC), span[1] + HEARD_AFTER_SEC
        if kept is None or span is None:
            return engine.play(heard, progress)
        return engine.draw_again(heard, kept.rendered, *span, progress)

    def _kit(self, settings: Settings, progress: Progress) -> tuple[SamplerEngine, RenderConfig]:
        if settings.like is not None:
            if settings.like not in self._recordings:
                raise InputError("that recording is gone; drop it again")
            name = settings.like
            config = RenderConfig(engine="sampler", like=self._recordings[name])
        else:
            known = [info.id for info in list_kits()]
            name = known[0] if settings.kit is None else settings.kit
            if name not in known:  # no folder, no font: the page opens no paths
                raise InputError(f"no kit {name!r}; there are {', '.join(known)}")
            config = RenderConfig(engine="sampler", kit=name)
        config = replace(config, vary=settings.vary, seed=settings.seed)
        key = (name, settings.seed, settings.vary)
        if key not in self._kits:
            self._kits[key] = SamplerEngine(config, progress)
            while len(self._kits) > MOST_KITS:
                self._kits.popitem(last=False)
        self._kits.move_to_end(key)
        return self._kits[key], config

    def _drawing(self, settings: Settings, seed: int, progress: Progress) -> ModelEngine:
        from midigroove_core.rendering.model_engine import ModelEngine  # torch takes its time

        checkpoint, codec = self._loaded()
        chosen = settings.temperature
        config = RenderConfig(
            checkpoint=self._path,
            kit=settings.kit,
            seed=seed,
            device=self._device,
            sampling={} if chosen is None else {"temperature": chosen},
        )
        return ModelEngine(config, checkpoint, codec, progress)

    def _loaded(self) -> tuple[Checkpoint, Codec]:
        if self._model is None:
            from midigroove_core.rendering.model_engine import load_model

            keep_freed_memory()
            config = RenderConfig(checkpoint=self._path, device=self._device)
            self._model = load_model(config)
        return self._model


def _collected(blocks: Any, num_samples: int, progress: Progress) -> NDArray[np.float32]:
    """Blocks [G, n] as one array [G, S]; a block is a step."""
    parts = []
    for block in blocks:
        parts.append(block)
        progress.advance(1)
    return np.concatenate(parts, axis=1)[:, :num_samples]


def _same_draw(one: Settings, other: Settings) -> bool:
    """Whether two settings draw the same codes of the same hits; all else changes the hits."""
    of_codes = ("engine", "kit", "temperature", "seed")
    return all(getattr(one, name) == getattr(other, name) for name in of_codes)


def _at_levels(performance: DrumPerformance, settings: Settings) -> DrumPerformance:
    """For a model, which has no groups: hits of silent groups left out, levels as velocities.

    Amplitude goes with velocity squared, as in the sampler.
    """
    gains = settings.gains()
    if all(gain == 1.0 for gain in gains.values()):
        return performance
    of_articulation = {a: gains[group] for group, names in STEMS.items() for a in names}
    drum_map = load_drum_map()
    factors = np.array([of_articulation[str(drum_map.articulation(p))] for p in performance.pitch])
    louder = np.rint(performance.velocity * np.sqrt(factors))
    scaled = replace(performance, velocity=np.clip(louder, 1, 127).astype(np.int64))
    return keep_hits(scaled, factors > 0.0)
