"""Golden codes: what a codec made of a fixed signal when it was right.

    python -m midigroove_core.testing.golden MODULE:CLASS OUT.json [--config JSON]

writes the file that `CodecContract.test_golden_codes` compares with. Run it when a codec is new, or
when its codes are meant to change, and commit the file; nothing writes it on its own.
"""

from __future__ import annotations

import argparse
import json
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

from midigroove_core.atomic import write_text
from midigroove_core.interfaces.codec import Codec
from midigroove_core.testing.signals import drum_like

if TYPE_CHECKING:
    import torch

GOLDEN_FRAMES = 24


def golden_codes(codec: Codec) -> torch.Tensor:
    """Codes [K, T] of the fixed signal."""
    audio = drum_like(codec, GOLDEN_FRAMES * codec.clock.hop_length - 1, seed=7)
    return codec.encode(audio)[0].cpu()


def write_golden(codec: Codec, path: str | Path) -> None:
    """Writes config, facts and golden codes as JSON, one line per codebook."""
    rows = ",\n  ".join(json.dumps(row) for row in golden_codes(codec).tolist())
    text = (
        f'{{"config": {json.dumps(codec.get_config(), sort_keys=True)},\n'
        f' "facts": {json.dumps(codec.facts(), sort_keys=True)},\n'
        f' "codes": [\n  {rows}]}}\n'
    )
    write_text(path, text)


def main(arguments: list[str] | None = None) -> None:
    """The command; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m midigroove_core.testing.golden")
    parser.add_argument("codec", metavar="MODULE:CLASS")
    parser.add_argument("out", metavar="OUT.json")
    parser.add_argument("--config", default="{}", help="constructor arguments as JSON")
    options = parser.parse_args(arguments)
    codec_class = pkgutil.resolve_name(options.codec)
    write_golden(codec_class.from_config(json.loads(options.config)), options.out)


if __name__ == "__main__":
    main()
