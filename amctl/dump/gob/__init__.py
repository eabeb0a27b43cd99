"""Dumps of the original, `NAME.gob.br`: Go's gob, compressed by brotli."""

from __future__ import annotations

from amctl.dump.gob.decoder import Limits
from amctl.dump.gob.reading import read_gob

__all__ = ["Limits", "read_gob"]
