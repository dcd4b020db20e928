from midigroove_core import hookimpl

midigroove_edition = 2


@hookimpl
def register_readers(register):
    register("drum_tab", "midigroove_example_reader.tab:DrumTabReader", default=True)
