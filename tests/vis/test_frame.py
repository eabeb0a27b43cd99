from __future__ import annotations

import json

import pytest

from amctl.graph.model import GraphMachine, GraphState
from amctl.vis.dotgraph import Edge, Html
from amctl.vis.drawing import Mark
from amctl.vis.frame import LEGEND, Frame, counted, nesting
from tests.vis.workflow import BIRD, MAP, network, view_of, workflow

A, B = GraphMachine("a"), GraphMachine("b", tags=("src-id:a",))


def frame(**more: object) -> Frame:
    return Frame(view_of(network(A, B), BIRD, **more), "bird", {}, {})  # type: ignore[arg-type]


def test_a_machines_mark_says_how_it_is_drawn() -> None:
    one = frame(full=["a"], half=["b"], requested=["a"])
    for name in ("a", "b"):
        one.machine([name], Html(""))
    assert one.marks["m|a"] == Mark("node mach focus", {"data-m": "a"}, "a")
    assert one.marks["m|b"].classes == "node mach half"
    assert one.seen == set()


def test_the_legend_hears_of_copies() -> None:
    one = frame()
    one.machine(["b"], Html(""))
    assert one.seen == {"copy"}


def test_machines_that_share_a_table_are_all_named() -> None:
    one = frame()
    one.machine(["a", "b"], Html(""))
    assert json.loads(one.marks["m|a"].data["data-all"]) == ["a", "b"]


def test_lines_are_numbered_and_marked() -> None:
    one = frame()
    one.edge(Edge("a", "b"), Mark("edge rpc", {}, "x"))
    one.order("a", "b", 1)
    one.edge(Edge("b", "a", {"color": "red"}), Mark("edge rel add", {}, "y"), prefix="r")
    assert [edge.id for edge in one.graph.edges] == ["e1", "i1", "r2"]
    assert one.graph.edges[2].attrs == {"color": "red", "id": "r2", "class": "rel add"}
    assert set(one.marks) == {"e1", "r2"}


def test_children_stand_in_boxes_of_their_parents() -> None:
    view = view_of(workflow(), MAP)
    tree = nesting(view, list(view.full))
    assert tree[""] == ["browser1", "browser2", "browser3", "browser4", "orchestrator"]
    assert tree["rc-srv-browser1"] == ["rnm-srv-browser1"]
    one = Frame(view, "map", {}, {})
    one.nest(tree, 7, list(view.full))
    boxes = {box.name: box for box in one.graph.boxes}
    assert len(boxes) == 5
    orchestrator = boxes["cluster#orchestrator"]
    assert len(list(orchestrator.members())) == 11
    assert one.marks["c|orchestrator"].classes == "cluster nest"


def test_parents_in_a_circle_stand_in_no_box() -> None:
    a, b = GraphMachine("a", parent="b"), GraphMachine("b", parent="a")
    view = view_of(network(a, b, GraphMachine("c", parent="a")))
    tree = nesting(view, ["a", "b", "c"])
    assert sorted(name for names in tree.values() for name in names) == ["a", "b", "c"]


@pytest.mark.parametrize("after", [True, False])
def test_the_legend_hears_of_signs_in_rows(after: bool) -> None:
    one = frame(after=after)
    one.explain([GraphState("X", auto=True, add=("Y",), after=("Z",))], relations=True)
    assert one.seen == ({"flags", "add", "after"} if after else {"flags", "add"})
    silent = frame()
    silent.explain([GraphState("X", multi=True, add=("Y",))], relations=False, flags=False)
    assert silent.seen == set()


def test_a_drawing_has_a_legend_with_caption_and_facts() -> None:
    one = frame(full=["a"], half=["b"], title="of <this>")
    drawing = one.drawing(3)
    assert "of &lt;this&gt;" in drawing.graph.nodes[LEGEND].attrs["label"]
    assert drawing.description == "of <this>: 1 machine, 1 by name alone, 3 states."


def test_the_only_machine_may_be_named_in_the_legend() -> None:
    one = frame(title="dump")
    drawing = one.drawing(0, heading=B)
    assert drawing.title == "b, dump"
    assert one.marks["m|b"].data == {"data-m": "b"}
    assert "copy of a" in drawing.graph.nodes[LEGEND].attrs["label"]


def test_numbers_go_with_their_words() -> None:
    assert counted(1, "state") == "1 state"
    assert counted(0, "state") == "0 states"
