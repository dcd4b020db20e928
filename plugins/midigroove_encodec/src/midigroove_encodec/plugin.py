"""The hook implementations of midigroove-encodec."""

from midigroove_core import hookimpl
from midigroove_core.hookspecs import Register

midigroove_edition = 2


@hookimpl
def register_codecs(register: Register) -> None:
    register("encodec_32khz", "midigroove_encodec.codec:Encodec32kHz", default=True)
    register("encodec_24khz", "midigroove_encodec.codec:Encodec24kHz")
