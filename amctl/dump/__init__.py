"""Recordings: the collector that writes them, and readers and writers of every format."""
