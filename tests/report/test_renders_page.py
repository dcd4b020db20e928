"""Kits and engines side by side on a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.midi_bytes import beat, song

from midigroove_core.cli import run
from midigroove_core.errors import InputError
from midigroove_core.progress import Silent
from midigroove_core.rendering.config import for_engine, make_config
from midigroove_core.report.renders import _equally_loud, write_renders_page


@pytest.fixture
def midi(tmp_path: Path) -> Path:
    path = tmp_path / "<b>groove.mid"
    path.write_bytes(song(beat((36, 42, 38, 46))))
    return path


def test_a_page_has_a_row_for_each_kit(midi: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    arguments = ["render", str(midi), "--engine", "sampler", "--kit", "jazz,tr808", "--report"]
    assert run([*arguments, str(page)]) == 0
    text = page.read_text("utf-8")
    assert re.findall(r'role="radio" [^>]*data-row="([^"]*)"', text) == [
        "sampler, jazz", "sampler, tr808",
    ]  # fmt: skip
    assert text.count("data:audio/ogg") == 2 and "<b>groove" not in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])  # type: ignore[index]
    assert set(data["1"]["rows"]) == {"sampler, jazz", "sampler, tr808"}
    assert not list(tmp_path.glob("*.wav"))
    assert run([*arguments, str(page)]) == 2  # it is there
    assert run([*arguments, str(page), "--overwrite", "-o", "a.wav"]) == 2


def test_what_an_engine_has_no_use_for_is_left_out_of_its_rows() -> None:
    settings = {"engine": "both", "temperature": 0.5, "vary": True, "sampling": {"top_k": 3}}
    assert make_config({**for_engine(settings, "sampler"), "engine": "sampler"}).vary
    drawing = make_config({**for_engine(settings, "model"), "engine": "model"})
    assert drawing.sampling == {"top_k": 3, "temperature": 0.5} and not drawing.vary


def test_kits_are_heard_at_equal_loudness(monkeypatch: pytest.MonkeyPatch) -> None:
    from midigroove_core.report import renders

    heard: list[np.ndarray] = []
    monkeypatch.setattr(renders, "describe_audio", lambda audio, rate: heard.append(audio) or {})
    noise = np.random.default_rng(0).standard_normal((1, 32_000)).astype(np.float32)
    _equally_loud({"a": (0.1 * noise, 32_000), "b": (0.3 * noise, 32_000)})
    assert np.abs(heard[0]).max() == pytest.approx(np.abs(heard[1]).max(), rel=0.01)


def test_a_kit_that_is_not_there_is_one_line(midi: Path, tmp_path: Path) -> None:
    settings = {"engine": "sampler", "kit": "jazz,polka"}
    with pytest.raises(InputError, match="no kit 'polka'"):
        write_renders_page([midi], tmp_path / "p.html", settings, Silent())
    assert not (tmp_path / "p.html").exists()
