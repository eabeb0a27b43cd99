"""Dumps of the original, `NAME.gob.br`: Go's gob, compressed by brotli."""

from __future__ import annotations

from amctl.dump.gob.decoder import Limits
from amctl.dump.gob.reading import read_gob
from amctl.dump.gob.writing import GobWriter, encode_gob

__all__ = ["GobWriter", "Limits", "encode_gob", "read_gob"]
