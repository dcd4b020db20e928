"""The Hugging Face hub: addresses, what is fetched from there, and what is sent (docs/hub.md).

This room knows repositories and files, not what is in them; `publishing` knows that. Importing it
imports neither huggingface_hub nor transformers.
"""

from midigroove_core.hub.address import HubAddress, is_address

__all__ = ["HubAddress", "is_address"]
