"""Implementations that are wrong in one way each, which the contract suites have to refuse."""
