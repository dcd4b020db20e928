"""Makes what docs/listen.md plays and shows: docs/examples/*.ogg and groove.png.

    python tools/make_examples.py

The first bars of examples/groove.mid, as Ogg Vorbis under 100 KB each, at one loudness.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

from midigroove_core.audio import downmix
from midigroove_core.midi import load_midi
from midigroove_core.rendering.render import render
from midigroove_core.report.media import spectrogram_uri

ROOT = Path(__file__).parents[1]
SECONDS = 6.5
LUFS = -20.0
LARGEST_BYTES = 100_000

SETTINGS: dict[str, dict[str, Any]] = {
    "model_jazz": {"kit": "jazz"},
    "model_power": {"kit": "power"},
    "sampler_jazz": {"kit": "jazz", "engine": "sampler"},
    "sampler_stereo": {"kit": "power", "engine": "sampler", "stereo": "drummer"},
    "sampler_swing": {
        "kit": "tr808", "engine": "sampler", "swing": 62, "humanize": "time=6,velocity=6",
        "vary": True,
    },
}  # fmt: skip


def main() -> None:
    out = ROOT / "docs" / "examples"
    out.mkdir(exist_ok=True)
    performance = load_midi(ROOT / "examples" / "groove.mid").slice(0.0, SECONDS)
    for name, settings in SETTINGS.items():
        rendered = render(performance, tail_sec=1.0, **settings)
        path = out / f"{name}.ogg"
        rendered.save(path, lufs=LUFS)
        size = path.stat().st_size
        print(f"{path}: {size:,} bytes")
        if size > LARGEST_BYTES:
            raise SystemExit(f"{path}: larger than {LARGEST_BYTES:,} bytes")
        if name == "model_jazz":
            uri = spectrogram_uri(downmix(rendered.audio), rendered.sample_rate)
            picture = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
            picture.quantize(32).save(out / "groove.png", optimize=True)


if __name__ == "__main__":
    main()
