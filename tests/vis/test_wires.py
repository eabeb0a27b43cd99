from __future__ import annotations

import pytest

from amctl.graph.model import GraphMachine, GraphState, Pipe
from amctl.vis.wires import Wire, wires
from tests.vis.workflow import BIRD, network, view_of, workflow

NAMES = "PQRSTUVW"


def pair(*pipes: Pipe, source: str = NAMES, target: str = "") -> list[Wire]:
    a = GraphMachine("a", tuple(GraphState(x) for x in source))
    b = GraphMachine("b", tuple(GraphState(x) for x in target.split()))
    return wires(view_of(network(a, b, pipes=pipes)))


def test_adding_and_removing_the_same_is_one_line() -> None:
    pipes = Pipe("a", "add", "P", "b", "Q"), Pipe("a", "remove", "P", "b", "Q")
    (wire,) = pair(*pipes, target="Q")
    assert wire == Wire("a", "P", "b", "Q", pipes)
    assert wire.kind == "both"
    assert wire.text == "pipe, add and remove: a:P → b:Q"


@pytest.mark.parametrize("kind", ["add", "remove"])
def test_one_kind_alone_is_told(kind: str) -> None:
    (wire,) = pair(Pipe("a", kind, "P", "b", "Q"), target="Q")  # type: ignore[arg-type]
    assert wire.kind == kind
    assert wire.text == f"pipe, {kind}: a:P → b:Q"


def test_an_end_that_is_unknown_or_not_drawn_is_the_machine() -> None:
    first, second = pair(
        Pipe("a", "add", "P", "b", ""), Pipe("a", "add", "Q", "b", "Hidden"), target="Q"
    )
    assert (first.source_state, first.target_state) == ("P", "")
    assert (second.source_state, second.target_state) == ("Q", "")
    assert first.text == "pipe, add: a:P → b:?"
    assert second.text == "pipe, add: a:Q → b:Hidden"


def test_eight_mirrored_states_are_a_bundle() -> None:
    target = [f"A3{x}" for x in NAMES]
    pipes = [Pipe("a", "add", x, "b", f"A3{x}") for x in NAMES]
    (wire,) = pair(*pipes, target=" ".join(target))
    assert (wire.form, wire.prefix, len(wire.pipes)) == ("bundle", "A3", 8)
    assert wire.text.splitlines()[:2] == ["8 pipes, add: a → b", "P → A3P"]
    assert len(pair(*pipes[1:], target=" ".join(target))) == 7


def test_one_pipe_that_differs_keeps_a_bundle_apart() -> None:
    pipes = [Pipe("a", "add", x, "b", f"A3{x}") for x in NAMES]
    pipes.append(Pipe("a", "add", "P", "b", "Other"))
    assert len(pair(*pipes, target=" ".join([*(f"A3{x}" for x in NAMES), "Other"]))) == 9


def test_the_workflows_132_pipes_are_36_lines() -> None:
    found = wires(view_of(workflow()))
    assert sum(len(w.pipes) for w in found) == 132
    assert [w.form for w in found].count("bundle") == 2
    assert len(found) == 36
    assert len(wires(view_of(workflow(), BIRD, collapse=False))) == 66


def test_without_detail_a_pair_of_machines_has_one_line() -> None:
    found = wires(view_of(workflow(), BIRD, detailed_pipes=False))
    assert len(found) == 12
    assert {w.form for w in found} == {"group"}
    assert sum(len(w.pipes) for w in found) == 132


def test_a_pipe_to_oneself_or_to_what_is_not_drawn_is_left_out() -> None:
    loop = Pipe("a", "add", "P", "a", "Q")
    away = Pipe("a", "add", "P", "gone", "Q")
    assert pair(loop, away) == []
