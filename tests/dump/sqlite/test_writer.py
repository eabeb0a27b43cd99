"""Making a dump in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.dump.errors import DumpFormatError, DumpFullError, UnknownMachineError
from amctl.dump.sqlite import SqliteDump, SqliteWriter, _append
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.telemetry.messages import Message


def test_nothing_stands_under_the_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_text("the one before")
    writer = SqliteWriter(path, meta={"run": "7"})
    writer.write(simple_schema("m", "A"))
    assert path.read_text() == "the one before"
    writer.finish()
    writer.abandon()
    assert list(tmp_path.iterdir()) == [path]
    with SqliteDump(path) as dump:
        assert dump.machines() == ["m"]
        assert dump.meta["run"] == "7"
        assert dump.meta["first_seq"] == "1"


def test_what_is_abandoned_leaves_nothing(tmp_path: Path) -> None:
    writer = SqliteWriter(tmp_path / "a.sqlite")
    writer.write(simple_schema("m", "A"))
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


def test_a_transition_before_its_schema_is_refused(tmp_path: Path) -> None:
    writer = SqliteWriter(tmp_path / "a.sqlite")
    writer.write(simple_schema("m", "A"))
    with pytest.raises(UnknownMachineError, match="no machine 'n'"):
        writer.write(simple_tx("n", 1, 1))
    writer.abandon()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DumpFullError, match="can't be written"):
        SqliteWriter(tmp_path / "none" / "a.sqlite")


def test_a_text_that_is_none(tmp_path: Path) -> None:
    writer = SqliteWriter(tmp_path / "a.sqlite")
    writer.write(simple_schema("m\ud800", "A"))
    with pytest.raises(DumpFormatError, match="can't be written"):
        writer.finish()
    writer.abandon()


def test_too_many_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_append, "NAMES", 2)
    writer = SqliteWriter(tmp_path / "a.sqlite")
    writer.write(simple_schema("a", "A"))
    writer.write(simple_schema("b", "A"))
    with pytest.raises(DumpFullError, match="too many machines"):
        writer.write(simple_schema("c", "A"))
    writer.abandon()


def test_lists_that_were_forgotten_may_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_append, "_LISTS", 2)
    monkeypatch.setattr(_append, "_SHAPES", 1)
    messages: list[Message] = [simple_schema("m", "A", "B"), simple_schema("n", "A")]
    messages += [simple_tx("m", n, n * n, 7 * n, called=(n % 2,)) for n in range(20)]
    messages += [simple_schema("m", "A", "B"), simple_tx("m", 20, 1000, 1000)]
    writer = SqliteWriter(tmp_path / "a.sqlite")
    for message in messages:
        writer.write(message)
    writer.finish()
    with SqliteDump(tmp_path / "a.sqlite") as dump:
        assert [*dump.transitions()] == [*messages[2:22], messages[-1]]
        assert [at for at, _ in dump.schemas("m")] == [0, 20]
