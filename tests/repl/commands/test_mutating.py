"""add, remove, set, toggle, group-add, group-remove, can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.repl.outcome import Verdict
from amctl.repl.registry import run_line
from tests.support.fake_fleet import AWorking, FakeFleet, context, fleet_of

if TYPE_CHECKING:
    from amctl.repl.outcome import Outcome


@pytest.fixture
def fleet() -> FakeFleet:
    return fleet_of()


async def run(fleet: FakeFleet, line: str) -> Outcome:
    return await run_line(context(fleet), line)


def active(fleet: FakeFleet) -> list[list[str]]:
    return [sorted(peer.net.active) for peer in fleet.peers]


# -- one machine, or a pattern


@pytest.mark.parametrize(
    ("line", "foo"),
    [("add . Foo", True), ("remove . Foo", False), ("set . Foo", True), ("toggle . Foo", False)],
)
async def test_result_words(fleet: FakeFleet, line: str, foo: bool) -> None:
    """Test 3 of the spec."""
    fleet.peers[0].net.add("Foo")
    outcome = await run(fleet, line)
    assert (outcome.lines, outcome.verdict) == (("executed",), Verdict.DONE)
    assert fleet.peers[0].net.is_("Foo") is foo


async def test_a_canceled_one_says_so_on_stdout_and_why_on_stderr(fleet: FakeFleet) -> None:
    outcome = await run(fleet, "add worker1 Needy")
    assert outcome.verdict is Verdict.CANCELED
    assert outcome.lines == ("canceled",)
    assert outcome.problems == ("machine 'worker1' canceled it: Needy requires Start",)


async def test_s2_a_dot_is_the_first_that_is_connected(fleet: FakeFleet) -> None:
    """Test 2 of the spec."""
    fleet.peers[0].is_ready = False
    assert (await run(fleet, "add . Foo")).data[0]["machine"] == "worker1"


async def test_several_machines_are_told_by_id(fleet: FakeFleet) -> None:
    fleet.peers[1].net.add("Start")
    outcome = await run(fleet, "add 'worker*,!worker2' Needy")
    assert outcome.lines == ("worker0: canceled", "worker1: executed")
    assert [row["result"] for row in outcome.data] == ["canceled", "executed"]
    assert outcome.verdict is Verdict.CANCELED


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ("add worker7 Foo", Verdict.NO_MATCH),
        ("add 'x*' Foo", Verdict.NO_MATCH),
        ("add worker1 Foo", Verdict.UNREACHABLE),
        ("add 're:(' Foo", Verdict.USAGE),
        ("add worker0", Verdict.USAGE),
        ("add worker0 Nope", Verdict.USAGE),
    ],
)
async def test_what_cant_be_done_is_told_apart(
    fleet: FakeFleet, line: str, verdict: Verdict
) -> None:
    fleet.peers[1].is_ready, fleet.peers[1].problem = False, "nobody listens"
    outcome = await run(fleet, line)
    assert outcome.verdict is verdict
    assert len(outcome.problems) == 1
    assert active(fleet) == [[], [], []]


async def test_nothing_is_sent_unless_all_machines_can_take_it(fleet: FakeFleet) -> None:
    await run(fleet, "add all Foo --arg Working.nme --val x")
    await run(fleet, "add all Foo Fooo")
    assert active(fleet) == [[], [], []]


# -- arguments


async def test_c2_arguments_pair_up_by_place(fleet: FakeFleet) -> None:
    line = "add . Event --arg Working.name --val 'a b' --arg plain --val 1"
    assert (await run(fleet, line)).ok
    assert fleet.peers[0].handlers.got == [(AWorking("a b"), {"plain": "1"})]


async def test_arguments_may_be_json(fleet: FakeFleet) -> None:
    line = """add . Event --args-json '{"Working.count": 3, "list": [1]}'"""
    assert (await run(fleet, line)).ok
    assert fleet.peers[0].handlers.got == [(AWorking(count=3), {"list": [1]})]


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ("--arg x", "1 --arg and 0 --val", "as in: --arg"),
        ("--arg Working.cuont --val 1", "no field 'cuont'", "did you mean 'Working.count'?"),
        ("--arg Working.count --val x", "Working.count is int, not 'x'", "its default is 0"),
        ("--args-json [1]", "is no JSON object", "as in: --args-json"),
    ],
)
async def test_bad_arguments_are_said_before_anything_is_sent(
    fleet: FakeFleet, words: str, problem: str, hint: str
) -> None:
    outcome = await run(fleet, f"add all Event {words}")
    assert outcome.verdict is Verdict.USAGE
    assert problem in outcome.problems[0]
    assert outcome.hint.startswith(hint)
    assert all("mutate" not in peer.asked for peer in fleet.peers)


async def test_what_only_the_machine_knows_it_says_itself(fleet: FakeFleet) -> None:
    outcome = await run(fleet, "add . Event --arg Working.words --val x")
    assert outcome.verdict is Verdict.FAILED
    assert "should be a JSON list" in outcome.problems[0]


# -- how


async def test_a_check_changes_nothing(fleet: FakeFleet) -> None:
    outcome = await run(fleet, "add . Foo --check --diff")
    assert outcome.lines == ("executed", "   Foo 0 -> 1")
    assert outcome.data[0]["check"] is True
    refused = await run(fleet, "add . Vetoed --check")
    assert refused.verdict is Verdict.CANCELED
    assert "would cancel it: VetoedEnter" in refused.problems[0]
    assert active(fleet)[0] == []


async def test_a_diff_shows_what_moved(fleet: FakeFleet) -> None:
    await run(fleet, "add . Foo")
    assert (await run(fleet, "add . Bar --diff")).lines == (
        "executed",
        "   Foo 1 -> 2",
        "   Bar 0 -> 1",
    )
    assert (await run(fleet, "add . Bar --diff")).lines == ("executed", "   no clock moved")


async def test_a_timeout_counts_for_the_answer(fleet: FakeFleet) -> None:
    fleet.peers[0].stalls = True
    outcome = await run(fleet, "add . Foo --timeout 2s")
    assert outcome.verdict is Verdict.TIMED_OUT
    assert outcome.lines == ("timed out",)


async def test_wait_tells_what_came_of_it(fleet: FakeFleet) -> None:
    peer = fleet.peers[0]
    answer = {"result": "queued", "queue_tick": 99, "before": [], "after": []}
    peer.canned["mutate"] = answer
    assert (await run(fleet, "add . Foo")).lines == ("queued",)
    outcome = await run(fleet, "add . Foo --wait --timeout 1")
    assert outcome.verdict is Verdict.TIMED_OUT


# -- groups


async def test_a_group_takes_those_that_pass_and_have_the_states() -> None:
    """Test 6 of the spec. C5: those that lack a state are skipped."""
    fleet = fleet_of()
    other = fleet_of("other", states={"Foo": {}})
    other.peers[0].index = 3
    fleet.peers += other.peers
    fleet.peers[1].net.add("Bar")
    outcome = await run(fleet, "group-add -i Bar Foo Start")
    assert outcome.lines == ("Executed 2", "Queued 0", "Canceled 0")
    assert [row["machine"] for row in outcome.data["machines"]] == ["worker0", "worker2"]
    strict = await run(fleet, "group-add Start --strict")
    assert strict.verdict is Verdict.USAGE
    assert strict.problems == ("machine 'other' has no state 'Start'",)


async def test_group_remove_removes(fleet: FakeFleet) -> None:
    """Test 6 of the spec: upstream's adds."""
    await run(fleet, "group-add Foo")
    outcome = await run(fleet, "group-remove Foo --id-suffix 1")
    assert outcome.lines[0] == "Executed 1"
    assert active(fleet) == [["Foo"], [], ["Foo"]]


async def test_a_group_counts_what_was_canceled(fleet: FakeFleet) -> None:
    fleet.peers[2].net.add("Start")
    outcome = await run(fleet, "group-add Needy --diff")
    assert outcome.verdict is Verdict.CANCELED
    assert outcome.lines[:3] == ("Executed 1", "Queued 0", "Canceled 2")
    assert outcome.lines[-2:] == ("worker2: executed", "   Needy 0 -> 1")
    assert len(outcome.problems) == 2


async def test_l3_a_group_leaves_out_who_is_not_connected(fleet: FakeFleet) -> None:
    fleet.peers[0].is_ready = False
    assert (await run(fleet, "group-add Foo")).lines[0] == "Executed 2"


@pytest.mark.parametrize(
    ("line", "verdict", "problem", "hint"),
    [
        ("group-add Foo -r x", Verdict.NO_MATCH, "no machine matches", ""),
        ("group-add Foo -r (", Verdict.USAGE, "bad regular expression", "quote it"),
        ("group-add Fooo", Verdict.USAGE, "no machine has a state 'Fooo'", "did you mean 'Foo'?"),
        ("group-add Qqqq", Verdict.USAGE, "no machine has a state 'Qqqq'", "see the states:"),
        ("group-add", Verdict.USAGE, "group-add needs STATE", "usage: "),
    ],
)
async def test_an_empty_group_says_why(
    fleet: FakeFleet, line: str, verdict: Verdict, problem: str, hint: str
) -> None:
    outcome = await run(fleet, line.replace("(", "'('"))
    assert outcome.verdict is verdict
    assert problem in outcome.problems[0]
    assert outcome.hint.startswith(hint)


async def test_states_that_no_single_machine_has_match_nothing() -> None:
    fleet = fleet_of("a", states={"X": {}})
    fleet.peers += fleet_of("b", states={"Y": {}}).peers
    outcome = await run(fleet, "group-add X Y")
    assert outcome.verdict is Verdict.NO_MATCH


# -- questions


async def test_can_says_yes_or_no(fleet: FakeFleet) -> None:
    yes, no = await run(fleet, "can add . Foo"), await run(fleet, "can add . Vetoed Foo")
    assert (yes.lines, yes.verdict) == (("yes",), Verdict.DONE)
    assert (no.lines, no.verdict) == (("no",), Verdict.CANCELED)
    assert "would cancel it: VetoedEnter" in no.problems[0]
    assert (await run(fleet, "can remove all Foo")).lines[0] == "worker0: yes"
    assert active(fleet) == [[], [], []]


async def test_can_asks_for_add_or_remove(fleet: FakeFleet) -> None:
    outcome = await run(fleet, "can set . Foo")
    assert outcome.verdict is Verdict.USAGE
    assert outcome.problems == ("can asks for add or remove, not 'set'",)
