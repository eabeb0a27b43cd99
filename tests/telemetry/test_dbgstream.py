from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.rpc.client import Client
from amctl.rpc.server import Server
from amctl.rpc.transports.memory import memory_pair
from amctl.telemetry.dbgstream import DebugOptions, DebugStream
from amctl.telemetry.messages import GoneMsg, SchemaMsg, TxMsg
from tests.support.fake_debugger import FakeDebugger

if TYPE_CHECKING:
    from amctl.machine import MachineView

STATES: dict[str, Any] = {"A": {}, "M": {"multi": True}, "ErrOnClient": {"require": ["Exception"]}}


def stream(far: FakeDebugger, name: str = "me", **options: Any) -> DebugStream:
    return DebugStream(name, far.dial, "secret", DebugOptions(**options))


async def test_what_happens_is_kept_by_the_collector() -> None:
    far = FakeDebugger()
    tape = stream(far)
    machine = Machine("m", STATES)
    tape.attach(machine)
    machine.add("A")
    tape.start()
    machine.add("M")
    await asyncio.sleep(0.1)
    assert tape.is_connected
    assert [tx.clocks for tx in far.kept.txs] == [(1, 0, 0, 0), (1, 0, 0, 1)]
    machine.dispose()
    assert await tape.until_gone(1.0)
    assert await tape.close(1.0) == 0
    assert isinstance(far.kept.messages[-1], GoneMsg)
    assert (far.names, far.byes) == (["me"], 1)
    assert tape.dropped == 0
    assert await tape.close(1.0) == 0


async def test_who_is_let_go_is_no_longer_traced() -> None:
    far = FakeDebugger()
    tape = stream(far)
    tape.start()
    machine = Machine("m", STATES)
    tape.attach(machine)
    tracers = machine.tracers
    tape.attach(machine)
    assert machine.tracers == tracers
    assert not await tape.until_gone(0.5)
    await tape.close(1.0)
    assert not machine.tracers
    machine.add("A")
    tape.attach(machine)
    assert not machine.tracers
    assert far.kept.txs == []


async def test_the_lost_ones_are_told(caplog: pytest.LogCaptureFixture) -> None:
    far = FakeDebugger()
    far.is_up = False
    tape = stream(far, outbox=20)
    machine = Machine("m", STATES)
    tape.attach(machine)
    tape.start()
    for _ in range(30):
        machine.add("M")
    assert caplog.text.count("20 messages wait for the collector, further ones are lost") == 1
    # 19 and what tells of the other 11
    assert await tape.close(0.5) == 31
    assert "the last 20 messages are lost" in caplog.text


async def test_descendants_are_followed_whenever_they_come() -> None:
    tape = stream(FakeDebugger())
    root = Machine("root", STATES)
    child = Machine("child", STATES, parent=root)
    grandchild = Machine("grandchild", STATES, parent=child)
    stranger = Machine("stranger", STATES)
    tape.attach(root)
    assert tape.machine_ids == ["root", "child", "grandchild"]
    late = Machine("late", STATES, parent=grandchild)
    later = Machine("later", STATES, parent=late)
    assert tape.machine_ids == ["root", "child", "grandchild", "late", "later"]
    assert stranger.tracers == ()
    root.dispose()
    assert await tape.until_gone(1.0)
    assert later.is_disposed
    tape.attach(later)
    assert tape.machine_ids == []


async def test_some_machines_are_left_out_with_all_below_them() -> None:
    tape = stream(FakeDebugger(), rpc=False, relay=False)
    root = Machine("root", STATES)
    Machine("rs", STATES, parent=root, tags=["rpc-server"])
    tape.attach(root)
    relay = Machine("relay", STATES, parent=root, tags=["relay"])
    Machine("tunnel", STATES, parent=relay)
    assert tape.machine_ids == ["root"]
    root.dispose()


async def test_one_that_can_not_be_followed_lives_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tape = stream(FakeDebugger())
    root = Machine("root", STATES)
    tape.attach(root)

    def fail(*args: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr(Machine, "bind_tracer", fail)
    child = Machine("child", STATES, parent=root)
    assert child.add("A").executed
    assert "child can't be followed" in caplog.text
    assert tape.machine_ids == ["root"]
    monkeypatch.undo()
    root.dispose()


async def test_two_streams_may_follow_one_machine() -> None:
    one, two = FakeDebugger(), FakeDebugger()
    tapes = [stream(one), stream(two)]
    machine = Machine("m", STATES)
    for tape in tapes:
        tape.attach(machine)
        tape.start()
    machine.add("A")
    for tape in tapes:
        assert await tape.close() == 0
    (here,), (there,) = one.kept.txs, two.kept.txs
    assert here.id == there.id


class Pair:
    """A machine served to a client, with a collector that sees both ends."""

    def __init__(self) -> None:
        self.far = FakeDebugger()
        self.tape = stream(self.far)
        self.source = Machine("source", STATES)
        self.server = Server(self.source, "s", token="t", parent=self.source, push_interval=0.01)
        self.near = Machine("near", STATES)
        self.client = Client("s", token="t", parent=self.near)

    async def connect(self) -> None:
        self.server.start()
        self.client.start()
        await self.server.machine.when("RpcReady")
        one, two = memory_pair()
        self.server.accept(two)
        self.client.attach(one)
        await self.client.machine.when("Ready")

    async def close(self) -> None:
        await self.client.stop()
        await self.server.stop()
        self.source.dispose()
        self.near.dispose()
        assert await self.tape.until_gone(1.0)
        assert await self.tape.close() == 0

    def txs(self, machine: MachineView) -> list[TxMsg]:
        return [tx for tx in self.far.kept.txs if tx.machine_id == machine.id]

    def schema(self, id: str) -> SchemaMsg:
        found = [m for m in self.far.kept.messages if isinstance(m, SchemaMsg)]
        return [m for m in found if m.machine_id == id][-1]


@pytest.mark.parametrize("late", [False, True], ids=["early", "late"])
async def test_mirrors_and_their_connections_are_recorded(late: bool) -> None:
    pair = Pair()
    pair.tape.start()
    if late:
        await pair.connect()
    pair.tape.attach(pair.source)
    pair.tape.attach(pair.near)
    assert set(pair.tape.machine_ids) == {"source", "rs-s", "near", "rc-s", "rnm-s"}
    if not late:
        await pair.connect()
    result = await pair.client.net.add("A")
    assert result.executed
    await asyncio.sleep(0.1)
    (there,) = pair.txs(pair.source)
    here = pair.txs(pair.client.net)[-1]
    # the mirror follows the source, and says whose mirror it is
    assert there.clocks == tuple(pair.source.time())
    assert here.clocks == tuple(pair.client.net.time())
    assert here.source is not None
    assert here.source.machine_id == "source"
    assert there.source is not None
    assert there.source.machine_id == "rc-s"
    assert "src-id:source" in pair.schema("rnm-s").tags
    assert pair.schema("rnm-s").parent == "rc-s"
    if not late:
        # from which tools know who is connected to whom
        assert "rpc-server" in pair.schema("rs-s").tags
        done = pair.schema("rs-s").names.index("HandshakeDone")
        shakes = [tx for tx in pair.txs(pair.server.machine) if tx.called == (done,)]
        ids = [tx.args.get("id") for tx in shakes if tx.type == 0 and tx.accepted]
        assert ids == ["rc-s"]
    await pair.close()
    gone = {m.machine_id for m in pair.far.kept.messages if isinstance(m, GoneMsg)}
    assert gone == {"source", "rs-s", "near", "rc-s", "rnm-s"}


async def test_the_recorders_own_life_is_not_recorded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    far = FakeDebugger()
    tape = stream(far)
    machine = Machine("m", STATES)
    tape.attach(machine)
    tape.start()
    await asyncio.sleep(10)
    far.kill()
    await asyncio.sleep(10)
    machine.dispose()
    assert await tape.close() == 0
    assert far.kept.txs == []
