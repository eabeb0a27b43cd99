"""What is done to machines, and what is reported of each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from amctl.repl.errors import UsageError
from amctl.repl.operations import (
    VERDICTS,
    Report,
    can,
    mutate,
    verdict_of,
    wait_for,
    wait_time,
)
from amctl.repl.outcome import Verdict
from amctl.rpc.errors import (
    CallRefusedError,
    CallTimeoutError,
    NotConnectedError,
    UnknownOutcomeError,
)
from amctl.rpc.wire.codes import Code
from amctl.rpc.wire.errors import Backpressure
from tests.support.fake_fleet import AWorking, FakeFleet, fleet_of


@pytest.fixture
def fleet() -> FakeFleet:
    return fleet_of()


def queued(fleet: FakeFleet, op: str, *states: str, ticks: int = 1) -> None:
    """Let the first machine answer that a mutation waits in its queue."""
    peer = fleet.peers[0]
    peer.canned["mutate"] = {
        "result": "queued",
        "queue_tick": peer.net.queue_tick + ticks,
        "before": peer.net.time(),
        "after": peer.net.time(),
    }


# -- mutations


@pytest.mark.parametrize(
    ("op", "states", "active"),
    [
        ("add", ["Baz"], ["Start", "Baz"]),
        ("remove", ["Foo"], ["Start"]),
        ("set", ["Bar"], ["Bar"]),
        ("toggle", ["Foo"], ["Start"]),
        ("toggle", ["Needy"], ["Foo", "Needy", "Start"]),
    ],
)
async def test_each_op_does_what_it_says(op: str, states: list[str], active: list[str]) -> None:
    fleet = fleet_of("one")
    machine = fleet.peers[0].net
    machine.add(("Start", "Foo"))
    (report,) = await mutate(fleet.peers, op, states)
    assert report.result == "executed"
    assert sorted(machine.active) == sorted(active)
    assert report.after == machine.clock()


async def test_a_report_tells_exactly_what_moved(fleet: FakeFleet) -> None:
    reports = await mutate(fleet.peers, "add", ["Foo"])
    assert [report.machine for report in reports] == ["worker0", "worker1", "worker2"]
    assert [report.changed for report in reports] == [{"Foo": (0, 1)}] * 3
    again = await mutate(fleet.peers[:1], "add", ["Foo"])
    assert again[0].changed == {}
    assert again[0].as_data()["changed"] == {}
    assert reports[0].as_data()["changed"] == {"Foo": [0, 1]}


async def test_a_canceled_one_says_why(fleet: FakeFleet) -> None:
    (report,) = await mutate(fleet.peers[:1], "add", ["Needy"])
    assert report.result == "canceled"
    assert report.reason == "Needy requires Start"
    assert report.problem == "machine 'worker0' canceled it: Needy requires Start"
    assert report.verdict is Verdict.CANCELED


async def test_typed_args_reach_the_handler(fleet: FakeFleet) -> None:
    """Test 5 of the spec."""
    args = {
        "Working.name": "job",
        "Working.count": "3",
        "Working.share": "0.25",
        "Working.fast": "true",
        "Working.raw": "0x0aff",
        "Working.words": '["a", "b"]',
        "plain": 7,
    }
    (report,) = await mutate(fleet.peers[:1], "add", ["Event"], args)
    assert report.result == "executed"
    expected = AWorking("job", 3, 0.25, True, b"\x0a\xff", ("a", "b"))
    assert fleet.peers[0].handlers.got == [(expected, {"plain": 7})]


async def test_an_unknown_state_is_said_before_anything_is_sent(fleet: FakeFleet) -> None:
    with pytest.raises(UsageError, match="machine 'worker0' has no state 'Fooo'") as caught:
        await mutate(fleet.peers, "add", ["Foo", "Fooo"])
    assert caught.value.hint == "did you mean 'Foo'?"
    assert [peer.asked for peer in fleet.peers] == [[], [], []]
    with pytest.raises(UsageError, match="has no states 'Qq', 'Zz'") as caught:
        await mutate(fleet.peers, "add", ["Qq", "Zz"])
    assert caught.value.hint == "list them: amctl mach inspect worker0"
    assert caught.value.hint_at_prompt == "list them: inspect worker0"


async def test_one_that_fails_stops_no_other(fleet: FakeFleet) -> None:
    fleet.peers[0].is_ready, fleet.peers[0].problem = False, "nobody listens"
    reports = await mutate(fleet.peers, "add", ["Foo"])
    assert [report.result for report in reports] == ["unreachable", "executed", "executed"]
    assert reports[0].problem == "machine 'worker0': nobody listens"
    assert verdict_of(reports) is Verdict.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "result", "text"),
    [
        (NotConnectedError("rc", "ask"), "unreachable", "rc is not connected"),
        (UnknownOutcomeError("rc", "ask"), "unreachable", "the session was lost"),
        (CallTimeoutError("rc", "ask", 3), "timed out", "no answer to ask within 3 s"),
        (CallRefusedError("rc", "ask", Code.ARGS, "x is no y"), "failed", "refused: x is no y"),
        (CallRefusedError("rc", "ask", Code.DENIED, ""), "failed", "was refused: denied"),
        (Backpressure(1, 2), "failed", "send queue is full"),
    ],
)
async def test_what_the_network_says_is_reported(
    fleet: FakeFleet, error: Exception, result: str, text: str
) -> None:
    fleet.peers[0].canned["mutate"] = error
    (report,) = await mutate(fleet.peers[:1], "add", ["Foo"])
    assert report.result == result
    assert text in report.error
    assert report.changed == {}


async def test_a_machine_that_does_not_answer_times_out(fleet: FakeFleet) -> None:
    fleet.peers[1].stalls = True
    reports = await mutate(fleet.peers, "add", ["Foo"], timeout=2)
    assert [report.result for report in reports] == ["executed", "timed out", "executed"]
    assert reports[1].problem == "machine 'worker1': no answer within 2 s"


async def test_many_machines_are_worked_on_at_once() -> None:
    fleet = fleet_of(*(f"m{i}" for i in range(40)))
    for peer in fleet.peers:
        peer.stalls = True
    begin = asyncio.get_running_loop().time()
    await mutate(fleet.peers, "add", ["Foo"], timeout=1)
    assert asyncio.get_running_loop().time() - begin == 3  # virtual seconds: 16 at a time


async def test_a_queued_one_is_done_for_who_does_not_wait(fleet: FakeFleet) -> None:
    queued(fleet, "add", "Foo")
    (report,) = await mutate(fleet.peers[:1], "add", ["Foo"])
    assert (report.result, report.tick) == ("queued", fleet.peers[0].net.queue_tick + 1)
    assert report.verdict is Verdict.DONE


@pytest.mark.parametrize(
    ("op", "before", "meanwhile", "result"),
    [
        ("add", "", ["add Foo"], "executed"),
        ("add", "", ["add Foo", "remove Foo"], "executed"),
        ("add", "", ["add Bar"], "canceled"),
        ("remove", "Foo", ["remove Foo"], "executed"),
        ("remove", "Foo", ["add Bar"], "executed"),
        ("remove", "Foo", ["add Start"], "canceled"),
        ("toggle", "Foo", ["remove Foo"], "executed"),
        ("toggle", "Foo", ["add Start"], "canceled"),
        ("set", "Foo", ["add Start"], "executed"),
    ],
)
async def test_wait_tells_what_came_of_a_queued_one(
    op: str, before: str, meanwhile: list[str], result: str
) -> None:
    fleet = fleet_of("one")
    machine = fleet.peers[0].net
    if before:
        machine.add(before)
    queued(fleet, op, "Foo", ticks=len(meanwhile))
    task = asyncio.ensure_future(mutate(fleet.peers, op, ["Foo"], wait=True))
    await asyncio.sleep(1)
    assert not task.done()
    for line in meanwhile:
        name, state = line.split()
        getattr(machine, name)(state)
    assert (await task)[0].result == result


async def test_wait_gives_up_in_time(fleet: FakeFleet) -> None:
    queued(fleet, "add", "Foo", ticks=100)
    (report,) = await mutate(fleet.peers[:1], "add", ["Foo"], wait=True, timeout=5)
    assert report.result == "timed out"


async def test_wait_tells_of_a_machine_that_went_away(fleet: FakeFleet) -> None:
    queued(fleet, "add", "Foo", ticks=100)
    task = asyncio.ensure_future(mutate(fleet.peers[:1], "add", ["Foo"], wait=True))
    await asyncio.sleep(1)
    fleet.peers[0].net.dispose_force()
    (report,) = await task
    assert (report.result, report.error) == ("unreachable", "it went away")


# -- checks


async def test_a_check_changes_nothing_and_foresees_the_clock(fleet: FakeFleet) -> None:
    machine = fleet.peers[0].net
    machine.add("Foo")
    (report,) = await mutate(fleet.peers[:1], "add", ["Bar"], check=True)
    assert report.result == "executed"
    assert report.changed == {"Foo": (1, 2), "Bar": (0, 1)}
    assert machine.active == ["Foo"]
    assert fleet.peers[0].asked == ["can"]


@pytest.mark.parametrize(
    ("op", "states", "reason"),
    [
        ("add", ["Needy"], "Needy requires Start"),
        ("add", ["Vetoed"], "VetoedEnter of binding test vetoed it"),
        ("set", ["Needy"], "Needy requires Start"),
        ("set", ["Vetoed"], "VetoedEnter of binding test vetoed it"),
        ("toggle", ["Vetoed"], "VetoedEnter of binding test vetoed it"),
    ],
)
async def test_a_check_says_what_would_refuse(op: str, states: list[str], reason: str) -> None:
    fleet = fleet_of("one")
    (report,) = await mutate(fleet.peers, op, states, check=True)
    assert (report.result, report.reason, report.changed) == ("canceled", reason, {})


@pytest.mark.parametrize(
    ("op", "states"),
    [
        ("set", ["Bar", "Start"]),
        ("set", ["Foo", "Start"]),
        ("toggle", ["Foo"]),
        ("remove", ["Foo"]),
    ],
)
async def test_what_a_check_foresees_comes_true(op: str, states: list[str]) -> None:
    fleet = fleet_of("one")
    fleet.peers[0].net.add(("Foo", "Event", "Start", "Needy"))
    (foreseen,) = await mutate(fleet.peers, op, states, check=True)
    (report,) = await mutate(fleet.peers, op, states)
    assert foreseen.result == report.result == "executed"
    assert foreseen.changed == report.changed


async def test_can_is_the_check_alone(fleet: FakeFleet) -> None:
    reports = await can(fleet.peers, "add", ["Needy"])
    assert {report.result for report in reports} == {"canceled"}
    assert (await can(fleet.peers, "remove", ["Needy"]))[0].result == "executed"


# -- waits


async def test_a_wait_ends_when_states_are_active_at_once(fleet: FakeFleet) -> None:
    """Test 10 of the spec."""
    task = asyncio.ensure_future(wait_for(fleet.peers[:1], ["Start", "Foo"]))
    machine = fleet.peers[0].net
    machine.add("Foo")
    await asyncio.sleep(1)
    assert not task.done()
    machine.add("Start")
    (report,) = await task
    assert report.result == "executed"
    assert report.after["Start"] == 1


async def test_a_wait_for_inactive_states(fleet: FakeFleet) -> None:
    machine = fleet.peers[0].net
    machine.add("Foo")
    task = asyncio.ensure_future(wait_for(fleet.peers[:1], ["Foo"], active=False))
    await asyncio.sleep(1)
    assert not task.done()
    machine.remove("Foo")
    assert (await task)[0].after["Foo"] == 2


async def test_a_wait_gives_up_in_time_and_says_what_was_missing(fleet: FakeFleet) -> None:
    fleet.peers[1].net.add("Foo")
    reports = await wait_for(fleet.peers, ["Foo"], timeout=3)
    assert [report.result for report in reports] == ["timed out", "executed", "timed out"]
    assert reports[0].problem == "machine 'worker0': waited for 3 s: Foo is not active"
    assert verdict_of(reports) is Verdict.TIMED_OUT


async def test_a_wait_of_no_time_looks_once(fleet: FakeFleet) -> None:
    fleet.peers[0].net.add("Foo")
    reports = await wait_for(fleet.peers[:2], ["Foo"], timeout=0)
    assert [report.result for report in reports] == ["executed", "timed out"]


async def test_any_number_of_machines_is_waited_for_at_once() -> None:
    fleet = fleet_of(*(f"m{i}" for i in range(40)))
    begin = asyncio.get_running_loop().time()
    await wait_for(fleet.peers, ["Foo"], timeout=1)
    assert asyncio.get_running_loop().time() - begin == 1


async def test_a_wait_tells_of_a_machine_that_went_away(fleet: FakeFleet) -> None:
    task = asyncio.ensure_future(wait_for(fleet.peers[:1], ["Foo"]))
    await asyncio.sleep(1)
    fleet.peers[0].net.dispose_force()
    (report,) = await task
    assert report.result == "unreachable"


async def test_a_cancelled_wait_leaves_nothing_behind(fleet: FakeFleet) -> None:
    task = asyncio.ensure_future(wait_for(fleet.peers, ["Foo"]))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    fleet.peers[0].net.add("Foo")


async def test_ticks_are_waited_for(fleet: FakeFleet) -> None:
    machine = fleet.peers[0].net
    task = asyncio.ensure_future(wait_time(fleet.peers[:1], ["Foo", "Bar"], [3, 1]))
    for state in ("Foo", "Bar"):
        machine.add(state)
    await asyncio.sleep(1)
    assert not task.done()
    machine.add("Foo")
    assert (await task)[0].after["Foo"] == 3


@pytest.mark.parametrize(("states", "ticks"), [(["Foo"], []), (["Foo"], [1, 2]), ([], [])])
async def test_ticks_and_states_go_in_pairs(
    fleet: FakeFleet, states: list[str], ticks: list[int]
) -> None:
    """Test 11 of the spec."""
    with pytest.raises(UsageError, match="they go in pairs"):
        await wait_time(fleet.peers, states, ticks)


# -- reports


def test_every_result_has_its_verdict() -> None:
    expected: dict[str, Any] = {
        "executed": Verdict.DONE,
        "queued": Verdict.DONE,
        "canceled": Verdict.CANCELED,
        "timed out": Verdict.TIMED_OUT,
        "unreachable": Verdict.UNREACHABLE,
        "failed": Verdict.FAILED,
    }
    assert expected == VERDICTS


def test_the_gravest_counts() -> None:
    assert verdict_of([]) is Verdict.DONE
    assert verdict_of([Report("a", "executed"), Report("b", "canceled")]) is Verdict.CANCELED
    assert Report("a", "executed").problem == ""
    assert Report("a", "canceled").problem == "machine 'a' canceled it"
