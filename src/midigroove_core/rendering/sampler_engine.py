"""The sampler as a render engine: one-shots of a kit, no torch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from midigroove_core.drums import load_drum_map
from midigroove_core.kits import sampler
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.kits.oneshots import Kit
from midigroove_core.midi import DrumPerformance
from midigroove_core.progress import Progress
from midigroove_core.rendering.config import RenderConfig, Rendered, num_output_samples


class SamplerEngine:
    """Plays performances with a sampled kit.

    Args:
        config: `kit`, `drum_map` and `tail_sec` are used; the first shipped kit when none is named.

    Raises:
        InputError: no such kit; says which there are.
    """

    def __init__(self, config: RenderConfig, progress: Progress) -> None:
        if config.like is not None:
            self._kit = _kit_like(config.like, config, progress)
        else:
            self._kit = load_kit(config.kit if config.kit is not None else list_kits()[0].id)
        self._config = config
        self._drum_map = config.read_drum_map() or load_drum_map("roland_td")
        self.kit = self._kit.name
        self.sample_rate = config.sample_rate or self._kit.sample_rate

    def play(self, performance: DrumPerformance, progress: Progress) -> Rendered:
        """See `Engine.play`; the sampler resamples its one-shots, so the rate is the final one."""
        self._say_silent(performance, progress)
        seconds = performance.end_sec + self._config.tail_sec
        audio = sampler.render(
            performance,
            self._kit,
            sample_rate=self.sample_rate,
            drum_map=self._drum_map,
            num_samples=num_output_samples(seconds, self.sample_rate),
        )
        return Rendered(audio, self.sample_rate)

    def _say_silent(self, performance: DrumPerformance, progress: Progress) -> None:
        """A line about the hits that this kit has no sound for."""
        drums = [(self._drum_map.articulation(p), int(p)) for p in performance.pitch]
        silent = Counter(name for name, p in drums if self._kit.voice(name, p) is None)
        if silent:
            listed = ", ".join(f"{count} {name}" for name, count in sorted(silent.items()))
            progress.message(f"no sound in the kit {self.kit}: {listed}")


def _kit_like(recording: Path, config: RenderConfig, progress: Progress) -> Kit:
    from midigroove_core.rendering.like import kit_like

    found = kit_like(recording, config.like_midi, drum_map=config.read_drum_map())
    if found.doubt is not None:
        progress.message(found.doubt)
    how = "heard, without MIDI" if found.transcribed else f"at {found.offset_sec:.3f} s of its MIDI"
    drums = ", ".join(f"{d.articulation} ({d.hits})" for d in found.cut.drums)
    progress.message(f"{recording}: {how}; cut {drums}")
    return found.cut.kit
