"""The rules that the original's tests prove, on every transport (arpc.md, section 15)."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from amctl.machine import (
    Args,
    BatchOp,
    Machine,
    MutationType,
    Schema,
    State,
    Tracer,
    UnknownStateError,
)
from amctl.rpc.states import SourceStates
from amctl.rpc.wire.messages import Sync
from amctl.states.basic import BasicStates
from tests.rpc.world import TRANSPORTS, Plain, Rel, turn, world

if TYPE_CHECKING:
    from amctl.machine import Event, Transition

every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


@dataclass(frozen=True)
class AD(Args):
    n: int = 0
    text: str = ""


@every_transport
async def test_1_a_remote_add_is_visible_on_both_sides(transport: str) -> None:
    async with world(transport) as w:
        client, net = await w.ready()
        assert (await net.add("D")).executed
        assert net.is_(["A", "C", "D"])
        assert w.source.is_(["A", "C", "D"])
        assert client.machine.tick("Exception") == w.server.machine.tick("Exception") == 0
        assert client.machine.is_("Ready")
        assert w.server.machine.is_("Ready")


@every_transport
async def test_3_waits_resolve_with_the_reply_and_no_push_is_needed(transport: str) -> None:
    async with world(transport, Plain, push_interval=None) as w:
        client, net = await w.ready(states=Plain)
        waiting = net.when("A")
        await net.add(["A", "C"])
        assert waiting.done()
        assert client.calls.count == 1


@every_transport
@pytest.mark.slow
async def test_4_501_adds_one_by_one(transport: str) -> None:
    async with world(transport, Plain, push_interval=None) as w:
        _, net = await w.ready(states=Plain)
        for _ in range(500):
            await net.add("B")
        await net.add("D")
        assert net.tick("B") == w.source.tick("B") == 999
        assert net.is_("D")


@every_transport
async def test_5_w_2_notes_run_in_order_and_sync_comes_after_them(transport: str) -> None:
    order: list[int] = []

    class Handlers:
        def BState(self, e: Event) -> None:
            order.append(e.args(AD).n)

    async with world(transport, Plain, Handlers(), push_interval=None) as w:
        _, net = await w.ready(states=Plain)
        for n in range(500):
            net.add_ns("B", AD(n))
        net.add_ns("D")
        await net.sync()
        assert net.is_("D")
        assert order == list(range(500))


@every_transport
async def test_6_a_push_interval_next_to_nothing_is_instant(transport: str) -> None:
    async with world(transport, Plain, push_interval=1e-9) as w:
        _, net = await w.ready(states=Plain)
        w.source.add("D")
        await net.when("D", timeout=5)


@every_transport
async def test_14_payload_and_names_arrive_unchanged(transport: str) -> None:
    class Handlers:
        def DState(self, e: Event) -> None:
            w.server.send_payload("sum", {"n": e.args(AD).n, "raw": b"\0\1"}, event=e)

    got: list[object] = []

    class Taker:
        def ServerPayloadState(self, e: Event) -> None:
            from amctl.rpc.payload import APayload

            got.append(e.args(APayload))
            e.machine.remove("ServerPayload")

    from tests.rpc.world import Consumer

    consumer = Machine("consumer", Consumer, handlers=Taker())
    async with world(transport, Plain, Handlers()) as w:
        _, net = await w.ready(states=Plain, consumer=consumer)
        await net.add("D", AD(7))
        await consumer.when_time(["ServerPayload"], [2])
        (payload,) = got
        assert (payload.name, payload.data) == ("sum", {"n": 7, "raw": b"\0\1"})  # type: ignore[attr-defined]
        assert payload.source == "src"  # type: ignore[attr-defined]
        assert payload.source_tx  # type: ignore[attr-defined]


# -- the same logic everywhere: memory is enough


async def test_2_several_states_at_once_equal_one_by_one() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        await net.add(["A", "B", "C"])
        assert net.time(["A", "B", "C"]) == [1, 1, 1]


async def test_16_partial_sync_tracks_allowed_without_skipped() -> None:
    async with world(states=Plain) as w:
        w.source.add("C")
        _, net = await w.ready(states=Plain, sync=Sync(allowed=("A", "B", "C"), skipped=("C",)))
        for states in (["A"], ["B", "C"], ["D"]):
            await net.add(states)
        assert sorted(net.active) == ["A", "B"]
        assert net.tick("C") == net.tick("D") == 0


async def test_17_required_states_are_inferred_with_a_schema() -> None:
    async with world() as w:
        _, net = await w.ready(sync=Sync(allowed=("A",)))
        await net.add("C")
        assert sorted(net.active) == ["A", "C"]
        assert net.is_(["A", "C"])
        assert net.tick("C") == 0


async def test_18_without_schema_only_tracked_states_exist() -> None:
    async with world() as w:
        _, net = await w.ready(states=None, sync=Sync(schema=False, allowed=("C",)))
        await net.add("C")
        assert net.active == ["C"]
        assert not net.has("A")


async def test_19_without_schema_all_states_nothing_is_inferred() -> None:
    async with world() as w:
        _, net = await w.ready(states=None, sync=Sync(schema=False))
        await net.add("C")
        assert sorted(net.active) == ["A", "C"]
        assert net.schema["A"].require == ()


async def test_m_11_without_schema_indexes_mean_the_tracked_states() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=None, sync=Sync(schema=False, allowed=("D", "C")))
        await net.add("D")
        assert w.source.is_("D")
        with pytest.raises(UnknownStateError):
            await net.add("A")


async def test_d_4_k_5_shallow_ticks_have_the_right_parity() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain, sync=Sync(shallow=True))
        for _ in range(5):
            await net.add("B")
        await net.add("A")
        await net.remove("B")
        await net.add("B")
        assert net.is_(["A", "B"])
        assert net.tick("B") & 1
        assert net.tick("B") < w.source.tick("B")
        assert client._core.resynced == 0


class Steps(Tracer):
    id = "steps"

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[str], list[str]]] = []

    def transition_end(self, tx: Transition) -> None:
        self.seen.append((str(tx.mutation.type), list(tx.called_states), tx.enters))


async def test_20_per_mutation_mode_shows_every_transition() -> None:
    async with world() as w:
        _, net = await w.ready(sync=Sync(steps=True))
        steps = Steps()
        net.bind_tracer(steps)
        w.source.add("B")
        w.source.add("D")
        await net.when("D", timeout=5)
        assert [(kind, called) for kind, called, _ in steps.seen] == [
            ("add", ["B"]),
            ("add", ["A"]),
            ("add", ["D"]),
        ]
        assert net.time() == w.source.time()


async def test_21_a_set_of_states_that_remove_each_other_is_canceled() -> None:
    class Against(BasicStates, SourceStates):
        C = State(remove=["D"])
        D = State()

    async with world(states=Against) as w:
        _, net = await w.ready(states=Against)
        assert (await net.set(["C", "D"])).canceled
        assert net.active == []


async def test_p_4_a_canceled_mutation_moves_the_queue_tick_of_the_mirror() -> None:
    class Needs(BasicStates, SourceStates):
        A = State(require=["B"])
        B = State()

    async with world(states=Needs) as w:
        client, net = await w.ready(states=Needs)
        before = net.queue_tick
        assert (await net.add("A")).canceled
        assert net.queue_tick == before + 1 == w.source.queue_tick
        w.source.add("A")
        await net.when_queue(before + 2)
        assert client._core.resynced == 0


async def test_26_ticks() -> None:
    class Ticks(BasicStates, SourceStates):
        A = State()
        B = State(multi=True)
        C = State()
        D = State()

    async with world(states=Ticks) as w:
        _, net = await w.ready(states=Ticks)
        names = ["A", "B", "C", "D"]
        script: list[tuple[str, list[str], list[int]]] = [
            ("add", ["A", "B"], [1, 1, 0, 0]),
            ("add", ["A", "B"], [1, 3, 0, 0]),
            ("add", ["A", "B", "C"], [1, 5, 1, 0]),
            ("set", ["D"], [2, 6, 2, 1]),
            ("add", ["D", "C"], [2, 6, 3, 1]),
            ("remove", ["B", "C"], [2, 6, 4, 1]),
            ("add", ["A", "B"], [3, 7, 4, 1]),
            ("add", ["C"], [3, 7, 5, 1]),
        ]
        for op, states, ticks in script:
            await getattr(net, op)(states)
            assert net.time(names) == ticks == w.source.time(names)


async def test_27_several_waiters_resolve_and_what_is_true_resolves_at_once() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        waits = [asyncio.ensure_future(net.when("A", "C").wait()) for _ in range(2)]
        await net.add(["A", "C"])
        await asyncio.gather(*waits)
        assert net.when("A").done()
        assert net.when_not("B", "D").done()
        gone = net.when_not("A", "C")
        await net.remove("A")
        assert not gone.done()
        await net.remove("C")
        assert gone.done()


async def test_l_1_states_swapped_by_one_move_were_never_active_together() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        await net.add("A")
        both, neither = net.when("A", "C"), net.when_not("A", "C")
        await net.set("C")
        assert not both.done()
        assert not neither.done()
        await net.add("A")
        assert both.done()
        await net.set("D")
        assert neither.done()


async def test_28_when_time_waits_for_all() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        reached = net.when_time(["B", "D"], [5, 2])
        for _ in range(3):
            await net.add("B")
        assert not reached.done()
        await net.add("D")
        assert not reached.done()
        await net.remove("D")
        assert reached.done()


async def test_29_when_query_is_asked_on_every_update() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        asked = net.when_query(lambda _: net.tick("B") > 4)
        await net.add("B")
        await net.add("B")
        assert not asked.done()
        await net.add("B")
        assert asked.done()


async def test_30_l_2_when_queue() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        assert net.when_queue(net.queue_tick).done()
        waiting = net.when_queue(net.queue_tick + 4)
        for state in "ABCD":
            assert not waiting.done()
            await net.add(state)
        assert waiting.done()
        assert net.is_(["A", "B", "C", "D"])


async def test_31_clock_of_all_and_of_some() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        await net.add("A")
        assert net.clock(["A", "B"]) == {"A": 1, "B": 0}
        assert net.clock() == w.source.clock()


async def test_33_nested_mutations_settle_before_the_reply() -> None:
    class Handlers:
        def DState(self, e: Event) -> None:
            for state in "BCA":
                e.machine.add(state)
            e.machine.set("A")

    async with world(states=Plain, handlers=Handlers()) as w:
        _, net = await w.ready(states=Plain)
        await net.add("D")
        assert net.active == ["A"]


async def test_35_l_6_text_equals_the_sources() -> None:
    async with world() as w:
        _, net = await w.ready()
        await net.add("D")
        assert str(net) == str(w.source)
        assert net.string_all() == w.source.string_all()
        assert net.inspect() == w.source.inspect()


async def test_m_4_an_unknown_state_is_refused_before_any_traffic() -> None:
    async with world() as w:
        client, net = await w.ready()
        with pytest.raises(UnknownStateError, match="Nope") as raised:
            await net.add("Nope")
        assert "rnm-c1" in str(raised.value)
        assert "src" in str(raised.value)
        assert client.calls.count == 0


async def test_m_6_toggle_is_decided_by_the_source() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        await net.toggle("D")
        assert net.is_("D")
        w.source.remove("D")
        await net.toggle("D")
        assert net.is_("D")


async def test_m_7_errors_of_this_end_reach_the_source() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        error = ValueError("broken here")
        await net.add_err(error)
        assert w.source.is_(["Exception", "ErrOnClient"])
        assert net.err is error
        await net.add_err_state("ErrNetwork", error)
        assert w.source.is_("ErrNetwork")
        assert (await net.add_err(None)).canceled


async def test_m_8_a_note_moves_the_clock_only_with_a_push() -> None:
    async with world(states=Plain, push_interval=10.0) as w:
        _, net = await w.ready(states=Plain)
        net.add_ns("D")
        await turn()
        assert w.source.is_("D")
        assert net.not_("D")
        await net.when("D", timeout=11)
        net.remove_ns("D")
        net.set_ns(["A"])
        await net.sync()
        assert net.active == ["A"]


async def test_m_10_the_origin_reaches_the_source_for_every_kind_of_mutation() -> None:
    seen: list[tuple[str, str, str]] = []

    class Far:
        def AnyState(self, e: Event) -> None:
            assert e.source is not None
            seen.append((str(e.mutation.type), e.source.machine_id, e.source.tx_id))

    class Near:
        event: Event

        def DState(self, e: Event) -> None:
            self.event = e

    near = Near()
    other = Machine("other", Plain, handlers=near)
    other.add("D")
    async with world(states=Plain, handlers=Far()) as w:
        _, net = await w.ready(states=Plain)
        await net.add("A", source=near.event)
        await net.set("C", source=near.event)
        await net.remove("C", source=near.event)
        await net.add("D")
        tx = near.event.as_source().tx_id
        assert seen == [
            ("add", "other", tx),
            ("set", "other", tx),
            ("remove", "other", tx),
            ("add", "rc-c1", ""),
        ]


async def test_arguments_arrive_typed() -> None:
    got: list[AD] = []

    class Handlers:
        def DState(self, e: Event) -> None:
            got.append(e.args(AD))

    async with world(states=Plain, handlers=Handlers()) as w:
        _, net = await w.ready(states=Plain)
        await net.add("D", AD(4, "x"))
        await net.remove("D")
        await net.mutate(MutationType.ADD, "D", {AD.key(): {"n": 5}})
        assert got == [AD(4, "x"), AD(5)]


async def test_a_batch_runs_back_to_back_and_answers_each() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        results = await net.batch(
            [
                BatchOp(MutationType.ADD, ("A",)),
                BatchOp(MutationType.ADD, ("D",), AD(1)),
                BatchOp(MutationType.REMOVE, ("A",)),
            ]
        )
        assert [r.executed for r in results] == [True, True, True]
        assert net.active == ["D"]


async def test_when_args_over_rpc() -> None:
    async with world(states=Plain) as w:
        client = w.client(states=Plain)
        early = client.net.when_args("D", AD(1))  # asked for once there is a connection
        client.start()
        await client.machine.when("Ready")
        late = client.net.when_args("D", AD(2))
        await client.net.sync()
        w.source.add("D", {AD.key(): AD(1), "more": 1})
        await early.wait()
        assert not late.done()
        assert client.net.is_("D")
        w.source.remove("D")
        w.source.add("D", AD(2))
        await late.wait()


async def test_a_wait_for_arguments_that_is_given_up_is_given_up_at_the_source_too() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        session = next(iter(w.server._host._served))
        waiting = asyncio.ensure_future(net.when_args("D", AD(1)).wait())
        kept = net.when_args("D", AD(2))
        await net.sync()
        assert len(session.subs) == 2
        waiting.cancel()
        await turn()
        del waiting
        gc.collect()
        await net.sync()
        assert len(session.subs) == 1
        kept.cancel()
        await net.sync()
        assert not session.subs


async def test_l_3_a_context_of_an_inactive_state_ends_with_its_activation() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        context = net.state_context("D")
        assert not context.done()
        await net.add("D")
        assert context.done()
        again = net.state_context("D")
        await net.remove("D")
        assert again.done()


async def test_l_1_when_time_of_unequal_lists_resolves_with_an_error() -> None:
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        assert net.when_time(["A"], [1, 2]).done()
        assert isinstance(net.err, ValueError)


async def test_l_5_handlers_read_the_new_clock_and_can_be_detached_by_id() -> None:
    seen: list[tuple[str, int, list[str]]] = []

    class Handlers:
        def DState(self, e: Event) -> None:
            seen.append((e.name, e.machine.tick("D"), e.machine.active))

        def DEnd(self, e: Event) -> None:
            seen.append((e.name, e.machine.tick("D"), e.machine.active))

    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        id = net.bind(Handlers())
        await net.add("D")
        await net.remove("D")
        assert seen == [("DState", 1, ["D"]), ("DEnd", 2, [])]
        net.detach(id)
        await net.add("D")
        assert len(seen) == 2


async def test_a_4_multi_re_entry_fires_no_handler_but_time_waits() -> None:
    calls: list[str] = []

    class Handlers:
        def BState(self, e: Event) -> None:
            calls.append("B")

        def AnyState(self, e: Event) -> None:
            calls.append("any")

    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        net.bind(Handlers())
        await net.add("B")
        assert calls == ["B", "any"]
        reached = net.when_ticks("B", 2)
        await net.add("B")
        assert calls == ["B", "any"]
        assert reached.done()


async def test_a_2_order_of_effects() -> None:
    seen: list[str] = []

    class Watch(Tracer):
        id = "watch"

        def transition_init(self, tx: Transition) -> None:
            seen.append(f"init {tx.machine.tick('D')} {tx.mutation.type} {tx.target_states}")

        def transition_start(self, tx: Transition) -> None:
            seen.append("start")

        def transition_end(self, tx: Transition) -> None:
            seen.append(f"end {tx.is_accepted} {tx.exits} {tx.enters}")

    class Handlers:
        def DState(self, e: Event) -> None:
            seen.append("DState")

        def AEnd(self, e: Event) -> None:
            seen.append("AEnd")

        def AnyState(self, e: Event) -> None:
            seen.append("AnyState")

    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        await net.add("A")
        net.bind(Handlers())
        net.bind_tracer(Watch())
        net.when("D").add_done_callback(lambda _: seen.append("when"))
        await net.set("D")
        assert seen == [
            "init 0 set ['D']",
            "start",
            "DState",
            "AEnd",
            "AnyState",
            "end True ['A'] ['D']",
            "when",
        ]


async def test_h_11_handlers_fire_for_states_that_are_active_at_the_handshake() -> None:
    seen: list[str] = []

    class Handlers:
        def DState(self, e: Event) -> None:
            seen.append(e.name)

    async with world(states=Plain) as w:
        w.source.add("D")
        client = w.client(states=Plain)
        client.net.bind(Handlers())
        there = client.net.when("D")
        client.start()
        await client.machine.when("Ready")
        assert seen == ["DState"]
        assert there.done()
        assert client.net.tags == ("rpc-netmach", "src-id:src")
        assert client.net.remote_id == "src"


async def test_h_12_waits_survive_that_the_server_orders_states_otherwise() -> None:
    class Other(BasicStates, SourceStates):
        D = State()
        C = State()
        B = State(multi=True)
        A = State()

    async with world(states=Plain) as w:
        client = w.client(states=Other)
        net = client.net
        on, off = net.when("D", "A"), net.when_not("B")
        at, context = net.when_time(["C"], [1]), net.state_context("A")
        client.start()
        await client.machine.when("Ready")
        assert net.names == w.source.names
        assert off.done()
        await net.add("D")
        assert not on.done()
        await net.add("C")
        assert at.done()
        assert not context.done()
        await net.add("A")
        assert on.done()
        assert context.done()


async def test_a_failing_handler_of_the_mirror_is_an_error_of_this_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Handlers:
        def DState(self, e: Event) -> None:
            raise ValueError("here")

        async def CState(self, e: Event) -> None:
            await asyncio.sleep(1)
            raise ValueError("later")

    async with world(states=Plain) as w:
        client, net = await w.ready(states=Plain)
        net.bind(Handlers())
        assert (await net.add(["D", "C"])).executed
        assert str(client.machine.err) == "here"
        assert client.machine.is_("Ready")
        await client.machine.when_ticks("Exception", 2)
        assert str(client.machine.err) == "later"
        assert "DState failed" in caplog.text


async def test_coroutine_handlers_of_the_mirror_live_as_long_as_their_state() -> None:
    ended: list[str] = []

    class Handlers:
        async def DState(self, e: Event) -> None:
            try:
                await asyncio.sleep(100)
            finally:
                ended.append("D")

    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        net.bind(Handlers())
        await net.add("D")
        await turn()
        await net.remove("D")
        await turn()
        assert ended == ["D"]


@pytest.mark.filterwarnings("error")
async def test_a_coroutine_handler_that_was_cancelled_before_its_first_step_is_closed() -> None:
    begun: list[str] = []

    class Handlers:
        async def DState(self, e: Event) -> None:
            begun.append("D")
            await asyncio.sleep(100)

    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        net.bind(Handlers())
        net.when("D").add_done_callback(lambda _: net.dispose())
        await net.add("D")
        await turn()
        gc.collect()
    assert begun == []


async def test_l_4_disposal_is_local_and_ends_everything() -> None:
    gone: list[str] = []
    async with world(states=Plain) as w:
        _, net = await w.ready(states=Plain)
        waits = [net.when("D"), net.when_args("D", {"n": 1})]
        net.on_dispose(gone.append)
        ended = net.when_disposed()
        net.dispose()
        assert gone == ["rnm-c1"]
        assert all(wait.done() for wait in waits)
        assert ended.done()
        assert net.is_disposed
        assert (await net.add("D")).canceled
        assert str(net) == ""
        assert not w.source.is_disposed
        net.dispose()


async def test_c_1_c_2_a_new_schema_reaches_the_mirror_with_its_waits() -> None:
    seen: list[str] = []

    class Handlers:
        def NewState(self, e: Event) -> None:
            seen.append(e.name)

        def AState(self, e: Event) -> None:
            seen.append(e.name)

    class Watch(Tracer):
        id = "watch"

        def schema_change(self, machine: object, old: Schema) -> None:
            seen.append(f"from {len(old)}")

    async with world(states=Plain, push_interval=0.01) as w:
        _, net = await w.ready(states=Plain)
        await net.add("D")
        size = len(net.names)
        net.bind_tracer(Watch())
        waiting = net.when("A")
        calls = [asyncio.ensure_future(net.add("B")) for _ in range(3)]
        w.source.set_schema({**w.source.schema, "New": {}})
        w.source.add("New")
        await asyncio.gather(*calls)
        assert w.source.tick("B") == 5
        await net.sync()
        assert net.names == w.source.names
        assert sorted(net.active) == ["B", "D", "New"]
        assert net.time() == w.source.time()
        net.bind(Handlers())
        assert not waiting.done()
        await net.add("A")
        assert waiting.done()
        await net.remove("New")
        await net.add("New")
        assert seen == [f"from {size}", "AState", "NewState"]


async def test_9_an_acknowledged_add_costs_less_than_thirty_bytes() -> None:
    async with world(states=Plain, push_interval=None) as w:
        _, net = await w.ready(states=Plain)
        conn = w.connections[-1]
        sizes: list[int] = []
        for end in (conn, conn._other):
            write = end.write
            end.write = lambda data, write=write: (sizes.append(len(data)), write(data))
        for _ in range(500):
            await net.add("B")
        assert sum(sizes) / 500 < 30


async def test_8_big_ticks_travel() -> None:
    async with world(states=Plain) as w:
        w.source._clock[w.source.index("B")] = 1_000_001
        _, net = await w.ready(states=Plain)
        await net.add("A")
        assert net.tick("B") == 1_000_001


async def test_7_a_hundred_states_one_call_each() -> None:
    schema: dict[str, dict[str, bool]] = {f"S{n}": {} for n in range(120)} | {"ErrOnClient": {}}
    source = Machine("many", schema)
    async with world(states=Rel) as w:
        w.server.source = source
        from amctl.rpc.server import Server
        from tests.rpc.world import TOKEN

        await w.server.stop()
        w.server = Server(source, "many", token=TOKEN)
        w.server.start()
        client, net = await w.ready(states=None)
        for n in range(91):
            await net.add(f"S{n}")
            await net.remove(f"S{n}")
        assert client.calls.count == 182
        assert net.time() == source.time()
