"""A dump that is being written, and may be read meanwhile.

What is appended waits in memory until `commit`, which writes all of it in one transaction, together
with how far each stream has come. In WAL mode with synchronous=NORMAL a commit survives the death
of this process at any moment. A power cut may take the commits since the last checkpoint with it
(at most some MB of log), but leaves a consistent dump.

Numbers go on when the dump is rotated, so that a reader which is looking on never takes a row for
another one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.dump.errors import DumpError, DumpFormatError, DumpFullError
from amctl.dump.sqlite import _tables
from amctl.dump.sqlite._append import Appender
from amctl.dump.sqlite._connect import open_writer
from amctl.dump.sqlite._lock import WriterLock, is_written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["SqliteStore", "StreamPlace", "is_written"]

_STREAMS = 10_000
"""Streams whose places are remembered; the oldest are forgotten first."""
_CHECKPOINT = 1000
"""Pages of log after which it goes into the file."""

StreamPlace = tuple[str, int, str, int]
"""Of a stream: id, first number that isn't committed, its sender's name, when it was (ns)."""


class SqliteStore:
    """The one writer of a dump.

    Args:
        path: The file. If it is a dump, it is gone on with; an older version is brought up to date.
        name: What people call it; default is the path.

    Raises:
        DumpBusyError: Somebody else writes it.
        DumpFormatError: There is a file, and it isn't a sound dump.
        DumpVersionError: A newer amctl wrote it.
        DumpFullError: It can't be written.
    """

    def __init__(
        self, path: str | Path, name: str = "", *, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.path = Path(path)
        self.name = name or str(path)
        self._unfinished = self.path.with_name(f".{self.path.name}.part")
        self._now_ns = now_ns
        with self._errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(self.path, self.name)
        self.rows = Appender()
        """Append to this, then commit."""
        try:
            with self._errors():
                self._discard()
                self._con = open_writer(self.path)
                self._prepare()
        except BaseException:
            self._shut()
            raise

    # -- writing

    @property
    def waiting(self) -> int:
        """Transitions that aren't committed yet."""
        return len(self.rows.rows)

    @property
    def count(self) -> int:
        """Transitions of the file, those included that wait."""
        return self.rows.seq - self._first

    def place(self, stream: str) -> int:
        """The first number of a stream that isn't committed; 0 if it is unknown."""
        with self._errors():
            row = self._con.execute("SELECT next FROM stream WHERE id = ?", (stream,)).fetchone()
        return int(row[0]) if row else 0

    def commit(self, streams: Iterable[StreamPlace] = ()) -> None:
        """Write everything that waits, or nothing of it; then it goes on waiting.

        Raises:
            DumpFullError: The disk is full or broken. Try again later, or give up.
        """
        places = list(streams)
        if self.rows.is_empty and not places:
            return
        with self._errors(), self._transaction():
            self.rows.write(self._con)
            self._con.executemany("INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?)", places)
        self.rows.written()

    def size(self) -> int:
        """Bytes of the file that are in use."""
        with self._errors():
            pages, free, size = (
                self._con.execute(f"PRAGMA {what}").fetchone()[0]
                for what in ("page_count", "freelist_count", "page_size")
            )
        return int((pages - free) * size)

    @property
    def began_ns(self) -> int:
        """When the first record of the file was made, or the file."""
        return self._began_ns

    def close(self) -> None:
        """Commit, and leave one file that any program reads, also from a read-only disk.

        Raises:
            DumpFullError: The last commit failed.
        """
        try:
            self.commit()
        finally:
            self._shut()

    def abandon(self) -> None:
        """Let go of the file as it is."""
        self.rows.written()
        self._shut()

    # -- rotating

    def rotate(self, target: Path, *, carry: bool = True) -> None:
        """Move what is committed into a file of its own, and go on with an empty one.

        The file stays where it is, and is emptied: readers hold it open, and renaming it under them
        would have them mix the old with the new. Both carry what is needed to read them alone.
        If this process dies in between, the next one to open the file does the rest.

        Args:
            target: A new name in the same folder.
            carry: False for a dump that has nothing to do with the one before.

        Raises:
            DumpFullError: There is no room for a copy; nothing has changed.
        """
        self.commit()
        unfinished = self._unfinished
        with self._errors():
            self._discard()
            try:
                self._con.execute("VACUUM INTO ?", (str(unfinished),))
                _sync(unfinished)
                self._set_meta("rotating_to", json.dumps([target.name, carry]))
                os.replace(unfinished, target)
                _sync(target.parent)
            except BaseException:
                with contextlib.suppress(OSError):
                    self._discard()
                raise
            self._empty(target.name, carry=carry)

    def _discard(self) -> None:
        """Remove what a rotation that didn't come to its end has left."""
        self._unfinished.unlink(missing_ok=True)
        journal = self._unfinished.with_name(f"{self._unfinished.name}-journal")
        journal.unlink(missing_ok=True)

    def clear(self) -> None:
        """Take out everything, and give the room back; what waits is dropped too."""
        self.rows.written()
        with self._errors():
            self._empty("", carry=False)
            self._con.execute("VACUUM")

    def _empty(self, before: str, *, carry: bool) -> None:
        """Take out what the file that was split off holds, but for what the next ones need."""
        first = self.rows.seq
        part = int(self._meta("part") or 1)
        with self._transaction():
            for statement in (_EMPTY if carry else _EMPTY_ALL).split(";"):
                self._con.execute(statement)
            self._con.execute("UPDATE schema SET at = ?, pos = 0", (first,))
            self._con.execute("UPDATE pipe SET at = ?", (first,))
            self._con.execute(_KEEP_STREAMS, (_STREAMS,))
            self._put_meta("first_seq", str(first))
            self._put_meta("numbers", self.rows.numbers())
            self._put_meta("began", self._now())
            if carry:
                self._put_meta("part", str(part + 1))
                self._put_meta("before", before)
            self._con.execute("DELETE FROM meta WHERE key = 'rotating_to'")
        kept = {id for (id,) in self._con.execute("SELECT id FROM machine")}
        self.rows.emptied(kept)
        self._learn()

    # -- the file

    def _prepare(self) -> None:
        con = self._con
        fresh = not con.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        version = _tables.VERSION if fresh else _tables.check(con, self.name)
        con.execute("PRAGMA journal_mode = WAL")
        con.execute("PRAGMA synchronous = NORMAL")
        con.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
        con.execute("PRAGMA journal_size_limit = 8388608")
        if fresh:
            with self._transaction():
                _tables.create(con)
                for key, value in {**_tables.about(), "began": self._now()}.items():
                    self._put_meta(key, value)
        elif version < _tables.VERSION:
            _tables.migrate(con, version)
        self.rows.load(con)
        self._learn()
        name, carry = json.loads(self._meta("rotating_to") or '["", true]')
        if name and (self.path.parent / Path(name).name).is_file():
            self._empty(name, carry=carry)

    def _learn(self) -> None:
        self._first = int(self._meta("first_seq") or 1)
        began = datetime.fromisoformat(self._meta("began") or self._now())
        self._began_ns = int(began.timestamp()) * 1_000_000_000

    def _now(self) -> str:
        return datetime.fromtimestamp(self._now_ns() / 1e9, UTC).isoformat(timespec="seconds")

    def _meta(self, key: str) -> str | None:
        row = self._con.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row and str(row[0])

    def _put_meta(self, key: str, value: str) -> None:
        self._con.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _set_meta(self, key: str, value: str) -> None:
        with self._transaction():
            self._put_meta(key, value)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        con = self._con
        con.execute("BEGIN IMMEDIATE")
        try:
            yield
            con.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back already if the disk is full
            if con.in_transaction:
                con.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except DumpError:
            raise
        except sqlite3.OperationalError as err:
            raise DumpFullError(self.name, f"can't be written: {err}") from None
        except sqlite3.DatabaseError as err:
            raise DumpFormatError(self.name, f"{err}") from None
        except OSError as err:
            problem = err.strerror or os.strerror(err.errno or errno.EIO)
            raise DumpFullError(self.name, f"can't be written: {problem}") from None

    def _shut(self) -> None:
        con = getattr(self, "_con", None)
        if con is not None:
            with contextlib.suppress(sqlite3.Error):
                # while somebody reads, the log may have to stay beside the file
                con.execute("PRAGMA busy_timeout = 0")
                con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                con.execute("PRAGMA journal_mode = DELETE")
            with contextlib.suppress(sqlite3.Error):
                con.close()
        self._lock.release()


_EMPTY = """
DELETE FROM tx;
DELETE FROM block;
DELETE FROM list;
DELETE FROM gap;
DELETE FROM schema WHERE no NOT IN (SELECT max(no) FROM schema GROUP BY mach);
DELETE FROM schema WHERE EXISTS (
    SELECT 1 FROM gone JOIN machine ON machine.id = gone.machine
    WHERE machine.num = schema.mach AND gone.no > schema.no
);
DELETE FROM gone;
DELETE FROM machine WHERE num NOT IN (SELECT mach FROM schema);
DELETE FROM shape WHERE id NOT IN (SELECT shape FROM schema);
DELETE FROM pipe WHERE gone OR EXISTS (
    SELECT 1 FROM pipe p WHERE p.no > pipe.no AND p.kind = pipe.kind
    AND p.source = pipe.source AND p.source_state = pipe.source_state
    AND p.target = pipe.target AND p.target_state = pipe.target_state
)"""
_DATA = ("tx", "block", "list", "gap", "schema", "gone", "machine", "shape", "pipe", "stream")
_EMPTY_ALL = (
    "; ".join(f"DELETE FROM {table}" for table in _DATA)
    + "; DELETE FROM meta WHERE key IN ('part', 'before')"
)
_KEEP_STREAMS = """
DELETE FROM stream WHERE id NOT IN (SELECT id FROM stream ORDER BY seen_ns DESC LIMIT ?)"""


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
