"""The tables of a dump, their version, and the way from older ones. docs/dump.md explains them.

Whoever changes a table raises VERSION, adds a step to MIGRATIONS, and keeps a small file of the
version before in tests/cases/dumps for ever.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from amctl.dump.errors import DumpFormatError, DumpVersionError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

__all__ = [
    "APPLICATION_ID",
    "BLOCK",
    "MIGRATIONS",
    "VERSION",
    "about",
    "check",
    "create",
    "migrate",
]

APPLICATION_ID: Final = 0x616D6374  # "amct"
VERSION: Final = 1
BLOCK: Final = 64
"""Transitions of a machine between two keyframes."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stream (
    id TEXT PRIMARY KEY, next INTEGER NOT NULL, name TEXT NOT NULL, seen_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE machine (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE shape (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE schema (
    no INTEGER PRIMARY KEY, at INTEGER NOT NULL, mach INTEGER NOT NULL, pos INTEGER NOT NULL,
    shape INTEGER NOT NULL, time_ns INTEGER NOT NULL, stream TEXT
);
CREATE TABLE list (id INTEGER PRIMARY KEY, items TEXT NOT NULL);
CREATE TABLE tx (
    seq INTEGER PRIMARY KEY, mach INTEGER NOT NULL, id, n INTEGER, flags INTEGER NOT NULL,
    called INTEGER, delta INTEGER, queue_tick INTEGER, time_ns INTEGER, lag_ns INTEGER,
    queue INTEGER, mut_tick INTEGER, mut_token INTEGER, reason INTEGER,
    src INTEGER, src_id, src_time INTEGER, extra
);
CREATE TABLE block (
    mach INTEGER NOT NULL, no INTEGER NOT NULL, first INTEGER NOT NULL,
    seqs TEXT NOT NULL, base TEXT NOT NULL,
    PRIMARY KEY (mach, no)
) WITHOUT ROWID;
CREATE TABLE pipe (
    no INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind INTEGER NOT NULL,
    source TEXT NOT NULL, source_state TEXT NOT NULL,
    target TEXT NOT NULL, target_state TEXT NOT NULL,
    gone INTEGER NOT NULL, time_ns INTEGER NOT NULL
);
CREATE TABLE gap (
    no INTEGER PRIMARY KEY, at INTEGER NOT NULL, count INTEGER NOT NULL, why TEXT NOT NULL,
    machine TEXT NOT NULL, since_ns INTEGER NOT NULL, until_ns INTEGER NOT NULL
);
CREATE TABLE gone (
    no INTEGER PRIMARY KEY, at INTEGER NOT NULL, machine TEXT NOT NULL, time_ns INTEGER NOT NULL
);
"""

_HEX = "CASE typeof({0}) WHEN 'integer' THEN printf('%016x', {0}) WHEN 'blob' THEN lower(hex({0}))"

_VIEWS = f"""
CREATE VIEW names AS
SELECT s.no AS schema, s.mach, n.key AS idx, n.value AS state
FROM schema s JOIN shape ON shape.id = s.shape, json_each(shape.body, '$.names') n;

CREATE VIEW machines AS
SELECT m.id, json_extract(p.body, '$.parent') AS parent,
    json_array_length(p.body, '$.names') AS states,
    coalesce((SELECT no * {BLOCK} + json_array_length(seqs) FROM block
        WHERE mach = m.num ORDER BY no DESC LIMIT 1), 0) AS transitions
FROM machine m JOIN schema s ON s.no = (SELECT max(no) FROM schema WHERE mach = m.num)
JOIN shape p ON p.id = s.shape;

CREATE VIEW transitions AS
WITH t AS (
    SELECT tx.*, (SELECT shape.body FROM schema s JOIN shape ON shape.id = s.shape
        WHERE s.mach = tx.mach AND s.at <= tx.seq ORDER BY s.no DESC LIMIT 1) AS body
    FROM tx
)
SELECT t.seq, m.id AS machine,
    {_HEX.format("t.id")} ELSE t.id END || coalesce('-' || t.n, '') AS tx,
    CASE t.flags & 3 WHEN 0 THEN 'add' WHEN 1 THEN 'remove' WHEN 2 THEN 'set' ELSE 'eval' END
        AS type,
    (SELECT group_concat(json_extract(t.body, '$.names[' || c.value || ']'), ' ')
        FROM list, json_each(list.items) c WHERE list.id = t.called) AS called,
    (SELECT group_concat(printf('%s%+d', json_extract(t.body, '$.names[' || d.value || ']'),
            json_extract(list.items, '$[' || (d.key + 1) || ']')), ' ')
        FROM list, json_each(list.items) d
        WHERE list.id = t.delta AND d.key % 2 = 0 AND d.value >= 0) AS changed,
    t.flags >> 3 & 1 AS accepted, t.flags >> 2 & 1 AS auto, t.flags >> 4 & 1 AS "check",
    t.flags >> 5 & 1 AS queued,
    t.queue_tick, t.queue, t.mut_tick AS runs_at_tick, t.mut_token AS token,
    strftime('%Y-%m-%dT%H:%M:%S', t.time_ns / 1000000000, 'unixepoch')
        || printf('.%06dZ', t.time_ns / 1000 % 1000000) AS time,
    t.lag_ns / 1000000.0 AS lag_ms,
    (SELECT items FROM list WHERE list.id = t.reason) AS reason,
    source.id AS source,
    {_HEX.format("t.src_id")} ELSE t.src_id END AS source_tx,
    CASE typeof(t.extra) WHEN 'text' THEN t.extra END AS extra
FROM t JOIN machine m ON m.num = t.mach LEFT JOIN machine source ON source.num = t.src;

CREATE VIEW positions AS
SELECT b.mach, b.no * {BLOCK} + j.key AS pos, b.first + j.value AS seq
FROM block b, json_each(b.seqs) j;
"""

MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {}
"""Version -> what makes a file of that version one of the next; runs within a transaction."""


def about() -> dict[str, str]:
    """What every new dump says of itself."""
    try:
        own = version("amctl")
    except PackageNotFoundError:
        own = "unknown"
    began = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
    return {"amctl": own, "began": began, "first_seq": "1"}


def create(con: sqlite3.Connection) -> None:
    """Make the tables and views of an empty file, within the caller's transaction."""
    for statement in (_TABLES + _VIEWS).split(";\n"):
        con.execute(statement)
    con.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    con.execute(f"PRAGMA user_version = {VERSION}")


def check(con: sqlite3.Connection, name: str) -> int:
    """The version of a dump.

    Raises:
        DumpFormatError: Some other program's file.
        DumpVersionError: A newer amctl's.
        sqlite3.DatabaseError: No SQLite file, or a damaged one.
    """
    found: int = con.execute("PRAGMA application_id").fetchone()[0]
    number: int = con.execute("PRAGMA user_version").fetchone()[0]
    if found != APPLICATION_ID or number < 1:
        raise DumpFormatError(name, f"an SQLite file, but no dump (application id {found:#x})")
    if number > VERSION:
        raise DumpVersionError(name, number, VERSION)
    return number


def migrate(con: sqlite3.Connection, found: int) -> None:
    """Bring a file of an older version to this one, in one transaction."""
    con.execute("BEGIN IMMEDIATE")
    try:
        for old in range(found, VERSION):
            MIGRATIONS[old](con)
        con.execute(f"PRAGMA user_version = {VERSION}")
        con.execute("COMMIT")
    except BaseException:
        if con.in_transaction:
            con.execute("ROLLBACK")
        raise
