"""Counters of bytes, and the budgets that the original keeps to (arpc.md, section 15, rule 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine
from amctl.rpc.endpoints import AttachEndpoint
from amctl.rpc.mux import Mux
from amctl.rpc.traffic import Traffic
from amctl.rpc.transports.memory import memory_pair
from tests.rpc.world import TOKEN, TRANSPORTS, Plain, Rel, turn, world

if TYPE_CHECKING:
    from amctl.rpc.transports.base import Connection


def test_a_total_is_of_both_ways() -> None:
    assert Traffic(sent=3, received=4).total == 7


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_both_ends_count_the_same_bytes(transport: str) -> None:
    async with world(transport, Plain, push_interval=None) as w:
        client, net = await w.ready(states=Plain)
        for _ in range(10):
            await net.add("B")
        await net.sync()
        near, far = client.traffic, w.server.traffic
        assert (near.sent, near.received) == (far.received, far.sent)
        assert near.connections == far.connections == 1
        before = near.total
        w.cut()
        await net.add("B")
        assert near.connections == far.connections == 2
        assert near.total > before


async def test_a_mux_counts_for_all_its_clients() -> None:
    from amctl.rpc.client import Client

    mux = Mux(Machine("src", Plain), "m", AttachEndpoint(), token=TOKEN)
    await mux.start()

    async def dial() -> Connection:
        near, far = memory_pair()
        mux.accept(far)
        return near

    clients = [Client(f"c{i}", Plain, token=TOKEN, dial=dial) for i in range(3)]
    for client in clients:
        client.start()
        await client.machine.when("Ready", timeout=5)
        await client.net.add("B")
    await turn()
    assert mux.call_count == 3
    assert mux.traffic.connections == 3
    assert mux.traffic.received == sum(c.traffic.sent for c in clients)
    for client in clients:
        await client.stop()
    await mux.stop()


async def test_9_no_session_is_dearer_than_the_originals() -> None:
    """One add 1,300 to 1,400 bytes with its handshake, 501 adds 20 to 21 thousand, 501 without
    an answer 10 to 11 thousand, 1001 alternations 48 to 50 thousand, three at once 1 to 2
    thousand."""

    async def spent(kind: str) -> int:
        async with world("memory", Rel, push_interval=None) as w:
            client, net = await w.ready(states=Rel)
            if kind == "add":
                await net.add("B")
            elif kind == "adds":
                for _ in range(501):
                    await net.add("B")
            elif kind == "notes":
                for _ in range(501):
                    net.add_ns("B")
                await net.sync()
            elif kind == "alternations":
                for i in range(1001):
                    await (net.remove("D") if i % 2 else net.add("D"))
            else:
                for state in "BCD":
                    await net.add(state)
            await turn()
            return client.traffic.total

    assert await spent("add") < 1400
    assert await spent("adds") < 20_000
    assert await spent("notes") < 10_000
    assert await spent("alternations") < 48_000
    assert await spent("three") < 2000


async def test_8_big_ticks_cost_as_much_as_small_ones() -> None:
    async def spent(tick: int) -> int:
        async with world("memory", Plain, push_interval=None) as w:
            w.source._clock[w.source.index("B")] = tick
            client, net = await w.ready(states=Plain)
            before = client.traffic.total
            for _ in range(20):
                await net.add("B")
            assert net.tick("B") == tick + 39
            return client.traffic.total - before

    assert await spent(1_000_000) == await spent(0)
