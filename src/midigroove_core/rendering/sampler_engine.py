"""The sampler as a render engine: one-shots of a kit, no torch."""

from __future__ import annotations

from midigroove_core.drums import load_drum_map
from midigroove_core.kits import sampler
from midigroove_core.kits.library import list_kits, load_kit
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

    def __init__(self, config: RenderConfig) -> None:
        name = config.kit if config.kit is not None else list_kits()[0].id
        self._kit = load_kit(name)
        self._config = config
        self._drum_map = config.read_drum_map() or load_drum_map("roland_td")
        self.kit = self._kit.name
        self.sample_rate = config.sample_rate or self._kit.sample_rate

    def play(self, performance: DrumPerformance, progress: Progress) -> Rendered:
        """See `Engine.play`; the sampler resamples its one-shots, so the rate is the final one."""
        seconds = performance.end_sec + self._config.tail_sec
        audio = sampler.render(
            performance,
            self._kit,
            sample_rate=self.sample_rate,
            drum_map=self._drum_map,
            num_samples=num_output_samples(seconds, self.sample_rate),
        )
        return Rendered(audio, self.sample_rate)
