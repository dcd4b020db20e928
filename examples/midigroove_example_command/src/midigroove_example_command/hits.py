"""What `midigroove hits` counts; usable without the command line too."""

from collections import Counter

from midigroove_core import load_performance
from midigroove_core.drums import load_drum_map


def count_hits(path, drum_map="roland_td"):
    """Articulation -> number of hits, the most played first; "no drum" for pitches of no drum.

    Raises:
        InputError: a file that no reader reads, or no such drum map; the command line prints it as
            one line and ends with exit code 2.
    """
    articulations = load_drum_map(drum_map).pitches
    pitches = load_performance(path).pitch.tolist()
    return dict(Counter(articulations.get(pitch, "no drum") for pitch in pitches).most_common())
