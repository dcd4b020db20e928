"""What the whole evaluation speaks of: its configuration, its clips, its results."""
