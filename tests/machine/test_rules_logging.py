"""Lines that section 21 names and no other test shows, breakpoints, and who gets lines."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from amctl.machine import Limits, Machine, Signal, UnknownStateError
from amctl.machine.lines import CHANGES, DECISIONS, EVERYTHING, OPS, LineWriter
from tests.machine.tools import boom, mach, no


class Sink(list[str]):
    """Gets lines, without the id in front."""

    def __call__(self, level: int, text: str) -> None:
        assert text.startswith("[m] ")
        self.append(text.removeprefix("[m] "))

    def of(self, call: Any) -> list[str]:
        self.clear()
        call()
        return [*self]


def heard(names: str, level: int = EVERYTHING, /, **options: Any) -> tuple[Machine, Sink]:
    sink, stacks = Sink(), options.pop("stacks", False)
    m = mach(names, tracers=[LineWriter(level, sink=sink, stacks=stacks)], **options)
    return m, sink


def test_log_1_a_line_has_the_start_of_the_id_and_the_handler_in_front() -> None:
    got: list[tuple[int, str]] = []
    writer = LineWriter(sink=lambda level, text: got.append((level, text)))
    m = mach("A", "machine-seven", tracers=[writer])
    m.bind({"AState": lambda e: e.log("saw %d", 7)})
    m.add("A")
    m.log("plain")
    assert (1, "[machi] [AState] [exter] saw 7") in got
    assert got[-1] == (1, "[machi] [exter] plain")


def test_log_1_level_0_is_silence_even_for_users() -> None:
    m, sink = heard("A", 0)
    m.bind({"AState": lambda e: e.log("x")})
    m.add("A")
    m.add_err(ValueError("x"))
    m.log("x")
    assert sink == []


@pytest.mark.parametrize("level", range(6))
def test_log_1_a_line_is_written_from_its_level_on(level: int) -> None:
    got: list[int] = []
    writer = LineWriter(level, sink=lambda at, _: got.append(at))
    m = mach("A B C D", B="auto remove:D", C="auto require:Nope", tracers=[writer])
    m.bind({"AState": lambda e: e.log("x")})
    m.add("A")
    m.is_("Nope")
    assert {*got} == {*range(1, level + 1)}


def test_log_6_level_3_has_all_that_tools_read() -> None:
    m, sink = heard("A B", OPS)
    m.bind({"AState": lambda e: e.machine.add("B", source=e)})
    m.when("B")
    m.add("A")
    starts = {line.partition("]")[0] for line in sink}
    want = {"[source", "[handler:0", "[when:new", "[when:match", "[state", "[queue:add", "[add"}
    assert want <= starts


def test_hnd_13_every_name_is_looked_for_with_every_binding() -> None:
    m, sink = heard("A B")
    m.add("B")
    m.bind({"AState": lambda _: None}, id="one")
    m.bind({"AEnter": lambda _: None}, id="two", prefix="")
    m.bind({"State": lambda _: None}, id="three", prefix="A")
    assert sink.of(lambda: m.add("A")) == [
        "[queue:add] A",
        "[add] A",
        "[handle:one] AEnter",
        "[handle:two] AEnter",
        "[handler:1] AEnter",
        "[handler:end] AEnter from two",
        "[handle:three] Enter",
        "[handle:one] BB",
        "[handle:two] BB",
        "[handle:one] BA",
        "[handle:two] BA",
        "[handle:one] AnyEnter",
        "[handle:two] AnyEnter",
        "[handle:three] nyEnter",
        "[state] +A B",
        "[handle:one] AState",
        "[handler:0] AState",
        "[handler:end] AState from one",
        "[handle:two] AState",
        "[handle:three] State",
        "[handler:2] State",
        "[handler:end] State from three",
        "[handle:one] AnyState",
        "[handle:two] AnyState",
        "[handle:three] nyState",
    ]


def test_hnd_13_nothing_is_looked_for_behind_a_veto() -> None:
    m, sink = heard("A B")
    m.bind({"AEnter": no}, id="one")
    m.bind({"AEnter": no}, id="two")
    assert sink.of(lambda: m.add("A"))[2:] == [
        "[handle:one] AEnter",
        "[handler:0] AEnter",
        "[handler:end] AEnter from one",
        "[cancel] (A) by AEnter",
    ]


def test_hnd_13_an_auto_transition_goes_on_without_what_was_vetoed() -> None:
    m, sink = heard("G A B", A="auto", B="auto")
    m.bind({"AEnter": no}, id="h")
    found = sink.of(lambda: m.add("G"))
    auto = found[found.index("[add:auto] A B") :]
    assert [line for line in auto if line.startswith("[handle:")] == [
        f"[handle:h] {name}"
        for name in ("AEnter", "BEnter", "GG", "GB", "AnyEnter", "BState", "AnyState")
    ]


def test_hnd_13_questions_are_looked_for_too_if_they_are_written() -> None:
    sink = Sink()
    m = mach("A", tracers=[LineWriter(EVERYTHING, sink=sink, checks=True)])
    m.bind({}, id="h")
    found = sink.of(lambda: m.can_add("A"))
    assert found == ["[prepend:add] A", "[add] A", "[handle:h] AEnter", "[handle:h] AnyEnter"]


def test_hnd_16_skipped_handlers_are_invalid() -> None:
    logging.disable()
    m, sink = heard("A", DECISIONS)
    m.bind({"AState": boom}, id="one")
    m.bind({"AState": no}, id="two")
    assert "[handler:invalid] AState" in sink.of(lambda: m.add("A"))
    m, sink = heard("G A B", DECISIONS, A="auto", B="auto")
    m.bind({"AEnter": boom, "BEnter": no}, id="one")
    assert "[handler:invalid] BEnter" in sink.of(lambda: m.add("G"))
    logging.disable(logging.NOTSET)


def test_mlt_4_a_re_entered_state_is_a_plus_and_unchanged_at_once() -> None:
    m, sink = heard("A", A="multi")
    m.add("A")
    assert "[state] +A A" in sink.of(lambda: m.add("A"))
    m, sink = heard("A", CHANGES, A="multi")
    m.add("A")
    assert sink.of(lambda: m.add("A")) == ["[state] +A"]


def test_aut_2_auto_states_that_are_removed_by_active_ones_are_named_at_level_5() -> None:
    m, sink = heard("G A B", A="auto", B="auto", G="remove:A")
    found = sink.of(lambda: m.add("G"))
    at = found.index("[auto:rel:remove] A by G")
    assert found[at + 1] == "[auto] B"
    assert "[auto:rel:remove] A by G" not in sink.of(lambda: m.add("G"))


def test_nam_6_asking_for_what_there_is_not_is_a_line_of_level_4() -> None:
    m, sink = heard("A", DECISIONS)
    m.is_("Nope")
    m.is_(["A", "Nop"])
    m.any_("Not")
    m.has("None")
    assert sink[1:] == [f"[is] state {name} not found" for name in ("Nope", "Nop", "Not")]


def test_evl_4_the_lines_of_an_eval() -> None:
    m, sink = heard("A")
    m.bind_tracer(told := Told())
    assert sink.of(lambda: m.eval("me", lambda: None)) == [
        "[eval] me",
        "[prepend:eval] ",
        "[exter] eval: me",
        "[eval:end] me",
    ]
    assert (told.queued, m.queue_tick) == (0, 1)


class Told(LineWriter):
    """Counts mutations."""

    queued = 0

    def __init__(self) -> None:
        super().__init__(id="told")

    def mutation_queued(self, machine: Any, mutation: Any) -> None:
        self.queued += 1


def test_rel_10_a_circle_of_requirements_is_told() -> None:
    m, sink = heard("A B", CHANGES, A="require:B", B="require:A")
    line = "[resolver] relation error: state A has a Require cycle for m"
    assert sink == [line]
    m.add("Exception")  # a line that is there already isn't written again
    assert sink.of(lambda: m.set_schema({**m.schema.to_dict(), "C": {}})) == [line]


def test_err_5_with_stacks_the_trace_follows() -> None:
    m, sink = heard("A", CHANGES, stacks=True)
    try:
        boom(0)
    except ValueError as error:
        m.add_err(error)
    line = sink[-1]
    assert line.startswith("[error] boom\nTraceback")
    assert line.endswith("ValueError: boom")


def test_brk_1_a_line_twice_for_each_mutation_that_calls_just_that() -> None:
    m, sink = heard("A B", CHANGES)
    m.add_breakpoint(["A", "B"], ["B"])
    line = "[breakpoint] Machine.breakpoint"
    assert sink.of(lambda: m.add(["A", "B"])) == [line, "[state] +A +B"]  # the machine's own once
    assert sink.of(lambda: m.add(["B", "A"])) == []
    assert sink.of(lambda: m.add("A")) == []
    assert sink.of(lambda: m.set(["A", "B"])) == []
    assert sink.of(lambda: m.remove("B")) == [line, "[state] -B"]
    with pytest.raises(UnknownStateError):
        m.add_breakpoint(["Nope"])


def test_brk_1_inside_of_a_transition_both_lines_are_kept() -> None:
    m, sink = heard("A Go", CHANGES)
    m.add_breakpoint(["A"])
    m.bind({"GoState": lambda e: e.machine.add("A")})
    assert sink.of(lambda: m.add("Go")).count("[breakpoint] Machine.breakpoint") == 2


def test_brk_1_strict_and_with_a_call() -> None:
    m, _ = heard("A B", CHANGES, B="auto")
    seen: list[str] = []
    m.add_breakpoint(["A"], ["A"], strict=True, call=lambda: seen.append(str(m)))
    m.add_breakpoint(["B"], call=lambda: seen.append("auto"))  # called by nobody
    for op in (m.add, m.add, m.remove, m.remove):
        op("A")
    assert seen == ["()", "(A:1 B:1)"]


def test_brk_1_with_stacks_a_line_says_where_it_comes_from() -> None:
    m, sink = heard("A", CHANGES, stacks=True)
    m.add_breakpoint(["A"])
    m.add("A")
    assert "in test_brk_1_with_stacks" in sink[0]


def test_brk_1_costs_nothing_until_there_is_one() -> None:
    m = mach("A")
    assert m._hooks is None
    m.add_breakpoint(["A"])
    assert [t.id for t in m.tracers] == ["breakpoints"]


async def test_dsp_4_lines_of_an_end() -> None:
    m, sink = heard("A", context=(end := Signal()))
    end.close()
    assert sink[-2:] == ["[dispose] graceful shutdown via Dispose()", "[end] doDispose"]
    m, sink = heard("Disposing", context=(end := Signal()))
    sink.of(end.close)
    assert "[dispose] graceful shutdown via DisposingState" in sink
    assert not m.is_disposed
    m.dispose_force()


async def test_dsp_1_a_drain_that_takes_too_long_is_told() -> None:
    async def slow(_: Any) -> None:
        await asyncio.sleep(60)

    m, sink = heard("Start", limits=Limits(dispose_timeout=0.5))
    m.bind({"StartEnd": slow})
    m.add("Start")
    m.dispose()
    await m.when_disposed()
    assert "[doDispose] timeout waiting for queue to drain" in sink


async def test_pan_8_the_deadline_and_a_late_end_are_told() -> None:
    async def stubborn(_: Any) -> None:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            await asyncio.sleep(30)

    logging.disable()
    limits = Limits(handler_deadline=5, handler_backoff=2)
    m, sink = heard("A", limits=limits)
    m.bind({"AState": stubborn}, id="h")
    m.add("A")
    await asyncio.sleep(0)
    m.remove("A")
    await asyncio.sleep(6)
    assert "[handler:deadline] AState from h" in sink
    assert m.tick("Exception") == 1
    await asyncio.sleep(30)
    logging.disable(logging.NOTSET)
    assert "[error] deadlined handler finished AState from h" in sink
    assert m.tick("Exception") == 3


async def test_pan_8_in_backoff_the_late_end_is_no_error() -> None:
    async def stubborn(_: Any) -> None:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            await asyncio.sleep(6)

    logging.disable()
    m = mach("A", limits=Limits(handler_deadline=5, handler_backoff=20))
    m.bind({"AState": stubborn})
    m.add("A")
    await asyncio.sleep(0)
    m.remove("A")
    await asyncio.sleep(10)
    logging.disable(logging.NOTSET)
    assert m.tick("Exception") == 1


def test_ctx_6_lines_of_contexts() -> None:
    m, sink = heard("A", OPS)
    assert sink.of(lambda: m.state_context("A")) == ["[ctx:new] A"]
    assert "[ctx:match] A" in sink.of(lambda: m.add("A"))
