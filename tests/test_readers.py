"""Files of performances are read by the reader of their suffix, whoever brought it."""

from __future__ import annotations

from pathlib import Path

import pytest

from midigroove_core.errors import InputError, PluginError
from midigroove_core.midi import save_midi
from midigroove_core.readers import load_performance, reader_suffixes

READER = """
from midigroove_core import DrumPerformance, PerformanceReader, hookimpl
import numpy as np

class Reader(PerformanceReader):
    reader_id = "{id}"
    suffixes = {suffixes}

    def read(self, path):
        {body}

@hookimpl
def register_readers(register):
    register("{id}", "{module}:Reader", default=True)
"""
ONE_HIT = (
    "return DrumPerformance(np.zeros(1), np.zeros(1), np.array([36]), np.array([100]), end_sec=1.0)"
)


def reader(module: str = "acme_tab", suffixes: str = '(".tab",)', body: str = ONE_HIT) -> str:
    return READER.format(id=module, module=module, suffixes=suffixes, body=body)


@pytest.fixture
def beat(tmp_path: Path) -> Path:
    from support.toy_systems import performance

    save_midi(performance(8), tmp_path / "beat.mid")
    return tmp_path / "beat.mid"


@pytest.mark.parametrize("name", ["a.mid", "A.MID", "a.Midi", "a.kar", "a", "a.dat", "e.v1.0"])
def test_midi_is_read_by_any_name(beat: Path, name: str) -> None:
    assert load_performance(beat.rename(beat.parent / name)).num_hits == 8


def test_a_plugins_reader_is_found_by_its_suffix(install_plugin, tmp_path, beat) -> None:
    install_plugin("acme-tab", reader(suffixes='(".tab", ".TB2", ".mid")'))
    (tmp_path / "x.Tab").write_text("x")
    assert load_performance(tmp_path / "x.Tab").num_hits == 1
    assert load_performance(str(beat)).num_hits == 8  # MIDI's suffixes are core's own
    assert set(reader_suffixes()) >= {".mid", ".midi", ".tab", ".tb2"}


def test_a_suffix_that_nobody_reads_says_which_are_read(tmp_path) -> None:
    path = tmp_path / "x.tab"
    path.write_text("x")
    with pytest.raises(
        InputError, match=r"x\.tab: no reader for \.tab \(read are .*\.mid, .*\.musicxml"
    ):
        load_performance(path)
    with pytest.raises(InputError, match="missing.tab"):
        load_performance(tmp_path / "missing.tab")


def test_a_suffix_that_two_plugins_read_names_both(install_plugin, tmp_path) -> None:
    install_plugin("acme-tab", reader())
    install_plugin("other-tab", reader("other_tab"))
    (tmp_path / "x.tab").write_text("x")
    with pytest.raises(PluginError, match="acme_tab of acme-tab and other_tab of other-tab"):
        load_performance(tmp_path / "x.tab")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("1 / 0", "x.tab: reader acme_tab of acme-tab 1.0 fails .ZeroDivisionError"),
        ("raise SystemExit", "x.tab: reader acme_tab of acme-tab 1.0 fails .SystemExit"),
        ("return [1, 2]", "reader acme_tab of acme-tab 1.0 gave a list, no DrumPerformance"),
        ("return DrumPerformance(np.zeros(1), np.zeros(2), np.zeros(1), np.zeros(1))", "differ"),
    ],
)
def test_what_a_reader_does_wrong_is_its_plugins_fault(install_plugin, tmp_path, body, reason):
    install_plugin("acme-tab", reader(body=body))
    (tmp_path / "x.tab").write_text("x")
    with pytest.raises((InputError, PluginError), match=reason):
        load_performance(tmp_path / "x.tab")


def test_an_input_error_of_a_reader_stays_as_it_is(install_plugin, tmp_path) -> None:
    body = "from midigroove_core.errors import InputError; raise InputError(f'{path}: bad line 3')"
    install_plugin("acme-tab", reader(body=body))
    (tmp_path / "x.tab").write_text("x")
    with pytest.raises(InputError, match=r"x\.tab: bad line 3$"):
        load_performance(tmp_path / "x.tab")


def test_a_broken_reader_hurts_no_other(install_plugin, tmp_path, beat) -> None:
    install_plugin("acme-tab", reader(suffixes='".tab"'))
    install_plugin("other-tab", reader("other_tab"))
    (tmp_path / "x.tab").write_text("x")
    assert load_performance(tmp_path / "x.tab").num_hits == 1
    assert load_performance(beat).num_hits == 8
