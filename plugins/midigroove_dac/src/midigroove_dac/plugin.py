"""The hook implementations of midigroove-dac."""

from midigroove_core import hookimpl
from midigroove_core.hookspecs import Register

midigroove_edition = 2


@hookimpl
def register_codecs(register: Register) -> None:
    register("dac_44khz", "midigroove_dac.codec:Dac44kHz", default=True)
    register("dac_24khz", "midigroove_dac.codec:Dac24kHz")
    register("dac_16khz", "midigroove_dac.codec:Dac16kHz")
