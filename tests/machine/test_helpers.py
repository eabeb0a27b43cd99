"""Helpers (section 29)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import (
    DisposedError,
    Machine,
    MutationType,
    Schema,
    SchemaError,
    Signal,
    StateDef,
    WaitTimeoutError,
)
from amctl.machine import helpers as h
from amctl.states import pipes
from tests.machine.tools import Recorder, mach, no

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ADD = MutationType.ADD


async def inside(m: Machine, body: Callable[[], Awaitable[Any]]) -> Any:
    """What a coroutine gives whose first part runs within a transition."""
    got: list[Any] = []

    def state(_: Any) -> None:
        coro: Any = body()
        future = coro.send(None)  # asks now
        assert future is not None
        got.append((coro, future))

    binding = m.bind({"GoState": state})
    m.add("Go")
    m.detach(binding)
    coro, future = got[0]

    async def rest() -> Any:
        await asyncio.wait([future])
        future._asyncio_future_blocking = False
        try:
            coro.send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("it waits for more")

    return await rest()


async def test_hlp_1_on_an_idle_machine_the_answer_is_there() -> None:
    m = mach("A B", B="require:Nope")
    assert await h.add_done(m, "A")
    assert not await h.add_done(m, "B")
    assert await h.remove_done(m, "A")
    m.bind({"AExit": no})
    m.add("A")
    assert not await h.remove_done(m, "A")


async def test_hlp_1_on_a_busy_machine_its_turn_is_waited_for() -> None:
    m = mach("A B Go", B="require:Nope")
    assert await inside(m, lambda: h.add_done(m, "A")) is True
    m.remove("Go")
    assert await inside(m, lambda: h.add_done(m, "B")) is False
    m.remove("Go")
    assert await inside(m, lambda: h.remove_done(m, "A")) is True
    m.add("A")
    m.remove("Go")
    m.bind({"AExit": no})
    assert await inside(m, lambda: h.remove_done(m, "A")) is False  # Go says yes


async def test_hlp_2_an_activation_that_comes_of_a_mutation() -> None:
    m = mach("A B C", C="require:Nope")

    async def later(e: Any) -> None:
        await asyncio.sleep(1)
        m.add("B")

    m.add("B")
    m.remove("B")
    m.bind({"AState": later})
    assert await h.add_and_await(m, "B", "A")
    assert m.tick("B") == 3
    assert not await h.add_and_await(m, "B", "C")
    assert not m._subs._time_by_state


async def test_hlp_2_not_of_a_machine_that_is_gone() -> None:
    m = mach("A B")
    asyncio.get_running_loop().call_later(1, m.dispose_force)
    assert not await h.add_and_await(m, "B", "A")


async def test_hlp_4_signs_of_life_come_every_half_minute() -> None:
    m = mach("Healthcheck", Healthcheck="multi")
    task = m.spawn(h.keep_healthy(m))
    await asyncio.sleep(61)
    assert m.tick("Healthcheck") == 5
    m.dispose_force()
    await asyncio.sleep(30)
    assert task.done()
    await h.keep_healthy(mach("A"))


async def test_hlp_6_all_and_any() -> None:
    m = mach("A B")
    loop = asyncio.get_running_loop()
    loop.call_later(1, m.add, "A")
    loop.call_later(2, m.add, "B")
    await h.wait_any(m.when("B"), m.when("A"))
    assert loop.time() == pytest.approx(1)
    await h.wait_all(m.when("B"), m.when("A"))
    assert loop.time() == pytest.approx(2)
    await h.wait_all()
    assert not m.is_watched


async def test_hlp_6_time_runs_out() -> None:
    m = mach("A B")
    m.add("A")
    with pytest.raises(WaitTimeoutError, match="missing B"):
        await h.wait_all(m.when("A"), m.when("B"), timeout=1)
    with pytest.raises(WaitTimeoutError):
        await h.wait_any(timeout=1)
    assert not m.is_watched


@pytest.mark.parametrize("wait", [h.wait_all, h.wait_any])
async def test_hlp_6_an_error_ends_the_wait(wait: Any, caplog: pytest.LogCaptureFixture) -> None:
    m = mach("A B")
    await wait(m.when_not("A"), err=m)
    asyncio.get_running_loop().call_later(1, m.add_err, ValueError("boom"))
    with pytest.raises(ValueError, match="boom"):
        await wait(m.when("A"), m.when("B"), err=m)
    n = mach("A")
    asyncio.get_running_loop().call_later(1, n.dispose_force)
    never = Signal()
    with pytest.raises(DisposedError):
        await wait(never, err=n)


async def test_hlp_7_a_request_is_repeated_with_growing_waits() -> None:
    m, tries = mach("A"), []
    loop = asyncio.get_running_loop()

    def enter(_: Any) -> bool:
        tries.append(round(loop.time(), 1))
        return len(tries) == 4

    m.bind({"AEnter": enter})
    assert (await h.request(m, ADD, "A")).executed
    assert tries == [0, 0.1, 0.3, 0.7]


@pytest.mark.parametrize(
    ("options", "count"),
    [({}, 6), ({"retries": 2}, 3), ({"max_duration": 0.35}, 3), ({"backoff": 0.1}, 11)],
)
async def test_hlp_7_it_gives_up(options: dict[str, Any], count: int) -> None:
    m, tries = mach("A"), []
    m.bind({"AEnter": lambda _: bool(tries.append(1))})
    assert (await h.request(m, ADD, "A", **options)).canceled
    assert len(tries) == count


async def test_hlp_8_intervals() -> None:
    m, seen = mach("A"), []
    context = m.state_context("A")
    assert await h.interval(context, 3, 1, lambda: seen.append(1))
    assert len(seen) == 3
    assert not await h.interval(context, 3, 1, lambda: False)
    asyncio.get_running_loop().call_later(1.5, m.add, "A")
    assert not await h.interval(context, 3, 1, lambda: seen.append(1))
    assert len(seen) == 4


def test_hlp_8_a_group_of_machines() -> None:
    machines = [mach("A", f"m{i}") for i in range(3)]
    machines[0].add("A")
    group = h.when_group(machines, "A")
    for m in machines[1:]:
        assert not group.done()
        m.add("A")
    assert group.done()
    assert h.when_group([], "A").done()


async def test_hlp_9_can_3_questions_are_answered_with_the_truth() -> None:
    m = mach("A B", B="require:Nope")
    told = Recorder()
    assert await h.can_add_async(m, "A")
    assert not await h.can_add_async(m, "B")
    m.bind_tracer(told)
    assert (await h.ask_add(m, "B")).canceled
    assert len(told.ended) == 1  # the question alone
    assert (await h.ask_add(m, "A")).executed
    assert (await h.ask_remove(m, "A")).executed
    m.bind({"AExit": no})
    m.add("A")
    assert not await h.can_remove_async(m, "A")
    assert (await h.ask_remove(m, "A")).canceled


async def test_hlp_9_busy_or_gone_they_are_answered_too() -> None:
    m = mach("A Go")
    assert await inside(m, lambda: h.can_add_async(m, "A")) is True
    m.dispose_force()
    assert not await h.can_add_async(m, "A")


def test_hlp_10_an_end_as_the_machine_wants_it() -> None:
    m, n = mach("A"), mach("Disposing")
    h.end(m)
    h.end(n)
    assert (m.is_disposed, n.is_("Disposing"), n.is_disposed) == (True, True, False)
    stubborn = mach("Disposing", handlers={"DisposingEnter": no})
    h.end(stubborn)
    assert stubborn.is_disposed


def test_hlp_12_what_is_missing_and_what_is_copied() -> None:
    assert h.implements(["A", "B"], ["B", "C", "D"]) == "C"
    assert h.implements(["A"], []) == ""
    into = h.copied({"A": StateDef(auto=True), "B": StateDef()}, Schema({"C": {}}), ["A"])
    assert (set(into), into["A"].auto) == ({"A", "C"}, True)
    with pytest.raises(SchemaError, match="'X' to copy"):
        h.copied({}, Schema({}), ["X"])


async def test_hlp_12_a_mirror_is_a_machine_without_relations_and_pipes() -> None:
    source = mach("A B", "source", A="remove:B", B="remove:A")
    mirror = Machine("mirror-source", source.schema.prefix("", relations=False), parent=source)
    pipes.bind_any(source, mirror)
    source.add("A")
    source.add("B")
    await asyncio.sleep(0)
    assert {*mirror.active} == {"B"}


def test_hlp_12_what_a_transition_did() -> None:
    m, told = mach("A B C D", A="add:B remove:C", D="require:Nope"), Recorder()
    m.bind_tracer(told)
    m.add("C")
    m.add("A")
    m.add("D")
    assert h.moved(told.ended[1]) == (("A", "B"), ("C",), ("A", "B", "C"))
    assert h.moved(told.ended[2])[:2] == ((), ())
    assert "D" in h.moved(told.ended[2])[2]


def test_hlp_13_a_state_that_only_counts() -> None:
    m = mach("M", M="multi", handlers={"MState": h.removing("M")})
    m.add("M")
    m.add("M")
    assert (m.is_("M"), m.tick("M")) == (False, 4)


def test_hlp_14_values_come_out_of_an_eval() -> None:
    m, got = mach("A"), []
    assert m.eval("me", lambda: got.append(m.tick("A")))
    assert got == [0]


async def test_hlp_8_waiting_a_while_or_for_the_end_of_a_state() -> None:
    m = mach("A")
    context = m.state_context("A")
    with pytest.raises(WaitTimeoutError):
        await context.wait(1)
    m.add("A")
    await context.wait(1)
