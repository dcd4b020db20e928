"""A page on which renders are heard side by side: one file on several kits, by both engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from midigroove_core.atomic import write_text
from midigroove_core.audio import Audio, downmix
from midigroove_core.drums import load_drum_map
from midigroove_core.errors import InputError
from midigroove_core.kits.library import list_kits
from midigroove_core.loudness import clip_lufs, matching_gain
from midigroove_core.performance import DrumPerformance
from midigroove_core.progress import Progress, Silent
from midigroove_core.rendering.config import ENGINES, Engine, RenderConfig, for_engine, make_config
from midigroove_core.rendering.render import from_performance, open_engine, read_drums, read_file
from midigroove_core.report.clips import picture
from midigroove_core.report.media import describe_audio
from midigroove_core.report.page import json_for_script
from midigroove_core.report.templates import render

ALL = "all"
BOTH = "both"


def write_renders_page(
    paths: Sequence[Path], out: Path, settings: Mapping[str, Any], progress: Progress
) -> Path:
    """Renders files with several kits or engines and writes one HTML file to hear them in.

    Args:
        paths: MIDI files or scores.
        out: the page; replaced if there.
        settings: of `make_config`; `engine` may be "both", and `kit` "all" or names with commas.
            What an engine has no use for is left out of its rows.
        progress: told about each row.

    Raises:
        InputError: a file or a kit that cannot be used.
    """
    performances: dict[Path, DrumPerformance] = {}
    rows: dict[Path, dict[str, tuple[Audio, int]]] = {path: {} for path in paths}
    for name, config, engine in _engines(settings, progress):
        for path in paths:
            if path not in performances:
                performances[path] = read_file(path, config, progress)
            rendered = from_performance(performances[path], config, engine=engine)
            rows[path][name] = (rendered.audio, rendered.sample_rate)
        progress.message(f"rendered {name}")
    clips, data = [], {}
    for number, path in enumerate(paths, 1):
        clip = _clip(path, performances[path], rows[path], settings)
        data[str(number)] = {
            "duration_sec": clip["duration_sec"],
            "rows": {n: {"peaks": row["peaks"], "figures": []} for n, row in clip["rows"].items()},
        }
        clips.append(clip)
    text = render(
        "renders.html.j2", title="Renders", clips=clips, data=Markup(json_for_script(data))
    )
    write_text(out, text)
    return out


def _engines(
    settings: Mapping[str, Any], progress: Progress
) -> Iterator[tuple[str, RenderConfig, Engine]]:
    """Name, settings and engine of each row; a model is loaded once for all of its kits."""
    asked = settings.get("engine") or "model"
    kits = settings.get("kit")
    for engine in ENGINES if asked == BOTH else (asked,):
        own = for_engine({**settings, "engine": engine, "kit": None}, engine)
        load = _LoadedModel(own) if engine == "model" else None
        if kits == ALL:
            named: list[str | None] = [*(load.kits if load else (k.id for k in list_kits()))]
        else:
            named = [None] if kits is None else [name.strip() for name in kits.split(",")]
        for kit in named:
            config = make_config({**own, "kit": kit})
            opened = load.open(config, progress) if load else open_engine(config, progress)
            yield f"{engine}, {opened.kit}", config, opened


class _LoadedModel:
    """A loaded model that opens engines."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        from midigroove_core.rendering.model_engine import load_model

        self._checkpoint, self._codec = load_model(make_config(settings))
        self.kits = self._checkpoint.vocabularies.get("kit", ())

    def open(self, config: RenderConfig, progress: Progress) -> Engine:
        from midigroove_core.rendering.model_engine import ModelEngine

        return ModelEngine(config, self._checkpoint, self._codec, progress)


def _clip(
    path: Path,
    performance: DrumPerformance,
    rows: Mapping[str, tuple[Audio, int]],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """What the page's template and its player need of a file."""
    if not rows:
        raise InputError(f"{path}: there is nothing to render it with")
    drum_map = load_drum_map(settings["drum_map"]) if settings.get("drum_map") else load_drum_map()
    read = read_drums(performance, drum_map, False, Silent())
    duration_sec = min(audio.shape[1] / rate for audio, rate in rows.values())
    beats = np.arange(int(performance.seconds_to_beats(duration_sec)) + 1)
    clip = {
        "title": f"{path.name} · {performance.mean_bpm:.0f} bpm",
        "clip": str(path),
        "duration_sec": round(duration_sec, 6),
        "hits": [
            (float(second), str(drum_map.articulation(pitch)), int(velocity))
            for second, pitch, velocity in zip(
                read.onset_sec, read.pitch.tolist(), read.velocity.tolist(), strict=True
            )
        ],
        "beats_sec": [float(second) for second in performance.beats_to_seconds(beats)],
        "rows": _equally_loud(rows),
    }
    return {**clip, **picture(clip)}


def _equally_loud(rows: Mapping[str, tuple[Audio, int]]) -> dict[str, dict[str, Any]]:
    """The rows at the loudness of the softest, so that none clips, and described for the page."""
    heard = {name: clip_lufs(downmix(audio), rate) for name, (audio, rate) in rows.items()}
    target = min((lufs for lufs in heard.values() if np.isfinite(lufs)), default=-np.inf)
    loud = {
        name: audio * np.float32(matching_gain(heard[name], target))
        for name, (audio, _) in rows.items()
    }
    peak = max(float(np.abs(audio).max(initial=0.0)) for audio in loud.values())
    scale = np.float32(0.98 / peak if peak > 0.98 else 1.0)
    return {name: describe_audio(audio * scale, rows[name][1]) for name, audio in loud.items()}
