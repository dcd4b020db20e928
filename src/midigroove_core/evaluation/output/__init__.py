"""What an evaluation writes besides figures: its folder, its audio, what it was made of."""
