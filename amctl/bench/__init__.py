"""Benches: what the parts can do on this machine, beside their goals."""
