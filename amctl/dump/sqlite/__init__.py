"""Recordings as one SQLite file: the format that collectors write. See docs/dump.md."""

from __future__ import annotations

from amctl.dump.sqlite.reader import SqliteDump
from amctl.dump.sqlite.store import SqliteStore, is_written
from amctl.dump.sqlite.writer import SqliteWriter

__all__ = ["SqliteDump", "SqliteStore", "SqliteWriter", "is_written"]
