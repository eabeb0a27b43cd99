"""A page whose threads don't come back."""

from __future__ import annotations

import asyncio

import pytest

from amctl.run.absence import all_gone
from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import Node, Run


@pytest.fixture
def recorder() -> Recorder:
    run = Run(id="r", workflow="w", started_at="2026-01-01T00:00:00Z")
    return Recorder(run, lambda: 5, [Node(id=id, thread="worker", host=id) for id in "ab"])


async def when(recorder: Recorder, *steps: tuple[float, str, str]) -> float:
    """The time at which both are found to be gone, after steps of (seconds, node, method)."""
    loop = asyncio.get_running_loop()
    for at, node, step in steps:
        more = ("wait",) if step == "light" else ()
        loop.call_at(loop.time() + at, getattr(recorder, step), node, *more)
    began = loop.time()
    await all_gone(recorder, "ab", 10)
    return loop.time() - began


async def test_it_takes_all_of_them_and_the_whole_time(recorder: Recorder) -> None:
    steps = [(1, "a", "joined"), (2, "b", "joined"), (50, "a", "lost"), (60, "b", "lost")]
    assert await when(recorder, *steps, (65, "c", "light")) == pytest.approx(70)


async def test_one_that_comes_back_starts_it_anew(recorder: Recorder) -> None:
    steps = [(1, "a", "joined"), (5, "a", "lost"), (10, "a", "joined"), (30, "a", "lost")]
    assert await when(recorder, *steps) == pytest.approx(40)


async def test_it_works_after_the_end_of_the_work_too(recorder: Recorder) -> None:
    recorder.joined("a")
    recorder.finish("succeeded")
    assert await when(recorder, (5, "a", "lost")) == pytest.approx(15)


async def test_one_that_left_before_anybody_looked_counts(recorder: Recorder) -> None:
    recorder.joined("a")
    recorder.lost("a")
    assert await when(recorder) == pytest.approx(10)


async def test_who_was_never_here_is_not_missed(recorder: Recorder) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1000):
            await when(recorder)
    assert recorder._subscribers == []
