"""Datasets of takes: one performance played on one kit, as MIDI and audio.

`open_dataset` reads E-GMD, GMD or a plain folder of pairs; `select` narrows a dataset and draws
splits. Nothing here reads audio or notes; that is left to whoever needs them.
"""

from midigroove_core.takes.dataset import SPLITS, Dataset, Take, split_of_performance
from midigroove_core.takes.open import open_dataset
from midigroove_core.takes.select import select

__all__ = ["SPLITS", "Dataset", "Take", "open_dataset", "select", "split_of_performance"]
