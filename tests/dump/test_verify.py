"""Sound dumps are sound; every kind of damage is found."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from amctl.dump.errors import DumpFormatError, DumpNotFoundError, DumpVersionError
from amctl.dump.sqlite import SqliteStore, SqliteWriter
from amctl.dump.sqlite._messages import MessageAppender
from amctl.dump.verify import verify
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg
from tests.telemetry.dbgtools import scripts, simple_schema, simple_tx

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.telemetry.messages import Message

SCHEMA = simple_schema("m", "A", "B")


def script() -> list[Message]:
    out: list[Message] = [SCHEMA, simple_schema("n", "A"), PipeMsg("add", "m", "A", "n", "A")]
    for n in range(200):
        out.append(simple_tx("m", n, n, n // 2, called=(n % 2,), is_queued=n % 5 == 0))
        if n % 3 == 0:
            out.append(simple_tx("n", n, n))
    return [*out, GapMsg(7, "outbox full"), GoneMsg("n", 1)]


def written(path: Path, messages: list[Message]) -> Path:
    writer = SqliteWriter(path)
    for message in messages:
        writer.write(message)
    writer.finish()
    return path


def test_a_sound_dump_is_counted(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = written(tmp_path / "a.sqlite", script())
    report = verify(path, progress=lambda done, total: told.append((done, total)))
    assert report.ok
    assert (report.problems, report.oddities) == ([], [])
    assert (report.version, report.part, report.machines) == (1, 1, 2)
    assert (report.transitions, report.queued, report.blocks) == (267, 40, 6)
    assert (report.gaps, report.lost, report.restarts) == (1, 7, 0)
    assert told == []


@pytest.mark.slow
@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=scripts(40))
def test_whatever_was_written_is_sound(tmp_path: Path, messages: list[Message]) -> None:
    report = verify(written(tmp_path / "a.sqlite", messages))
    assert report.problems == []


def test_a_dump_is_sound_while_it_is_written_and_when_it_is_rotated(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    append = MessageAppender(store.rows, "").append
    for at, message in enumerate(script()):
        append(message)
        if at % 50 == 49:
            store.commit([("s", at, "test", 0)])
            assert verify(store.path).problems == []
    store.rotate(tmp_path / "b.sqlite")
    append(simple_tx("m", 201, 200, 200))
    store.commit()
    reports = [verify(tmp_path / name) for name in ("a.sqlite", "b.sqlite")]
    assert [report.problems for report in reports] == [[], []]
    assert [report.part for report in reports] == [2, 1]
    assert [report.transitions for report in reports] == [1, 267]
    assert [report.streams for report in reports] == [1, 1]
    store.close()


def test_a_machine_that_began_anew_is_no_damage(tmp_path: Path) -> None:
    messages: list[Message] = [SCHEMA, simple_tx("m", 1, 5, 5), SCHEMA, simple_tx("m", 2, 1, 0)]
    report = verify(written(tmp_path / "a.sqlite", messages))
    assert (report.ok, report.restarts, report.oddities) == (True, 1, [])


def test_what_only_an_import_can_bring_is_odd(tmp_path: Path) -> None:
    messages: list[Message] = [
        SCHEMA,
        simple_tx("m", 1, 5, 5, 5),
        simple_tx("m", 2, 1, 0, called=(9,)),
    ]
    report = verify(written(tmp_path / "a.sqlite", messages))
    assert report.ok
    assert [text.partition(": ")[2] or text for text in report.oddities] == [
        "3 ticks, with 2 states",
        "transition 2 of 'm' calls (9,), with 2 states",
        "a tick goes down, and no new schema was told",
    ]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE block SET base = '[1,1]' WHERE no = 1", "block 1 of 'm' differs"),
        ("UPDATE block SET base = 'x' WHERE no = 1", "block 1 of 'm': "),
        ("UPDATE block SET seqs = '[0]' WHERE no = 0 AND mach = 1", "isn't where block 0 says"),
        ("UPDATE block SET no = 9 WHERE no = 1", "block 9 of"),
        ("DELETE FROM block WHERE mach = 1 AND no = 3", "isn't where block 3"),
        ("INSERT INTO block VALUES (1, 4, 9, '[0]', '[]')", "its blocks 201"),
        ("INSERT INTO block VALUES (77, 0, 9, '[0]', '[]')", "machine 77, which has no schema"),
        ("DELETE FROM tx WHERE seq = 100", "transition 101: 100 was next"),
        ("UPDATE tx SET mach = 9 WHERE seq = 1", "machine 9, which has no schema"),
        ("UPDATE tx SET src = 9 WHERE seq = 1", "machine 9, which isn't there"),
        ("UPDATE tx SET id = x'00' WHERE seq = 1", "an id of 1 bytes"),
        ("UPDATE tx SET extra = 'x' WHERE seq = 1", "transition 1 of 'm': "),
        ("UPDATE tx SET extra = x'28b52ffd00' WHERE seq = 1", "transition 1 of 'm': "),
        ("UPDATE tx SET delta = 999 WHERE seq = 9", "list 999 is missing"),
        ("UPDATE tx SET called = 999 WHERE seq = 9", "list 999 is missing"),
        ("UPDATE tx SET delta = NULL WHERE seq = 9", "block 1 of 'm' differs"),
        ("UPDATE tx SET reason = 1 WHERE seq = 9", "reason 1 is missing"),
        ("UPDATE list SET items = 'x' WHERE id = 1", "list 1: "),
        ("UPDATE list SET items = '[0,1.5]' WHERE id = 1", "list 1: "),
        ("UPDATE list SET items = '[99,1]'", "list index out of range"),
        ("UPDATE list SET items = '[-1,99999999]'", "99999999 ticks"),
        ("UPDATE shape SET body = '{}'", "schema 1 of 'm'"),
        ("DELETE FROM shape", "schema 1 of 'm'"),
        ("UPDATE schema SET mach = 9 WHERE no = 1", "machine 9, which isn't there"),
        ("UPDATE schema SET at = 50 WHERE no = 1", "before the machine's schema"),
        ("UPDATE pipe SET at = 999", "pipe 3 is at a transition that isn't there"),
        ("UPDATE gap SET at = 0", "gap 4 is at a transition that isn't there"),
        ("INSERT INTO stream VALUES ('s', -1, '', 0)", "stream 's' goes on from -1"),
        ("DELETE FROM meta", "meta 'first_seq' is no number"),
        ("INSERT INTO meta VALUES ('rotating_to', 'x')", "a rotation was cut off"),
        ("UPDATE machine SET id = x'00' WHERE num = 1", "machine 1 is called"),
        ("DROP TABLE gap", "can't be read: no such table: gap"),
    ],
)
def test_damage_is_found(tmp_path: Path, damage: str, said: str) -> None:
    path = written(tmp_path / "a.sqlite", script())
    con = sqlite3.connect(path)
    con.execute(damage)
    con.commit()
    con.close()
    report = verify(path)
    assert not report.ok
    assert said in "\n".join(report.problems)


def test_much_damage_is_not_told_line_by_line(tmp_path: Path) -> None:
    path = written(tmp_path / "a.sqlite", script())
    con = sqlite3.connect(path)
    con.execute("UPDATE tx SET src = 9")
    con.commit()
    con.close()
    problems = verify(path).problems
    assert len(problems) == 21
    assert problems[-1] == "tx: 247 more"


def test_broken_pages_are_found(tmp_path: Path) -> None:
    path = written(tmp_path / "a.sqlite", script())
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - 2 * 4096)
        file.write(os.urandom(2 * 4096))
    try:
        report = verify(path)
    except DumpFormatError:
        return
    assert not report.ok


def test_what_can_not_be_opened(tmp_path: Path) -> None:
    with pytest.raises(DumpNotFoundError):
        verify(tmp_path / "none.sqlite")
    path = written(tmp_path / "a.sqlite", script())
    con = sqlite3.connect(path)
    con.execute("PRAGMA user_version = 9")
    con.close()
    with pytest.raises(DumpVersionError):
        verify(path)
