"""The Hugging Face hub: addresses, what is fetched from there, and what is sent (docs/hub.md).

This room knows repositories and files, not what is in them; `publishing` and those who read the
files know that. Importing it imports neither huggingface_hub nor transformers.
"""

from midigroove_core.hub.address import HubAddress, is_address
from midigroove_core.hub.pull import Layout, ListedFile, pull

__all__ = ["HubAddress", "Layout", "ListedFile", "is_address", "pull"]
