from midigroove_core import hookimpl

midigroove_edition = 2


@hookimpl
def register_models(register):
    register("example_masked", "midigroove_example_model.model:MaskedModel", default=True)
