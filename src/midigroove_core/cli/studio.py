"""`midigroove studio`: a local page to see, hear and change what is played."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from midigroove_core.cli.output import console
from midigroove_core.cli.stopping import Stopped


def add(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(studio)


def studio(
    midi: Annotated[
        Path | None,
        typer.Argument(help="A MIDI file or a score to begin with.", show_default="none"),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Checkpoint.", show_default="the model that ships")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Open a page in the browser to see, hear and edit a groove, on this machine alone.

    Needs `pip install 'midigroove[studio]'`. Ctrl-C ends it.

    Example: `midigroove studio groove.mid`
    """
    from midigroove_core.studio.serve import serve

    def ready(address: str) -> None:
        console.print(f"{address}  (Ctrl-C ends it)", markup=False, soft_wrap=True)
        if browser and _has_screen():
            import webbrowser

            webbrowser.open(address)

    try:
        serve(midi, checkpoint=checkpoint, port=port, ready=ready)
    except (Stopped, KeyboardInterrupt):
        return


def _has_screen() -> bool:
    """Whether there is a screen; without one, a browser of texts would take the terminal over."""
    shown = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return shown or sys.platform in ("darwin", "win32")
