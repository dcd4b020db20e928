"""Audio to codes and back, for takes of any length."""
