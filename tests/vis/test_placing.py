from __future__ import annotations

from itertools import pairwise

from amctl.vis.dotgraph import Box, DotGraph, Edge, Node
from amctl.vis.frame import LEGEND
from amctl.vis.layout import Layout, Line, Point, Rect
from amctl.vis.placing import placed


class Stacked:
    """In `dot`'s place: puts nodes below each other, and notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, graph: DotGraph) -> Layout:
        self.asked.append(list(graph.nodes))
        rects = {n: Rect(0, i * 50, 40, i * 50 + 30) for i, n in enumerate(graph.nodes)}
        lines = {e.id: Line(self.points(rects[e.tail], rects[e.head])) for e in graph.edges}
        boxes = {box.name: Rect(0, 0, 40, 40) for box in graph.boxes}
        return Layout(rects, boxes, lines)

    def points(self, one: Rect, other: Rect) -> tuple[Point, ...]:
        return tuple(Point(r.left, r.bottom) for r in (one, one, other, other))


def chain(graph: DotGraph, letter: str, length: int) -> None:
    names = [f"{letter}{i}" for i in range(length)]
    for name in names:
        graph.add(Node(name))
    for one, other in pairwise(names):
        graph.edges.append(Edge(one, other, {"id": f"{one}{other}"}))


def test_large_parts_are_laid_out_alone_and_small_ones_together() -> None:
    graph = DotGraph("g")
    for letter, length in (("a", 6), ("b", 2), ("c", 1), ("d", 7)):
        chain(graph, letter, length)
    dot = Stacked()
    layout = placed(graph, dot)
    assert sorted(map(len, dot.asked)) == [3, 6, 7]
    assert set(layout.nodes) == set(graph.nodes)
    assert set(layout.lines) == {edge.id for edge in graph.edges}


def test_a_part_takes_its_boxes_along() -> None:
    graph = DotGraph("g")
    for name in ("a", "b", "c"):
        graph.add(Node(name))
    graph.boxes = [Box("cluster#a", {}, ["a"], [Box("cluster#b", {}, ["b"])])]
    layout = placed(graph, Stacked())
    assert set(layout.boxes) == {"cluster#a"}


def test_the_legend_has_the_first_place() -> None:
    graph = DotGraph("g")
    for name in ("a", "b", "c", LEGEND):
        graph.add(Node(name))
    layout = placed(graph, Stacked())
    assert layout.nodes[LEGEND] == Rect(0, -30, 40, 0)


def test_machines_alone_keep_their_order_though_dot_rounds_their_heights() -> None:
    class Rounding(Stacked):
        def __call__(self, graph: DotGraph) -> Layout:
            layout = super().__call__(graph)
            layout.nodes["b"] = Rect(0, 50, 40, 80.0000001)
            return layout

    graph = DotGraph("g")
    for name in ("a", "b", "c", LEGEND):
        graph.add(Node(name))
    nodes = placed(graph, Rounding()).nodes
    in_order = sorted(nodes, key=lambda name: (-round(nodes[name].top), nodes[name].left))
    assert in_order == [LEGEND, "a", "b", "c"]


def test_notes_are_placed() -> None:
    graph = DotGraph("g")
    chain(graph, "a", 2)
    graph.edges[0].note = "4"
    assert set(placed(graph, Stacked()).labels) == {"a0a1"}
