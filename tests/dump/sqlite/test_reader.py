"""Reading dumps: everything comes back, from any position, from any disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amctl.dump.errors import (
    DumpFormatError,
    DumpNotFoundError,
    DumpVersionError,
    UnknownMachineError,
)
from amctl.dump.memory import MemoryDump
from amctl.dump.sqlite import SqliteDump, SqliteStore, SqliteWriter, _connect, _tables
from amctl.dump.sqlite._messages import MessageAppender
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.steps import Step
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg
from tests.dump.same import assert_same
from tests.telemetry.dbgtools import scripts, simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from amctl.telemetry.messages import Message


def written(path: Path, messages: Iterable[Message]) -> Path:
    writer = SqliteWriter(path)
    for message in messages:
        writer.write(message)
    writer.finish()
    return path


def busy(count: int, machines: int = 3) -> list[Message]:
    """`count` transitions, of machines by turns."""
    out: list[Message] = [simple_schema(f"m{i}", "A", "B", "C") for i in range(machines)]
    for n in range(count):
        clocks = (n, n // 2, 0)
        out.append(simple_tx(f"m{n * n % machines}", n, *clocks, time_ns=n, received_ns=n + 5))
    return out


@pytest.mark.slow
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=scripts(30), received=st.sampled_from([0, 1, 1_700_000_000_000_000_000]))
def test_everything_survives(tmp_path: Path, messages: list[Message], received: int) -> None:
    for message in messages:
        if isinstance(message, TxMsg):
            message.received_ns = received
    expected = MemoryDump(messages=messages)
    with SqliteDump(written(tmp_path / "a.sqlite", messages)) as dump:
        assert_same(dump, expected)


def test_a_machine_is_read_from_any_position(tmp_path: Path) -> None:
    messages = busy(700)
    expected = MemoryDump(messages=messages)
    with SqliteDump(written(tmp_path / "a.sqlite", messages)) as dump:
        for start, stop in [(0, None), (63, 66), (64, 64), (100, 900), (129, None), (-5, 3)]:
            for id in (*dump.machines(), None):
                found = list(dump.transitions(id, start, stop))
                assert found == list(expected.transitions(id, start, stop))
        last = list(dump.transitions("m1"))[-1]
        assert dump.find("m1", last.id) == dump.count("m1") - 1
        assert dump.find("m0", last.id) == -1


def test_an_unknown_machine_is_named_with_a_near_one(tmp_path: Path) -> None:
    with SqliteDump(written(tmp_path / "a.sqlite", busy(1))) as dump:
        for ask in (dump.schema, dump.schemas, dump.count, dump.transitions):
            with pytest.raises(UnknownMachineError) as raised:
                ask("m7")
        assert raised.value.known == ["m0", "m1", "m2"]


def test_one_that_is_only_a_source_is_no_machine_of_the_dump(tmp_path: Path) -> None:
    tx = simple_tx("m0", 1, 0, 0, 0, source=SourceRef("elsewhere", "00000000000000ff", 9))
    with SqliteDump(written(tmp_path / "a.sqlite", [*busy(0, 1), tx])) as dump:
        assert dump.machines() == ["m0"]
        assert next(dump.transitions()).source == tx.source
        with pytest.raises(UnknownMachineError):
            dump.count("elsewhere")


def test_who_comes_back_is_not_gone(tmp_path: Path) -> None:
    here, there = simple_schema("here", "A"), simple_schema("there", "A")
    messages: list[Message] = [here, there, GoneMsg("here", 5), GoneMsg("there", 6), here]
    with SqliteDump(written(tmp_path / "a.sqlite", messages)) as dump:
        assert dump.gone() == {"there": 6}


def test_long_extras_are_packed(tmp_path: Path) -> None:
    lines = tuple(LogLine(2, f"[state] +Foo{n % 3}") for n in range(500))
    messages = [*busy(0, 1), simple_tx("m0", 1, 0, 0, 0, logs=lines)]
    path = written(tmp_path / "a.sqlite", messages)
    with SqliteDump(path) as dump:
        assert next(dump.transitions()).logs == lines
    assert path.stat().st_size < 80_000


# --- while it is written


def test_a_reader_sees_what_is_committed_and_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = SqliteStore(path)
    append = MessageAppender(store.rows, store.name).append
    messages = busy(10_000)
    for message in messages[:5000]:
        append(message)
    store.commit()
    with SqliteDump(path) as dump:
        count = dump.count()
        reading = dump.transitions()
        first = [next(reading) for _ in range(10)]
        for message in messages[5000:]:
            append(message)
        assert dump.count() == count
        store.commit()
        store._con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert first + list(reading) == messages[3:5000]
        assert list(dump.transitions()) == messages[3:]
    store.close()


# --- what is no good


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DumpNotFoundError, match="no such file"):
        SqliteDump(tmp_path / "a.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"nothing", b"SQLite format 3\0" + bytes(5000)])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(content)
    with pytest.raises(DumpFormatError, match=r"a\.sqlite"):
        SqliteDump(path)
    assert path.read_bytes() == content


def test_a_database_that_is_no_dump(tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "a.sqlite")
    con.execute("CREATE TABLE tx (seq)")
    con.close()
    with pytest.raises(DumpFormatError, match="no dump"):
        SqliteDump(tmp_path / "a.sqlite")


def test_a_newer_version(tmp_path: Path) -> None:
    path = written(tmp_path / "a.sqlite", busy(1))
    con = sqlite3.connect(path)
    con.execute("PRAGMA user_version = 99")
    con.close()
    with pytest.raises(DumpVersionError, match="version 99, this amctl knows up to"):
        SqliteDump(path)


def test_an_older_version_is_brought_up_to_date_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.sqlite", busy(100))
    before = path.read_bytes()
    monkeypatch.setattr(_tables, "VERSION", 2)
    add = "INSERT INTO meta VALUES ('new', 'thing')"
    monkeypatch.setitem(_tables.MIGRATIONS, 1, lambda con: con.execute(add))
    with SqliteDump(path) as dump:
        assert dump.meta["new"] == "thing"
        assert list(dump.transitions()) == busy(100)[3:]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE list SET items = '[99,1]'",
        "UPDATE list SET items = '[0]'",
        "UPDATE list SET items = '[-1,999999999]'",
        "UPDATE list SET items = 'x'",
        "DELETE FROM list",
        "DELETE FROM machine",
        "UPDATE tx SET time_ns = 'x'",
        "UPDATE tx SET extra = x'28b52ffd00'",
        "UPDATE tx SET extra = '{\"st\":[1]}'",
        "UPDATE tx SET extra = '{\"lo\":[1]}'",
        "UPDATE block SET base = 'x'",
    ],
)
def test_damaged_rows_are_told(tmp_path: Path, damage: str) -> None:
    path = written(tmp_path / "a.sqlite", busy(100, 1))
    con = sqlite3.connect(path)
    con.execute(damage)
    con.commit()
    con.close()
    with SqliteDump(path) as dump, pytest.raises((DumpFormatError, UnknownMachineError)):
        list(dump.transitions("m0"))
    with SqliteDump(path) as dump, pytest.raises(DumpFormatError):
        list(dump.transitions(None, 5))


@pytest.mark.parametrize("table", ["pipe", "gap", "gone"])
def test_a_time_that_is_none_is_told(tmp_path: Path, table: str) -> None:
    records: list[Message] = [
        PipeMsg("add", "m0", "A", "m1", "B"),
        GapMsg(1, "outbox full"),
        GoneMsg("m0", 5),
    ]
    path = written(tmp_path / "a.sqlite", [*busy(1), *records])
    column = "until_ns" if table == "gap" else "time_ns"
    con = sqlite3.connect(path)
    con.execute(f"UPDATE {table} SET {column} = 'never'")
    con.commit()
    con.close()
    with SqliteDump(path) as dump, pytest.raises(DumpFormatError, match="never"):
        {"pipe": dump.pipes, "gap": dump.gaps, "gone": dump.gone}[table]()


def test_a_schema_that_is_damaged(tmp_path: Path) -> None:
    path = written(tmp_path / "a.sqlite", busy(1))
    con = sqlite3.connect(path)
    con.execute("UPDATE shape SET body = '{}'")
    con.commit()
    con.close()
    with SqliteDump(path) as dump, pytest.raises(DumpFormatError, match="schema of 'm0'"):
        dump.schema("m0")


def test_a_file_cut_short(tmp_path: Path) -> None:
    path = written(tmp_path / "a.sqlite", busy(5000))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DumpFormatError), SqliteDump(path) as dump:
        list(dump.transitions())


# --- where nothing can be written


def test_a_copy_without_its_log_holds_what_was_checkpointed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    append = MessageAppender(store.rows, store.name).append
    for message in busy(100):
        append(message)
    store.commit()
    store._con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    append(simple_tx("m0", 100, 100, 50, 0))
    store.commit()
    shutil.copy(tmp_path / "a.sqlite", tmp_path / "copy.sqlite")
    with SqliteDump(tmp_path / "copy.sqlite") as dump:
        assert dump.count() == 100
    with SqliteDump(tmp_path / "a.sqlite") as dump:
        assert dump.count() == 101
    store.close()


@pytest.mark.parametrize("log", [False, True])
def test_a_file_on_a_read_only_disk(
    tmp_path: Path, log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so the refusal is played."""
    store = SqliteStore(tmp_path / "a.sqlite")
    append = MessageAppender(store.rows, store.name).append
    for message in busy(100):
        append(message)
    store.commit()
    if not log:
        store._con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    disk = tmp_path / "disk"
    disk.mkdir()
    for name in ("a.sqlite", "a.sqlite-wal"):
        shutil.copy(tmp_path / name, disk / name)
    store.close()
    real = _connect._attempt

    def refuse(uri: str) -> sqlite3.Connection:
        if "/disk/" in uri and "immutable" not in uri:
            raise sqlite3.OperationalError("unable to open database file")
        return real(uri)

    monkeypatch.setattr(_connect, "_attempt", refuse)
    with SqliteDump(disk / "a.sqlite") as dump:
        assert dump.count() == 100
        assert list(dump.transitions()) == busy(100)[3:]
    assert sorted(path.name for path in disk.iterdir()) == ["a.sqlite", "a.sqlite-wal"]


# --- for other programs


def rows_of(path: Path, query: str) -> list[tuple[object, ...]]:
    con = sqlite3.connect(path)
    try:
        return con.execute(query).fetchall()
    finally:
        con.close()


def test_any_program_reads_its_views(tmp_path: Path) -> None:
    schema = SchemaMsg("m", ("A", "B"), {"A": StateDef(), "B": StateDef()}, parent="boss")
    one = TxMsg("m", "f" * 16, (1, 0), called=(0, 1), time_ns=1_700_000_000_123_456_789)
    one.source, one.steps = SourceRef("n", "00000000000000aa", 3), (Step(1, 0, 1),)
    two = TxMsg("m", f"{'f' * 16}-2", (1, 0), type=1, is_queued=True, mut_queue_tick=9)
    three = TxMsg("m", "5dc94551dd42c9bad77a54d63147afc1", (2, 3), accepted=False, queue=4)
    path = written(tmp_path / "a.sqlite", [schema, one, two, three])
    assert rows_of(path, "SELECT * FROM machines") == [("m", "boss", 2, 3)]
    query = "SELECT seq, machine, tx, type, called, changed, time, source, source_tx"
    assert rows_of(path, f"{query} FROM transitions") == [
        (1, "m", "f" * 16, "add", "A B", "A+1", "2023-11-14T22:13:20.123456Z", "n", f"{170:016x}"),
        (2, "m", f"{'f' * 16}-2", "remove", None, None, "1970-01-01T00:00:00.000000Z", None, None),
        (3, "m", three.id, "add", None, "A+1 B+3", "1970-01-01T00:00:00.000000Z", None, None),
    ]
    query = 'SELECT accepted, auto, "check", queued, runs_at_tick, queue FROM transitions'
    assert rows_of(path, query) == [
        (1, 0, 0, 0, None, 0),
        (1, 0, 0, 1, 9, 0),
        (0, 0, 0, 0, None, 4),
    ]
    assert rows_of(path, "SELECT pos, seq FROM positions") == [(0, 1), (1, 2), (2, 3)]
    assert rows_of(path, "SELECT idx, state FROM names") == [(0, "A"), (1, "B")]
