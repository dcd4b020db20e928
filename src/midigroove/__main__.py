"""`python -m midigroove`: the command line."""

from midigroove_core.cli import main

main()
