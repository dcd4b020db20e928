"""Kits that ship and kits of the user: one-shots, SoundFonts, and the sampler that plays them."""
