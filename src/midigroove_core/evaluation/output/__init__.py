"""What an evaluation writes, and how it is read back."""
