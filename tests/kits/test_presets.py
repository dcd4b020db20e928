"""The presets of a SoundFont, and one line for a preset that it does not have."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from midigroove_core.errors import InputError
from midigroove_core.kits.kitsfile import kit_specs
from midigroove_core.kits.library import load_kit
from midigroove_core.kits.presets import check_preset, font_presets


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


@pytest.fixture
def font(tmp_path: Path) -> Path:
    """A SoundFont of headers alone: Standard and Jazz in bank 128, a piano in bank 0."""
    presets = [(b"Standard", 0, 128), (b"Jazz", 32, 128), (b"Piano", 1, 0), (b"EOP", 0, 0)]
    records = [struct.pack("<20sHH14x", name, program, bank) for name, program, bank in presets]
    info = chunk(b"LIST", b"INFO" + chunk(b"INAM", b"odd"))
    samples = chunk(b"LIST", b"sdta" + chunk(b"smpl", bytes(10)))
    body = info + samples + chunk(b"LIST", b"pdta" + chunk(b"phdr", b"".join(records)))
    path = tmp_path / "font.sf2"
    path.write_bytes(chunk(b"RIFF", b"sfbk" + body))
    return path


def test_presets_by_bank_and_program(font: Path) -> None:
    assert font_presets(font) == {(128, 0): "Standard", (128, 32): "Jazz", (0, 1): "Piano"}
    check_preset(font, 32, 128, 0)
    check_preset(font, 1, 128, 0)


def test_a_preset_that_is_missing_gets_one_line(font: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no program 99 in bank 128 or 0; there is 1 \(Piano\), 0"
    ):
        load_kit(f"{font}:99")
    (tmp_path / "kits.toml").write_text(
        '[[kit]]\nname = "A"\nsoundfont = "font.sf2"\nprogram = 8\n'
    )
    with pytest.raises(InputError, match=r"no program 8 in bank 128; there is 0 \(Standard\), 32"):
        kit_specs(tmp_path / "kits.toml")


@pytest.mark.parametrize("content", [b"", b"sfbk", b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0sfbkLIST"])
def test_files_that_list_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.sf2").write_bytes(content)
    assert font_presets(tmp_path / "x.sf2") is None
    check_preset(tmp_path / "x.sf2", 5, 128)
