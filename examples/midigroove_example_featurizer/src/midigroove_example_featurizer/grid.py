"""A grid of three drums: how hard each is struck in a frame, and where in the bar the frame is."""

import numpy as np

from midigroove_core import Grid, GridFeaturizer
from midigroove_core.drums import CLASS_OF_ARTICULATION, load_drum_map

DRUMS = ("kick", "snare", "hat")


class ThreeDrums(GridFeaturizer):
    """Kick, snare and hi-hat; everything else is left out.

    Args:
        drum_map: which pitches are which drum: a built-in map, or a TOML file.
    """

    featurizer_id = "three_drums"
    feature_names = (*(f"velocity/{drum}" for drum in DRUMS), "bar_position")

    def __init__(self, *, drum_map="roland_td"):
        self.map_name, self.drum_map = drum_map, load_drum_map(drum_map)
        articulations = self.drum_map.pitches
        drums = {pitch: CLASS_OF_ARTICULATION[name] for pitch, name in articulations.items()}
        self.row_of_pitch = {p: DRUMS.index(drum) for p, drum in drums.items() if drum in DRUMS}

    def get_config(self):
        return {"drum_map": self.map_name}

    def featurize(self, performance, clock, start_frame, num_frames):
        values = np.zeros((len(self.feature_names), num_frames), dtype=np.float32)
        frames, _ = clock.split(performance.onset_sec)  # the frame that each hit falls into
        for pitch, velocity, frame in zip(
            performance.pitch, performance.velocity, frames - start_frame, strict=True
        ):
            row = self.row_of_pitch.get(int(pitch))
            if row is not None and 0 <= frame < num_frames:
                values[row, frame] = max(values[row, frame], velocity / 127)
        seconds = clock.frames_to_seconds(np.arange(start_frame, start_frame + num_frames))
        values[-1] = performance.bar_position(seconds)[1]
        return Grid(values, self.feature_names, clock, start_frame)
