"""The cache: the codes of whole takes and the events of their performances (docs/formats.md)."""

from midigroove_core.cachefile.format import SCHEMA, CacheEntry
from midigroove_core.cachefile.reader import Cache
from midigroove_core.cachefile.writer import CacheWriter

__all__ = ["SCHEMA", "Cache", "CacheEntry", "CacheWriter"]
