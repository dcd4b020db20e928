from midigroove_core import hookimpl


@hookimpl
def register_codecs(register):
    register("band_vocoder_24khz", "midigroove_example_codec.codec:BandVocoder")
