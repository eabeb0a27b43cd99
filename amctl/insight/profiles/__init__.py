"""Profiles of running programs: taken by whatever may look, drawn as flames."""
