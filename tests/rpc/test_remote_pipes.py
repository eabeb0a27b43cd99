"""Pipes from and to network machines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Args, Machine, State
from amctl.rpc.client import ClientTimes
from amctl.rpc.errors import NotConnectedError
from amctl.rpc.server import Server
from amctl.rpc.states import SourceStates
from amctl.states import pipes
from amctl.states.basic import BasicStates
from tests.rpc.world import TOKEN, TRANSPORTS, Plain, turn, world

if TYPE_CHECKING:
    from amctl.machine import Event


@dataclass(frozen=True)
class AD(Args):
    n: int = 0


class Local(BasicStates, SourceStates):
    A = State()
    B = State()
    C = State()
    D = State()
    Go = State(multi=True)
    ErrFar = State(require=["Exception"])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_34_bind_any_from_a_mirror_to_a_local_machine(transport: str) -> None:
    async with world(transport, Plain, push_interval=0.001) as w:
        _, net = await w.ready(states=Plain)
        local = Machine("local", Plain)
        pipes.bind_any(net, local)
        w.source.add(["A", "B"])
        await local.when("A", "B", timeout=5)
        w.source.remove("A")
        await local.when_not("A", timeout=5)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_pip_9_a_mirror_as_target_gets_arguments_and_source(transport: str) -> None:
    seen: list[tuple[int, str]] = []

    class Handlers:
        def DState(self, e: Event) -> None:
            assert e.source is not None
            seen.append((e.args(AD).n, e.source.machine_id))

    async with world(transport, Plain, Handlers()) as w:
        _, net = await w.ready(states=Plain)
        local = Machine("local", Local)
        pipes.bind(local, net, [("D", "D")])
        local.add("D", AD(9))
        await net.when("D", timeout=5)
        local.remove("D")
        await net.when_not("D", timeout=5)
        assert seen == [(9, "local")]
        assert [record.op for record in net.pipes.into] == ["add", "remove"]


async def test_all_deliveries_of_one_transition_are_one_frame_in_order() -> None:
    order: list[str] = []

    class Handlers:
        def AnyState(self, e: Event) -> None:
            order.append(f"{e.mutation.type} {' '.join(e.mutation.called_states)}")

    async with world(states=Plain, handlers=Handlers()) as w:
        client, net = await w.ready(states=Plain)
        local = Machine("local", Local)
        pipes.bind(local, net, [("A", "A"), ("C", "C"), ("D", "D")])
        local.add(["A", "C", "D"])
        local.set(["A"])
        await net.when_time(["D"], [2])
        assert order[:3] == ["add A", "add C", "add D"]
        assert sorted(order[3:]) == ["remove C", "remove D"]
        assert client.calls.count == 2
        assert w.server.call_count == 2


async def test_errors_of_a_mirror_become_error_states() -> None:
    async with world(states=Plain, push_interval=0.001) as w:
        _, net = await w.ready(states=Plain)
        local = Machine("local", Local)
        pipes.bind(net, local, [("Exception", "ErrFar")])
        w.source.add_err(ValueError("far"))
        await local.when("ErrFar", "Exception", timeout=1)
        w.source.remove("Exception")
        await local.when_not("ErrFar", timeout=1)
        assert local.is_("Exception")


async def test_what_a_lost_link_missed_is_made_good_with_its_arguments() -> None:
    got: list[int] = []

    class Handlers:
        def DEnter(self, e: Event) -> bool:
            return e.args(AD).n > 0

        def DState(self, e: Event) -> None:
            got.append(e.args(AD).n)

    async with world(states=Plain, handlers=Handlers()) as w:
        client, net = await w.ready(states=Plain, times=ClientTimes(call=1.0))
        local = Machine("local", Local)
        pipes.bind(local, net, [("A", "A"), ("D", "D")])
        local.add("A")
        await net.when("A")
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready")
        local.remove("A")
        local.add("D", AD(4))
        await asyncio.sleep(5)  # longer than calls wait
        w.refusing = False
        await net.when("D")
        await net.when_not("A")
        assert got == [4]


async def test_a_missed_trigger_is_not_repeated() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain, times=ClientTimes(call=1.0))
        local = Machine("local", Local)
        pipes.bind(local, net, [("Go", "B")], remove=False)
        pipes.bind(local, net, [("A", "A")])
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready")
        local.add("Go")
        local.add("A")
        await asyncio.sleep(5)
        w.refusing = False
        await net.when("A")
        await asyncio.sleep(5)
        assert net.not_("B")
        assert net.tick("B") == 0


async def test_a_short_loss_delays_and_loses_nothing() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        local = Machine("local", Local)
        pipes.bind(local, net, [("Go", "B")], remove=False)
        w.cut()
        local.add("Go")
        local.add("Go")
        await client.machine.when_not("Ready")
        await net.when_time(["B"], [3])


async def test_a_restarted_peer_is_brought_to_the_present_state() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        local = Machine("local", Local)
        pipes.bind(local, net, [("A", "A"), ("D", "D")])
        local.add("A")
        local.add("D", AD(1))
        await net.when("A", "D")
        fresh = Machine("src", Plain)
        fresh.add("C")
        w.server, old = Server(fresh, "s2", token=TOKEN), w.server
        w.server.start()
        await w.server.machine.when("RpcReady")
        w.cut()
        await client.machine.when_not("Ready")
        await net.when("A", "C", "D")
        assert fresh.is_(["A", "C", "D"])
        old.machine.dispose()


async def test_pip_8_sync_from_a_mirror_is_done_before_it_suspends() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        await net.add(["A", "D"])
        local = Machine("local", Local)
        local.add("C")
        await pipes.sync(net, local, [(s, s) for s in "ACD"])
        assert local.is_(["A", "D"])
        assert local.not_("C")


async def test_pip_8_sync_to_a_mirror_is_one_batch_and_tells_its_failure() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        local = Machine("local", Local)
        local.add(["A", "D"])
        results = await pipes.sync(local, net, [(s, s) for s in "ACD"])
        assert [r.executed for r in results] == [True, True]
        assert w.source.is_(["A", "D"])
        assert client.calls.count == 1
        w.refusing = True
        w.cut()
        await client.machine.when_not("Ready")
        with pytest.raises(NotConnectedError):
            await pipes.sync(local, net, [("A", "A")])


async def test_pipes_may_be_bound_before_the_names_are_known() -> None:
    async with world(states=Plain, push_interval=0.001) as w:
        client = w.client(states=None)
        local = Machine("local", Local)
        pipes.bind(client.net, local, [("D", "D")])
        w.source.add("D")
        client.start()
        await local.when("D", timeout=1)


async def test_dsp_7_disposal_of_the_mirror_ends_the_pipes() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        local, other = Machine("local", Local), Machine("other", Local)
        pipes.bind(local, net, [("D", "D")])
        pipes.bind(net, other, [("D", "D")])
        net.dispose()
        assert local.pipes.out == other.pipes.into == ()
        local.add("D")
        await turn()
        assert w.source.not_("D")


async def test_the_servers_readiness_can_be_piped_into_its_source() -> None:
    async with world(states=Plain) as w:
        pipes.bind(w.server.machine, w.source, [("Ready", "C")])
        client, net = await w.ready(states=Plain)
        await net.when("C")
        await client.stop()
        await w.source.when_not("C")
