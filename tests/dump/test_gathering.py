"""Streams that are taken in: in memory while there is room, else in a file that goes again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amctl.dump.errors import DumpFormatError, UnknownMachineError
from amctl.dump.gathering import TemporaryDump, gather
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import GapMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.telemetry.messages import Message

SCHEMA = SchemaMsg("m", ("A",), {})
META = {"run": "r"}


def messages(count: int) -> list[Message]:
    txs = [TxMsg("m", f"{i:016x}", (i,), time_ns=i + 1) for i in range(count)]
    return [SCHEMA, *txs, GapMsg(3, "x")]


def test_a_small_stream_stays_in_memory() -> None:
    dump = gather(messages(3), "x", "jsonl", META)
    assert isinstance(dump, MemoryDump)
    assert (dump.name, dump.format, dump.meta, dump.count()) == ("x", "jsonl", META, 3)


def test_a_large_one_goes_into_a_file_until_it_is_closed() -> None:
    said: list[str] = []
    dump = gather(messages(100), "x", "jsonl", META, room=1000, say=said.append)
    assert isinstance(dump, TemporaryDump)
    assert (dump.name, dump.format, dump.meta, dump.count()) == ("x", "jsonl", META, 100)
    assert list(dump.transitions()) == messages(100)[1:-1]
    assert list(dump.gaps()) == [GapMsg(3, "x")]
    folder = Path(dump._folder.name)
    assert folder.is_dir()
    dump.close()
    assert not folder.exists()
    assert said == ["x is large: it is unpacked into a temporary file"]


def test_clocks_and_states_take_room_too() -> None:
    wide = tuple(range(500))
    many = [SCHEMA, TxMsg("m", "1", wide), TxMsg("m", "2", tuple(range(1, 501)))]
    dump = gather(many, "x", "jsonl", {}, room=1000)
    assert isinstance(dump, TemporaryDump)
    dump.close()
    schema = SchemaMsg("m", tuple(f"s{i}" for i in range(100)), {})
    dump = gather([schema], "x", "jsonl", {}, room=1000)
    assert isinstance(dump, TemporaryDump)
    dump.close()


def test_equal_clocks_take_room_once() -> None:
    clocks = tuple(range(900))
    dump = gather([SCHEMA, *(TxMsg("m", "1", clocks) for _ in range(9))], "x", "y", {}, room=1500)
    assert isinstance(dump, MemoryDump)


@pytest.mark.parametrize("good", [10, 200])
def test_what_fails_leaves_no_file(
    good: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def broken() -> Iterator[Message]:
        yield from messages(good)
        raise DumpFormatError("x", "broken")

    with pytest.raises(DumpFormatError, match="broken"):
        gather(broken(), "x", "jsonl", {}, room=1000)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_none_is_removed(tmp_path: Path) -> None:
    folder = tempfile.TemporaryDirectory(dir=tmp_path)
    path = Path(folder.name) / "x"
    path.write_bytes(b"no dump at all")
    with pytest.raises(DumpFormatError):
        TemporaryDump(folder, path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_stream_in_a_wrong_order_is_refused() -> None:
    with pytest.raises(UnknownMachineError):
        gather([TxMsg("m", "1", ())], "x", "jsonl", {})
