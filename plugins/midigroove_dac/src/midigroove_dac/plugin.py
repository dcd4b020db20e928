"""The hook implementations of midigroove-dac; the first id is what `--codec dac` means."""

from midigroove_core import hookimpl
from midigroove_core.hookspecs import Register


@hookimpl
def register_codecs(register: Register) -> None:
    register("dac_44khz", "midigroove_dac.codec:Dac44kHz")
    register("dac_24khz", "midigroove_dac.codec:Dac24kHz")
    register("dac_16khz", "midigroove_dac.codec:Dac16kHz")
