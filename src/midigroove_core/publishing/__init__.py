"""Giving away: checkpoints, caches and kits to the hub, each with a card (docs/hub.md)."""

from midigroove_core.publishing.push import Pushed, parcel_of, push

__all__ = ["Pushed", "parcel_of", "push"]
