"""Signals and state contexts by themselves; machines' waits are in test_waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amctl.machine import Signal, StateContext, WaitTimeoutError
from amctl.machine.signals import TimedSignal, Watch
from tests.machine.tools import mach


class Table(Watch):
    """A subscription that notes when it leaves its table."""

    what = "table"

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0

    def drop(self) -> None:
        self.dropped += 1

    def missing(self) -> list[str]:
        return ["A", "B"]


def test_it_closes_once_and_keeps_its_time() -> None:
    signal, heard = Signal(), list[bool]()
    signal.add_done_callback(lambda s: heard.append(s.done()))
    assert not signal.done()
    signal.close(3)
    signal.close(7)
    assert heard == [True]
    assert signal.done()


async def test_the_first_time_counts() -> None:
    signal = Signal()
    signal.close(3)
    signal.close(7)
    assert await signal == 3
    assert await Signal(True) == 0


def test_callbacks_run_in_order_and_at_once_when_it_is_closed() -> None:
    signal, heard = Signal(), list[int]()
    for n in range(3):
        signal.add_done_callback(lambda _, n=n: heard.append(n))  # type: ignore[misc]
    signal.close()
    signal.add_done_callback(lambda _: heard.append(3))
    assert heard == [0, 1, 2, 3]


def test_a_failing_callback_is_logged_and_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    signal, heard = Signal(what="test"), list[int]()
    signal.add_done_callback(lambda _: 1 // 0)
    signal.add_done_callback(lambda _: heard.append(1))
    signal.close()
    assert heard == [1]
    assert "a callback of a test failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_callbacks_can_be_taken_back() -> None:
    signal, heard = Signal(), list[Any]()
    signal.remove_done_callback(heard.append)
    signal.add_done_callback(heard.append)
    signal.remove_done_callback(heard.append)
    signal.close()
    assert heard == []


async def test_a_failure_reaches_every_waiter() -> None:
    signal = Signal()
    waiters = [asyncio.ensure_future(signal.wait()) for _ in range(2)]
    await asyncio.sleep(0)
    signal.fail(ValueError("never"))
    for waiter in (*waiters, signal):
        with pytest.raises(ValueError, match="never"):
            await waiter


async def test_a_timeout_tells_what_was_missing() -> None:
    signal = Table().open()
    with pytest.raises(WaitTimeoutError) as caught:
        await signal.wait(2)
    assert (caught.value.what, caught.value.timeout) == ("table", 2)
    assert caught.value.missing == ("A", "B")
    assert not signal.done()
    signal.close()
    assert signal.missing() == ()
    assert Signal().missing() == ()


async def test_a_timeout_of_nothing_ends_at_once() -> None:
    with pytest.raises(WaitTimeoutError, match="longer than 0 s"):
        await Signal().wait(0)


def test_a_shared_signal_is_given_up_by_the_last() -> None:
    table = Table()
    signal = table.open()
    assert signal.share() is signal
    signal.cancel()
    assert (table.dropped, signal.done()) == (0, False)
    signal.cancel()
    assert (table.dropped, signal.done()) == (1, True)
    signal.cancel()
    assert table.dropped == 1


async def test_a_signal_of_nobody_can_be_given_up() -> None:
    signal = Signal()
    signal.cancel()
    with pytest.raises(asyncio.CancelledError):
        await signal


async def test_a_waiter_that_is_cancelled_in_the_moment_of_closing_stays_cancelled() -> None:
    signal = Signal()
    waiter = asyncio.ensure_future(signal.wait())
    await asyncio.sleep(0)
    waiter.cancel()
    signal.close()
    with pytest.raises(asyncio.CancelledError):
        await waiter


def test_giving_up_what_is_closed_changes_nothing() -> None:
    signal = Signal(True)
    signal.cancel()
    assert signal.done()


def test_a_watch_lets_go_of_a_signal_that_nobody_has() -> None:
    table = Table()
    signal: Signal | None = table.open()
    assert signal is not None
    heard: list[Any] = []
    signal.add_done_callback(heard.append)
    signal.remove_done_callback(heard.append)
    assert table.target() is signal
    table.release()  # a second time does nothing
    signal = None
    assert table.target() is None
    assert table.dropped == 1


def test_a_watch_holds_a_signal_again_when_somebody_waits_again() -> None:
    table = Table()
    signal: Signal | None = table.open()
    assert signal is not None
    heard: list[Any] = []
    signal.add_done_callback(heard.append)
    signal.remove_done_callback(heard.append)
    signal.add_done_callback(heard.append)
    signal = None
    found = table.target()
    assert found is not None
    found.close()
    assert len(heard) == 1
    assert table.dropped == 0


def test_a_watch_alone_misses_nothing_and_stands_nowhere() -> None:
    watch = Watch()
    watch.drop()
    assert watch.open().missing() == ()


async def test_a_timed_view_follows_its_signal() -> None:
    inner = Signal()
    timed, same = TimedSignal(inner, 2), TimedSignal(inner, 5)
    inner.close(4)
    assert [await timed, await same] == [4, 4]
    assert (await TimedSignal(inner, 2)) == 4


async def test_a_timed_view_runs_out_alone() -> None:
    inner = Table().open()
    timed, same = TimedSignal(inner, 2), TimedSignal(inner, 5)
    assert list(timed.missing()) == ["A", "B"]
    with pytest.raises(WaitTimeoutError, match="missing A B"):
        await timed
    assert timed.missing() == ()
    assert not inner.done()
    assert not same.done()
    inner.close(1)
    assert await same == 1


async def test_a_timed_view_fails_as_its_signal_does() -> None:
    inner = Signal()
    timed = TimedSignal(inner, 2)
    inner.fail(ValueError("never"))
    with pytest.raises(ValueError, match="never"):
        await timed


async def test_a_timed_view_is_given_up_alone() -> None:
    inner = Signal()
    timed = TimedSignal(inner, 2)
    timed.cancel()
    timed.cancel()
    assert timed._timer is not None
    assert timed._timer.cancelled()
    inner.close()
    with pytest.raises(asyncio.CancelledError):
        await timed


async def test_what_has_happened_can_not_fail_any_more() -> None:
    signal = Signal()
    signal.close(3)
    signal.fail(ValueError("too late"))
    assert await signal == 3


async def test_ctx_a_context_cancels_what_it_spawned() -> None:
    m = mach("A")
    m.add("A")
    context = m.state_context("A")
    task = context.spawn(asyncio.sleep(1e6), name="sleeps")
    short = context.spawn(asyncio.sleep(0))
    await short
    assert task.get_name() == "sleeps"
    m.remove("A")
    await asyncio.sleep(0)
    assert task.cancelled()
    late = context.spawn(asyncio.sleep(1e6))
    await asyncio.sleep(0)
    assert late.cancelled()
    assert not m.is_err()


async def test_ctx_what_a_task_raises_becomes_exception(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ValueError("in a task")

    m = mach("A")
    m.state_context("A").spawn(fails())
    await m.when_err()
    assert str(m.err) == "in a task"
    assert "A task failed" in caplog.text


async def test_ctx_tasks_are_cancelled_before_others_hear_of_the_end() -> None:
    m = mach("A")
    m.add("A")
    context, seen = m.state_context("A"), list[int]()
    task = context.spawn(asyncio.sleep(1e6))
    await asyncio.sleep(0)
    context.add_done_callback(lambda _: seen.append(task.cancelling()))
    m.remove("A")
    assert seen == [1]


def test_ctx_contexts_end_by_themselves_only() -> None:
    context = StateContext("A", 1)
    context.cancel()
    assert context.is_alive
    assert context.what == "context of state A"


def test_ctx_5_the_neutral_context_takes_no_tasks() -> None:
    m = mach("A")
    m.dispose()
    context = m.state_context("A")
    with pytest.raises(RuntimeError, match="no machine to run tasks"):
        context.spawn(asyncio.sleep(0))
    assert context.is_alive
