"""The sampler as a render engine: one-shots of a kit, no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midigroove_core.drums import load_drum_map
from midigroove_core.kits import sampler
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import Kit
from midigroove_core.kits.positions import pan_gains
from midigroove_core.kits.remap import kit_substitutes
from midigroove_core.kits.round_robin import varied
from midigroove_core.midi import DrumPerformance
from midigroove_core.names import listed
from midigroove_core.progress import Progress
from midigroove_core.rendering.config import (
    BLOCK_SAMPLES,
    RenderConfig,
    Rendered,
    num_output_samples,
)


class SamplerEngine:
    """Plays performances with a sampled kit.

    Args:
        config: `kit`, `vary`, `stereo`, `drum_map`, `seed` and `tail_sec` are used;
            without a kit the first that ships plays.
        kit: one that is loaded, instead.

    Raises:
        InputError: no such kit; says which there are.
    """

    def __init__(self, config: RenderConfig, progress: Progress, *, kit: Kit | None = None) -> None:
        if kit is not None:
            self._kit = kit
        elif config.like is not None:
            self._kit = _kit_like(config.like, config, progress)
        else:
            name = config.kit if config.kit is not None else list_kits()[0].id
            self._kit = load_kit(name, stereo=config.stereo is not None)
        if config.vary:
            self._kit = varied(self._kit)
        self._config = config
        self.drum_map = config.read_drum_map() or load_drum_map()
        self.kit = self._kit.name
        self.level_kit: str | None = None
        if self._kit.read_as:
            progress.message(f"{config.kit}: read as drums: {listed(self._kit.read_as, 8)}")
        if self._kit.unread:
            progress.message(
                f"{config.kit}: not read, being no wav or flac files that name another drum: "
                f"{listed(self._kit.unread, 8)}"
            )
        self.sample_rate = config.sample_rate or self._kit.sample_rate
        self.groups = tuple(sampler.STEMS)
        self._pan = None if config.stereo is None else pan_gains(config.stereo)
        self.channels = 1 if self._pan is None else 2

    def play(
        self, performance: DrumPerformance, progress: Progress, *, rounds: int = 1
    ) -> Rendered:
        """See `Engine.play`; the sampler resamples its one-shots, so the rate is the final one."""
        seconds = performance.end_sec + self._config.tail_sec
        length = num_output_samples(seconds, self.sample_rate)
        blocks = self.play_blocks(performance, length, progress, rounds=rounds)
        return Rendered(np.concatenate(list(blocks), axis=1), self.sample_rate)

    def play_blocks(
        self,
        performance: DrumPerformance,
        num_samples: int,
        progress: Progress,
        *,
        groups: bool = False,
        rounds: int = 1,
    ) -> Iterator[NDArray[np.float32]]:
        """See `BlockEngine.play_blocks`."""
        self._say_substitutes(performance, progress)
        return sampler.render_blocks(
            performance,
            self._kit,
            num_samples,
            sample_rate=self.sample_rate,
            drum_map=self.drum_map.plain,
            stems=groups,
            pan=self._pan,
            block_samples=BLOCK_SAMPLES,
            seed=self._config.seed,
            rounds=rounds,
        )

    def _say_substitutes(self, performance: DrumPerformance, progress: Progress) -> None:
        line = kit_substitutes(performance, self._kit, self.drum_map).line(f"kit {self.kit}")
        if line is not None:
            progress.message(line)


def _kit_like(recording: Path, config: RenderConfig, progress: Progress) -> Kit:
    from midigroove_core.recordings.like import kit_like

    found, heard = kit_like(recording, config.like_midi, drum_map=config.read_drum_map())
    for line in heard.doubts:
        progress.message(line)
    drums = ", ".join(f"{d.articulation} ({d.hits})" for d in found.drums)
    progress.message(f"{recording}: {heard.how}; cut {drums}")
    if found.borrowed:
        progress.message(found.borrowed)
    return found.kit
