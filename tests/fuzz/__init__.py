"""Fuzzers of everything that a stranger can send: `python -m tests.fuzz WHAT`."""
