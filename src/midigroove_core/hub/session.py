"""huggingface_hub, imported when it is needed, and its many errors in one line each.

Tokens are its affair alone: `hf auth login`, or HF_TOKEN. Nothing here reads or keeps one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from midigroove_core.errors import MidigrooveError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TIMEOUT_SEC = 10
"""How long the hub may take to say what it has."""

EXTRA = "pip install midigroove[hub]"


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to ask anybody."""
    said = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return said.upper() in ("1", "ON", "YES", "TRUE")


def open_api(what: str) -> HfApi:
    """The hub as HF_ENDPOINT names it.

    Args:
        what: that needs it, for the message.

    Raises:
        MidigrooveError: huggingface_hub is not installed.
    """
    if find_spec("huggingface_hub") is None:
        raise MidigrooveError(f"{what}: the hub needs a package: {EXTRA}")
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    return HfApi(library_name="midigroove")


@contextmanager
def one_line(what: str) -> Iterator[None]:
    """Turns whatever goes wrong with the hub into a line.

    Args:
        what: the address, with which the line begins.

    Raises:
        MidigrooveError: says what to do.
    """
    try:
        yield
    except MidigrooveError:
        raise
    except Exception as error:  # of huggingface_hub, its HTTP client and the disk: many kinds
        raise MidigrooveError(f"{what}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    from huggingface_hub import errors

    while isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # "Error while uploading", and then why
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set; unset it, or take what is on this machine"
    if isinstance(error, errors.GatedRepoError):
        return "gated: ask for access on its page on the hub, then log in (hf auth login)"
    if isinstance(error, errors.RevisionNotFoundError):
        return "no such branch, tag or commit"
    if isinstance(error, errors.RepositoryNotFoundError) or status == 401:
        return "no such repository, or none that you may see; log in with hf auth login"
    if status == 403:
        return "you may not write there; log in with hf auth login, as somebody who may"
    if status == 412:
        return "somebody else has just changed it; look at it, then try again"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'the cache of the hub'}: {error.strerror}"
    cause = (str(error).strip().splitlines() or [""])[0][:200]
    return f"the hub could not be asked ({type(error).__name__}: {cause})"
