"""Looking at a thread: from beside it, and from its own calls."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

from amctl.telemetry.profiling.samplers import CallSampler, SignalSampler, ThreadSampler

if TYPE_CHECKING:
    from collections.abc import Iterator


def busy(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(200))


def names(data: dict[str, object]) -> set[str]:
    return {frame[0] for frame in data["frames"]}  # type: ignore[attr-defined]


def test_a_look_at_ones_own_thread_sees_the_caller() -> None:
    sampler = ThreadSampler(1.0)
    sampler.look(0.25)
    data = sampler.stacks.to_data()
    assert any(
        name.endswith("test_a_look_at_ones_own_thread_sees_the_caller") for name in names(data)
    )
    assert [weight for _, weight, _ in data["stacks"]] == [250_000]


def test_a_second_thread_looks_until_it_is_stopped() -> None:
    sampler = ThreadSampler(0.001)
    sampler.start()
    while sampler.stacks.samples < 3:
        busy(0.01)
    sampler.stop()
    seen = sampler.stacks.samples
    busy(0.01)
    assert sampler.stacks.samples == seen
    assert any(name.endswith("busy") for name in names(sampler.stacks.to_data()))


@pytest.fixture
def free_alarm() -> Iterator[None]:
    """The timer, taken from the test's own time limit."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGALRM, before)
    signal.setitimer(signal.ITIMER_REAL, left)


async def _work_in_short_turns(sampler: SignalSampler) -> None:
    while sampler.stacks.samples < 20:
        busy(0.001)
        await asyncio.sleep(0)


@pytest.mark.realtime
async def test_signals_see_short_turns_of_a_loop_at_work(free_alarm: None) -> None:
    assert SignalSampler.is_possible()
    sampler = SignalSampler(0.002)
    sampler.start()
    assert not SignalSampler.is_possible(), "it is taken"
    await _work_in_short_turns(sampler)
    idle = sampler.stacks.idle
    await asyncio.sleep(0.05)
    sampler.stop()
    assert sampler.stacks.idle > idle
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    data = sampler.stacks.to_data()
    inner = [data["frames"][stack[-1]][0] for stack, _, _ in data["stacks"]]
    assert "busy" in inner
    assert not [name for name in inner if "select" in name]


def test_only_the_main_thread_can_be_interrupted(free_alarm: None) -> None:
    told: list[bool] = []
    thread = threading.Thread(target=lambda: told.append(SignalSampler.is_possible()))
    thread.start()
    thread.join()
    assert told == [False]


def test_calls_are_noted_when_the_interval_has_passed() -> None:
    ticks = count(0, 4)  # four milliseconds for each look at the clock
    sampler = CallSampler(0.01, clock=lambda: next(ticks) / 1000)
    sampler.start()
    try:
        busy(0.002)
    finally:
        sampler.stop()
    assert sys.getprofile() is None
    data = sampler.stacks.to_data()
    assert sampler.stacks.samples > 0
    assert any(name.endswith("busy") for name in names(data))


@pytest.mark.realtime
async def test_short_turns_of_the_loop_add_up_and_waiting_is_idle() -> None:
    sampler = CallSampler(0.01)
    sampler.start()
    for _ in range(40):
        busy(0.002)
        await asyncio.sleep(0.001)
    sampler.stop()
    assert sampler.stacks.samples > 0
    assert sampler.stacks.idle > 0
    data = sampler.stacks.to_data()
    heavy = data["frames"][data["stacks"][0][0][-1]][0]
    assert "select" not in heavy


def test_turns_that_something_else_begins_are_no_idle_time() -> None:
    """As in a browser: each turn of the loop begins with a frame that nobody called."""
    now = 0.0
    sampler = CallSampler(0.01, clock=lambda: now)
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
    for _ in range(10):
        now += 1.0
        sampler._look(frame, "call", None)
        now += 0.004
        sampler._look(frame, "return", None)
    assert sampler.stacks.idle == pytest.approx(10.0)
    weights = [weight for _, weight, _ in sampler.stacks.to_data()["stacks"]]
    assert weights == [36_000], "three samples of three turns each; the tenth is not full"
    assert sampler.stacks.samples == 3


def test_anothers_profiler_is_left_alone() -> None:
    sampler = CallSampler(0.01)
    sampler.start()

    def other(*_: object) -> None:
        pass

    sys.setprofile(other)
    sampler.stop()
    assert sys.getprofile() is other
    sys.setprofile(None)
