"""Coroutine handlers and their lifetimes, tasks, and the door for other threads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Any

import pytest

from amctl.machine import BindError, Event, Machine, TaskSet
from tests.machine.tools import Log, Recorder, mach


class Sleeper:
    """A coroutine handler that sleeps for good, and tells how it ended."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def __call__(self, event: Event) -> None:
        self.ran.append(f"{event.name} begins")
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            self.ran.append(f"{event.name} is cancelled")
            raise

    @property
    def is_over(self) -> bool:
        return any(line.endswith("cancelled") for line in self.ran)


async def settle() -> None:
    """Let tasks run as far as they get."""
    for _ in range(5):
        await asyncio.sleep(0)


def _coroutine(machine: Machine, *names: str) -> Sleeper:
    sleeper = Sleeper()

    async def handler(event: Event) -> None:
        await sleeper(event)

    machine.bind(dict.fromkeys(names, handler))
    return sleeper


async def test_a_coroutine_handler_starts_after_the_mutation_and_ends_with_its_state() -> None:
    m = mach("A B")
    sleeper = _coroutine(m, "AState")
    m.add("A")
    assert sleeper.ran == []
    await settle()
    m.add("B")
    await settle()
    assert sleeper.ran == ["AState begins"]
    m.remove("A")
    await settle()
    assert sleeper.is_over
    assert not m.is_err()


async def test_a_coroutine_whose_state_ended_before_it_began_never_begins() -> None:
    m = mach("A")
    sleeper = _coroutine(m, "AState")
    m.add("A")
    m.remove("A")
    await settle()
    assert sleeper.ran == []
    assert len(m._tasks) == 0


async def test_order_of_plain_finals_is_kept_and_coroutines_follow() -> None:
    m, log = mach("A B"), Log()

    async def later(event: Event) -> None:
        log.append(f"{event.name} task")

    m.bind({"AState": later})
    log.bind(m, "AState", "BState", "AnyState")
    m.add(["A", "B"])
    assert log.take() == "AState BState AnyState"
    await settle()
    assert log.take() == "AState task"


async def test_a_coroutine_that_ends_its_own_state_is_cancelled_at_its_next_await() -> None:
    m, done = mach("Working Done", Done="remove:Working"), list[str]()

    async def work(event: Event) -> None:
        result = event.machine.add("Done", source=event)
        done.append(str(result))
        await asyncio.sleep(0)
        done.append("never")

    m.bind({"WorkingState": work})
    m.add("Working")
    await settle()
    assert done == ["executed"]
    assert m.active == ["Done"]
    assert not m.is_err()


async def test_reentry_starts_a_new_task_for_a_multi_state_and_keeps_the_old() -> None:
    m = mach("M", M="multi")
    sleeper = _coroutine(m, "MState")
    m.add("M")
    m.add("M")
    await settle()
    m.remove("M")
    await settle()
    assert sleeper.ran == ["MState begins"] * 2


@pytest.mark.parametrize("name", ["MState", "AEnd", "AnyState"])
async def test_multi_end_and_any_live_with_start(name: str) -> None:
    m = mach("Start M A", M="multi")
    m.add(["Start", "A"])
    sleeper = _coroutine(m, name)
    m.set(["Start", "M"])
    await settle()
    m.remove("M")
    await settle()
    assert not sleeper.is_over
    m.remove("Start")
    await settle()
    assert sleeper.is_over


@pytest.mark.parametrize("states", ["Start M A", "M A"])
@pytest.mark.parametrize("name", ["MState", "AEnd", "AnyState"])
async def test_without_an_active_start_they_live_with_the_machine(name: str, states: str) -> None:
    m = mach(states, M="multi")
    m.add("A")
    sleeper = _coroutine(m, name)
    m.set(["M"])
    await settle()
    m.set([])
    await settle()
    assert sleeper.ran[0].endswith("begins")
    assert not sleeper.is_over
    m.dispose()
    await m.when_disposed()
    assert sleeper.is_over


async def test_the_end_of_start_itself_lives_with_the_machine() -> None:
    m = mach("Start")
    sleeper = _coroutine(m, "StartEnd")
    m.add("Start")
    m.remove("Start")
    await settle()
    assert sleeper.ran == ["StartEnd begins"]


async def test_what_a_coroutine_raises_becomes_exception_with_its_source(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(_: Event) -> None:
        await asyncio.sleep(1)
        raise ValueError("late")

    tracer = Recorder()
    m = mach("A", tracers=[tracer], handlers={"AState": fails})
    m.add("A")
    work = tracer.ended[0]
    await m.when_err()
    assert str(m.err) == "late"
    assert m.is_("A")
    source = tracer.ended[-1].source
    assert (source.machine_id, source.tx_id) == ("m", work.id)
    assert "handler AState failed: late" in caplog.text


async def test_pan_6_a_failing_coroutine_of_exception_does_not_feed_itself() -> None:
    async def fails(_: Event) -> None:
        raise ValueError("in the handler of errors")

    m = mach("A", handlers={"ExceptionState": fails})
    m.add_err(ValueError("first"))
    await settle()
    assert str(m.err) == "first"
    assert m.tick("Exception") == 1


async def test_a_failure_after_disposal_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(_: Event) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            raise ValueError("at the end")

    m = mach("A", handlers={"AState": fails})
    m.add("A")
    await settle()
    m.dispose_force()
    await settle()
    assert "at the end" in caplog.text
    assert m.err is None


async def test_a_reverted_state_takes_its_task_along() -> None:
    """PAN-4: the first binding's coroutine goes when the second one fails."""
    m = mach("A")
    sleeper = _coroutine(m, "AState")
    m.bind({"AState": lambda _: 1 // 0})
    m.add("A")
    await settle()
    assert sleeper.ran == []
    assert len(m._tasks) == 0


async def test_any_awaitable_will_do() -> None:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    m = mach("A", handlers={"AState": lambda _: future})
    m.add("A")
    await settle()
    m.remove("A")
    await settle()
    assert future.cancelled()


async def test_a_coroutine_of_a_disposed_machine_is_closed() -> None:
    async def handler(_: Event) -> None: ...

    m = mach("A B")
    m.bind({"AState": lambda _: m.dispose_force(), "BState": handler})
    m.add(["A", "B"])
    assert len(m._tasks) == 0


def test_without_a_loop_a_coroutine_handler_is_an_error_of_the_machine() -> None:
    async def handler(_: Event) -> None: ...

    m = mach("A", handlers={"AState": handler})
    assert m.add("A").canceled
    assert "needs a running loop" in str(m.err)


async def test_a_long_lived_context_keeps_nothing_of_tasks_that_ended() -> None:
    """A Multi state's coroutine lives with Start, which may live for days."""

    async def handler(_: Event) -> None:
        await asyncio.sleep(1)

    m = mach("Start M", M="multi", handlers={"MState": handler})
    m.add("Start")
    for _ in range(5):
        m.add("M")
    await asyncio.sleep(2)
    context = m.state_context("Start")
    assert not context._callbacks
    assert not context._spawned
    assert not m._tasks._events


async def test_an_odd_failure_of_a_task_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """As SystemExit, which is not the machine's to handle."""

    class OddError(BaseException):
        pass

    async def handler(_: Event) -> None:
        raise OddError

    m = mach("A", handlers={"AState": handler})
    m.add("A")
    await settle()
    assert "handler AState failed" in caplog.text
    assert not m.is_err()


async def test_a_task_that_is_just_over_has_no_deadline() -> None:
    async def handler(_: Event) -> None:
        asyncio.get_running_loop().call_soon(m.remove, "A")  # runs before the task's callbacks

    m = mach("A", handlers={"AState": handler})
    m.add("A")
    await settle()
    assert m.not_("A")
    await asyncio.sleep(100)
    assert m.internal_errors == []


def test_bind_refuses_coroutines_that_would_have_to_answer() -> None:
    async def handler(_: Event) -> None: ...

    with pytest.raises(BindError, match="AEnter"):
        mach("A", handlers={"AEnter": handler})


async def test_spawned_tasks_live_as_long_as_the_machine() -> None:
    m = mach("A")
    task = m.spawn(asyncio.sleep(1e6), name="mine")
    assert task.get_name() == "mine"
    m.dispose()
    await m.when_disposed()
    assert task.cancelled()


async def test_what_a_spawned_task_raises_becomes_exception() -> None:
    async def fails() -> int:
        raise ValueError("spawned")

    m = mach("A")
    with pytest.raises(ValueError, match="spawned"):
        await m.spawn(fails())
    await m.when_err()
    assert str(m.err) == "spawned"


# -- sets of tasks


async def test_a_set_holds_tasks_until_they_end() -> None:
    tasks = TaskSet("test")
    assert await tasks.spawn(asyncio.sleep(0, 3)) == 3
    running = tasks.spawn(asyncio.sleep(5))
    await settle()
    assert (len(tasks), tasks.running()) == (1, {running})
    await running
    await settle()
    assert len(tasks) == 0


async def test_a_set_logs_failures_and_no_cancellations(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("boom")

    tasks = TaskSet("test")
    tasks.spawn(fails(), name="bad")
    tasks.spawn(asyncio.sleep(1e6), name="good")
    await settle()
    tasks.cancel_all()
    await settle()
    assert [r.getMessage() for r in caplog.records] == ["test: bad failed: boom"]
    assert len(tasks) == 0


async def test_closing_waits_for_all_but_the_caller() -> None:
    tasks, ended = TaskSet("test"), list[str]()

    async def slowly() -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(2)
            ended.append("slow")

    async def closer() -> None:
        await tasks.close()
        ended.append("closer")

    tasks.spawn(slowly())
    await settle()
    await tasks.spawn(closer())
    assert ended == ["slow", "closer"]


async def test_closing_leaves_behind_what_ignores_it(caplog: pytest.LogCaptureFixture) -> None:
    async def stubborn() -> None:
        for _ in range(2):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(10)

    tasks = TaskSet("test")
    task = tasks.spawn(stubborn(), name="stubborn")
    await settle()
    await tasks.close(timeout=1)
    assert "test: stubborn ignores its cancellation" in caplog.text
    assert not task.done()
    await task
    await TaskSet().close()


def test_a_set_needs_a_loop() -> None:
    with pytest.raises(RuntimeError, match=r"test: .* needs a running loop"):
        TaskSet("test").spawn(asyncio.sleep(0))


# -- the door for other threads


@pytest.mark.realtime
async def test_another_thread_comes_in_through_the_door() -> None:
    m = mach("A", handlers={"AState": lambda _: seen.append(threading.get_ident())})
    seen: list[Any] = []
    answers: list[Any] = []

    def foreign() -> None:
        answers.append(m.post_threadsafe(lambda: m.add("A")).result(5))
        try:
            m.post_threadsafe(lambda: 1 // 0).result(5)
        except ZeroDivisionError as error:
            answers.append(error)

    await asyncio.get_running_loop().run_in_executor(None, foreign)
    assert answers[0].executed
    assert isinstance(answers[1], ZeroDivisionError)
    assert seen == [threading.get_ident()]
    assert not m.is_err()


@pytest.mark.realtime
async def test_the_door_lets_nobody_wait_for_ever() -> None:
    def cancelled() -> None:
        raise asyncio.CancelledError

    def foreign() -> BaseException | None:
        return m.post_threadsafe(cancelled).exception(5)

    m = mach("A")
    loop = asyncio.get_running_loop()
    assert isinstance(await loop.run_in_executor(None, foreign), asyncio.CancelledError)
    future = m.post_threadsafe(lambda: m.add("A"))
    assert future.cancel()
    await asyncio.sleep(0)
    assert m.not_("A")


def test_an_interrupt_passes_the_door() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        futures.append(mach("A").post_threadsafe(interrupt))
        await asyncio.sleep(1)

    futures: list[Any] = []
    loop = asyncio.new_event_loop()
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(main())
    assert isinstance(futures[0].exception(0), KeyboardInterrupt)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_the_door_needs_a_loop_behind_it() -> None:
    m = mach("A")
    with pytest.raises(RuntimeError, match="attached to no loop"):
        m.post_threadsafe(lambda: None)


async def test_a_machine_that_was_made_before_its_loop_can_be_attached() -> None:
    made: list[Machine] = []
    thread = threading.Thread(target=lambda: made.append(mach("A")))
    thread.start()
    thread.join()
    m = made[0]
    m.attach()
    future = m.post_threadsafe(lambda: m.add("A"))
    await settle()
    assert future.result(0).executed
    assert m.is_("A")


async def test_the_stop_watch_is_the_loops(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    loop: Any = asyncio.get_running_loop()

    def slow(_: Event) -> None:
        loop.now += 0.2

    m = mach("A", handlers={"AState": slow}, handler_timeout=0.1)
    assert m.add("A").canceled
    assert "took longer than 0.1 s" in caplog.text


async def test_a_late_coroutine_is_not_judged_by_the_stop_watch() -> None:
    async def slow(_: Event) -> None:
        await asyncio.sleep(5)

    m = mach("A", handlers={"AState": slow}, handler_timeout=0.1)
    assert m.add("A").executed
    await asyncio.sleep(6)
    assert m.is_("A")
    assert m.internal_errors == []
