"""Our machines at a debugger of the original's kind; the collector's other door plays it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from amctl.dump import rpclink
from amctl.dump._forward import Forwards
from amctl.dump.collector import Collector, Limits
from amctl.dump.rpclink import RpcLink
from amctl.dump.sqlite import SqliteDump, SqliteStore
from amctl.machine import Machine
from amctl.rpc.transports.tcp import dial_tcp
from amctl.telemetry.dbgstream import DebugOptions, DebugStream
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg
from amctl.telemetry.outbox import Outbox
from tests.dump.gob.samples import everything
from tests.telemetry.dbgtools import simple_schema, simple_tx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from amctl.rpc.transports.base import Connection
    from amctl.telemetry.messages import Message

pytestmark = pytest.mark.realtime

NOW = 1_800_000_000_000_000_000
STATES: dict[str, Any] = {
    "Start": {"add": ["Ready"]},
    "Ready": {"require": ["Start"]},
    "M": {"multi": True},
    "No": {"require": ["Ready", "Never"]},
    "Never": {},
}


class Debugger:
    """A collector with both doors."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = 0
        self.collector: Collector | None = None

    async def up(self, forwards: Forwards | None = None) -> None:
        limits = Limits(commit_after=0.001)
        store = SqliteStore(self.path)
        made = Collector(store, None, limits=limits, forwards=forwards, now_ns=lambda: NOW)
        self.collector = made
        self.native = await made.start("127.0.0.1", 0)
        _, self.port = await made.start_rpc("127.0.0.1", self.port)

    async def down(self) -> None:
        collector, self.collector = self.collector, None
        if collector is not None:
            await collector.close()

    @property
    def guests(self) -> int:
        assert self.collector is not None
        assert self.collector._rpc is not None
        return len(self.collector._rpc.guests)

    def stored(self) -> tuple[list[SchemaMsg], list[TxMsg], list[PipeMsg], list[GapMsg]]:
        with SqliteDump(self.path) as dump:
            schemas = [dump.schema(id) for id in sorted(dump.machines())]
            txs = list(dump.transitions())
            pipes = sorted(dump.pipes(), key=str)
            gaps = list(dump.gaps())
            self.gone = dict(dump.gone())
        for schema in schemas:
            schema.time_ns = 0  # the original's messages have no place for it
        for tx in txs:
            tx.received_ns = 0
        return schemas, txs, pipes, gaps


@pytest.fixture
async def far(tmp_path: Path) -> AsyncIterator[Debugger]:
    made = Debugger(tmp_path / "far.sqlite")
    yield made
    await made.down()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # it has no events for tests
            await asyncio.sleep(0.001)


class Sent:
    """Messages by hand."""

    def __init__(self, port: int, limit: int = 1000) -> None:
        self.outbox = Outbox(limit, lambda: NOW, lambda _: None)
        self.link = RpcLink("test", self.outbox, "127.0.0.1", port)
        self.link.start()

    def put(self, *messages: Message) -> None:
        for message in messages:
            self.outbox.put(message)
        self.link.wake()

    async def taken(self) -> None:
        await until(lambda: not self.outbox.unacked)


async def test_a_live_run_is_recorded_by_both_doors_alike(far: Debugger, tmp_path: Path) -> None:
    near = Debugger(tmp_path / "near.sqlite")
    await near.up()
    await far.up()

    async def dial() -> Connection:
        return await dial_tcp(*near.native)

    options, clock = DebugOptions(queued="all", checks=True), lambda: NOW
    ours = DebugStream("us", dial, "", options, now_ns=clock)
    theirs = DebugStream(
        "us",
        options=options,
        now_ns=clock,
        carrier=lambda outbox: RpcLink("us", outbox, "127.0.0.1", far.port),
    )
    machine = Machine("m", STATES)
    for tape in (ours, theirs):
        tape.start()
        tape.attach(machine)
    child = Machine("child", STATES, parent=machine)
    child.add("Start", {"name": "x"})
    machine.add("Start")
    machine.add("No")
    machine.add("M", {"name": "y"})
    machine.can_add("M")
    machine.add("M")
    child.remove("Start")
    child.dispose()
    machine.add("M")
    machine.dispose()
    for tape in (ours, theirs):
        assert await tape.until_gone(5)
        assert await tape.close(10.0) == 0
    await near.down()
    await far.down()
    mine, other = near.stored(), far.stored()
    assert len(mine[1]) > 10
    for tx in (*mine[1], *other[1]):  # each stream's tracer sees the other one come
        tx.pre_logs = tuple(line for line in tx.pre_logs if "[tracers]" not in line.text)
        tx.logs = tuple(line for line in tx.logs if "[tracers]" not in line.text)
    for found, expected in zip(other[1], mine[1], strict=True):
        assert found == expected
    assert other == mine
    assert far.gone == near.gone
    assert set(far.gone) == {"m", "child"}


async def test_everything_that_a_recording_has_comes_through(far: Debugger) -> None:
    await far.up()
    sent, dump = Sent(far.port), everything()
    for id in dump.machines():
        sent.put(*(schema for _, schema in dump.schemas(id)))
    sent.put(*dump.pipes(), *dump.gaps(), *dump.transitions())
    sent.put(*(GoneMsg(id, time_ns) for id, time_ns in dump.gone().items()))
    assert await sent.link.close(10.0) == 0
    await far.down()
    _, txs, pipes, gaps = far.stored()
    assert sent.outbox.dropped == 0
    assert pipes == sorted(dump.pipes(), key=str)
    assert sorted(map(str, gaps)) == sorted(map(str, dump.gaps()))
    assert far.gone == dict(dump.gone())
    for found, expected in zip(txs, dump.transitions(), strict=True):
        lines = {*expected.pre_logs, *expected.logs}
        more = [line.text for line in (*found.pre_logs, *found.logs) if line not in lines]
        assert all(text.startswith(("[pipe-", "[source]", "[add]")) for text in more)
        bare = {"logs": (), "pre_logs": (), "received_ns": 0}
        if expected.time_ns == 0:
            expected.time_ns = found.time_ns
        assert replace(found, **bare) == replace(expected, **bare)


async def test_who_comes_late_hears_all_that_waits(far: Debugger) -> None:
    await far.up()
    await far.down()
    sent = Sent(far.port)
    sent.put(simple_schema("m", "A"), *(simple_tx("m", n, n, time_ns=1) for n in range(5)))
    await until(lambda: bool(sent.link._told))
    await far.up()
    await sent.taken()
    assert await sent.link.close(1.0) == 0
    await far.down()
    assert [tx.clocks for tx in far.stored()[1]] == [(n,) for n in range(5)]


async def test_machines_are_introduced_once_more_after_a_break(far: Debugger) -> None:
    await far.up()
    sent = Sent(far.port)
    sent.put(simple_schema("m", "A"), simple_tx("m", 1, 1), simple_schema("idle", "A"))
    await until(lambda: far.guests == 2)
    await sent.taken()
    await far.down()
    far.path = far.path.with_name("later.sqlite")
    await far.up()
    await until(lambda: far.guests == 2)
    sent.put(simple_tx("m", 2, 2))
    assert await sent.link.close(5.0) == 0
    await far.down()
    schemas, txs, _, _ = far.stored()
    assert [schema.machine_id for schema in schemas] == ["idle", "m"]
    assert [tx.clocks for tx in txs] == [(2,)]


async def test_lines_that_wait_go_with_a_transition_of_their_own(
    far: Debugger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rpclink, "_FLUSH", 0.001)
    await far.up()
    sent = Sent(far.port)
    pipe = PipeMsg("add", "m", "A", "n", "B", time_ns=7)
    sent.put(simple_schema("m", "A"), simple_schema("n", "B"), pipe, GapMsg(3, "full"))
    await until(lambda: far.collector is not None and far.collector.counts.gaps == 1)
    await sent.link.close(1.0)
    await far.down()
    _, txs, pipes, gaps = far.stored()
    assert (txs, pipes, gaps) == ([], [pipe], [GapMsg(3, "full")])


async def test_what_is_refused_is_lost_and_told(
    far: Debugger, caplog: pytest.LogCaptureFixture
) -> None:
    await far.up()
    sent = Sent(far.port)
    sent.put(simple_schema("m", "A"), simple_tx("m", 1, 1, 1, 1), simple_tx("m", 2, 1))
    sent.put(simple_tx("m", 3, -1), simple_tx("stranger", 1, 1), simple_tx("m", 4, 2))
    assert await sent.link.close(5.0) == 0
    await far.down()
    assert [tx.clocks for tx in far.stored()[1]] == [(1,), (2,)]
    assert sent.outbox.dropped == 3
    assert "the debugger refuses what m tells: 3 ticks" in caplog.text
    assert "a message can't be sent" in caplog.text


@pytest.mark.parametrize("words", [b"", b"HTTP/1.1 400 Bad Request\r\n" * 3, b"\xf8\xff\xff\xff"])
async def test_whoever_else_listens_there_does_no_harm(
    words: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rpclink, "_ANSWER", 0.01)
    came: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)
        writer.write(words)
        with contextlib.suppress(OSError):
            await reader.read(1)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    caplog.set_level(logging.WARNING)
    sent = Sent(server.sockets[0].getsockname()[1])
    sent.put(simple_schema("m", "A"), simple_tx("m", 1, 1))
    await until(lambda: len(came) > 1)
    assert await sent.link.close(0.01) == 1
    assert "can't reach the debugger at 127.0.0.1:" in caplog.text
    server.close()
    for writer in came:
        writer.close()


async def test_a_collector_forwards_to_a_debugger_of_the_original(
    far: Debugger, tmp_path: Path
) -> None:
    await far.up()
    forwards = Forwards([], "", "near", now_ns=lambda: NOW, gob=[("127.0.0.1", far.port)])
    near = Debugger(tmp_path / "near.sqlite")
    await near.up(forwards)
    sent = Sent(near.port)
    sent.put(simple_schema("m", "A"), simple_tx("m", 1, 1, time_ns=5))
    assert await sent.link.close(5.0) == 0
    await near.down()
    await far.down()
    assert forwards.dropped == {}
    assert far.stored() == near.stored()
    assert [tx.time_ns for tx in far.stored()[1]] == [5]
