from pathlib import Path

import pytest
from midigroove_example_reader.tab import DrumTabReader

from midigroove_core.errors import InputError
from midigroove_core.testing import PluginContract, ReaderContract

STEP = 60 / 96 / 4


class TestDrumTab(ReaderContract):
    example = Path(__file__).parent / "beat.drumtab"
    onset_sec = tuple(STEP * s for s in (0, 0, 2, 4, 4, 6, 6, 7, 8, 9, 10, 10, 12, 12, 14, 15))
    pitch = (36, 42, 42, 38, 42, 36, 42, 38, 42, 38, 36, 42, 38, 42, 42, 46)
    velocity = (80, 80, 80, 120, 80, 80, 80, 30, 80, 30, 80, 80, 120, 80, 80, 80)
    tempo_bpm = 96.0

    @pytest.fixture
    def reader(self):
        return DrumTabReader()


class TestPlugin(PluginContract):
    module = "midigroove_example_reader.plugin"


@pytest.mark.parametrize("line", ["bpm: fast", "bpm: 0", "XX x-x-"])
def test_a_wrong_line_is_named(tmp_path, line):
    path = tmp_path / "beat.drumtab"
    path.write_text(f"HH x-x-\n{line}\n")
    with pytest.raises(InputError, match="line 2"):
        DrumTabReader().read(path)
