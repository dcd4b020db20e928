"""Hearing a render where it was made: a player in a notebook, or this computer's speakers."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from midigroove_core.audio import Audio
from midigroove_core.errors import MidigrooveError

if TYPE_CHECKING:
    from midigroove_core.rendering.config import Rendered

PLAYERS = (
    ("afplay",), ("pw-play",), ("paplay",), ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"), ("play", "-q"),
)  # fmt: skip
"""Programs that play a .wav file, of macOS and Linux; the first that is there is taken."""


def player(audio: Audio, sample_rate: int) -> str:
    """HTML that plays audio [C, S], which is in it as a WAV file of 16 bits."""
    buffer = io.BytesIO()
    steps = np.clip(np.rint(np.atleast_2d(audio).T * 32768.0), -32768, 32767).astype(np.int16)
    soundfile.write(buffer, steps, sample_rate, "PCM_16", format="WAV")
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<figure><audio controls src="data:audio/wav;base64,{data}"></audio>'
        f"<figcaption>{len(steps) / sample_rate:.2f} s at {sample_rate:,} Hz</figcaption></figure>"
    )


def play(rendered: Rendered) -> None:
    """See `Rendered.play`."""
    if in_notebook():
        from IPython.display import display

        display(rendered)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "groove.wav"
        rendered.save(path)
        if sys.platform == "win32":
            import winsound

            winsound.PlaySound(str(path), winsound.SND_FILENAME)
            return
        found = next((command for command in PLAYERS if shutil.which(command[0])), None)
        if found is None:
            names = ", ".join(command[0] for command in PLAYERS)
            raise MidigrooveError(f"nothing here plays sound ({names}); save it and open the file")
        done = subprocess.run([*found, str(path)], capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise MidigrooveError(f"{found[0]} did not play: {said[-1] if said else 'no word why'}")


def in_notebook() -> bool:
    """Whether a notebook runs this, which shows what is displayed."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and shell.has_trait("kernel")
