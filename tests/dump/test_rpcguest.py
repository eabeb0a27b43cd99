"""Programs of the original at the collector's other door: honest ones, and all others."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from amctl.dump import _rpcguest
from amctl.dump.collector import Collector, Limits
from amctl.dump.gob import read_gob
from amctl.dump.gob.decoder import Decoder, Iface
from amctl.dump.gob.inflate import inflate
from amctl.dump.memory import MemoryDump
from amctl.dump.sqlite import SqliteDump, SqliteStore
from amctl.telemetry.messages import TxMsg
from tests.dump.fuzz_rpc import Fuzzer
from tests.dump.gob.samples import FIXTURE
from tests.dump.same import assert_same
from tests.dump.senders import Sender
from tests.support.go_caller import GoCaller, definitions, message
from tests.support.shared import SHARED, needs_shared
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

pytestmark = pytest.mark.realtime

NOW = 1_800_000_000_000_000_000
SCHEMA = {"ID": "m", "StatesIndex": ["A", "B"], "States": {"A": {}, "B": {"Auto": True}}}
TX = {"MachineID": "m", "ID": "ab" * 16, "Clocks": [1, 0], "CalledStatesIdxs": [0]}


class Place:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "a.sqlite"
        self.told: list[str] = []
        self.callers: list[GoCaller] = []

    async def open(self, **limits: Any) -> None:
        self.collector = Collector(
            SqliteStore(self.path),
            "secret",
            limits=Limits(commit_after=0.001, retry_after=0.01, **limits),
            now_ns=lambda: NOW,
            tell=lambda text, level: self.told.append(text),
        )
        self.native = await self.collector.start("127.0.0.1", 0)
        self.address = await self.collector.start_rpc("127.0.0.1", 0)

    async def caller(self) -> GoCaller:
        made = await GoCaller.dial(self.address)
        self.callers.append(made)
        return made

    async def close(self) -> MemoryDump:
        for caller in self.callers:
            caller.close()
        await Sender.close_all()
        await self.collector.close()
        with SqliteDump(self.path) as dump:
            return copied(dump)


def copied(dump: SqliteDump) -> MemoryDump:
    out = MemoryDump("copy")
    for id in dump.machines():
        for _, schema in dump.schemas(id):
            out.write(schema)
    for record in (*dump.transitions(), *dump.pipes(), *dump.gaps()):
        out.write(record)
    return out


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path)
    await made.open()
    yield made
    if not made.collector.is_closing:
        await made.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # it has no events for tests
            await asyncio.sleep(0.001)


def raw_machines(path: Path) -> list[dict[str, Any]]:
    """A dump as it is, without anything of ours but the plain decoder."""
    found: list[dict[str, Any]] = Decoder(inflate(path.read_bytes(), 1 << 30, "x")).decode()
    return found


def without_faces(tx: dict[str, Any]) -> dict[str, Any]:
    """What the caller's encoder takes: interface values plain."""
    steps = [
        {k: v.value if isinstance(v, Iface) else v for k, v in step.items()}
        for step in tx.get("Steps", ())
    ]
    return {**tx, "Steps": steps}


async def stream(place: Place, path: Path) -> None:
    """All of a dump, by its times, as its machines would have sent it: one connection for each."""
    order: list[tuple[bytes, int, GoCaller, dict[str, Any]]] = []
    for part in raw_machines(path):
        caller = await place.caller()
        assert await caller.call("DbgMsgSchema", part["MsgStruct"]) == ""
        latest = b""
        for tx in part.get("MsgTxs", ()):
            latest = max(latest, tx.get("Time", b"")[1:13])
            order.append((latest, len(order), caller, without_faces(tx)))
    for _, _, caller, tx in sorted(order, key=lambda each: each[:2]):
        assert await caller.call("DbgMsgTx", tx) == ""


def stamped(dump: MemoryDump) -> MemoryDump:
    """An import as it is when it came at once: the collector says when it got each message."""
    for tx in dump.transitions():
        tx.time_ns = tx.time_ns or NOW
        tx.received_ns = NOW
    return dump


@needs_shared
async def test_a_recorded_dump_that_is_streamed_equals_its_import(place: Place) -> None:
    path = SHARED / "data" / "wasm-workflow.gob.br"
    await stream(place, path)
    assert_same(await place.close(), stamped(read_gob(path)))
    assert place.collector.counts.refused == 0


async def test_a_small_dump_that_is_streamed_equals_its_import(place: Place) -> None:
    await stream(place, FIXTURE)
    streamed, imported = await place.close(), stamped(read_gob(FIXTURE))
    for id in imported.machines():
        imported.schema(id).time_ns = 0  # nobody tells when a machine said what it is
    assert list(streamed.transitions()) == list(imported.transitions())
    assert list(streamed.pipes()) == list(imported.pipes())
    assert list(streamed.gaps()) == list(imported.gaps())
    for id in imported.machines():
        assert streamed.schema(id) == imported.schema(id)


async def test_what_has_no_time_has_that_of_its_arrival(place: Place) -> None:
    caller = await place.caller()
    assert await caller.call("DbgMsgSchema", SCHEMA) == ""
    assert await caller.call("DbgMsgTx", {**TX, "Accepted": True}) == ""
    (tx,) = (await place.close()).transitions()
    assert tx == TxMsg("m", "ab" * 16, (1, 0), called=(0,), time_ns=NOW, received_ns=NOW)


async def test_machines_of_both_kinds_stand_in_one_dump(place: Place) -> None:
    caller = await place.caller()
    await caller.call("DbgMsgSchema", SCHEMA)
    sender, _ = await Sender.welcomed(place.native)
    await sender.send(0, [simple_schema("n", "A"), simple_tx("n", 1, 1)])
    await caller.call("DbgMsgTx", TX)
    await sender.acked(1)
    dump = await place.close()
    assert sorted(dump.machines()) == ["m", "n"]
    assert (dump.count("m"), dump.count("n")) == (1, 1)


async def test_forwarded_calls_keep_the_connections_that_they_came_from(place: Place) -> None:
    caller = await place.caller()
    for connection in ("aaaa", "bbbb"):
        schema = {**SCHEMA, "ID": connection}
        body = {"MsgStruct": schema, "ConnId": connection}
        assert await caller.call("DbgMsgSchemaFwd", body) == ""
    tx = {**TX, "MachineID": "aaaa"}
    assert await caller.call("DbgMsgTxFwd", {"MsgTx": tx, "ConnId": "aaaa"}) == ""
    assert "no schema" in await caller.call("DbgMsgTxFwd", {"MsgTx": tx, "ConnId": "bbbb"})
    dump = await place.close()
    assert (dump.count("aaaa"), dump.count("bbbb")) == (1, 0)


async def test_who_tells_the_schema_last_tells_the_transitions(place: Place) -> None:
    first, second = await place.caller(), await place.caller()
    assert "no schema" in await first.call("DbgMsgTx", TX)
    assert await first.call("DbgMsgSchema", SCHEMA) == ""
    assert await first.call("DbgMsgTx", TX) == ""
    assert await second.call("DbgMsgSchema", SCHEMA) == ""
    assert "another connection" in await first.call("DbgMsgTx", TX)
    assert await second.call("DbgMsgTx", {**TX, "Clocks": [3, 0]}) == ""
    dump = await place.close()
    assert [tx.clocks for tx in dump.transitions("m")] == [(1, 0), (3, 0)]


async def test_a_machine_of_ours_is_not_confused_by_one_of_the_same_name(place: Place) -> None:
    sender, _ = await Sender.welcomed(place.native)
    await sender.send(0, [simple_schema("m", "A", "B"), simple_tx("m", 1, 1, 0)])
    await sender.acked(1)
    caller = await place.caller()
    await caller.call("DbgMsgSchema", SCHEMA)
    await caller.call("DbgMsgTx", {**TX, "Clocks": [7, 7]})
    await sender.send(1, [simple_tx("m", 2, 1, 1)])
    await sender.acked(2)
    dump = await place.close()
    assert [tx.clocks for tx in dump.transitions("m")] == [(1, 0), (7, 7), (1, 1)]


async def test_a_schema_that_changes_goes_on_in_place(place: Place) -> None:
    caller = await place.caller()
    await caller.call("DbgMsgSchema", SCHEMA)
    await caller.call("DbgMsgTx", TX)
    assert "3 ticks" in await caller.call("DbgMsgTx", {**TX, "Clocks": [1, 1, 1]})
    await caller.call("DbgMsgSchema", {**SCHEMA, "StatesIndex": ["A", "B", "C"]})
    assert await caller.call("DbgMsgTx", {**TX, "Clocks": [1, 1, 1]}) == ""
    await place.close()
    with SqliteDump(place.path) as dump:
        assert [schema.names for _, schema in dump.schemas("m")] == [("A", "B"), ("A", "B", "C")]
        assert dump.count("m") == 2


async def test_wrong_calls_are_answered_and_the_connection_goes_on(place: Place) -> None:
    caller = await place.caller()
    assert await caller.call("Shutdown", TX) == "rpc: can't find method RPCServer.Shutdown"
    await caller.call("DbgMsgSchema", SCHEMA)
    assert "type 9" in await caller.call("DbgMsgTx", {**TX, "Type": 9})
    assert "a time of" in await caller.call("DbgMsgTx", {**TX, "Time": b"x"})
    assert await caller.call("DbgMsgTx", TX) == ""
    assert (await place.close()).count() == 1


async def test_who_is_wrong_too_often_is_hung_up_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rpcguest, "_WRONG", 3)
    caller = await place.caller()
    with suppress(asyncio.IncompleteReadError, OSError):
        for _ in range(9):
            await caller.call("DbgMsgTx", TX)
        pytest.fail("it was not hung up on")
    assert any("more than 3 calls are wrong" in text for text in place.told)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n" + b"Accept: anything, please\r\n" * 9,
        b"\xf8" + b"\xff" * 40,
        b"\0" * 100,
        definitions() + message(b"\xff\x84\x01"),
        definitions() * 2,
    ],
)
async def test_garbage_is_hung_up_on(place: Place, garbage: bytes) -> None:
    caller = await place.caller()
    caller.writer.write(garbage)
    with suppress(OSError):
        await asyncio.wait_for(caller.reader.read(), 10)
    await until(lambda: place.collector.counts.refused == 1)
    other = await place.caller()
    assert await other.call("DbgMsgSchema", SCHEMA) == ""


async def test_a_broken_body_is_answered_before_the_end(place: Place) -> None:
    caller = await place.caller()
    data = caller.bytes_of("DbgMsgTx", TX)
    caller.writer.write(data[:-1] + b"\x7f")
    assert "gob: field" in (await caller.answer())[2]
    assert await caller.reader.read() == b""


async def test_what_waits_is_bounded_over_all_connections(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rpcguest, "_UNFINISHED", 3000)
    for number in range(3):
        caller = await place.caller()
        caller.writer.write(definitions() + b"\xfe\x10\x00" + bytes(1400))
        await until(lambda n=number: place.collector.counts.connections == n + 1)  # type: ignore[misc]
    await until(lambda: place.collector.counts.refused == 1)
    assert any("rest of their value" in text for text in place.told)


async def test_schemas_find_only_so_much_room(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rpcguest, "_SCHEMAS", 2000)
    await place.collector.close()
    await place.open()
    big = {"ID": "m", "StatesIndex": ["x" * 600]}
    first, second = await place.caller(), await place.caller()
    assert await first.call("DbgMsgSchema", big) == ""
    assert "too large" in await second.call("DbgMsgSchema", {**big, "ID": "n"})
    first.close()
    await until(lambda: len(place.collector._rpc.guests) == 1)  # type: ignore[union-attr]
    assert await second.call("DbgMsgSchema", {**big, "ID": "n"}) == ""


async def test_there_are_only_so_many_machines_and_connections(place: Place) -> None:
    await place.collector.close()
    await place.open(machines=1, calling=1)
    caller = await place.caller()
    assert await caller.call("DbgMsgSchema", SCHEMA) == ""
    assert "finds no place" in await caller.call("DbgMsgSchema", {**SCHEMA, "ID": "n"})
    other = await place.caller()
    assert await other.reader.read() == b""
    assert any("too many connections" in text for text in place.told)


async def test_who_says_nothing_is_hung_up_on(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rpcguest, "_FIRST_CALL", 0.001)
    caller = await place.caller()
    assert await caller.reader.read() == b""
    assert any("no schema was told" in text for text in place.told)


async def test_damaged_streams_do_no_harm(tmp_path: Path) -> None:
    fuzzer = Fuzzer(tmp_path, seed=8)
    await fuzzer.run(150)
    assert fuzzer.problems == []
    assert fuzzer.counts["stored"] > 20
