"""Which clips were judged, as one text."""

from __future__ import annotations

from collections.abc import Sequence

from midigroove_core.atomic import dump_json, sha256_of
from midigroove_core.scorecard.records import JudgedClip


def clips_fingerprint(clips: Sequence[JudgedClip], length: float) -> str:
    """SHA-256 over takes and windows: equal when two evaluations judged the same clips.

    Where a take's last window ends is left out: at another sample rate a take may end up to a
    sample later.
    """
    listed = [length, *([clip.take, round(clip.start_sec * 1000)] for clip in clips)]
    return sha256_of(dump_json(listed, indent=None).encode())
