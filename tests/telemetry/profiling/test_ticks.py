"""Ticks from outside: what they find, and what they mean."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from amctl.telemetry.profiling.ticks import TickSampler
from tests.telemetry.profiling.timeline import FakeTimeline

if TYPE_CHECKING:
    from collections.abc import Iterator


class Turns:
    """Begin when the test says so."""

    began: float | None = None
    is_on = False

    def start(self) -> None:
        self.is_on = True

    def stop(self) -> None:
        self.is_on = False


class Clock(FakeTimeline):
    """Stands still."""

    def now(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Iterator[Clock]:
    """And the signal, taken from the test's own time limit."""
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    before = signal.getsignal(signal.SIGALRM)
    made = Clock()
    made.time = 1000.0
    yield made
    signal.signal(signal.SIGALRM, before)
    signal.setitimer(signal.ITIMER_REAL, left)


def test_ticks_begin_and_end_with_it(clock: Clock) -> None:
    turns, before = Turns(), signal.getsignal(signal.SIGALRM)
    sampler = TickSampler(0.01, clock, turns)
    sampler.start()
    assert clock.ticks == (0.01, signal.SIGALRM)
    assert turns.is_on
    clock.time += 250.0
    sampler.stop()
    after: object = (clock.ticks, turns.is_on)
    assert after == (None, False)
    assert signal.getsignal(signal.SIGALRM) == before
    assert sampler.stacks.idle == 0.25


@pytest.mark.parametrize(
    ("began", "tick", "seen"),
    [
        (1005.0, 1008.0, True),  # within a turn
        (1008.5, 1008.0, False),  # before it: nothing ran
        (900.0, 910.0, True),  # a call into C that took long
        (None, 1009.0, True),  # JavaScript called Python a moment ago
        (None, 1002.0, False),  # nothing ran for long
    ],
)
def test_a_tick_counts_if_something_ran_when_it_came(
    clock: Clock, began: float | None, tick: float, seen: bool
) -> None:
    turns = Turns()
    sampler = TickSampler(0.01, clock, turns)
    sampler.start()
    turns.began, clock.tick, clock.time = began, tick, 1010.0
    signal.raise_signal(signal.SIGALRM)
    sampler.stop()
    data = sampler.stacks.to_data()
    assert [weight for _, weight, _ in data["stacks"]] == ([10_000] if seen else [])
    assert sampler.stacks.idle == pytest.approx(0.0 if seen else 0.01)
    if seen:
        inner = data["frames"][data["stacks"][0][0][-1]][0]
        assert inner == "test_a_tick_counts_if_something_ran_when_it_came"


@pytest.mark.realtime
@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="needs Python 3.12")
async def test_turns_of_the_loop_are_heard(clock: Clock) -> None:
    sampler = TickSampler(0.01, clock)
    sampler.start()
    clock.time = 2000.0
    await asyncio.sleep(0)
    turns: Any = sampler._turns
    assert turns.began == 2000.0
    sampler.stop()
    assert turns.began is None


@pytest.mark.realtime
async def test_without_news_of_turns_ticks_work_too(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(sys, "monitoring", raising=False)
    sampler = TickSampler(0.01, clock)
    sampler.start()
    clock.tick = clock.time = 1010.0
    signal.raise_signal(signal.SIGALRM)
    sampler.stop()
    assert sampler.stacks.samples == 1
