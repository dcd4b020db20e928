"""The studio: a local page to see, hear and change what is played (`midigroove studio`)."""
