from midigroove_core import *  # noqa: F403
from midigroove_core import __version__ as __version__
