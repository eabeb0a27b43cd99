"""Recordings that grow, break, shrink, vanish, or are replaced: told, never raised."""

from __future__ import annotations

import gzip
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from amctl.debugger.store import Condition, Store
from amctl.dump.errors import DumpFormatError, DumpNotFoundError
from amctl.dump.inspecting import Query, search
from amctl.dump.memory import MemoryDump
from amctl.dump.sqlite import SqliteStore
from amctl.dump.sqlite._messages import MessageAppender
from amctl.dump.writing import new_writer
from amctl.telemetry.messages import GapMsg
from tests.debugger.histories import DUMPS, history, machine, recorded, tx, walks

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.telemetry.messages import Message


def written(path: Path, dump: MemoryDump) -> Path:
    """A recording in a file, in the place of what was there."""
    from amctl.dump.copying import copy

    writer = new_writer(str(path), None, force=True, meta={})
    copy(dump, writer)
    writer.finish()
    return path


def some(count: int, name: str = "a") -> MemoryDump:
    return history(*[tx(name, n, (n + 1, 0, 0, 0)) for n in range(count)], machines=(name,))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(walks(most=20))
def test_records_are_the_entries_of_a_plain_look(dump: MemoryDump) -> None:
    store = Store(dump)
    for id in store.machines:
        entries = list(search(dump, Query([id])))
        records = list(store.records(id, 0, 1000))
        assert [record.tx for record in records] == [entry.tx for entry in entries]
        for record, entry in zip(records, entries, strict=True):
            if not record.is_restart and not record.tx.is_queued:
                assert sum(record.before) == sum(entry.before)
            assert record.time_diff >= 0


def test_pages_know_the_clocks_before_them() -> None:
    dump = some(1)
    for number in range(1, 200):
        dump.write(tx("a", number, (), is_queued=True))
    dump.write(tx("a", 200, (3, 0, 0, 0)))
    store = Store(dump)
    record = store.record("a", 201)
    assert record is not None
    assert record.before == (1, 0, 0, 0)
    assert record.time_diff == 2
    assert store.clocks("a", 150) == (1, 0, 0, 0)


def test_a_new_schema_moves_the_clocks_of_a_page() -> None:
    dump = some(64)
    dump.write(machine("a", ("New", "Start")))
    dump.write(tx("a", 64, (1, 64)))
    record = Store(dump).record("a", 65)
    assert record is not None
    assert record.before == (0, 64)
    assert record.names == ("New", "Start")


def test_a_machine_that_began_anew_is_told() -> None:
    store = Store(history(tx("a", 0, (5, 1, 0, 0)), tx("a", 1, (1, 0, 0, 0))))
    record = store.record("a", 2)
    assert record is not None
    assert record.is_restart
    assert record.before == ()
    assert record.time_diff == 1


def test_what_is_outside_is_none() -> None:
    store = Store(some(2))
    assert store.record("a", 0) is None
    assert store.record("a", 3) is None
    assert store.record("b", 1) is None
    assert store.schema("b") is None
    assert store.size("b") == 0


def put(store: SqliteStore, *messages: Message) -> None:
    append = MessageAppender(store.rows, store.name).append
    for message in messages:
        append(message)
    store.commit()


def test_it_grows_while_a_collector_writes(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    collector = SqliteStore(path)
    put(collector, machine("a"), *[tx("a", n, (n + 1, 0, 0, 0)) for n in range(70)])
    store = Store.open(path)
    store.work_all()
    assert len(list(store.records("a", 60, 100))) == 11
    put(collector, machine("b"), *[tx("a", n, (n + 1, 0, 0, 0)) for n in range(70, 140)])
    update = store.refresh()
    assert (update.grew, update.is_new) == (70, False)
    assert store.machines == ("a", "b")
    assert not store.work(10)
    store.work_all()
    assert [one.cursor for one in store.records("a", 60, 200)] == [*range(60, 141)]
    assert store.held("a").size == 140  # type: ignore[union-attr]
    collector.close()
    store.close()


def test_a_rotation_begins_a_new_part(tmp_path: Path) -> None:
    path = tmp_path / "live.sqlite"
    collector = SqliteStore(path)
    put(collector, machine("a"), *[tx("a", n, (n + 1, 0, 0, 0)) for n in range(70)])
    store = Store.open(path)
    store.work_all()
    collector.rotate(tmp_path / "part.sqlite")
    put(collector, tx("a", 70, (71, 0, 0, 0)))
    assert store.refresh().is_new
    store.work_all()
    assert store.size("a") == 1
    assert store.record("a", 1).tx.clocks == (71, 0, 0, 0)  # type: ignore[union-attr]
    collector.close()
    store.close()


def test_a_memory_recording_grows() -> None:
    dump = some(70)
    store = Store(dump)
    store.work_all()
    assert len(list(store.records("a", 65, 100))) == 6
    dump.write(tx("a", 70, (71, 0, 0, 0)))
    dump.write(machine("b"))
    assert store.refresh().grew == 1
    assert len(list(store.records("a", 65, 100))) == 7
    assert store.machines == ("a", "b")
    assert store.generation == 0


@pytest.mark.parametrize("ending", ["sqlite", "jsonl", "gob.br"])
def test_another_recording_in_its_place_is_taken(tmp_path: Path, ending: str) -> None:
    path = written(tmp_path / f"run.{ending}", some(3))
    store = Store.open(path)
    store.work_all()
    other = written(tmp_path / f"other.{ending}", some(2, "b"))
    os.replace(other, path)
    update = store.refresh()
    assert update.is_new
    assert store.machines == ("b",)
    assert store.generation == 1
    assert store.index.done == 0
    store.work_all()
    assert store.held("b") is not None
    store.close()


def test_a_recording_that_is_gone_stays_readable(tmp_path: Path) -> None:
    path = written(tmp_path / "run.sqlite", some(3))
    store = Store.open(path)
    path.unlink()
    store.refresh()
    assert store.health.condition is Condition.GONE
    assert "is gone" in store.health.text
    assert store.record("a", 3) is not None
    written(path, some(5))
    assert store.refresh().is_new
    assert store.health.condition is Condition.WHOLE
    assert store.size("a") == 5
    store.close()


def test_what_takes_its_place_may_be_no_recording(tmp_path: Path) -> None:
    path = written(tmp_path / "run.jsonl", some(3))
    store = Store.open(path)
    path.write_text("nothing of the kind")
    assert not store.refresh().is_new
    assert store.health.condition is Condition.DAMAGED
    assert store.record("a", 3) is not None
    store.close()


def test_a_file_that_breaks_underneath_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "run.sqlite", some(3000))
    store = Store.open(path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 3)
        file.write(b"\xff" * (size // 2))
    store.refresh()
    store.work_all()
    list(store.records("a", 0, 4000))
    assert store.health.condition is Condition.DAMAGED
    assert store.health.text
    store.close()


def test_a_file_that_is_cut_underneath_is_told(tmp_path: Path) -> None:
    path = written(tmp_path / "run.sqlite", some(3000))
    store = Store.open(path)
    os.truncate(path, path.stat().st_size // 2)
    store.refresh()
    store.work_all()
    list(store.records("a", 0, 4000))
    assert store.health.condition is Condition.DAMAGED
    store.close()


def test_fewer_transitions_than_before_are_another_recording() -> None:
    dump = some(5)
    store = Store(dump)
    store.work_all()
    dump.abandon()
    dump.write(machine("a"))
    dump.write(tx("a", 0, (1, 0, 0, 0)))
    assert store.refresh().is_new
    store.work_all()
    assert store.size("a") == 1
    assert store.index.done == 1


def test_nothing_yet_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "later.sqlite"
    with pytest.raises(DumpNotFoundError):
        Store.open(path)
    store = Store.open(path, wait=True)
    assert store.health.condition is Condition.EMPTY
    assert "there is no such file" in store.health.text
    assert store.work()
    assert not store.refresh().is_new
    written(path, some(2))
    assert store.refresh().is_new
    assert store.size("a") == 2
    store.close()


def test_damage_at_the_start_is_raised(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_text("no dump at all, only text")
    with pytest.raises(DumpFormatError):
        Store.open(path)


def test_empty_ones_are_told() -> None:
    assert "no machine yet" in Store(MemoryDump("x")).health.text
    assert "no transition yet" in Store(history()).health.text


def test_what_was_dropped_is_counted() -> None:
    dump = history(tx("a", 0, (1, 0, 0, 0)), machines=("a", "b"))
    for gap in (GapMsg(3, "outbox full", "a"), GapMsg(2, "gone"), GapMsg(7, "x", "b")):
        dump.write(gap)
    store = Store(dump)
    assert store.dropped == 12
    assert store.dropped_of("a") == 5


def test_the_file_is_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "v1.sqlite"
    with gzip.open(DUMPS / "v1.sqlite.gz") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    before = path.read_bytes()
    store = Store.open(path)
    store.work_all()
    for id in store.machines:
        list(store.records(id, 0, 10**6))
    store.close()
    assert path.read_bytes() == before


def test_ids_are_looked_up_before_the_index_is_there(tmp_path: Path) -> None:
    store = Store.open(written(tmp_path / "run.sqlite", some(100)))
    assert store.look_up("a", f"{77:016x}") == 78
    assert Store(some(100)).look_up("a", f"{77:016x}") == 78
    assert Store(some(100)).look_up("a", "nope") == 0
    store.close()


def test_one_machine_alone_can_be_indexed() -> None:
    store = Store(recorded())
    store.only("browser1")
    store.work_all()
    assert list(store.index.machines) == ["browser1"]
    assert store.index.done == store.size("browser1")
