"""The hook implementations of midigroove-xcodec."""

from midigroove_core import hookimpl
from midigroove_core.hookspecs import Register

midigroove_edition = 2


@hookimpl
def register_codecs(register: Register) -> None:
    register("xcodec_16khz", "midigroove_xcodec.codec:Xcodec16kHz", default=True)
