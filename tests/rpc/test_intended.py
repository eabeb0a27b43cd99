"""What the original gets wrong, done as arpc.md says it was meant; and rules of its section 15 that
stand nowhere else. `rules.py` has the whole list."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Machine, State
from amctl.rpc.states import SourceStates
from amctl.rpc.wire import Mirror
from amctl.states.basic import BasicStates
from tests.rpc.wire.pairs import Pair, of
from tests.rpc.world import Consumer, Plain, Rel, turn, world

if TYPE_CHECKING:
    from amctl.machine import Event


class Switch(BasicStates, SourceStates):
    """Of two states that remove each other, one is left."""

    A = State(remove=["B"])
    B = State(remove=["A"])


async def test_22_states_that_remove_each_other_switch_both_ways() -> None:
    async with world(states=Switch) as w:
        _, net = await w.ready(states=Switch)
        for state in ("A", "B", "A"):
            assert (await net.add(state)).executed
            assert net.active == [state] == w.source.active
        for state in ("B", "A"):
            assert (await net.set(state)).executed
            assert net.active == [state] == w.source.active


async def test_23_an_added_state_is_left_out_if_it_is_removed_at_the_same_time() -> None:
    class Blocked(BasicStates, SourceStates):
        A = State(remove=["C"])
        B = State(add=["C"])
        C = State()

    async with world(states=Blocked) as w:
        _, net = await w.ready(states=Blocked)
        assert (await net.set(("A", "B"))).executed
        assert sorted(net.active) == ["A", "B"]


async def test_24_what_lacks_a_required_state_is_not_activated() -> None:
    class Needs(BasicStates, SourceStates):
        A = State(require=["B"])
        B = State()
        C = State()

    async with world(states=Needs) as w:
        _, net = await w.ready(states=Needs)
        assert (await net.add("A")).canceled
        await net.set(("C", "A"))
        assert net.not_("A")
        assert (await net.add(("A", "B"))).executed
        assert net.is_(("A", "B"))


async def test_25_auto_states_follow_within_the_call() -> None:
    async with world(states=Rel) as w:
        _, net = await w.ready(states=Rel)
        assert (await net.add("C")).executed
        assert sorted(net.active) == ["A", "C"]


async def test_32_clocks_and_times_differ_after_a_change() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        await net.add("A")
        clock, time = net.clock(), net.time()
        assert net.is_clock(clock)
        assert net.time() == time
        await net.add("B")
        assert not net.is_clock(clock)
        assert net.time() != time
        assert net.is_clock({"A": 1})


@pytest.mark.parametrize("wrong", [256, 65_536, 1 << 32])
@pytest.mark.parametrize("where", ["tick", "queue tick", "machine tick"])
def test_w_1_a_clock_that_is_wrong_by_a_power_of_two_is_found(wrong: int, where: str) -> None:
    pair = Pair()
    if where == "tick":
        pair.client.view[2] += wrong
    elif where == "queue tick":
        pair.client.q += wrong
    else:
        pair.client.m += wrong
    pair.client.call(0, [0])
    events = pair.shuttle()
    assert pair.client.resynced == 1
    assert of(events, Mirror)[-1].full
    assert list(pair.client.view) == pair.toy.ticks
    assert (pair.client.q, pair.client.m) == (pair.toy.q, pair.toy.m)


def test_k_4_swapped_ticks_are_found() -> None:
    pair = Pair()
    pair.client.call(0, [0])
    pair.shuttle()
    view = pair.client.view
    view[0], view[1] = view[1], view[0]
    pair.client.call(0, [2])
    pair.shuttle()
    assert pair.client.resynced == 1
    assert list(pair.client.view) == pair.toy.ticks


async def test_w_4_k_3_a_wrong_push_is_repaired_without_waiting_for_a_call() -> None:
    async with world(states=Plain, push_interval=0.01) as w:
        client, net = await w.ready(states=Plain)
        client._core.view[w.source.index("B")] += 2
        w.source.add("A")
        await net.when("A", timeout=1)
        assert net.time() == w.source.time()
        assert client._core.resynced == 1


async def test_p_5_pushes_and_replies_keep_their_order_under_a_storm() -> None:
    async with world(states=Plain, push_interval=0.0) as w:
        client, net = await w.ready(states=Plain)

        async def own() -> None:
            for _ in range(100):
                await net.add("B")
                assert net.tick("B") % 2 == 1

        async def others() -> None:
            for _ in range(100):
                w.source.add("A")
                await asyncio.sleep(0)
                w.source.remove("A")

        await asyncio.gather(own(), others())
        await net.sync()
        assert net.time() == w.source.time()
        assert client._core.resynced == 0


async def test_cl_6_a_note_made_without_a_connection_is_sent_and_is_no_error() -> None:
    """The original's retry of one reports failure even if it succeeded."""
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        w.refusing = True
        w.cut()
        await client.machine.when("Disconnected")
        errors = client.machine.tick("Exception")
        net.add_ns("B")
        w.refusing = False
        await client.machine.when("Ready")
        await net.sync()
        assert (w.source.tick("B"), net.tick("B")) == (1, 1)
        assert client.machine.tick("CallRetryFailed") == 0
        assert client.machine.tick("Exception") <= errors + 2  # of the dial that was refused


async def test_e_2_leaving_makes_no_network_errors() -> None:
    async with world(states=Plain) as w:
        client, _ = await w.ready(states=Plain)
        states = ("ErrNetwork", "ErrNetworkTimeout", "ErrRpc", "Exception")
        before = [client.machine.tick(state) for state in states]
        await client.stop(dispose=False)
        w.connections[-1].cut()
        await turn()
        assert [client.machine.tick(state) for state in states] == before
        assert client.machine.is_("Disconnected")
        assert w.server.machine.tick("ErrNetwork") == 0


async def test_sv_3_an_injected_connection_that_ends_starts_no_hot_loop() -> None:
    async with world(states=Plain) as w:
        client, _ = await w.ready(states=Plain)
        client.dial = None
        starts = w.server.machine.tick("RpcStarting")
        w.cut()
        await asyncio.sleep(60)
        assert w.server.machine.tick("RpcStarting") == starts
        assert w.server.machine.is_("RpcReady")
        assert w.server.machine.not_("ClientConnected")


@pytest.mark.realtime
async def test_sv_8_a_second_websocket_does_not_throw_out_the_first() -> None:
    async with world("websocket", Plain) as w:
        first, net = await w.ready(states=Plain)
        second = w.client("c2", states=Plain)
        second.start()
        await second.machine.when_time(["ErrRpc"], [1])
        assert second.machine.not_("Ready")
        assert (await net.add("A")).executed
        assert first.machine.is_("Ready")
        assert first.machine.tick("HandshakeDone") == 1


@pytest.mark.realtime
@pytest.mark.parametrize("transport", ["tcp", "websocket"])
async def test_large_payloads_and_arguments_travel_in_pieces_and_whole(transport: str) -> None:
    """Chunked payloads, which the original lacks; small calls don't wait for them."""
    got: list[bytes] = []

    class Taker:
        def ServerPayloadState(self, e: Event) -> None:
            from amctl.rpc.payload import APayload

            got.append(e.args(APayload).data)
            e.machine.remove("ServerPayload")

    class Handlers:
        def DState(self, e: Event) -> None:
            w.server.send_payload("back", e.raw["data"])

    consumer = Machine("taker", Consumer, handlers=Taker())
    data = bytes(range(256)) * (20 << 10)  # 5 MiB
    async with world(transport, Plain, Handlers()) as w:
        client, net = await w.ready(states=Plain, consumer=consumer)
        large = asyncio.ensure_future(net.add("D", {"data": data}))
        small = asyncio.ensure_future(net.add("B"))
        assert (await large).executed
        assert (await small).executed
        await consumer.when_time(["ServerPayload"], [2])
        assert got == [data]
        assert client.traffic.total > 2 * len(data)


async def test_a_large_call_that_is_cut_in_the_middle_arrives_once() -> None:
    seen: list[int] = []

    class Handlers:
        def DState(self, e: Event) -> None:
            seen.append(len(e.raw["data"]))

    async with world(states=Plain, handlers=Handlers()) as w:
        _, net = await w.ready(states=Plain)
        call = asyncio.ensure_future(net.add("D", {"data": b"x" * (1 << 20)}))
        await turn(3)
        assert not call.done()
        w.cut()
        assert (await call).executed
        assert seen == [1 << 20]
