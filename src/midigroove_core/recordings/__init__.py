"""Recordings of drums: what they play, and the kit that they play it on."""
