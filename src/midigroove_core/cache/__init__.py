"""The cache: the codes of whole takes and the events of their performances (docs/formats.md)."""

from midigroove_core.cache.format import SCHEMA, CacheEntry
from midigroove_core.cache.reader import Cache
from midigroove_core.cache.writer import CacheWriter

__all__ = ["SCHEMA", "Cache", "CacheEntry", "CacheWriter"]
