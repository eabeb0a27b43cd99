"""When this command began; imported before anything that takes time."""

from __future__ import annotations

import time

__all__ = ["BEGAN"]

BEGAN = time.monotonic()
