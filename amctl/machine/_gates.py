"""Reasons not to take the shortcut of a mutation, as bits of a machine's `_gate`."""

from __future__ import annotations

BUSY = 1
"""A mutation is running."""
TRACED = 2
"""Tracers listen."""
WATCHED = 4
"""Somebody waits for something."""
CLOSED = 8
"""Disposal has begun."""
BACKOFF = 16
"""A handler had to be given up lately."""
