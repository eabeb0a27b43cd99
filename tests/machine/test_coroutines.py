"""Coroutine handlers, structured: they end with their state, and none is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from amctl.machine import Event, Limits, Machine
from tests.machine.test_tasks import settle
from tests.machine.tools import Recorder, mach

if TYPE_CHECKING:
    from collections.abc import Callable


def _tasks() -> int:
    """Tasks of this loop, the test's own and its runner's among them."""
    return len(asyncio.all_tasks())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ends", "count"),
    [
        ("by itself", 2_000),
        ("with its state", 10_000),
        ("with start", 2_000),
        ("with the machine", 1_000),
    ],
)
async def test_no_task_is_left_after_ten_thousand_activations(ends: str, count: int) -> None:
    before, events = _tasks(), list[weakref.ref[Event]]()

    async def handler(event: Event) -> None:
        if len(events) < 100:
            events.append(weakref.ref(event.transition))  # type: ignore[arg-type]
        if ends != "by itself":
            await asyncio.sleep(1e6)

    m = mach("Start A M", M="multi", handlers={"AState": handler, "MState": handler})
    m.add("Start")
    context = m.state_context("Start")
    state = "A" if ends == "with its state" else "M"
    for n in range(count // 50):
        for _ in range(50):
            m.add(state)
            if state == "A" and n % 2:  # every other time before it began
                m.remove(state)
        await settle()
        m.remove(state)
        if ends == "with start":
            m.remove("Start")
            m.add("Start")
        await settle()
        if ends != "with the machine":
            assert len(m._tasks) == 0
    if ends == "with the machine":
        assert len(m._tasks) == count
        m.dispose()
        await m.when_disposed()
        await settle()
    assert (_tasks(), len(m._tasks), len(m._tasks._events)) == (before, 0, 0)
    assert not context._spawned
    assert not context._callbacks
    gc.collect()
    assert [ref for ref in events if ref() is not None] == []
    assert not m.is_err()


async def test_a_cancellation_goes_through_nested_awaits_from_the_inside() -> None:
    order: list[str] = []

    async def inner() -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            order.append("inner")

    async def middle() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(inner())
                group.create_task(inner())
        finally:
            await asyncio.sleep(1)  # cleaning up may wait
            order.append("middle")

    async def handler(_: Event) -> None:
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(order.append, "outer")
            async with asyncio.timeout(1e3):
                await middle()

    m = mach("A", handlers={"AState": handler})
    m.add("A")
    await settle()
    m.remove("A")
    assert m._tasks.running()
    await asyncio.sleep(2)
    assert order == ["inner", "inner", "middle", "outer"]
    assert len(m._tasks) == 0
    assert not m.is_err()


async def test_a_timeout_inside_is_no_cancellation_and_the_handler_goes_on() -> None:
    reached: list[str] = []

    async def handler(_: Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(1e6)
        reached.append("after")
        await asyncio.sleep(1e6)
        reached.append("never")

    m = mach("A", handlers={"AState": handler})
    m.add("A")
    await asyncio.sleep(2)
    assert (reached, len(m._tasks)) == (["after"], 1)
    m.remove("A")
    await settle()
    assert (reached, len(m._tasks)) == (["after"], 0)


async def test_a_shielded_part_outlives_the_state_and_the_rest_does_not() -> None:
    done: list[str] = []
    parts: list[asyncio.Task[None]] = []

    async def part() -> None:
        await asyncio.sleep(5)
        done.append("part")

    async def handler(event: Event) -> None:
        parts.append(event.machine.spawn(part()))  # lives with the machine
        await asyncio.shield(parts[0])
        done.append("never")

    m = mach("A", handlers={"AState": handler})
    m.add("A")
    await settle()
    m.remove("A")
    await asyncio.sleep(6)
    assert done == ["part"]
    assert len(m._tasks) == 0


async def test_what_fails_while_it_is_cancelled_becomes_exception_with_its_event() -> None:
    async def handler(_: Event) -> None:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            raise ValueError("could not clean up") from None

    tracer = Recorder()
    m = mach("A", tracers=[tracer], handlers={"AState": handler})
    m.add("A")
    work = tracer.ended[-1]
    await settle()
    m.remove("A")
    await m.when_err()
    assert str(m.err) == "could not clean up"
    assert tracer.ended[-1].source.tx_id == work.id


async def test_a_group_of_failures_is_one_error_of_the_machine() -> None:
    async def fails(text: str) -> None:
        await asyncio.sleep(1)
        raise ValueError(text)

    async def handler(_: Event) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails("one"))
            group.create_task(fails("two"))

    m = mach("A", handlers={"AState": handler})
    m.add("A")
    await m.when_err()
    assert isinstance(m.err, ExceptionGroup)
    assert m.err.subgroup(ValueError) is not None
    assert m.tick("Exception") == 1


async def test_each_failure_of_many_is_told_with_its_own_event() -> None:
    async def handler(event: Event) -> None:
        await asyncio.sleep(event.raw["n"])
        raise ValueError(str(event.raw["n"]))

    tracer = Recorder()
    m = mach("Start M", M="multi", tracers=[tracer], handlers={"MState": handler})
    m.add("Start")
    works = []
    for n in (3, 1, 2):
        m.add("M", {"n": n})
        works.append(tracer.ended[-1].id)
    tracer.ended.clear()
    await asyncio.sleep(4)
    assert [tx.source.tx_id for tx in tracer.ended] == [works[1], works[2], works[0]]
    assert m.tick("Exception") == 5


async def test_disposal_waits_for_what_cleans_up_and_callbacks_come_after_it() -> None:
    order: list[str] = []

    async def handler(_: Event) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(1.5)
            order.append("handler")

    m = mach("A", handlers={"AState": handler})
    m.on_dispose(lambda _: order.append("callback"))
    m.add("A")
    await settle()
    m.dispose()
    await m.when_disposed()
    assert order == ["handler", "callback"]
    assert len(m._tasks) == 0


async def test_disposal_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async def handler(_: Event) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(1e6)
        await asyncio.sleep(100)

    loop = asyncio.get_running_loop()
    m = mach("A", handlers={"AState": handler}, limits=Limits(dispose_timeout=2))
    m.add("A")
    await settle()
    began = loop.time()
    m.dispose()
    await m.when_disposed()
    assert loop.time() - began == 4
    assert "AState ignores its cancellation" in caplog.text
    await asyncio.sleep(5)  # it was cancelled once more, at the very end
    assert len(m._tasks) == 0


async def test_a_handler_may_dispose_of_its_own_machine() -> None:
    after: list[str] = []

    async def handler(event: Event) -> None:
        event.machine.dispose()
        try:
            await event.machine.when_disposed()
        finally:
            after.append("over")

    m = mach("A", handlers={"AState": handler})
    m.add("A")
    await m.when_disposed()
    await settle()
    assert after == ["over"]
    assert len(m._tasks) == 0


@pytest.mark.parametrize("move", ["remove", "set", "fail"])
async def test_however_its_state_ends_the_task_ends(move: str) -> None:
    moves: dict[str, Callable[[Machine], object]] = {
        "remove": lambda m: m.remove("A"),
        "set": lambda m: m.set("B"),
        "fail": lambda m: m.add_err(ValueError("x")),
    }
    ended: list[str] = []

    async def handler(_: Event) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            ended.append("A")

    m = mach("A B Exception", Exception="multi remove:A", handlers={"AState": handler})
    m.add("A")
    await settle()
    moves[move](m)
    await settle()
    assert ended == ["A"]
    assert len(m._tasks) == 0


async def test_an_awaitable_that_is_shared_is_cancelled_for_its_own_waiters_only() -> None:
    """A wait that a handler returns: the subscription goes, the machine is untouched."""
    m = mach("A B")
    m.bind({"AState": lambda e: e.machine.when("B")})
    other = m.when("B")
    m.add("A")
    await settle()
    m.remove("A")
    await settle()
    assert len(m._tasks) == 0
    assert not other.done()
    m.add("B")
    assert other.done()


async def test_a_task_of_a_state_context_ends_with_it_and_its_failure_is_told() -> None:
    async def fails() -> None:
        await asyncio.sleep(1)
        raise ValueError("child")

    m = mach("A B")

    def handler(event: Event) -> None:
        context = event.machine.state_context("A", event)
        context.spawn(asyncio.sleep(1e6))
        context.spawn(fails())

    m.bind({"AState": handler})
    m.add("A")
    await m.when_err()
    assert str(m.err) == "child"
    assert len(m._tasks) == 1
    m.remove("A")
    await settle()
    assert len(m._tasks) == 0
