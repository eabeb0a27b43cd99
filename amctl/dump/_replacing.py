"""An SQLite file in place of another one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from amctl.dump.sqlite import SqliteWriter
from amctl.dump.sqlite._lock import WriterLock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["ReplacingWriter"]


class ReplacingWriter(SqliteWriter):
    """One whose file may take the place of a collector's that has ended, however that was.

    Args:
        path: The file.
        meta: What it says of itself.
    """

    def __init__(self, path: Path, meta: Mapping[str, str] | None = None) -> None:
        super().__init__(path, meta=meta)
        self._place = path

    def finish(self) -> None:
        """Complete the file, and give it its name; what SQLite left beside the old one goes.

        Raises:
            DumpBusyError: A collector writes there by now.
            DumpFullError: The disk is full.
        """
        lock = WriterLock(self._place, str(self._place))
        try:
            super().finish()
            for ending in ("-wal", "-shm"):
                with contextlib.suppress(OSError):
                    self._place.with_name(self._place.name + ending).unlink(missing_ok=True)
        finally:
            lock.release()
