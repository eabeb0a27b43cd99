"""A dump that is being written: commits, the end, going on, rotating, failing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from amctl.dump.errors import DumpBusyError, DumpFormatError, DumpFullError, DumpVersionError
from amctl.dump.memory import MemoryDump
from amctl.dump.sqlite import SqliteDump, SqliteStore, _tables, is_written
from amctl.dump.sqlite._messages import MessageAppender
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg
from tests.dump.same import assert_same
from tests.support.house import ROOT
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from amctl.telemetry.messages import Message


def put(store: SqliteStore, messages: Iterable[Message]) -> None:
    append = MessageAppender(store.rows, store.name).append
    for message in messages:
        append(message)


def some(first: int, end: int, id: str = "m") -> list[Message]:
    return [simple_tx(id, n, n, n // 3, called=(n % 2,), time_ns=n) for n in range(first, end)]


SCHEMA = simple_schema("m", "A", "B")


def test_going_on_is_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.sqlite"
    messages: list[Message] = [SCHEMA, PipeMsg("add", "m", "A", "n", "B")]
    for end in (1, 64, 65, 100, 129):
        messages += some(sum(type(m).__name__ == "TxMsg" for m in messages), end)
        messages += [GapMsg(1, "why", "m"), simple_schema("m", "A", "B", tags=(str(end),))]
    messages.append(GoneMsg("m", 5))
    for first in range(0, len(messages), 13):
        store = SqliteStore(path)
        put(store, messages[first : first + 13])
        store.commit([("s", first, "test", 1)])
        assert store.place("s") == first
        assert store.place("t") == 0
        store.close()
    with SqliteDump(path) as dump:
        assert_same(dump, MemoryDump(messages=messages))
    assert [p.name for p in path.parent.iterdir()] == ["a.sqlite"]


def test_a_store_has_one_writer_and_names_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    with pytest.raises(DumpBusyError, match=f"another collector \\(pid {os.getpid()}\\)"):
        SqliteStore(tmp_path / "a.sqlite")
    store.close()
    store.close()
    SqliteStore(tmp_path / "a.sqlite").close()


@pytest.mark.slow
@pytest.mark.realtime
def test_the_lock_of_a_dead_writer_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    program = (
        "import os, sys; from amctl.dump.sqlite import SqliteStore; "
        "store = SqliteStore(sys.argv[1]); store.commit([('s', 7, '', 0)]); os.kill(os.getpid(), 9)"
    )
    words = [sys.executable, "-c", program, str(path)]
    assert subprocess.run(words, check=False, cwd=ROOT).returncode == -9
    assert path.with_name(".a.sqlite.lock").is_file()
    store = SqliteStore(path)
    assert store.place("s") == 7
    store.close()


def test_what_waits_is_not_there_yet(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    put(store, [SCHEMA, *some(0, 3)])
    assert (store.waiting, store.count) == (3, 3)
    with SqliteDump(store.path) as dump:
        assert dump.count() == 0
        store.commit()
        assert store.waiting == 0
        assert dump.count() == 3
    store.abandon()


def test_a_commit_that_fails_loses_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    put(store, [SCHEMA, *some(0, 70)])
    store.commit([("s", 70, "", 0)])
    pages = store._con.execute("PRAGMA page_count").fetchone()[0]
    store._con.execute(f"PRAGMA max_page_count = {pages + 1}")
    put(store, some(70, 3000))
    for _ in range(2):
        with pytest.raises(DumpFullError, match="can't be written: database or disk is full"):
            store.commit([("s", 3000, "", 0)])
        assert store.place("s") == 70
    with SqliteDump(store.path) as dump:
        assert list(dump.transitions()) == some(0, 70)
    put(store, some(3000, 3100))
    store._con.execute("PRAGMA max_page_count = 100000")
    store.commit([("s", 3100, "", 0)])
    store.close()
    with SqliteDump(store.path) as dump:
        assert list(dump.transitions()) == some(0, 3100)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no database at all", DumpFormatError),
        (b"SQLite format 3\0" + bytes(5000), DumpFormatError),
    ],
)
def test_what_is_no_dump_is_left_alone(tmp_path: Path, content: bytes, error: type) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(content)
    with pytest.raises(error):
        SqliteStore(path)
    assert path.read_bytes() == content
    assert [p.name for p in tmp_path.iterdir()] == ["a.sqlite"]


def test_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    SqliteStore(path).close()
    con = sqlite3.connect(path)
    con.execute(f"PRAGMA user_version = {_tables.VERSION + 1}")
    con.close()
    with pytest.raises(DumpVersionError):
        SqliteStore(path)


def test_an_older_version_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.sqlite"
    store = SqliteStore(path)
    put(store, [SCHEMA, *some(0, 3)])
    store.close()
    monkeypatch.setattr(_tables, "VERSION", 2)
    monkeypatch.setitem(_tables.MIGRATIONS, 1, lambda con: con.execute("SELECT nonsense"))
    with pytest.raises(DumpFullError):
        SqliteStore(path)
    add = "INSERT INTO meta VALUES ('new', 'thing')"
    monkeypatch.setitem(_tables.MIGRATIONS, 1, lambda con: con.execute(add))
    SqliteStore(path).close()
    with SqliteDump(path) as dump:
        assert dump.meta["new"] == "thing"
        assert dump.count() == 3


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DumpFullError, match="can't be written"):
        SqliteStore(tmp_path / "file" / "a.sqlite")


# --- rotating


def test_each_part_stands_alone_and_together_they_are_everything(tmp_path: Path) -> None:
    path, parts = tmp_path / "a.sqlite", [tmp_path / f"{n}.sqlite" for n in range(3)]
    gone = simple_schema("gone", "A")
    pipes = [PipeMsg("add", "m", "A", "n", state) for state in "ABC"]
    store = SqliteStore(path)
    put(store, [simple_schema("m", "X"), SCHEMA, gone, *pipes, *some(0, 100)])
    put(store, [simple_tx("gone", 1, 1), GoneMsg("gone", 4), GapMsg(1, "told once")])
    put(store, [PipeMsg("add", "m", "A", "n", "B", gone=True)])
    store.commit([("s", 104, "test", 1)])
    store.rotate(parts[0])
    put(store, some(100, 230))
    store.rotate(parts[1])
    store.rotate(parts[2])
    put(store, some(230, 240))
    store.close()
    found: list[object] = []
    for part in (*parts, path):
        with SqliteDump(part) as dump:
            assert dump.schema("m") == SCHEMA
            found += dump.transitions("m")
            assert list(dump.transitions("m")) == [
                tx for tx in dump.transitions() if tx.machine_id == "m"
            ]
    assert found == some(0, 240)
    with SqliteDump(parts[0]) as dump:
        assert len(dump.gaps()) == 1
        assert dump.gone() == {"gone": 4}
        assert dump.meta.get("part") is None
    with SqliteDump(path) as dump:
        assert dump.machines() == ["m"]
        assert dump.pipes() == [pipes[0], pipes[2]]
        assert (dump.gaps(), dump.gone()) == ([], {})
        assert (dump.meta["part"], dump.meta["before"]) == ("4", "2.sqlite")
    store = SqliteStore(path)
    assert store.place("s") == 104
    assert store.rows.seq == 242
    store.close()


@pytest.mark.slow
def test_readers_of_a_dump_that_rotates_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = SqliteStore(path)
    put(store, [SCHEMA, *some(0, 10_000)])
    store.commit()
    with SqliteDump(path) as dump:
        reading = dump.transitions()
        first = [next(reading) for _ in range(10)]
        store.rotate(tmp_path / "b.sqlite")
        put(store, [simple_schema("other", "Z"), *some(0, 10_000, "other")])
        store.commit()
        rest = list(reading)
        assert first + rest == some(0, len(rest) + 10)
        assert list(dump.transitions()) == some(0, 10_000, "other")
    store.close()


@pytest.mark.parametrize("moved", [False, True])
def test_a_rotation_that_was_cut_off_is_completed(tmp_path: Path, moved: bool) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    put(store, [SCHEMA, *some(0, 100)])
    store.commit()
    store._set_meta("rotating_to", '["b.sqlite", true]')
    store.close()
    if moved:
        shutil.copy(store.path, tmp_path / "b.sqlite")
    store = SqliteStore(store.path)
    assert store.count == (0 if moved else 100)
    put(store, some(100, 101))
    store.close()


def test_a_rotation_without_room_changes_nothing(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    put(store, [SCHEMA, *some(0, 100)])
    with pytest.raises(DumpFullError):
        store.rotate(tmp_path / "none" / "b.sqlite")
    assert store.count == 100
    store.close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.sqlite"]


def test_the_file_is_complete_at_the_end_whoever_looks_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    put(store, [SCHEMA, *some(0, 100)])
    store.commit()
    with SqliteDump(store.path) as looking:
        assert looking.count() == 100
        store.close()
        shutil.copy(store.path, tmp_path / "copy.sqlite")
    with SqliteDump(tmp_path / "copy.sqlite") as dump:
        assert list(dump.transitions()) == some(0, 100)


def test_whether_a_dump_is_open_for_writing(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    assert not is_written(path)
    store = SqliteStore(path)
    assert is_written(path)
    store.close()
    assert not is_written(path)
    path.with_name(f".{path.name}.lock").write_text("no pid\n")
    assert not is_written(path)
