"""`python -m midigroove_core`: the command line."""

from midigroove_core.cli import main

main()
