"""Stacks, named after handlers."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.telemetry.profiling.marks import HandlerMarks
from amctl.telemetry.profiling.stacks import HANDLER, Stacks, walk
from tests.telemetry.profiling.timeline import FakeTimeline

if TYPE_CHECKING:
    from amctl.machine import Event

FRAME = ("f", "a.py", 1)


@pytest.mark.parametrize("traced", [False, True])
def test_a_plain_handler_is_named_with_its_machine(traced: bool) -> None:
    seen: list[Any] = []

    class Handlers:
        def AState(self, e: Event) -> None:
            seen.extend(walk(sys._getframe()))

    machine = Machine("m", {"A": {}})
    machine.bind(Handlers())
    if traced:
        machine.bind_tracer(HandlerMarks(FakeTimeline()))
    machine.add("A")
    at = seen.index(("m AState", HANDLER, 0))
    assert seen[at + 1][0].endswith("AState")
    assert seen[at - 1][1] == "amctl/machine/transition.py"
    assert [frame[1] for frame in seen].count(HANDLER) == 1


async def test_a_coroutine_handler_is_named_too() -> None:
    seen: list[Any] = []

    class Handlers:
        async def AState(self, e: Event) -> None:
            await asyncio.sleep(0.1)
            seen.extend(walk(sys._getframe(), asyncio.current_task()))

    machine = Machine("m", {"A": {}})
    machine.bind(Handlers())
    machine.add("A")
    await asyncio.sleep(0.2)
    at = seen.index(("m AState", HANDLER, 0))
    assert seen[at + 1][0].endswith("AState")
    machine.dispose()


async def test_other_tasks_have_no_label() -> None:
    found = walk(sys._getframe(), asyncio.current_task())
    assert [frame for frame in found if frame[1] == HANDLER] == []


def test_data_is_small_and_tells_what_it_leaves_out() -> None:
    stacks = Stacks()
    for number in range(5):
        stacks.add([FRAME, (f"g{number}", "b.py", number)], 0.001 * (number + 1))
    stacks.idle = 1.5
    data = stacks.to_data(most=2)
    assert [weight for _, weight, _ in data["stacks"]] == [5000, 4000]
    assert data["left_out"] == 6000
    assert data["frames"] == [["f", "a.py", 1], ["g3", "b.py", 3], ["g4", "b.py", 4]]
    assert data["stacks"][0][0] == [0, 2]
    assert (data["idle"], data["samples"]) == (1.5, 5)


def test_too_many_stacks_become_others() -> None:
    stacks = Stacks(limit=2)
    for number in range(5):
        stacks.add([(f"g{number}", "b.py", number)], 0.001)
    data = stacks.to_data()
    names = {data["frames"][stack[-1]][0]: weight for stack, weight, _ in data["stacks"]}
    assert names["(others)"] == 3000


def test_endless_recursion_is_cut() -> None:
    def deeper(left: int) -> list[Any]:
        return deeper(left - 1) if left else walk(sys._getframe())

    assert len(deeper(500)) == 200
