"""Opening the file of a dump."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

from amctl.dump.errors import DumpError, DumpFormatError, DumpNotFoundError
from amctl.dump.sqlite import _tables

__all__ = ["open_reader", "open_writer"]

_WAIT = 5.0
"""Seconds to wait for another connection's lock."""


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection that may write; transactions are the caller's.

    Raises:
        sqlite3.Error: It can't be opened.
    """
    con = sqlite3.connect(path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
    con.execute("PRAGMA trusted_schema = OFF")
    return con


def open_reader(path: str | Path, name: str) -> sqlite3.Connection:
    """A connection that can't write, of this version's tables.

    A file in WAL mode needs a file beside it even to be read. Where that can't be made (a read-only
    disk), nobody else writes either: then it is read as it stands, or in a temporary copy if it has
    a log. An older version is brought up to date in memory.

    Raises:
        DumpNotFoundError: There is no such file, or it may not be read.
        DumpFormatError: It is damaged, or no dump.
        DumpVersionError: A newer amctl wrote it.
    """
    path = Path(path)
    if not path.is_file():
        raise DumpNotFoundError(name)
    try:
        with path.open("rb"):
            pass
    except OSError as err:
        raise DumpNotFoundError(name, f"can't be opened: {err.strerror}") from None
    try:
        con = _attempt(_uri(path, "mode=ro"))
    except (sqlite3.OperationalError, sqlite3.NotSupportedError):
        con = _alone(path, name)
    except sqlite3.DatabaseError as err:
        raise DumpFormatError(name, f"{err}") from None
    return _of_this_version(con, name)


def _uri(path: Path, words: str) -> str:
    return f"file:{quote(str(path.absolute()))}?{words}"


def _attempt(uri: str) -> sqlite3.Connection:
    """Open and read something.

    Raises:
        sqlite3.DatabaseError: It can't be done this way.
    """
    con = sqlite3.connect(uri, uri=True, timeout=_WAIT, isolation_level=None)
    try:
        con.execute("PRAGMA trusted_schema = OFF")
        con.execute("PRAGMA query_only = ON")
        con.execute("PRAGMA cell_size_check = ON")
        con.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except UnicodeDecodeError:  # in SQLite's own words about what it found
        con.close()
        raise sqlite3.DatabaseError("malformed database schema") from None
    except BaseException:
        con.close()
        raise
    return con


def _alone(path: Path, name: str) -> sqlite3.Connection:
    """Open a file that nobody else can be writing, with no trace of it on its disk."""
    log = path.with_name(f"{path.name}-wal")
    try:
        if not log.is_file() or not log.stat().st_size:
            return _attempt(_uri(path, "mode=ro&immutable=1"))
        with tempfile.TemporaryDirectory(prefix="amctl-") as folder:
            copy = Path(folder, "copy.sqlite")
            shutil.copyfile(path, copy)
            shutil.copyfile(log, copy.with_name(f"{copy.name}-wal"))
            con = open_writer(copy)
            try:
                con.execute("PRAGMA journal_mode = DELETE")
            finally:
                con.close()
            return _attempt(_uri(copy, "mode=ro&immutable=1"))
    except sqlite3.DatabaseError as err:
        raise DumpFormatError(name, f"{err}") from None
    except OSError as err:
        raise DumpNotFoundError(name, f"can't be opened: {err.strerror}") from None


def _in_memory(con: sqlite3.Connection) -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:", isolation_level=None)
    con.backup(copy)
    return copy


def _of_this_version(con: sqlite3.Connection, name: str) -> sqlite3.Connection:
    try:
        version = _tables.check(con, name)
        if version < _tables.VERSION:
            old, con = con, _in_memory(con)
            old.close()
            _tables.migrate(con, version)
    except sqlite3.Error as err:
        con.close()
        raise DumpFormatError(name, f"{err}") from None
    except DumpError:
        con.close()
        raise
    return con
