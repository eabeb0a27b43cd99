"""Faults with a name, each alone, on a virtual clock: silence, slowness, sleep."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.rpc.client import ClientTimes
from amctl.rpc.payload import APayload
from amctl.rpc.transports.memory import MemoryConnection
from amctl.rpc.wire.errors import Backpressure
from amctl.rpc.wire.limits import DEFAULT_LIMITS
from nodes.jobs import expected_results
from tests.nodes.system import FOUR, System
from tests.rpc.world import Consumer, Plain, turn, world
from tests.support.virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from amctl.machine import Event

SOON = 15.1
"""Seconds in which a half-open peer is found: a ping each 10 s, and 5 s for an answer."""
FULL = re.compile(r"send queue is full: \d+ messages, \d+ bytes")
RIGHT = {id: digest.hex() for id, digest in expected_results(FOUR).items()}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job takes 30 seconds of the virtual clock."""

    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(30)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)


def hold(near: Any) -> None:
    """Let the path die without a word to either end."""
    assert isinstance(near, MemoryConnection)
    near.hold()
    near._other.hold()


# --- half-open peers


async def test_wir_28_both_ends_find_a_half_open_peer_in_a_set_time() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        hold(w.connections[-1])
        w.refusing = True
        now = asyncio.get_running_loop().time
        began = now()
        await client.machine.when_not("Connected")
        await w.server.machine.when_not("ClientConnected")
        assert now() - began <= SOON
        w.refusing = False
        assert (await net.add("A")).executed


@pytest.mark.parametrize("root", ["browser1", "browser2"])
async def test_a_node_that_falls_silent_in_mid_round_is_found_and_comes_back(
    root: str, slow: None
) -> None:
    async with System(job_timeout=100.0) as system:
        await system.machine.when("Browser1Working")
        now = asyncio.get_running_loop().time
        began = now()
        hold(system._near[root][0])
        await system.machine.when_not("NetworkReady")
        assert now() - began <= SOON
        outcome = await system.finished()
    assert (outcome.ok, outcome.results, outcome.interrupted) == (True, RIGHT, 1)
    assert outcome.rounds == 1, "an interrupted round is none"


# --- slow consumers


class Takes:
    """Notes the numbers of payloads."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    def ServerPayloadState(self, e: Event) -> None:
        e.machine.remove("ServerPayload")
        self.taken.append(e.args(APayload).data[0])


async def test_a_slow_consumers_payloads_are_bounded_and_the_error_says_so() -> None:
    takes, piece = Takes(), b"x" * 100_000
    consumer = Machine("taker", Consumer, handlers=takes)
    async with world(states=Plain) as w:
        await w.ready(states=Plain, consumer=consumer)
        session = w.server._session
        assert session is not None
        path = w.connections[-1]._other
        path.hold()  # nothing goes out, everything comes in
        sent, refused = 0, ""
        while not refused:
            try:
                w.server.send_payload("piece", [sent, piece])
                sent += 1
            except Backpressure as error:
                refused = str(error)
            assert sent < 1000, "it has no bound"
            await turn(3)
        assert FULL.fullmatch(refused)
        lim = DEFAULT_LIMITS
        assert sent * len(piece) > lim.queue_bytes // 2
        assert session.memory() <= lim.window_bytes + lim.queue_bytes + lim.message + lim.frame
        path.release()
        await asyncio.sleep(1)
        assert takes.taken == list(range(sent)), "everything that was taken on has come"
        await w.server.send_payload("piece", [sent, piece])
        assert takes.taken[-1] == sent


async def test_a_slow_consumers_clocks_merge_without_limit() -> None:
    async with world(states=Plain, push_interval=0.0) as w:
        client, net = await w.ready(states=Plain)
        session, path = w.server._session, w.connections[-1]._other
        assert session is not None
        path.hold()
        for _ in range(20):
            w.source.add("B")
            await asyncio.sleep(0.001)
        before = session.memory(), path._size
        for _ in range(2000):
            w.source.add("B")
            await asyncio.sleep(0.001)
        assert session.memory() - before[0] < 10_000
        assert path._size <= 64 << 10 < 2000 * 40
        path.release()
        await net.sync()
        assert net.tick("B") == w.source.tick("B")
        assert client._core.resynced == 0


async def test_calls_to_a_peer_that_takes_nothing_are_bounded_and_the_error_says_so() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        w.connections[-1].hold()
        sent, refused = 0, ""
        while not refused:
            try:
                net.add_ns("B", {"n": sent, "filling": b"x" * 1000})
                sent += 1
            except Backpressure as error:
                refused = str(error)
            assert sent < 100_000, "it has no bound"
            if sent % 100 == 0:
                await turn(1)
        assert FULL.fullmatch(refused)
        assert client._core.memory() <= DEFAULT_LIMITS.queue_bytes + (1 << 20)
        w.connections[-1].release()
        await asyncio.sleep(1)
        await net.sync()
        assert w.source.tick("B") == 2 * sent - 1, "each that was taken on ran once"


# --- sleep


async def test_wir_29_everybody_sleeps_for_a_minute_and_nothing_is_lost() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        for _ in range(5):
            loop.now += 60.0
            w.source.add("B")
            assert (await net.add("B")).executed
            await asyncio.sleep(SOON)
        assert net.tick("B") == w.source.tick("B") == 19
        assert len(w.connections) == 1, "nobody took the other for dead"


async def test_a_laptop_that_sleeps_in_mid_round_finishes_it(slow: None) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    async with System(job_timeout=100.0) as system:
        await system.machine.when("Browser1Working")
        loop.now += 60.0
        outcome = await system.finished()
    assert (outcome.ok, outcome.results) == (True, RIGHT)
    assert (outcome.rounds, outcome.interrupted, outcome.executions) == (1, 0, 4)


async def test_the_path_is_gone_for_a_minute_and_every_call_runs_once() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain, times=ClientTimes(call=100.0, call_deadline=100.0))
        hold(w.connections[-1])
        w.refusing = True
        calls = [asyncio.ensure_future(net.add("B")) for _ in range(20)]
        await asyncio.sleep(60)
        w.refusing = False
        assert all(result.executed for result in await asyncio.gather(*calls))
        assert net.tick("B") == w.source.tick("B") == 39
