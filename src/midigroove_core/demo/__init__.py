"""The whole pipeline on the performances and kits that ship, told as a story."""

from midigroove_core.demo.story import DemoConfig, DemoResult, run_demo

__all__ = ["DemoConfig", "DemoResult", "run_demo"]
