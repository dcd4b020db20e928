"""The one place that imports torchaudio: late, and also where its compiled part does not load.

The wheel on PyPI is linked against CUDA: beside a torch without it the import raises OSError,
beside a torch for another CUDA RuntimeError. Nothing here, nor in the models of transformers that
import it, uses that part; the rest is Python over torch and works without.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from midigroove_core.errors import MidigrooveError

_COMPILED = "torchaudio._extension"


def has_torchaudio() -> bool:
    """Whether it is installed; imports nothing."""
    return find_spec("torchaudio") is not None


@cache
def torchaudio() -> Any:
    """The package torchaudio, from now on for everything else in this process, too.

    Raises:
        MidigrooveError: it is not installed, or cannot be imported even in part.
    """
    if not has_torchaudio():
        raise MidigrooveError(
            "torchaudio is not installed; run: pip install midigroove[torchaudio]"
        )
    try:
        return importlib.import_module("torchaudio")
    except (OSError, RuntimeError):
        pass
    except ImportError as error:
        raise _broken(error) from error
    sys.modules[_COMPILED] = _without_compiled_part()
    try:
        return importlib.import_module("torchaudio")
    except (ImportError, OSError, RuntimeError) as error:
        del sys.modules[_COMPILED]
        raise _broken(error) from error


def _broken(error: Exception) -> MidigrooveError:
    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return MidigrooveError(
        f"the installed torchaudio cannot be imported ({said}); "
        "run: pip install --upgrade torchaudio, or uninstall it"
    )


def _without_compiled_part() -> ModuleType:
    """Stands for the module that loads the libraries; says that there are none."""
    module: Any = ModuleType(_COMPILED, "torchaudio without its compiled part.")
    module._IS_TORCHAUDIO_EXT_AVAILABLE = False
    module._IS_ALIGN_AVAILABLE = False
    module._load_lib = lambda lib: False
    module._check_cuda_version = lambda: None
    module.fail_if_no_align = _refusing
    return module


def _refusing(function: Any) -> Any:
    """What torchaudio makes of a function whose compiled half is not there."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"{function.__name__} needs torchaudio's compiled part")

    return refuse
