from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from amctl.dump.opening import open_dump
from amctl.graph.build import build_graph
from amctl.graph.model import GraphMachine, GraphState, Pipe
from amctl.vis.bird import bird
from amctl.vis.draw import draw
from amctl.vis.presets import options_for
from amctl.vis.select import select
from tests.support.shared import SHARED, needs_shared
from tests.vis.pictures import Picture, needs_dot, picture_of, points_of
from tests.vis.workflow import BIRD, network, view_of, workflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

    from amctl.vis.view import View

PIPED = ["browser1", "rs-browser1", "rc-srv-browser1", "rnm-srv-browser1"]


@cache
def whole(**changes: bool) -> Picture:
    return picture_of(view_of(workflow(), BIRD, **changes))


def tips(line: Element) -> list[tuple[float, float]]:
    """Where a line may end: the ends of its path, and all points of its arrows."""
    found = []
    for shape in line:
        points = list(points_of(shape))
        found += [points[0], points[-1]] if shape.tag == "path" else points
    return found


def strays(picture: Picture) -> list[str]:
    """Ends of detailed pipes that aren't at their own row, at the border of its table."""
    found = []
    for line in picture.of_class("edge", "pipe"):
        data = [line.get(f"data-{x}") or "" for x in "abft"]
        for machine, state in ((data[0], data[2]), (data[1], data[3])):
            if not state:
                continue
            _, top, _, bottom = picture.pill(machine, state)
            left, _, right, _ = picture.table(machine)
            middle = (top + bottom) / 2
            if not any(
                abs(y - middle) < 4 and min(abs(x - left), abs(x - right)) < 6
                for x, y in tips(line)
            ):
                found.append(f"{line.get('id')} at {machine}:{state}")
    return found


@needs_dot
@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"collapse": False}, {"nest_submachines": True}], ids=str)
def test_every_pipe_ends_at_its_own_row(changes: dict[str, bool]) -> None:
    picture = whole(**changes)
    ends = [line for line in picture.of_class("edge", "pipe") if line.get("data-f")]
    assert len(ends) == (66 if changes == {"collapse": False} else 34)
    assert strays(picture) == []


@needs_dot
@pytest.mark.slow
def test_the_picture_shows_all_of_the_network() -> None:
    picture, graph = whole(), workflow()
    assert len(picture.of_class("edge", "parent")) == 22 - 3
    assert len(picture.of_class("edge", "rpc")) == 4
    bundles = picture.of_class("edge", "bundle")
    assert [(b.get("data-a"), b.get("data-b"), b.get("data-n")) for b in bundles] == [
        ("rnm-bro-browser3", "browser2", "32"),
        ("rnm-bro-browser4", "browser2", "32"),
    ]
    shown = {(r.get("data-m"), r.get("data-s")) for r in picture.of_class("row")}
    lit = {(r.get("data-m"), r.get("data-s")) for r in picture.of_class("row", "on")}
    assert len(shown) == 344
    assert (
        lit
        == {(m.id, s.name) for m in graph.machines.values() for s in m.states if s.is_active}
        & shown
    )


@needs_dot
@pytest.mark.slow
def test_tooltips_tell_what_a_line_stands_for() -> None:
    picture = whole()
    bundle = picture.of_class("edge", "bundle")[0][0].text or ""
    assert bundle.splitlines()[0] == "32 pipes, add and remove: rnm-bro-browser3 → browser2"
    assert "Working → Browser3Working" in bundle.splitlines()
    parents = [e[0].text for e in picture.of_class("edge", "parent")]
    tunnels = ", ".join(f"relay-wasm-workflow-wt-{i}" for i in range(4))
    assert f"parent: {tunnels} → relay-wasm-workflow" in parents


@needs_dot
@pytest.mark.slow
def test_machines_that_are_alike_share_a_table() -> None:
    picture = whole()
    tunnels = next(e for e in picture.of_class("mach") if e.get("data-all"))
    names = json.loads(tunnels.get("data-all") or "")
    assert names == [f"relay-wasm-workflow-wt-{i}" for i in range(4)]
    assert len(picture.of_class("mach")) == 24
    assert {r.get("data-m") for r in picture.of_class("row")} >= set(names)


@needs_dot
@pytest.mark.slow
def test_children_may_stand_inside_their_parents() -> None:
    picture = whole(nest_submachines=True)
    assert picture.of_class("edge", "parent") == []
    assert len(picture.of_class("cluster", "nest")) == 10


def test_the_source_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    view = view_of(
        workflow(), BIRD, PIPED, half=["orchestrator"], requested=["browser1"], after=True
    )
    golden("vis/bird.dot", draw(view).dot)


def source_of(view: View) -> str:
    return bird(view).graph.write()


def test_without_relations_rows_are_bare() -> None:
    graph = workflow()
    assert "◄" in source_of(view_of(graph))
    bare = source_of(view_of(graph, relations=False))
    assert "◄" not in bare
    assert 'SIDES="L"' not in bare


def test_without_activity_nothing_is_lit() -> None:
    drawing = bird(view_of(workflow(), active=False))
    assert not any(" on" in mark.classes for mark in drawing.marks.values())


def test_without_detail_a_pair_has_one_line_with_its_number() -> None:
    drawing = bird(view_of(workflow(), detailed_pipes=False))
    notes = {e.id: e.note for e in drawing.graph.edges if e.note}
    assert sum(map(int, notes.values())) == 132
    assert len(notes) == 12
    assert all(drawing.marks[name].classes == "edge pipe group" for name in notes)


def test_lines_that_are_switched_off_are_not_there() -> None:
    view = view_of(workflow(), BIRD, pipes=False, conns=False, parent_rel=False)
    assert bird(view).graph.edges == []


def test_kinds_of_pipes_differ_by_their_heads() -> None:
    a, b = (GraphMachine(x, (GraphState("P"), GraphState("Q"), GraphState("R"))) for x in "ab")
    pipes = [
        Pipe("a", "add", "P", "b", "P"),
        Pipe("a", "remove", "Q", "b", "Q"),
        Pipe("a", "add", "R", "b", "R"),
        Pipe("a", "remove", "R", "b", "R"),
    ]
    drawing = bird(view_of(network(a, b, pipes=pipes)))
    heads = {
        drawing.marks[e.id].classes.split()[-1]: e.attrs["arrowhead"] for e in drawing.graph.edges
    }
    assert heads == {"add": "empty", "remove": "ediamond", "both": "normal"}


def test_a_line_to_the_left_is_given_reversed() -> None:
    """`dot` must see all of them run to the right, for ports to make sense."""
    graph = workflow()
    drawing = bird(view_of(graph, BIRD, ["orchestrator", "rc-srv-browser1"]))
    pipes = [e for e in drawing.graph.edges if "pipe" in e.attrs["class"]]
    assert {e.tail for e in pipes} == {"orchestrator"}
    assert {e.attrs["arrowtail"] for e in pipes} == {"normal"}
    assert {e.attrs["arrowhead"] for e in pipes} == {"none"}
    assert drawing.marks[pipes[0].id].data["data-a"] == "rc-srv-browser1"


def test_half_pipes_end_at_titles() -> None:
    a, b = GraphMachine("a", (GraphState("P"),)), GraphMachine("b")
    graph = network(a, b, pipes=[Pipe("a", "add", "P", "b", "")])
    full = bird(view_of(graph))
    assert [e.head_port for e in full.graph.edges] == ["pipes:w"]
    half = bird(view_of(graph, BIRD, ["a"], half=["b"]))
    assert [e.head_port for e in half.graph.edges] == ["head:w"]
    assert 'STYLE="dashed"' in half.graph.nodes["b"].attrs["label"]


def test_a_mirror_without_prefix_ends_at_the_title() -> None:
    states = tuple(GraphState(x) for x in "PQRSTUVW")
    pipes = [Pipe("a", "add", x, "b", x) for x in "PQRSTUVW"]
    graph = network(GraphMachine("a", states), GraphMachine("b", states), pipes=pipes)
    (line,) = bird(view_of(graph)).graph.edges
    assert (line.tail_port, line.head_port) == ("head:e", "pipes:w")


def test_a_machine_that_is_only_spoken_of_is_drawn_by_name() -> None:
    """A view may hold half machines that the graph has no schema of."""
    graph = network(GraphMachine("a", (GraphState("P"),)), GraphMachine("b", known=False))
    view = view_of(graph, BIRD, ["a"], half=["b", "unheard of"])
    drawing = bird(replace(view, rpc=(("a", "unheard of"),)))
    assert [e.head for e in drawing.graph.edges] == ["unheard~20of"]


@needs_shared
@needs_dot
@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"collapse": False}, {"nest_submachines": True}], ids=str)
def test_the_originals_recording_is_drawn_whole(more: dict[str, bool]) -> None:
    dump = open_dump(SHARED / "data" / "wasm-workflow.gob.br")
    view = select(build_graph(dump), options_for("bird", more))
    picture = picture_of(view)
    assert strays(picture) == []
    lines = picture.of_class("edge", "pipe")
    assert sum(int(e.get("data-n") or 2) for e in lines) == 132
    assert len(picture.of_class("edge", "rpc")) == 4
    if not more:
        assert picture.size[0] <= 3000
        assert picture.size[1] <= 1700
