from __future__ import annotations

from dataclasses import replace

from amctl.graph.model import Graph, GraphMachine, GraphState, Pipe
from amctl.vis.folding import LARGEST, folds
from tests.vis.workflow import BIRD, network, view_of, workflow


def siblings(count: int) -> Graph:
    states = (GraphState("A"), GraphState("B", require=("A",)))
    boss = GraphMachine("boss")
    return network(boss, *(GraphMachine(f"kid-{i}", states, "boss") for i in range(count)))


def test_the_workflows_tunnels_are_drawn_once() -> None:
    names = [f"relay-wasm-workflow-wt-{i}" for i in range(4)]
    assert folds(view_of(workflow())) == {names[0]: names}


def test_what_differs_is_drawn_apart() -> None:
    graph = siblings(3)
    assert list(folds(view_of(graph))) == ["kid-0"]
    other = replace(graph.machines["kid-1"], states=(GraphState("A"), GraphState("B")))
    machines = {**graph.machines, "kid-1": other}
    assert folds(view_of(Graph(machines))) == {"kid-0": ["kid-0", "kid-2"]}


def test_what_is_joined_or_asked_for_is_drawn_apart() -> None:
    graph = siblings(3)
    piped = replace(graph, pipes=(Pipe("kid-1", "add", "A", "boss", ""),))
    assert folds(view_of(piped)) == {"kid-0": ["kid-0", "kid-2"]}
    assert folds(view_of(graph, requested=["kid-0"])) == {"kid-1": ["kid-1", "kid-2"]}


def test_clocks_may_differ() -> None:
    graph = siblings(2)
    lit = replace(graph.machines["kid-1"].states[0], tick=1)
    other = replace(graph.machines["kid-1"], states=(lit, graph.machines["kid-1"].states[1]))
    assert folds(view_of(Graph({**graph.machines, "kid-1": other})))


def test_a_table_has_only_so_many_lamps() -> None:
    found = folds(view_of(siblings(LARGEST + 2)))
    assert [len(names) for names in found.values()] == [LARGEST, 2]


def test_without_parent_lines_nothing_is_folded() -> None:
    assert folds(view_of(siblings(3), BIRD, parent_rel=False)) == {}
