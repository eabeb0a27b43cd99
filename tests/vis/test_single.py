from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from amctl.graph.model import GraphMachine, GraphState
from amctl.vis.draw import draw
from amctl.vis.single import single
from tests.vis.pictures import Picture, needs_dot, picture_of
from tests.vis.workflow import SINGLE, network, view_of, workflow

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.vis.drawing import Drawing


@cache
def whole(name: str) -> Picture:
    return picture_of(view_of(workflow(), SINGLE, [name]))


def lone(*states: GraphState, **changes: bool) -> Drawing:
    return single(view_of(network(GraphMachine("m", states)), SINGLE, ["m"], **changes))


@needs_dot
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(workflow().machines))
def test_every_state_has_one_row_and_every_line_two_ends(name: str) -> None:
    picture = whole(name)
    machine = workflow().machines[name]
    assert sorted(r.get("data-s") or "" for r in picture.of_class("row")) == sorted(
        s.name for s in machine.states
    )
    boxes = {e.get("id") for e in picture.of_class("box")}
    for line in picture.of_class("edge", "rel"):
        assert {line.get("data-a"), line.get("data-b")} <= boxes
        assert line.find("path") is not None


@needs_dot
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(workflow().machines))
def test_what_the_lines_say_is_what_the_schema_says(name: str) -> None:
    """Tooltips name both ends, so the picture can be read back without the power graph."""
    machine = workflow().machines[name]
    wanted = {
        (kind, s.name, other)
        for s in machine.states
        for kind in ("require", "add", "remove")
        for other in getattr(s, kind)
    }
    shown = set()
    for box in whole(name).of_class("box"):
        rows = [row.get("data-s") or "" for row in box.iter("g") if row.get("data-s")]
        if box[0].text == "one of":
            shown |= {("remove", a, b) for a in rows for b in rows if a != b}
    for line in whole(name).of_class("edge", "rel"):
        kinds, _, ends = (line[0].text or "").partition(": ")
        one, sign, other = re.split(r" (→|↔) ", ends)
        for a in one.split(", "):
            for b in other.split(", "):
                shown |= {(kind, a, b) for kind in kinds.split(" + ")}
                shown |= {("remove", b, a)} if sign == "↔" else set()
    assert shown == wanted


def test_the_source_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    golden("vis/single.dot", draw(view_of(workflow(), SINGLE, ["rc-srv-browser1"])).dot)


def test_the_machines_name_is_in_the_legend() -> None:
    drawing = lone(GraphState("A"))
    assert drawing.marks["m|m"].data == {"data-m": "m"}
    assert drawing.title == "m, workflow"


def test_kinds_of_lines_differ_by_head_and_dash() -> None:
    drawing = lone(
        GraphState("A", require=("X",), add=("Y",), remove=("Z",), after=("V",)),
        *(GraphState(x) for x in "XYZV"),
        after=True,
    )
    looks = {
        drawing.marks[e.id].classes.split()[-1]: (
            e.attrs.get("arrowtail", e.attrs.get("arrowhead")),
            e.attrs.get("style", "solid"),
        )
        for e in drawing.graph.edges
    }
    assert looks == {
        "require": ("dot", "solid"),
        "add": ("normal", "solid"),
        "remove": ("diamond", "dashed"),
        "after": ("vee", "dotted"),
    }


def test_after_relations_are_drawn_only_when_asked_for() -> None:
    states = GraphState("A", after=("B",)), GraphState("B")
    assert lone(*states).graph.edges == []
    assert len(lone(*states, after=True).graph.edges) == 1


def test_two_relations_of_a_pair_are_one_line_of_two_colours_and_heads() -> None:
    (line,) = lone(GraphState("A", require=("B",), add=("B",)), GraphState("B")).graph.edges
    assert line.attrs["color"].count(":") == 1
    assert line.attrs["arrowtail"] == "dotnormal"


def test_a_relation_inside_a_group_is_a_mark_of_the_row() -> None:
    drawing = lone(GraphState("A", require=("B",), remove=("B",)), GraphState("B", remove=("A",)))
    assert drawing.graph.edges == []
    assert "◄B" in drawing.graph.nodes["b0"].attrs["label"]
    assert "requires X" in drawing.dot


def test_without_relations_there_are_only_rows() -> None:
    drawing = lone(GraphState("A", add=("B",)), GraphState("B"), relations=False)
    assert drawing.graph.edges == []
    assert "no relations" not in drawing.dot
    assert drawing.states == 2


def test_states_that_are_not_drawn_have_no_lines() -> None:
    graph = network(GraphMachine("m", (GraphState("A", add=("Exception", "B")), GraphState("B"))))
    view = view_of(graph, SINGLE, ["m"])
    hidden = view.states["m"] - {"B"}
    drawing = single(type(view)(view.graph, view.options, view.full, states={"m": hidden}))
    assert drawing.graph.edges == []


@needs_dot
def test_many_states_without_relations_stand_side_by_side() -> None:
    states = tuple(GraphState(f"S{i}") for i in range(60))
    view = view_of(network(GraphMachine("m", states)), SINGLE, ["m"])
    picture = picture_of(view)
    rows = {r.get("data-s"): r.find("rect") for r in picture.of_class("row")}
    spots = {name: (box.get("x"), box.get("y")) for name, box in rows.items() if box is not None}
    assert len(set(spots.values())) == 60
    assert len({x for x, _ in spots.values()}) == 3
    assert spots["S0"][0] == spots["S19"][0] != spots["S20"][0]
    assert spots["S0"][1] == spots["S20"][1] == spots["S40"][1]
