from midigroove_core import hookimpl

midigroove_edition = 2


@hookimpl
def register_codecs(register):
    register("band_vocoder_24khz", "midigroove_example_codec.codec:BandVocoder", default=True)
