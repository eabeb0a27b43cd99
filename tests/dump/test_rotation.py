"""Names and numbers of parts; what becomes of the dump before."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from amctl.dump.errors import DumpBusyError
from amctl.dump.rotation import KEEP, Rotation, parts_of, prune, set_aside, target_for
from amctl.dump.sqlite import SqliteDump, SqliteStore
from amctl.dump.sqlite._messages import MessageAppender
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from pathlib import Path

DAY = 1_700_000_000_000_000_000


def dump(path: Path, count: int = 3, now_ns: int = DAY) -> Path:
    store = SqliteStore(path, now_ns=lambda: now_ns)
    append = MessageAppender(store.rows, "").append
    append(simple_schema("m", "A"))
    for n in range(count):
        append(simple_tx("m", n, n))
    store.close()
    return path


def test_parts_are_named_by_time_and_never_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    for name in ("", "-2", "-3"):
        target = target_for(path, DAY)
        assert target.name == f"a-2023-11-14T22-13-20{name}.sqlite"
        target.touch()
    parts_of(path)[0].unlink()
    assert target_for(path, DAY).name == "a-2023-11-14T22-13-20-4.sqlite"
    assert target_for(path, DAY + 10**9).name == "a-2023-11-14T22-13-21.sqlite"
    assert target_for(tmp_path / "none" / "a.sqlite", 0).name == "a-1970-01-01T00-00-00.sqlite"


def test_the_newest_parts_stay_and_strangers_too(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    parts = []
    for _ in range(12):
        parts.append(target_for(path, DAY))
        parts[-1].touch()
    strangers = [
        tmp_path / name
        for name in ("a.sqlite", "a-2023.sqlite", "ab-2023-11-14T22-13-20.sqlite", "a-x.sqlite")
    ]
    for each in strangers:
        each.touch()
    assert prune(path, 0) == []
    assert prune(path, 3) == parts[:-3]
    assert set(tmp_path.iterdir()) == {*parts[-3:], *strangers}


def test_an_empty_part_is_never_due(tmp_path: Path) -> None:
    store = SqliteStore(dump(tmp_path / "a.sqlite", 0), now_ns=lambda: DAY)
    assert not Rotation(1, 1, 0.001).is_due(store, 2 * DAY)
    store.close()


@pytest.mark.parametrize(
    ("rotation", "due"),
    [
        (Rotation(), False),
        (Rotation(transitions=3), True),
        (Rotation(transitions=4), False),
        (Rotation(bytes=4096), True),
        (Rotation(bytes=10**6), False),
        (Rotation(seconds=10), True),
        (Rotation(seconds=11), False),
    ],
)
def test_a_part_ends_by_count_size_or_time(tmp_path: Path, rotation: Rotation, due: bool) -> None:
    store = SqliteStore(dump(tmp_path / "a.sqlite"))
    assert rotation.is_due(store, DAY + 10 * 10**9) is due
    store.close()


def test_the_dump_before_gets_a_name_with_its_start(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.sqlite")
    target = set_aside(path)
    assert target is not None
    assert target.name == "a-2023-11-14T22-13-20.sqlite"
    with SqliteDump(target) as old, SqliteDump(path) as new:
        assert old.count("m") == 3
        assert (new.machines(), new.count()) == ([], 0)
    assert set_aside(path) is None
    dump(path, 1)
    assert set_aside(path) is not None
    for n in range(KEEP + 3):
        dump(path, 1, DAY + n * 10**9)
        set_aside(path)
    assert len(parts_of(path)) == KEEP


def test_somebody_may_be_reading_it(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.sqlite")
    with SqliteDump(path) as before:
        reading = before.transitions()
        next(reading)
        set_aside(path)
        assert before.count() == 0
        list(reading)


def test_what_is_no_sound_dump_is_renamed_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"some text" * 1000)
    target = set_aside(path)
    assert target is not None
    assert target.read_bytes() == b"some text" * 1000
    assert not path.exists()


def test_a_newer_dump_is_renamed_too(tmp_path: Path) -> None:
    path = dump(tmp_path / "a.sqlite")
    con = sqlite3.connect(path)
    con.execute("PRAGMA user_version = 99")
    con.close()
    assert set_aside(path) is not None
    assert not path.exists()


def test_nothing_is_taken_from_a_collector_that_writes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.sqlite")
    with pytest.raises(DumpBusyError):
        set_aside(tmp_path / "a.sqlite")
    store.close()
