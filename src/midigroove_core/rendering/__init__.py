"""MIDI to audio: the engines and what they share."""
