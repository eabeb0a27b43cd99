from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.machine import Args, Machine, Tracer
from amctl.machine.steps import ACTIVATE, CALLED, HANDLER
from amctl.states.pipes import bind
from amctl.telemetry.dbgstream import DebugOptions, DebugStream
from amctl.telemetry.dbgtracer import FIRST_ID
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg
from amctl.telemetry.outbox import FULL
from tests.support.fake_debugger import FakeDebugger

if TYPE_CHECKING:
    from amctl.machine import Event
    from amctl.telemetry.messages import Message

STATES: dict[str, Any] = {
    "A": {},
    "B": {"require": ["A"]},
    "C": {},
    "D": {"remove": ["A"]},
    "M": {"multi": True},
}
AUTO = {**STATES, "C": {"auto": True, "require": ["B"]}}
A, B, C, D, M, EXC = range(6)


@dataclass(frozen=True)
class AWhat(Args):
    name: str = ""
    secret: str = ""
    round: int = 0


class Taped:
    """A stream that nobody reads, and machines that it follows."""

    def __init__(self, **options: Any) -> None:
        self.now = 1000
        self.stream = DebugStream(
            "me", FakeDebugger().dial, "secret", DebugOptions(**options), now_ns=lambda: self.now
        )

    def machine(self, id: str = "m", states: dict[str, Any] = STATES, **options: Any) -> Machine:
        machine = Machine(id, states, names=[*states, "Exception"], **options)
        self.stream.attach(machine)
        return machine

    def said(self) -> list[Message]:
        """What is new."""
        out = []
        while (entry := self.stream.outbox.take()) is not None:
            out.append(entry[1])
        return out

    def txs(self) -> list[TxMsg]:
        return [m for m in self.said() if isinstance(m, TxMsg)]


async def test_a_schema_comes_first_and_tells_all_about_the_machine() -> None:
    tape = Taped()
    parent = tape.machine("parent", tags=["k:v"])
    parent.set_groups({"Some": ["A", "M"], "Odd": ["Unknown"]})
    child = Machine("child", {"X": {}}, parent=parent)
    schema, childs = tape.said()
    assert isinstance(schema, SchemaMsg)
    assert isinstance(childs, SchemaMsg)
    assert (schema.machine_id, schema.names, schema.parent) == ("parent", parent.names, "")
    assert (schema.tags, schema.time_ns) == (("k:v",), 1000)
    assert schema.states == parent.schema.effective[0]
    assert (childs.machine_id, childs.parent) == ("child", "parent")
    parent.add("A")
    again, tx = tape.said()
    assert isinstance(again, SchemaMsg)  # groups have come meanwhile
    assert again.groups == {"Some": (A, M), "Odd": ()}
    assert again.groups_order == ("Some", "Odd")
    assert isinstance(tx, TxMsg)
    child.dispose()
    parent.dispose()


async def test_a_transition_is_told_with_all_that_is_known_of_it() -> None:
    tape = Taped()
    machine = tape.machine()
    machine.bind({"AState": lambda e: None}, id="mine")
    tape.said()
    tape.now = 2000
    machine.add("A", AWhat("x", "hidden"))
    (tx,) = tape.txs()
    assert (tx.machine_id, len(tx.id), tx.clocks) == ("m", 16, tuple(machine.time()))
    assert (tx.type, tx.called, tx.accepted) == (0, (A,), True)
    assert not tx.is_auto
    assert not tx.is_check
    assert not tx.is_queued
    assert (tx.queue_tick, tx.queue, tx.time_ns) == (machine.queue_tick, 0, 2000)
    assert tx.args == {"name": "x"}
    assert tx.source is None
    assert tx.reason is None
    kinds = [(step.type, step.target) for step in tx.steps]
    assert kinds == [(CALLED, A), (ACTIVATE, A), (HANDLER, A)]
    machine.remove("A")
    machine.set(["A", "M"])
    removed, put = tape.txs()
    assert (removed.type, removed.clocks[A]) == (1, 2)
    assert (put.type, put.called, put.clocks[M]) == (2, (A, M), 1)


async def test_a_refused_one_says_why_and_moves_nothing() -> None:
    tape = Taped()
    machine = tape.machine()
    machine.add("B")
    (tx,) = tape.txs()
    assert not tx.accepted
    assert tx.clocks == (0,) * 6
    assert tx.reason is not None
    assert (tx.reason.kind, tx.reason.state, tx.reason.by) == ("require", "B", ("A",))


async def test_mutations_that_wait_are_told_when_they_are_queued() -> None:
    tape = Taped()
    machine = tape.machine()

    def enter(e: Any) -> None:
        machine.add("M", {"id": "1"}, source=e)
        machine.remove("A", {"id": "2"})

    machine.bind({"AState": enter})
    machine.add("M")
    machine.add("A")
    zero, one, two, a, m, gone = tape.txs()
    assert [t.is_queued for t in (zero, one, two, a, m, gone)] == [0, 1, 1, 0, 0, 0]
    assert (one.id, two.id) == (f"{zero.id}-0", f"{zero.id}-1")
    assert one.clocks == two.clocks == zero.clocks
    assert (one.called, two.called, two.type) == ((M,), (A,), 1)
    assert (one.queue, two.queue) == (1, 2)
    assert one.args == {"id": "1"}
    assert one.source == SourceRef("m", a.id, 1)
    # who carries it out
    assert (one.mut_queue_tick, two.mut_queue_tick) == (m.queue_tick, gone.queue_tick)
    assert m.source == one.source
    machine.add("A")
    assert [t.id for t in tape.txs() if t.is_queued] == [f"{gone.id}-0", f"{gone.id}-1"]


async def test_every_mutation_is_queued_in_the_eyes_of_the_original() -> None:
    tape = Taped(queued="all")
    machine = tape.machine(states=AUTO)
    machine.add(["A", "B"])
    asked, queued, tx, auto = tape.txs()
    assert (asked.id, asked.called, asked.queue) == ("-0", (A, B), 1)
    assert (asked.queue_tick, asked.mut_queue_tick) == (1, 2)
    assert tx.queue_tick == 2
    # in front of all others, and known by its token
    assert (queued.id, queued.is_auto, queued.called) == ("-1", True, (C,))
    assert (queued.mut_queue_tick, queued.mut_queue_token) == (0, 1)
    assert tx.queue == 1
    assert (auto.is_auto, auto.mut_queue_token, auto.clocks[C]) == (True, 1, 1)


async def test_tries_of_auto_states_are_told_with_their_outcome_only() -> None:
    tape = Taped()
    machine = tape.machine(states=AUTO)
    machine.add("A")
    machine.add("B")
    tried = [(tx.is_queued, tx.is_auto, tx.accepted) for tx in tape.txs()]
    no, yes = (False, True, False), (False, True, True)
    assert tried == [(False, False, True), no, (False, False, True), yes]


async def test_questions_are_told_only_if_asked_for() -> None:
    for wanted in (False, True):
        tape = Taped(checks=wanted)
        machine = tape.machine()
        machine.bind({"AState": lambda e: machine.can_add("M")})  # noqa: B023 - called below
        machine.can_add("B")
        machine.add("A")
        checks = [tx for tx in tape.txs() if tx.is_check]
        assert [(tx.is_queued, tx.accepted) for tx in checks] == (
            [(False, False), (True, True), (False, True)] if wanted else []
        )


async def test_options_leave_things_out() -> None:
    tape = Taped(steps=False, args=False, queued="none")
    machine = tape.machine()
    machine.bind({"AState": lambda e: machine.add("M")})
    machine.add("A", {"name": "x"})
    assert [(tx.called, tx.steps, tx.args) for tx in tape.txs()] == [((A,), (), {}), ((M,), (), {})]


async def test_more_arguments_can_be_asked_for_and_only_ids_are_long() -> None:
    tape = Taped(arg_names=("round",))
    machine = tape.machine()
    machine.add("M", [AWhat("x" * 300, "hidden", 7)])
    machine.add("M", {"id": "y" * 300})
    one, two = tape.txs()
    assert one.args == {"name": "x" * 200 + "...", "round": "7"}
    assert two.args == {"id": "y" * 300}


async def test_stacks_tell_who_asked() -> None:
    tape = Taped(stacks=True)
    machine = tape.machine()

    def ask(e: Any) -> None:
        machine.add("M")

    machine.bind({"AState": ask})
    machine.add("A")
    waited, done, _ = [tx.stack for tx in tape.txs()]
    assert waited.splitlines()[-1].startswith(f"{__name__}:")
    assert waited.endswith("ask")
    assert done == ""


async def test_one_that_is_followed_late_shows_its_clock() -> None:
    tape = Taped()
    machine = Machine("m", STATES, names=[*STATES, "Exception"])
    machine.add("A")
    tape.stream.attach(machine)
    schema, first = tape.said()
    assert isinstance(schema, SchemaMsg)
    assert isinstance(first, TxMsg)
    assert (first.id, first.is_check, first.type) == (FIRST_ID, True, 2)
    assert first.clocks == (1, 0, 0, 0, 0, 0)
    machine.bind({"MState": lambda e: machine.add("A", {"id": "1"})})
    machine.add("M")
    assert tape.txs()[0].id == f"{FIRST_ID}-0"


async def test_a_new_schema_is_told_at_once() -> None:
    tape = Taped()
    machine = tape.machine()
    machine.add("A")
    tape.said()
    machine.set_schema({**machine.schema.to_dict(), "New": {}})
    machine.add("New")
    schema, tx = tape.said()
    assert isinstance(schema, SchemaMsg)
    assert schema.names == machine.names
    assert schema.names[-1] == "New"
    assert isinstance(tx, TxMsg)
    assert len(tx.clocks) == 7


async def test_pipes_are_told_once_whichever_end_is_followed() -> None:
    tape = Taped()
    one, two = tape.machine("one"), tape.machine("two")
    other = Machine("other", STATES)
    bind(one, two, [("A", "B")], remove=False)
    bind(other, two, [("A", "M")])
    pipes = [m for m in tape.said() if isinstance(m, PipeMsg)]
    assert [(p.kind, p.source, p.source_state, p.target, p.target_state) for p in pipes] == [
        ("add", "one", "A", "two", "B"),
        ("add", "other", "A", "two", "M"),
        ("remove", "other", "A", "two", "M"),
    ]
    tape.stream.attach(other)
    assert [m for m in tape.said() if isinstance(m, PipeMsg)] == []
    record = one.pipes.out[0]
    one.pipes.discard(record)
    two.pipes.discard(record)
    assert [(p.source, p.gone) for p in tape.said() if isinstance(p, PipeMsg)] == [("one", True)]
    # whoever ends takes its pipes along, which needs no words
    other.dispose()
    assert [type(m) for m in tape.said()] == [GoneMsg]


async def test_pipes_that_are_there_already_are_told_too() -> None:
    tape = Taped()
    one, two = Machine("one", STATES), Machine("two", STATES)
    bind(one, two, [("A", "B")], remove=False)
    tape.stream.attach(two)
    tape.stream.attach(one)
    assert [m.source for m in tape.said() if isinstance(m, PipeMsg)] == ["one"]


async def test_a_machine_that_is_disposed_of_is_gone() -> None:
    tape = Taped()
    machine = tape.machine()
    tape.said()
    machine.dispose()
    assert tape.said() == [GoneMsg("m", 1000)]
    assert tape.stream.machine_ids == []


async def test_what_does_not_fit_is_counted_and_a_schema_comes_as_soon_as_it_does() -> None:
    tape = Taped(outbox=4)
    machine = tape.machine()
    for _ in range(5):
        machine.add("M")
    late = tape.machine("late")
    late.add("M")
    assert len(tape.stream.outbox.begin(0)) == 1
    assert [type(m) for m in tape.said()] == [TxMsg, TxMsg, TxMsg]
    tape.stream.outbox.ack(3)
    late.add("M")
    gap, schema, tx = tape.said()
    assert isinstance(gap, GapMsg)
    assert (gap.count, gap.why, gap.machine_id) == (3, FULL, "")
    assert isinstance(schema, SchemaMsg)
    assert schema.machine_id == "late"
    assert isinstance(tx, TxMsg)
    assert tx.clocks[M] == 3


async def test_one_that_was_never_told_goes_silently() -> None:
    tape = Taped(outbox=1)
    tape.machine()
    tape.machine("late").dispose()
    assert [type(m) for m in tape.said()] == [SchemaMsg]


async def test_a_failing_tracer_is_no_trouble_for_its_machine(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tape = Taped()
    machine = tape.machine()

    def fail(*args: Any, **more: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr("amctl.telemetry.dbgtracer.TxMsg", fail)
    machine.bind({"AState": lambda e: machine.add("M")})
    assert machine.add("A").executed
    assert machine.add("M").executed
    assert machine.not_("Exception")
    assert caplog.text.count("recording of m failed") == 1
    assert "broken" in caplog.text
    gaps = [m for m in tape.said() if isinstance(m, GapMsg)]
    assert [(gap.count, gap.why, gap.machine_id) for gap in gaps] == [
        (1, "the tracer failed", "m")
    ] * 4
    for name in ("SchemaMsg", "GoneMsg"):
        monkeypatch.setattr(
            f"amctl.telemetry.dbgtracer.{name}" if name == "SchemaMsg"
            else f"amctl.telemetry.dbgstream.{name}", fail
        )  # fmt: skip
    machine.set_schema({**machine.schema.to_dict(), "New": {}})
    machine.dispose()
    assert machine.is_disposed
    assert machine.err is None


async def test_log_lines_come_along_up_to_the_level_asked_for() -> None:
    tape = Taped(arg_names=("round",))
    machine = tape.machine()
    machine.bind({"AState": lambda e: e.machine.log("hello")}, id="mine")
    machine.add("A", AWhat("x", "hidden", 7))
    machine.log("between")
    machine.add("M")
    one, two = tape.txs()
    assert "[handlers] bind 0:mine" in [line.text for line in one.pre_logs]
    assert [line.text for line in one.logs] == [
        "[add] A (name=x round=7)",
        "[state] +A (name=x round=7)",
        "[handler:0] AState",
        "[exter] hello",
    ]
    assert [line.text for line in two.pre_logs] == ["[exter] between", "[queue:add] M"]
    assert max(line.level for line in (*one.logs, *two.logs)) == 3
    for level, wanted in ((0, []), (2, ["[state] +A"])):
        tape = Taped(log_level=level)
        tape.machine().add("A")
        assert [line.text for tx in tape.txs() for line in tx.logs] == wanted


async def test_a_line_that_can_not_be_written_is_no_trouble_either(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **more: Any) -> Any:
        raise RuntimeError("broken")

    monkeypatch.setattr("amctl.telemetry._dbglines.loggable", fail)
    tape = Taped()
    machine = tape.machine()
    assert machine.add("A", {"name": "x"}).executed
    assert machine.add("M", {"name": "x"}).executed
    assert machine.not_("Exception")
    assert caplog.text.count("a log line can't be recorded") == 1
    assert [tx.called for tx in tape.txs()] == [(A,), (M,)]


acts = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "set", "can_add"]),
        st.lists(st.sampled_from([*STATES]), min_size=1, max_size=3, unique=True),
    ),
    max_size=12,
)


@pytest.mark.slow
@given(acts, st.dictionaries(st.sampled_from([*STATES]), acts, max_size=3))
def test_what_is_recorded_is_what_happened(
    script: list[tuple[str, list[str]]], nested: dict[str, list[tuple[str, list[str]]]]
) -> None:
    async def play() -> None:
        tape = Taped(outbox=100_000)
        machine = tape.machine(states=AUTO)
        times: list[tuple[int, ...]] = []
        depth = 0

        def state(name: str, e: Event) -> None:
            nonlocal depth
            depth += 1
            if depth < 20:
                for act, states in nested[name]:
                    getattr(machine, act)(states, {"name": act})

        machine.bind({f"{name}State": partial(state, name) for name in nested})
        machine.bind_tracer(_Times(times))
        for act, states in script:
            getattr(machine, act)(states)
        txs = tape.txs()
        done = [tx for tx in txs if not tx.is_queued]
        assert [tx.clocks for tx in done] == times
        assert len({tx.id for tx in txs}) == len(txs)
        before: tuple[int, ...] = (0,) * 6
        for tx in txs:
            if tx.is_queued:
                assert tx.clocks == before
            before = tx.clocks
        # each one that waited was carried out, and says the same then
        ticks = {tx.queue_tick: tx for tx in done if not tx.is_auto}
        for tx in txs:
            if tx.is_queued and tx.mut_queue_tick:
                ran = ticks[tx.mut_queue_tick]
                assert (ran.type, ran.called, ran.args) == (tx.type, tx.called, tx.args)

    asyncio.run(play())


class _Times(Tracer):
    id = "times"

    def __init__(self, times: list[tuple[int, ...]]) -> None:
        self._times = times

    def transition_end(self, tx: Any) -> None:
        if not tx.is_check:
            self._times.append(tuple(tx.machine.time()))
