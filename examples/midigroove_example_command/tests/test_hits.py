import numpy as np
from midigroove_example_command.hits import count_hits

from midigroove_core import DrumPerformance, save_midi
from midigroove_core.testing import PluginContract


class TestPlugin(PluginContract):
    module = "midigroove_example_command.plugin"


def test_counts_the_drums_most_played_first(tmp_path):
    played = DrumPerformance(
        onset_sec=np.arange(4) / 2,
        duration_sec=np.full(4, 0.1),
        pitch=np.array([36, 42, 42, 90]),
        velocity=np.full(4, 90),
        end_sec=2.0,
    )
    save_midi(played, tmp_path / "beat.mid")
    assert count_hits(tmp_path / "beat.mid") == {"hat_closed": 2, "kick": 1, "no drum": 1}
