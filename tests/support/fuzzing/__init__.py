"""What the fuzz session runs: damage, and what reads it."""
