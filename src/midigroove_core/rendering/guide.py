"""Who shows how a model's mix is taken apart (`parting`), and how loud its hits are (`levels`): a
sampler with the kit of the mix."""

from __future__ import annotations

from midigroove_core.audio import Audio, downmix
from midigroove_core.drums import DrumMap
from midigroove_core.kits import sampler
from midigroove_core.kits.library import list_kits, load_kit
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.rendering.config import Engine, RenderConfig
from midigroove_core.rendering.levels import Windows, leveled
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
        from midigroove_core.kits.cut import cut_kit  # scipy.signal takes its time

        kit = cut_kit(downmix(mix), sample_rate, audible, drum_map=engine.drum_map).kit
    guide = SamplerEngine(settings, Silent(), kit=kit)
    guide.drum_map = engine.drum_map
    return settings, guide


def leveled_by_kit(
    audio: Audio, sample_rate: int, performance: DrumPerformance, engine: Engine
) -> Audio:
    """What an engine has played, each hit as loud as the sampler plays it on `engine.level_kit`.

    Args:
        audio: [C, S] of the performance; given back as it is where the engine has no such kit.
        sample_rate: of the audio.
        performance: read with the engine's drum map, and touched.
        engine: which one.
    """
    if engine.level_kit is None:
        return audio
    settings = RenderConfig(engine="sampler", sample_rate=sample_rate)
    guide = SamplerEngine(settings, Silent(), kit=load_kit(engine.level_kit))
    guide.drum_map = engine.drum_map
    names = [engine.drum_map.articulation(pitch) for pitch in performance.pitch.tolist()]
    windows = [
        Windows.of(performance.onset_sec[[name in members for name in names]], sample_rate)
        for members in sampler.STEMS.values()
    ]
    blocks = guide.play_blocks(performance, audio.shape[1], Silent(), groups=True)
    return leveled(audio, blocks, windows, sample_rate)


def groups_present(performance: DrumPerformance, drum_map: DrumMap) -> list[bool]:
    """For each stem whether it has a hit."""
    names = {drum_map.articulation(pitch) for pitch in set(performance.pitch.tolist())}
    return [any(name in names for name in members) for members in sampler.STEMS.values()]
