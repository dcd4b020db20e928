"""The hook implementations of midigroove-encodec; the first id is what `--codec encodec` means."""

from midigroove_core import hookimpl
from midigroove_core.hookspecs import Register


@hookimpl
def register_codecs(register: Register) -> None:
    register("encodec_32khz", "midigroove_encodec.codec:Encodec32kHz")
    register("encodec_24khz", "midigroove_encodec.codec:Encodec24kHz")
