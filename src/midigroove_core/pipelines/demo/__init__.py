"""The whole pipeline on the performances and kits that ship, told as a story."""

from midigroove_core.pipelines.demo.story import DemoConfig, DemoResult, run_demo

__all__ = ["DemoConfig", "DemoResult", "run_demo"]
