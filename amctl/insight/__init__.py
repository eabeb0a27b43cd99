"""Looks into programs of ours: what they import, and why."""
