"""Writing a dump in one go: exports, imports, merges."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.dump.errors import DumpFormatError, DumpFullError
from amctl.dump.sqlite import _tables
from amctl.dump.sqlite._append import Appender
from amctl.dump.sqlite._connect import open_writer
from amctl.dump.sqlite._messages import MessageAppender

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.telemetry.messages import Message

__all__ = ["SqliteWriter"]

_BATCH = 20_000
"""Transitions that are written at once."""


class SqliteWriter:
    """A `DumpWriter` that makes an SQLite file. The order of `write` becomes that of arrival.

    Nothing is safe, and nothing stands under the file's name, before `finish`; what stood there
    before is replaced then. A collector's dump is not made with this: see `store`.

    Args:
        path: The file.
        name: What people call it; default is the path.
        meta: What it says of itself, besides amctl's version and now.

    Raises:
        DumpFullError: It can't be written.
    """

    def __init__(
        self, path: str | Path, name: str = "", meta: Mapping[str, str] | None = None
    ) -> None:
        self._path = Path(path)
        self._name = name or str(path)
        self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        self._rows = Appender()
        self._append = MessageAppender(self._rows, self._name).append
        with self._errors():
            self._part.unlink(missing_ok=True)
            self._con = open_writer(self._part)
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
                self._con.execute(f"PRAGMA {pragma}")
            self._con.execute("BEGIN")
            _tables.create(self._con)
            known = {**_tables.about(), **(meta or {}), "first_seq": "1"}
            self._con.executemany("INSERT INTO meta VALUES (?, ?)", known.items())

    def write(self, message: Message) -> None:
        """Add one message.

        Raises:
            UnknownMachineError: A transition of a machine whose schema was not written.
            DumpFullError: The disk is full.
        """
        self._append(message)
        if len(self._rows.rows) >= _BATCH:
            self._flush()

    def finish(self) -> None:
        """Complete the file, and give it its name.

        Raises:
            DumpFullError: The disk is full.
        """
        self._flush()
        with self._errors():
            self._con.execute("COMMIT")
            self._con.close()
            with self._part.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(self._part, self._path)

    def abandon(self) -> None:
        """Throw away what was written. After `finish` it does nothing."""
        with contextlib.suppress(sqlite3.Error):
            self._con.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        with self._errors():
            self._rows.write(self._con)
        self._rows.written()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError as err:
            raise DumpFormatError(self._name, f"a text that can't be written: {err}") from None
        except sqlite3.DatabaseError as err:
            raise DumpFullError(self._name, f"can't be written: {err}") from None
        except OSError as err:
            raise DumpFullError(self._name, f"can't be written: {err.strerror}") from None
