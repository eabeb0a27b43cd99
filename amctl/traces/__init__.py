"""Recorded spans: read them, show them, hand them on."""
