"""Looking at a thread: from beside it, and from its own calls."""

from __future__ import annotations

import sys
import time
from itertools import count

from amctl.telemetry.profiling.samplers import CallSampler, ThreadSampler


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


def test_anothers_profiler_is_left_alone() -> None:
    sampler = CallSampler(0.01)
    sampler.start()

    def other(*_: object) -> None:
        pass

    sys.setprofile(other)
    sampler.stop()
    assert sys.getprofile() is other
    sys.setprofile(None)
