"""A function per command; the command line only parses and prints."""
