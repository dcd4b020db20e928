"""Rows: what is evaluated, systems under test and references, as audio and codes."""
