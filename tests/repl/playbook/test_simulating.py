"""Check mode foretells exactly what machines without handlers do, and admits what it can't know."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from amctl.machine import Schema
from amctl.repl.playbook.results import Status
from amctl.repl.playbook.simulating import Copy, Facts, facts_of
from amctl.repl.playbook.templates import UNKNOWN
from amctl.rpc.errors import NotConnectedError
from tests.repl.playbook.staged import StagedMachine, peer_of, play, stage, write
from tests.support.fake_fleet import FakeFleet

if TYPE_CHECKING:
    from pathlib import Path

SCHEMAS = 500
A_GO = 25
"""Schemas that one test looks at."""


def random_schema(rng: random.Random) -> Schema:
    """Up to ten states with random relations, some of them to unknown states."""
    names = [f"S{i}" for i in range(rng.randint(2, 10))]
    others = [*names, "Nope", "Exception"]

    def some(chance: float) -> list[str]:
        return rng.sample(others, rng.randint(0, 3)) if rng.random() < chance else []

    states: dict[str, Any] = {
        name: {
            "auto": rng.random() < 0.2,
            "multi": rng.random() < 0.2,
            "add": some(0.4),
            "remove": some(0.5),
            "after": some(0.3),
            "require": some(0.3),
        }
        for name in names
    }
    return Schema(states, [*names, "Exception"])


def random_call(rng: random.Random, names: tuple[str, ...]) -> tuple[str, list[str]]:
    op = rng.choice(["add", "add", "remove", "set", "toggle"])
    return op, rng.sample(names, rng.randint(1, min(3, len(names))))


def random_tasks(rng: random.Random, names: tuple[str, ...]) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 12)):
        op, states = random_call(rng, names)
        task: dict[str, Any] = {op: states, "ignore_errors": True}
        if rng.random() < 0.2:
            task["if"] = f"{rng.choice(names)} or tick({rng.choice(names)}) > 2"
        if rng.random() < 0.2:
            wanted = rng.choice(["active", "inactive"])
            tasks.append({"assert": {wanted: [rng.choice(names)]}, "ignore_errors": True})
        tasks.append(task)
    return tasks


@pytest.mark.slow
@pytest.mark.parametrize("part", range(SCHEMAS // A_GO))
async def test_predicted_is_actual_on_random_schemas(part: int, tmp_path: Path) -> None:
    for seed in range(part * A_GO, (part + 1) * A_GO):
        rng = random.Random(seed)
        machine = StagedMachine("m", random_schema(rng))
        for _ in range(rng.randint(0, 8)):  # anywhere but at the beginning
            op, states = random_call(rng, machine.names)
            getattr(machine, op)(states)
        fleet = FakeFleet([peer_of(machine)])
        plays = [{"machines": "m", "tasks": random_tasks(rng, machine.names)}]
        path = write(tmp_path, yaml.safe_dump(plays))
        before = machine.clock()
        told = await play(fleet, path, check=True)
        assert machine.clock() == before, "check mode moved a machine"
        done = await play(fleet, path)
        assert [
            (one.status, one.did.result, dict(one.did.before), dict(one.did.after))
            for one in told.results
        ] == [
            (one.status, one.did.result, dict(one.did.before), dict(one.did.after))
            for one in done.results
        ], f"seed {seed}"
        assert [one.as_data() for one in told.recaps] == [one.as_data() for one in done.recaps]


def test_a_copy_keeps_the_order_of_active_states() -> None:
    """Relations may depend on it."""
    machine = StagedMachine("m", Schema({"A": {}, "B": {}, "C": {}}, ["A", "B", "C"]))
    machine.add(["C", "A"])
    assert machine.active == ["C", "A"]
    copy = Copy(Facts.of(machine))
    assert copy.active == ["C", "A"]
    assert copy.clock() == machine.clock()


def test_a_copy_of_a_schema_with_a_conflict_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    states = {"A": {"require": ["B"], "remove": ["B"]}, "B": {}}
    machine = StagedMachine("m", states)
    caplog.clear()
    copy = Copy(Facts.of(machine))
    assert caplog.records == []
    assert copy.clock() == machine.clock()


async def test_facts_come_from_the_mirror_of_a_machine_that_tells_nothing() -> None:
    peer = peer_of(StagedMachine("m", {"A": {}}))
    peer.canned = dict.fromkeys(("about", "inspect"), NotConnectedError("m", "ask"))
    facts = await facts_of(peer)
    assert (facts.names, facts.handlers) == (("A", "Exception"), None)


class Vetoing:
    """May refuse Foo."""

    def FooEnter(self, _: object) -> bool:
        return True


class Causing:
    """Does more with Foo."""

    def FooState(self, e: Any) -> None:
        e.machine.add("Event")


async def statuses(path: Path, fleet: FakeFleet) -> list[tuple[str, Status]]:
    report = await play(fleet, path, check=True)
    return [(one.task, one.status) for one in report.results]


@pytest.mark.parametrize("handlers", [Vetoing(), Causing()])
async def test_what_handlers_decide_is_unknown_and_so_is_all_after_it(
    handlers: object, tmp_path: Path
) -> None:
    fleet = stage("w0", handlers=handlers)
    path = write(
        tmp_path,
        """
- machines: w0
  tasks:
    - {name: before, add: Bar}
    - {name: handled, add: Foo}
    - {name: after, add: Event}
    - {name: looking, assert: {active: Event}}
    - {name: asking, add: Event, if: Foo}
    - {name: sleeping, pause: 1h}
""",
    )
    assert await statuses(path, fleet) == [
        ("before", Status.CHANGED),
        ("handled", Status.UNKNOWN),
        ("after", Status.UNKNOWN),
        ("looking", Status.UNKNOWN),
        ("asking", Status.UNKNOWN),
        ("sleeping", Status.OK),
    ]
    report = await play(fleet, path, check=True)
    reason = report.results[1].did.reason
    told = "FooEnter may refuse it" if isinstance(handlers, Vetoing) else "FooState may cause more"
    assert reason == f"{told}; by relations alone: changed"
    assert "add Foo on w0 may have caused more" in report.results[2].did.reason


async def test_handlers_of_other_states_leave_no_doubt(tmp_path: Path) -> None:
    path = write(tmp_path, "- {machines: w0, tasks: [{add: Bar}, {assert: {active: Bar}}]}")
    found = await statuses(path, stage("w0", handlers=Vetoing()))
    assert [status for _, status in found] == [Status.CHANGED, Status.OK]


async def test_a_machine_that_hides_its_handlers_is_never_ok(tmp_path: Path) -> None:
    fleet = stage("w0")
    fleet.peers[0].canned["about"] = NotConnectedError("m", "ask")
    path = write(tmp_path, "- {machines: w0, tasks: [{add: Bar}]}")
    assert await statuses(path, fleet) == [("add Bar", Status.UNKNOWN)]


async def test_what_relations_refuse_is_known_whatever_handlers_there_are(tmp_path: Path) -> None:
    fleet = stage("w0", handlers={"NeedyEnter": lambda _: True})
    path = write(tmp_path, "- {machines: w0, tasks: [{add: Needy}]}")
    report = await play(fleet, path, check=True)
    (result,) = report.results
    assert (result.status, result.did.reason) == (Status.CANCELED, "Needy requires Start")


async def test_a_wait_for_others_is_unknown_and_one_that_is_over_is_ok(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
- machines: w0
  tasks:
    - {add: Foo}
    - {name: over, when: Foo}
    - {name: over too, when_not: Bar}
    - {name: ticked, when_time: {Foo: 1}}
    - {name: others, when: Bar}
    - {name: over, when: Foo}
""",
    )
    found = await statuses(path, stage("w0"))
    assert [status for _, status in found[1:]] == [*[Status.OK] * 3, *[Status.UNKNOWN] * 2]


async def test_commands_are_not_run_and_only_those_that_look_leave_no_doubt(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path,
        """
- machines: w0
  tasks: [{run: list}, {name: known, add: Foo}, {run: add . Bar}, {name: not, add: Baz}]
""",
    )
    fleet = stage("w0")
    found = await statuses(path, fleet)
    assert dict(found)["known"] is Status.CHANGED
    assert dict(found)["not"] is Status.UNKNOWN
    assert fleet.peers[0].net.time_sum == 0


async def test_all_that_stands_on_an_unknown_result_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, "- {name: within, add: Event}", "i.yml")
    path = write(
        tmp_path,
        """
- machines: w0
  tasks:
    - {name: handled, add: Foo, register: r}
    - {name: filled, add: Event, args: {x: "{{ r.result }}"}}
    - {name: looped, add: Event, loop: "{{ r.data }}"}
    - {name: elsewhere, add: Event, machines: "{{ r.data }}"}
    - {name: ifed, include: i.yml, if: r.changed}
    - {name: rounds, include: i.yml, loop: "{{ r.data }}"}
    - {name: asked, pause: {prompt: "sure?"}}
    - {name: waited, pause: 1s, until: r.changed}
    - {name: relative, when_time: {Foo: "+1"}}
    - {name: let through, assert: {active: Foo}, on_failure: [{name: never, add: Foo}]}
""",
    )
    found = await statuses(path, stage("w0", handlers=Vetoing()))
    names = [name for name, _ in found]
    assert names == [
        "handled", "filled", "looped", "elsewhere", "within", "rounds", "asked", "waited",
        "relative", "let through",
    ]  # fmt: skip
    assert {status for _, status in found} == {Status.UNKNOWN}


async def test_what_fails_for_sure_fails_in_check_mode_with_all_that_follows(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path,
        """
- machines: w0,w1
  tasks:
    - {name: fails, add: Needy, if: machine == 'w0', retries: 3, on_failure: [{add: Bar}]}
    - {name: next, add: Foo, until: Foo}
""",
    )
    found = await statuses(path, stage("w0", "w1"))
    assert found == [
        ("fails", Status.CANCELED),
        ("fails", Status.SKIPPED),
        ("add Bar", Status.CHANGED),
        ("next", Status.CHANGED),
    ]


async def test_until_that_is_not_true_at_once_is_unknown(tmp_path: Path) -> None:
    path = write(tmp_path, "- {machines: w0, tasks: [{add: Foo, until: Bar}, {add: Event}]}")
    found = await statuses(path, stage("w0"))
    assert [status for _, status in found] == [Status.UNKNOWN, Status.UNKNOWN]


async def test_patterns_see_what_tasks_did_to_copies(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
- {machines: w1, tasks: [{add: Foo}]}
- {machines: "state:Foo", tasks: [{name: found, add: Bar}]}
""",
    )
    report = await play(stage(), path, check=True)
    assert [(one.task, one.machine) for one in report.results] == [
        ("add Foo", "w1"),
        ("found", "w1"),
    ]


def test_unknown_has_no_truth_value() -> None:
    with pytest.raises(TypeError, match="nobody knows"):
        bool(UNKNOWN)
