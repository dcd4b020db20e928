from midigroove_example_model.model import MaskedModel

from midigroove_core.testing import ModelContract, PluginContract


class TestMaskedModel(ModelContract):
    model_class = MaskedModel
    args = {"dim": 32, "layers": 1}


class TestPlugin(PluginContract):
    module = "midigroove_example_model.plugin"
