"""Power graphs: nothing is lost, nothing is made up."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.graph.model import GraphState
from amctl.vis.power import PowerBox, PowerEdge, PowerEnd, expanded, power_graph
from tests.vis.workflow import CASES, machine, workflow

KINDS = ("require", "add", "remove", "after")


def related(states: list[GraphState], kinds: tuple[str, ...] = KINDS[:3]) -> set[object]:
    known = {s.name for s in states}
    return {(k, s.name, t) for s in states for k in kinds for t in getattr(s, k) if t in known}


def schemas() -> dict[str, list[GraphState]]:
    raw = json.loads((CASES / "schemas.json").read_text(encoding="utf-8"))["machines"]
    return {
        f"schema {name}": list(
            machine(name, {s: given["states"].get(s, {}) for s in given["names"]}).states
        )
        for name, given in raw.items()
    }


MACHINES = schemas() | {m.id: list(m.states) for m in workflow().machines.values()}


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("after", [False, True])
def test_a_picture_shows_exactly_the_relations_of_the_schema(name: str, after: bool) -> None:
    states = MACHINES[name]
    graph = power_graph(states, after=after)
    assert expanded(graph) == related(states, KINDS if after else KINDS[:3])
    assert sorted(s for box in graph.boxes for s in box.states) == sorted(s.name for s in states)


def test_lines_are_fewer_than_relations() -> None:
    states = MACHINES["orchestrator"]
    assert len(related(states)) > 40
    assert len(power_graph(states).edges) < 30


NAMES = st.lists(st.sampled_from("ABCDEFG"), unique=True, max_size=5).map(tuple)
STATES = st.fixed_dictionaries({name: st.tuples(NAMES, NAMES, NAMES, NAMES) for name in "ABCDEF"})


@given(STATES)
def test_any_relations_survive(table: dict[str, tuple[tuple[str, ...], ...]]) -> None:
    """Also to itself, inside a group, and to states that aren't drawn (G)."""
    states = [GraphState(n, 0, False, False, *lists) for n, lists in table.items()]
    assert expanded(power_graph(states, after=True)) == related(states, KINDS)


def test_states_with_the_same_relations_share_a_box_and_a_line() -> None:
    states = [GraphState("A", require=("S",)), GraphState("S"), GraphState("B", require=("S",))]
    graph = power_graph(states)
    assert [box.states for box in graph.boxes] == [("A", "B"), ("S",)]
    assert graph.edges == (PowerEdge(PowerEnd(0), PowerEnd(1), ("require",)),)


def test_a_group_says_so_instead_of_lines() -> None:
    states = [GraphState("A", remove=("B",)), GraphState("B", remove=("A",))]
    assert power_graph(states).boxes == (PowerBox(("A", "B"), "one of"),)
    assert power_graph(states).edges == ()


def test_a_relation_inside_a_group_is_a_mark_of_the_row() -> None:
    states = [GraphState("A", remove=("B",), require=("B",)), GraphState("B", remove=("A",))]
    assert power_graph(states).marks == {"A": (("require", "B"),)}


def test_a_line_to_all_rows_ends_at_the_box() -> None:
    group = [GraphState(x, remove=tuple({"A", "B", "C"} - {x})) for x in "ABC"]
    graph = power_graph([*group, GraphState("X", remove=("A", "B", "C"))])
    assert graph.edges == (PowerEdge(PowerEnd(1), PowerEnd(0), ("remove",)),)
    partly = power_graph([*group, GraphState("X", remove=("A", "B"))])
    assert [edge.target for edge in partly.edges] == [PowerEnd(0, "A"), PowerEnd(0, "B")]


def test_mutual_removal_of_boxes_is_one_line() -> None:
    """A and B remove X and are removed by it, but not by each other."""
    ab = [GraphState(x, remove=("X", "Y")) for x in "AB"]
    xy = [GraphState(x, remove=("A", "B")) for x in "XY"]
    graph = power_graph([*ab, *xy])
    assert expanded(graph) == related([*ab, *xy])
    assert all(edge.kinds == ("remove",) for edge in graph.edges)


def test_without_relations_all_states_are_in_one_box() -> None:
    states = [GraphState("A", remove=("B",)), GraphState("B")]
    assert power_graph(states, relations=False).boxes == (PowerBox(("A", "B"), "unrelated"),)
    assert power_graph([], relations=False).boxes == ()
