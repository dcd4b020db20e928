"""The studio's server: loopback alone, one process, until it is stopped."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from midigroove_core.errors import MidigrooveError

ADDRESS = "127.0.0.1"


def serve(
    first: Path | None,
    *,
    checkpoint: Path | None = None,
    port: int = 0,
    ready: Callable[[str], None],
) -> None:
    """Serves the page until the process is stopped.

    Args:
        first: a file to open the page with.
        checkpoint: of the model; None takes the one that ships.
        port: of 127.0.0.1; 0 takes a free one.
        ready: called with the page's address once it can be opened.

    Raises:
        MidigrooveError: the packages of the extra `studio` are missing, or the port is taken.
        InputError: `first` cannot be read, or `checkpoint` not loaded.
    """
    try:
        import uvicorn

        from midigroove_core.studio.app import Studio, build
    except ModuleNotFoundError as error:
        if error.name not in ("uvicorn", "starlette"):
            raise
        raise MidigrooveError(
            f"the studio needs {error.name}: pip install 'midigroove[studio]'"
        ) from error
    with (
        tempfile.TemporaryDirectory(prefix="midigroove-studio-") as folder,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening,
    ):
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((ADDRESS, port))
        except OSError as error:
            reason = error.strerror or error
            raise MidigrooveError(f"port {port}: {reason}; choose another `port`") from error
        port = listening.getsockname()[1]
        studio = Studio(Path(folder), checkpoint=checkpoint, first=first)
        if checkpoint is not None:  # one that cannot be loaded is said before a page is open
            studio.engines.model.describe()
        config = uvicorn.Config(
            build(studio, port), log_level="warning", lifespan="off", ws="none",
            server_header=False, timeout_graceful_shutdown=1,
        )  # fmt: skip
        listening.listen()  # a browser that comes at once waits for the server
        ready(f"http://{ADDRESS}:{port}/")

        class Server(uvicorn.Server):  # type: ignore[misc]  # where uvicorn is not, it is Any
            def handle_exit(self, sig: int, frame: FrameType | None) -> None:
                studio.worker.end()  # a page that waits for a render keeps nobody waiting
                super().handle_exit(sig, frame)

        Server(config).run(sockets=[listening])
