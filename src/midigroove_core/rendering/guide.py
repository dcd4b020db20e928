"""Who shows how a model's mix is taken apart (`parting`): a sampler with the kit of the mix."""

from __future__ import annotations

from midigroove_core.audio import Audio, downmix
from midigroove_core.drums import DrumMap
from midigroove_core.kits import sampler
from midigroove_core.kits.cut import cut_kit
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.rendering.config import Engine, RenderConfig
from midigroove_core.rendering.sampler_engine import SamplerEngine


def open_guide(
    mix: Audio,
    sample_rate: int,
    audible: DrumPerformance,
    config: RenderConfig,
    engine: Engine,
    progress: Progress,
) -> tuple[RenderConfig, SamplerEngine]:
    """A sampler that plays what a model has played, and the settings to play it with.

    Its kit is the one that ships under the name of the model's, else one cut out of the mix.

    Args:
        mix: [C, S] as it will be written.
        sample_rate: of the mix.
        audible: the performance in it.
        config, engine: what it was rendered with.
        progress: told where the kit is from.

    Raises:
        InputError: the kit does not ship, and nothing is heard in the mix.
    """
    stereo = config.stereo if len(mix) == 1 else None
    settings = RenderConfig(
        engine="sampler", swing=config.swing, velocity_curve=config.velocity_curve,
        humanize=config.humanize, tail_sec=config.tail_sec, loop=config.loop, bars=config.bars,
        seed=config.seed, sample_rate=sample_rate, stereo=stereo,
    )  # fmt: skip
    shipped = {info.id for info in list_kits()}
    name = engine.kit.casefold()
    if config.like is None and name in shipped:
        kit = load_kit(name)
    else:
        progress.message(
            f"kit {engine.kit} does not ship: its drums are told apart by one cut here"
        )
        kit = cut_kit(downmix(mix), sample_rate, audible, drum_map=engine.drum_map).kit
    guide = SamplerEngine(settings, Silent(), kit=kit)
    guide.drum_map = engine.drum_map
    return settings, guide


def groups_present(performance: DrumPerformance, drum_map: DrumMap) -> list[bool]:
    """For each stem whether it has a hit."""
    names = {drum_map.articulation(pitch) for pitch in set(performance.pitch.tolist())}
    return [any(name in names for name in members) for members in sampler.STEMS.values()]
