"""What `midigroove_core` has, for type checkers; `__init__.py` loads it on first use."""

from pluggy import HookimplMarker

from midigroove_core.cache import Cache as Cache
from midigroove_core.checkpoint import load_checkpoint as load_checkpoint
from midigroove_core.clock import FrameClock as FrameClock
from midigroove_core.coding.open import open_codec as open_codec
from midigroove_core.errors import MidigrooveError as MidigrooveError
from midigroove_core.evaluation import evaluate as evaluate
from midigroove_core.interfaces.batch import GridBatch as GridBatch
from midigroove_core.interfaces.codec import Codec as Codec
from midigroove_core.interfaces.drawing import costs as costs
from midigroove_core.interfaces.drawing import draw as draw
from midigroove_core.interfaces.drawing import frames_at_once as frames_at_once
from midigroove_core.interfaces.drawing import make_generator as make_generator
from midigroove_core.interfaces.embedding import Embedding as Embedding
from midigroove_core.interfaces.featurizer import Grid as Grid
from midigroove_core.interfaces.featurizer import GridFeaturizer as GridFeaturizer
from midigroove_core.interfaces.metric import Metric as Metric
from midigroove_core.interfaces.model import CodeScores as CodeScores
from midigroove_core.interfaces.model import Loss as Loss
from midigroove_core.interfaces.model import Model as Model
from midigroove_core.interfaces.reader import PerformanceReader as PerformanceReader
from midigroove_core.interfaces.sampling import SamplingConfig as SamplingConfig
from midigroove_core.interfaces.sampling import SamplingOption as SamplingOption
from midigroove_core.interfaces.spec import ModelSpec as ModelSpec
from midigroove_core.midi import load_midi as load_midi
from midigroove_core.midi_write import save_midi as save_midi
from midigroove_core.performance import DrumPerformance as DrumPerformance
from midigroove_core.publishing import push as push
from midigroove_core.readers import load_performance as load_performance
from midigroove_core.rendering.render import render as render
from midigroove_core.rendering.streaming import stream as stream
from midigroove_core.score.arrays import note_array as note_array
from midigroove_core.score.arrays import to_partitura as to_partitura
from midigroove_core.score.read import load_score as load_score
from midigroove_core.takes import open_dataset as open_dataset
from midigroove_core.training import train as train

__version__: str
hookimpl: HookimplMarker
