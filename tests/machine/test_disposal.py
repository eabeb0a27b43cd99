"""The end of a machine (section 19)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amctl.machine import ACheck, Event, Limits, Machine, Signal
from tests.machine.tools import Log, Recorder, boom, mach, no


async def test_dsp_1_order() -> None:
    """Start's end may finish its work; then all is refused, cancelled, closed and told."""
    happened: list[str] = []

    async def start_end(_: Event) -> None:
        await asyncio.sleep(0.5)
        happened.append(f"cleaned up, {m.add('Saved')}")

    async def start(_: Event) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            happened.append("start over")

    async def saved(_: Event) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            happened.append(f"saved over, {m.add('A')}")

    class Tracer(Recorder):
        def machine_dispose(self, machine_id: str) -> None:
            happened.append(f"tracer, disposed: {m.is_disposed}")

    m = mach("Start Saved A", tracers=[Tracer()])
    m.bind({"StartEnd": start_end, "StartState": start, "SavedState": saved})
    m.add("Start")
    await asyncio.sleep(0)
    m.when("A").add_done_callback(lambda _: happened.append("wait"))
    m.state_context("Saved")
    m.on_dispose(lambda id: happened.append(f"callback of {id}, bound: {m.bindings}"))
    m.on_dispose(lambda _: happened.append("second callback"))
    m.when_disposed().add_done_callback(lambda _: happened.append("over"))
    m.dispose()
    assert m.not_("Start")
    assert not m.is_disposed
    await m.when_disposed()
    assert happened == [
        "start over",
        "cleaned up, executed",
        "saved over, canceled",
        "tracer, disposed: True",
        "wait",
        "callback of m, bound: []",
        "second callback",
        "over",
    ]


def test_dsp_1_without_tasks_it_is_over_at_once() -> None:
    m, log = mach("Start A"), Log()
    m.add("Start")
    log.bind(m, "StartEnd")
    m.dispose()
    assert m.is_disposed
    assert log.take() == "StartEnd"
    assert m.when_disposed().done()
    refused = [m.add("A"), m.remove("A"), m.set("A"), m.toggle("A"), m.can_add("A")]
    assert all(r.canceled for r in (*refused, m.add_err(ValueError("x"))))


async def test_dsp_1_cleaning_up_has_a_limit() -> None:
    async def forever(_: Event) -> None:
        await asyncio.sleep(1e6)

    m = mach("Start", limits=Limits(dispose_timeout=3), handlers={"StartEnd": forever})
    m.add("Start")
    m.dispose()
    await asyncio.sleep(2.9)
    assert not m.is_disposed
    await asyncio.sleep(0.2)
    assert m.is_disposed


async def test_dsp_4_a_task_that_ignores_its_end_has_a_limit_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    released = asyncio.Event()

    async def stubborn(_: Event) -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    m = mach("A", limits=Limits(dispose_timeout=3), handlers={"AState": stubborn})
    m.add("A")
    await asyncio.sleep(0)
    m.dispose()
    await asyncio.sleep(5.9)
    assert not m.is_disposed
    await asyncio.sleep(0.2)
    assert m.is_disposed
    assert "AState ignores its cancellation" in caplog.text
    released.set()
    await asyncio.sleep(0)


def test_dsp_1_within_a_handler_the_queue_is_done_first() -> None:
    m, log = mach("A B Start"), Log()
    m.add("Start")
    log.bind(m, "BState", "StartEnd", AState=lambda _: (m.add("B"), m.dispose()))
    m.add("A")
    assert log.take() == "AState BState StartEnd"
    assert m.is_disposed


def test_it_ends_once() -> None:
    m, told = mach("A"), list[str]()
    m.on_dispose(told.append)
    m.dispose()
    m.dispose()
    m.dispose_force()
    assert told == ["m"]


async def test_disposing_twice_in_a_row_is_the_same() -> None:
    async def forever(_: Event) -> None:
        await asyncio.sleep(1e6)

    m, told = mach("A", handlers={"AState": forever}), list[str]()
    m.add("A")
    m.on_dispose(told.append)
    m.dispose()
    m.dispose()
    await m.when_disposed()
    assert told == ["m"]


def test_a_loop_that_ends_meanwhile_ends_the_machine() -> None:
    told: list[str] = []

    async def forever(_: Event) -> None:
        await asyncio.sleep(1e6)

    async def main() -> None:
        m = mach("Start", handlers={"StartEnd": forever})
        m.on_dispose(told.append)
        m.add("Start")
        m.dispose()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert told == ["m"]


async def test_dsp_2_force_waits_for_nothing() -> None:
    async def forever(_: Event) -> None:
        await asyncio.sleep(1e6)

    m = mach("Start A", handlers={"AState": forever})
    m.add(["Start", "A"])
    await asyncio.sleep(0)
    m.spawn(asyncio.sleep(1e6))
    tasks = m._tasks.running()
    m.dispose()
    m.dispose_force()
    assert m.is_disposed
    await asyncio.sleep(0)
    assert [task.cancelled() for task in tasks] == [True, True]


@pytest.mark.parametrize("name", ["AEnter", "AState", "AnyState"])
def test_dsp_2_and_3_force_within_a_handler(name: str) -> None:
    """The running transition ends, but leaves nothing behind."""
    m, log = mach("A B Au", Au="auto"), Log()

    def ends(_: Event) -> None:
        m.add("B")
        m.dispose_force()

    log.bind(m, "AuState", "BState", **{name: ends})
    assert m.add("A").executed
    assert m.is_disposed
    assert not any(m.is_(name) for name in m.names)
    assert (m.active, m.queue()) == ([], [])
    assert log.take() == name
    assert not m.is_busy


@pytest.mark.parametrize("name", ["AEnter", "AState"])
def test_a_failure_right_after_the_end_raises_no_exception(name: str) -> None:
    def ends(_: Event) -> None:
        m.dispose_force()
        raise ValueError("too late")

    m = mach("A", handlers={name: ends})
    assert m.add("A").canceled
    assert (m.is_err(), m.is_("A"), m.err) == (False, False, None)


def test_dsp_1_disposal_ends_also_when_a_handler_breaks_out() -> None:
    def interrupt(_: Event) -> None:
        m.dispose()
        raise KeyboardInterrupt

    m = mach("Start A", handlers={"AState": interrupt})
    m.add("Start")
    with pytest.raises(KeyboardInterrupt):
        m.add("A")
    assert m.is_disposed


def test_evals_end_too() -> None:
    def interrupt() -> None:
        m.dispose()
        raise KeyboardInterrupt

    m = mach("A")
    with pytest.raises(KeyboardInterrupt):
        m.eval("test", interrupt)
    assert m.is_disposed


def test_on_dispose_afterwards_is_told_at_once() -> None:
    m, told = mach("A"), list[str]()
    m.dispose()
    m.on_dispose(told.append)
    assert told == ["m"]


def test_a_failing_callback_is_logged_and_the_next_one_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    m, told = mach("A"), list[str]()
    m.on_dispose(boom)
    m.on_dispose(told.append)
    m.dispose()
    assert told == ["m"]
    assert "a disposal callback failed" in caplog.text


def test_questions_in_the_queue_are_answered_at_the_end() -> None:
    m, check = mach("A B"), ACheck()
    m.bind({"AState": lambda _: (m.can_add("B", check), m.dispose_force())})
    m.add("A")
    assert check.canceled
    assert check.done.done()


def test_dsp_4_a_machine_ends_with_its_parent() -> None:
    parent = mach("A", id="parent")
    child = mach("A", id="child", parent=parent)
    other = mach("A", id="other", parent_id="parent")
    parent.dispose()
    assert child.is_disposed
    assert (other.parent_id, other.is_disposed) == ("parent", False)


def test_dsp_4_another_context_wins_over_the_parent() -> None:
    parent, context = mach("A", id="parent"), Signal()
    child = mach("A", id="child", parent=parent, context=context)
    parent.dispose()
    assert not child.is_disposed
    context.close()
    assert child.is_disposed


def test_dsp_4_a_machine_that_can_say_goodbye_does() -> None:
    context = Signal()
    m, log = mach("Start Disposing", Disposing="remove:Start", context=context), Log()
    log.bind(m, "StartEnd", "DisposingState")
    m.add("Start")
    context.close()
    assert log.take() == "StartEnd DisposingState"
    assert not m.is_disposed
    assert m.is_("Disposing")


@pytest.mark.parametrize("machine", ["Disposing", "A"])
def test_dsp_4_if_it_refuses_it_is_disposed_of(machine: str) -> None:
    context = Signal()
    m = mach(machine, context=context)
    if machine == "Disposing":
        m.bind({"DisposingEnter": no})
    context.close()
    assert m.is_disposed


def test_dsp_4_who_is_over_does_not_end_again() -> None:
    context = Signal()
    m, told = mach("A", context=context), list[str]()
    m.on_dispose(told.append)
    m.dispose()
    context.close()
    assert told == ["m"]


def test_tasks_of_a_loop_that_is_gone_are_not_waited_for() -> None:
    made: list[Machine] = []

    async def forever(_: Event) -> None:
        await asyncio.sleep(1e6)

    async def main() -> None:
        made.append(mach("A", handlers={"AState": forever}))
        made[0].add("A")
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    m = made[0]
    m.dispose()
    assert m.is_disposed
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_schema_and_import_are_refused_at_the_end() -> None:
    m = mach("A")
    data: dict[str, Any] = m.export()
    m.dispose()
    with pytest.raises(ValueError, match="now"):
        m.set_schema({**m.schema, "B": {}})
    with pytest.raises(ValueError, match="now"):
        m.import_(data)
