"""Scores of rows: clip by clip, take by take, and set against set."""
