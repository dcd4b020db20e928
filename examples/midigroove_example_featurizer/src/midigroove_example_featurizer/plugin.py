from midigroove_core import hookimpl

midigroove_edition = 2


@hookimpl
def register_featurizers(register):
    register("three_drums", "midigroove_example_featurizer.grid:ThreeDrums", default=True)
