"""when, when-not, when-time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from amctl.repl.outcome import Verdict
from amctl.repl.registry import run_line
from tests.support.fake_fleet import FakeFleet, context, fleet_of


@pytest.fixture
def fleet() -> FakeFleet:
    return fleet_of()


async def begun(fleet: FakeFleet, line: str) -> asyncio.Task[object]:
    """A command that waits already."""
    task = asyncio.ensure_future(run_line(context(fleet), line))
    await asyncio.sleep(1)
    assert not task.done()
    return task


async def test_when_prints_the_ticks_of_its_states(fleet: FakeFleet) -> None:
    """Test 10 of the spec. C8: any number of states."""
    fleet.peers[0].net.add("Foo")
    assert (await run_line(context(fleet), "when . Foo")).lines == ("1",)
    task = await begun(fleet, "when . Foo Start")
    fleet.peers[0].net.add("Start")
    outcome = await task
    assert outcome.lines == ("1 1",)
    assert outcome.data[0]["result"] == "executed"


async def test_when_waits_for_all_machines(fleet: FakeFleet) -> None:
    task = await begun(fleet, "when all Foo")
    for peer in fleet.peers:
        peer.net.add("Foo")
    assert (await task).lines == ("worker0: 1", "worker1: 1", "worker2: 1")


async def test_when_not(fleet: FakeFleet) -> None:
    fleet.peers[0].net.add("Foo")
    task = await begun(fleet, "when-not . Foo Bar")
    fleet.peers[0].net.remove("Foo")
    assert (await task).lines == ("2 0",)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("when . Foo Bar", "Foo Bar"),
        ("when-not . Start", "Start to end"),
        ("when-time . -s Foo -t 3", "3 of Foo"),
    ],
)
async def test_who_goes_away_while_it_is_waited_for_is_told(
    fleet: FakeFleet, line: str, what: str
) -> None:
    peer = fleet.peers[0]
    peer.net.add("Start")
    said: list[str] = []
    here = replace(context(fleet), say=said.append)
    task = asyncio.ensure_future(run_line(here, line))
    await asyncio.sleep(5)
    assert len(said) == 1
    peer.is_ready, peer.problem = False, "the connection was lost"
    await asyncio.sleep(5)
    gone = f"worker0 is gone (the connection was lost); waiting for it, and then for {what}"
    assert said[1:] == [gone]
    peer.is_ready = True
    await asyncio.sleep(5)
    assert said[2:] == [f"worker0 is back, waiting for {what}"]
    task.cancel()
    await asyncio.wait({task})


async def test_x4_a_wait_may_time_out(fleet: FakeFleet) -> None:
    for line, problem in (
        ("when . Foo Bar --timeout 500ms", "waited for 0.5 s: Foo, Bar is not active"),
        ("when-not . Start --timeout 2m", "waited for 120 s: Start is still active"),
        ("when-time . -s Foo -t 3 --timeout 1", "waited for 1 s: Foo is short of its tick"),
    ):
        fleet.peers[0].net.add("Start")
        outcome = await run_line(context(fleet), line)
        assert outcome.verdict is Verdict.TIMED_OUT
        assert outcome.lines == ("timed out",)
        assert outcome.problems == (f"machine 'worker0': {problem}",)


async def test_when_time_prints_the_ticks(fleet: FakeFleet) -> None:
    task = await begun(fleet, "when-time . -s Foo -t 1 --state Bar --time 1")
    fleet.peers[0].net.add("Foo")
    fleet.peers[0].net.add("Bar")
    assert (await task).lines == ("2 1",)


@pytest.mark.parametrize("words", ["-s Foo", "-s Foo -t 1 -t 2", "", "-s Foo -t x"])
async def test_when_time_wants_pairs(fleet: FakeFleet, words: str) -> None:
    """Test 11 of the spec."""
    outcome = await run_line(context(fleet), f"when-time . {words}")
    assert outcome.verdict is Verdict.USAGE


async def test_when_may_wait_for_arguments(fleet: FakeFleet) -> None:
    machine = fleet.peers[0].net
    machine.add("Event", {"name": "x"})  # before: does not count
    task = await begun(fleet, "when . Event --arg name --val x")
    machine.add("Event", {"name": "y"})
    machine.add("Event", {"name": "x", "more": 1})
    assert (await task).lines == ("5",)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("Event Foo --arg name --val x", "arguments come with one state, not with 2"),
        ("Event --arg Working.name --val x", "argument 'Working.name' is typed, "),
    ],
)
async def test_what_arguments_cant_be_waited_for(
    fleet: FakeFleet, words: str, problem: str
) -> None:
    outcome = await run_line(context(fleet), f"when . {words}")
    assert outcome.verdict is Verdict.USAGE
    assert outcome.problems[0].startswith(problem)


async def test_a_wait_says_what_it_waits_for(fleet: FakeFleet) -> None:
    said: list[str] = []
    fleet.peers[0].net.add("Foo")
    here = context(fleet, say=said.append)
    await run_line(here, "when . Foo")
    await run_line(here, "when-not . Bar")
    await run_line(here, "when-time . -s Foo -t 1")
    assert said == [
        "waiting for Foo on worker0",
        "waiting for Bar to end on worker0",
        "waiting for 1 of Foo",
    ]


async def test_a_wait_can_be_cancelled(fleet: FakeFleet) -> None:
    task = await begun(fleet, "when all Foo")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
