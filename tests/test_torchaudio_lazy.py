"""torchaudio, as it is installed beside a torch that its compiled part fits, and beside others."""

import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from midigroove_core import torchaudio_lazy
from midigroove_core.errors import MidigrooveError

SOURCES = {
    "__init__.py": "from . import _extension\nfrom . import functional\n",
    "functional.py": "from torchaudio._extension import _IS_TORCHAUDIO_EXT_AVAILABLE as compiled\n"
    "from torchaudio._extension import fail_if_no_align\n"
    "@fail_if_no_align\ndef forced_align(): pass\n",
}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Puts a package of that name first, whose compiled part runs the given line."""

    def put(line: str) -> Path:
        for name, source in {**SOURCES, "_extension.py": line}.items():
            path = tmp_path / "torchaudio" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(source + "\n")
        monkeypatch.syspath_prepend(tmp_path)
        return tmp_path / "torchaudio"

    torchaudio_lazy.torchaudio.cache_clear()
    with patch.dict(sys.modules):
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
        yield put
    torchaudio_lazy.torchaudio.cache_clear()


def test_whole(install):
    whole = "_IS_TORCHAUDIO_EXT_AVAILABLE = True\nfail_if_no_align = lambda function: function"
    folder = install(whole)
    module = torchaudio_lazy.torchaudio()
    assert module.functional.compiled
    assert Path(module.__file__).parent == folder


@pytest.mark.parametrize(
    "error", ["OSError('Could not load this library')", "RuntimeError('different CUDA versions')"]
)
def test_without_its_compiled_part(install, error):
    install(f"raise {error}")
    module = torchaudio_lazy.torchaudio()
    assert module.functional.compiled is False
    import torchaudio  # what models of transformers do

    assert torchaudio is module
    with pytest.raises(RuntimeError, match="forced_align needs"):
        module.functional.forced_align()


def test_broken(install):
    (install("raise OSError('no library')") / "functional.py").write_text("raise OSError('gone')\n")
    with pytest.raises(MidigrooveError, match=r"torchaudio cannot be imported \(gone\)"):
        torchaudio_lazy.torchaudio()
    assert "torchaudio._extension" not in sys.modules


def test_missing(monkeypatch):
    torchaudio_lazy.torchaudio.cache_clear()
    monkeypatch.setitem(sys.modules, "torchaudio", None)
    with pytest.raises(MidigrooveError, match=r"pip install midigroove\[torchaudio\]"):
        torchaudio_lazy.torchaudio()


def test_models_of_transformers_that_import_it(install):
    """Many processors and tokenizers of audio import it wherever it is installed."""
    pytest.importorskip("transformers")
    from midigroove_core.hub.transformers_models import transformers_class

    install("raise OSError('Could not load this library')")
    sys.modules.pop("transformers.audio_utils", None)
    assert transformers_class("ClapFeatureExtractor").__name__ == "ClapFeatureExtractor"
    assert "torchaudio" in sys.modules
