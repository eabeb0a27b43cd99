"""What is found odd about a schema, and that sound ones are left in peace."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from amctl.machine import Machine, Schema
from amctl.machine.lint import Finding, lint
from amctl.states.basic import BasicStates
from amctl.states.connected import ConnectedStates
from nodes.states import OrchestratorStates, WorkerStates
from tests.machine.strategies import schemas


def found(names: str, **states: dict[str, Any]) -> list[str]:
    schema = Schema({name: states.get(name, {}) for name in names.split()}, names.split())
    return [str(one) for one in lint(schema)]


class Linked(ConnectedStates, BasicStates):
    """A mixin with what it refers to."""


@pytest.mark.parametrize("states", [BasicStates, Linked, WorkerStates, OrchestratorStates])
def test_the_workflows_own_states_are_sound(states: Any) -> None:
    assert lint(states.schema()) == []


def test_names_that_are_no_states_are_told_with_a_near_match() -> None:
    schema = Schema({"Ready": {"require": ["Strat"], "remove": ["Xyz"]}, "Start": {}})
    one, other = lint(schema)
    assert one == Finding(
        "unknown",
        "error",
        "Ready",
        "requires Strat, which is no state, and so can never be active",
        "did you mean Start?",
    )
    assert other.severity == "warning"
    assert other.text == "names Xyz in remove, which is no state, and is passed over"
    assert other.hint == "define Xyz, or leave it out"


def test_a_state_that_requires_what_it_removes_is_a_conflict() -> None:
    assert found("A B", A={"require": ["B"], "remove": ["B"]})[0] == (
        "error: A: requires B, and removes it [conflict]"
    )


def test_a_circle_of_require_is_told_once_by_its_shortest_way() -> None:
    a, b, c = {"require": ["B"]}, {"require": ["C", "A"]}, {"require": ["A"]}
    told = found("A B C D", A=a, B=b, C=c, D={"require": ["A"]})
    assert told[0] == (
        "warning: A: A requires B requires A: they come together or not at all, "
        "and Require orders no state here [cycle]"
    )
    assert [one for one in told if "[cycle]" in one][1:] == [
        "warning: C: C requires A requires B requires C: they come together or not at all, "
        "and Require orders no state here [cycle]"
    ]
    # they can be set together, and D added then; none of the three by itself
    assert not any("[unreachable]" in one for one in told)


def test_states_that_remove_themselves() -> None:
    told = found("A B C", A={"add": ["B"]}, B={"remove": ["A"]}, C={"remove": ["C"]})
    assert told[0] == "error: A: removes itself: it adds B, which removes A [self-removal]"
    assert told[1].startswith("error: A: never was active in ")
    assert told[-1] == "note: C: removes itself, which is passed over [self-removal]"


def test_states_that_exclude_each_other_by_one_list_are_no_oddity() -> None:
    group = {"remove": ["A", "B"]}
    assert found("A B", A=group, B=group) == []


def test_what_can_never_come_is_told_with_what_refuses_it() -> None:
    told = found("A B C", A={"require": ["B", "C"]}, B={"remove": ["C"]}, C={"remove": ["B"]})
    assert len(told) == 1
    assert told[0].startswith("error: A: never was active in ")
    assert ": A requires " in told[0]
    assert told[0].endswith("[unreachable]")


def test_what_comes_with_others_only_is_never_added_by_itself() -> None:
    told = found(
        "A B C D",
        A={"require": ["B"]},
        B={"require": ["A"]},
        C={"require": ["A"], "remove": ["B"]},
    )
    assert any(one.startswith("warning: A: was never added by itself in ") for one in told)
    assert any("A requires B" in one for one in told)


def test_what_is_added_along_but_never_comes() -> None:
    told = found("A B C", A={"add": ["B"], "remove": ["C"]}, B={"require": ["C"]}, C={})
    assert len(told) == 1
    assert told[0].startswith("warning: A: adds B, which never came with it in ")
    assert told[0].endswith("[add-dropped]")


def test_few_tries_find_less() -> None:
    schema = WorkerStates.schema()
    assert all("were tried" in one.text for one in lint(schema, 0))


@pytest.mark.slow
@settings(max_examples=25)
@given(schemas())
def test_what_is_called_unreachable_can_not_be_added(schema: Schema) -> None:
    for one in lint(schema, 500):
        if one.kind in ("unreachable", "unknown") and one.severity == "error":
            m = Machine("m", schema)
            assert m.add(one.state).canceled or schema[one.state].multi
            assert m.not_(one.state)
