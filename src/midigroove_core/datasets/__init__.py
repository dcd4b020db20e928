"""Datasets that are made, checked and counted: synth, verify, stats."""
