from __future__ import annotations

import pytest

from amctl.vis.dotgraph import DotGraph, Edge, Node
from amctl.vis.layout import Layout, Line, Point, Rect
from amctl.vis.routes import calmed, noted


def graph(*, ports: bool = True, note: str = "") -> DotGraph:
    made = DotGraph("g")
    for name in ("a", "b", "between"):
        made.add(Node(name))
    ends = ("e_X:e", "w_Y:w") if ports else ("", "")
    made.edges.append(Edge("a", "b", {"id": "e1"}, *ends, note=note))
    return made


WAVY = Line(
    tuple(
        Point(x, y)
        for x, y in [(40, 10), (60, 90), (80, -70), (100, 10), (120, 90), (140, -70), (190, 50)]
    ),
    end=Point(200, 50),
)
ENDS = {"a": Rect(0, 0, 40, 40), "b": Rect(200, 30, 240, 70)}


def test_a_line_that_waves_becomes_one_curve_level_at_both_ends() -> None:
    line = calmed(Layout(ENDS, lines={"e1": WAVY}), graph()).lines["e1"]
    assert len(line.points) == 4
    assert line.points[0] == Point(40, 10)
    assert line.points[1].y == 10
    assert line.points[2].y == line.points[3].y == 50
    assert line.end == Point(200, 50)
    assert line.points[3].x == pytest.approx(190)


def test_a_curve_bends_around_what_is_in_its_way() -> None:
    way = {**ENDS, "between": Rect(100, -20, 150, 24)}
    layout = Layout(way, lines={"e1": WAVY})
    assert any(way["between"].holds(p) for p in WAVY.trail())
    line = calmed(layout, graph()).lines["e1"]
    assert len(line.points) == 4
    assert not any(way["between"].holds(p) for p in line.trail(48))


def test_a_line_stays_as_it_was_where_no_curve_is_free() -> None:
    layout = Layout({**ENDS, "between": Rect(60, -300, 180, 300)}, lines={"e1": WAVY})
    assert calmed(layout, graph()).lines["e1"] == WAVY


def test_lines_without_ports_are_left_alone() -> None:
    layout = Layout(ENDS, lines={"e1": WAVY})
    assert calmed(layout, graph(ports=False)).lines["e1"] == WAVY


def test_a_line_that_runs_backwards_is_left_alone() -> None:
    back = Line(tuple(Point(-p.x, p.y) for p in WAVY.points))
    assert calmed(Layout(lines={"e1": back}, nodes=ENDS), graph()).lines["e1"] == back


def test_a_note_stands_where_it_hides_nothing() -> None:
    straight = Line((Point(40, 20), Point(90, 20), Point(150, 20), Point(200, 20)))
    layout = Layout({**ENDS, "between": Rect(80, 21, 160, 60)}, lines={"e1": straight})
    spot = noted(layout, graph(note="32")).labels["e1"]
    assert spot.y < 20
    assert noted(layout, graph()).labels == {}


def test_two_notes_do_not_hide_each_other() -> None:
    straight = Line((Point(40, 20), Point(90, 20), Point(150, 20), Point(200, 20)))
    made = graph(note="32")
    made.edges.append(Edge("a", "b", {"id": "e2"}, note="6"))
    layout = noted(Layout(ENDS, lines={"e1": straight, "e2": straight}), made)
    one, other = layout.labels["e1"], layout.labels["e2"]
    assert abs(one.x - other.x) > 10 or abs(one.y - other.y) > 10
