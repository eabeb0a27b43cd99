from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amctl.vis.layout import Layout, Line, Point, Rect, read_layout

RAW = {
    "objects": [
        {"name": "cluster#a", "bb": "0,0,100,50"},
        {"name": "a", "pos": "50,25", "width": "1", "height": "0.5", "label": "<B>x</B>"},
        {"name": "no place"},
    ],
    "edges": [
        {"id": "e1", "pos": "s,0,0 e,90,9 10,0 20,0 30,9 80,9", "lp": "40,5"},
        {"id": "e2"},
    ],
}


def test_places_are_read_and_written() -> None:
    layout = read_layout(json.dumps(RAW))
    assert layout.nodes == {"a": Rect(14, 7, 86, 43)}
    assert layout.boxes == {"cluster#a": Rect(0, 0, 100, 50)}
    assert layout.labels == {"e1": Point(40, 5)}
    line = layout.lines["e1"]
    assert (line.start, line.end) == (Point(0, 0), Point(90, 9))
    assert layout.places() == {
        "a": {"pos": "50,25"},
        "cluster#a": {"bb": "0,0,100,50"},
        "e1": {"pos": "s,0,0 e,90,9 10,0 20,0 30,9 80,9", "lp": "40,5"},
    }


def test_a_graph_without_anything_has_no_extent() -> None:
    layout = read_layout("{}")
    assert (layout.bounds.width, layout.bounds.height) == (0, 0)


@pytest.mark.parametrize("text", ["", "nonsense", b"\xff"])
def test_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        read_layout(text)


def test_all_of_a_layout_moves_together() -> None:
    layout = read_layout(json.dumps(RAW)).moved(10, -5)
    assert layout.nodes["a"] == Rect(24, 2, 96, 38)
    assert layout.lines["e1"].end == Point(100, 4)
    assert layout.boxes["cluster#a"].left == 10
    assert layout.labels["e1"] == Point(50, 0)


def test_layouts_are_joined() -> None:
    one = Layout({"a": Rect(0, 0, 1, 1)})
    other = Layout({"b": Rect(4, 4, 5, 5)})
    assert one.joined(other).bounds == Rect(0, 0, 5, 5)


def test_a_rect_knows_what_it_holds() -> None:
    rect = Rect(0, 0, 10, 10)
    assert rect.holds(Point(5, 5))
    assert not rect.holds(Point(0, 5))
    assert rect.grown(1).holds(Point(0, 5))


PLACES = st.builds(Point, st.integers(-999, 999), st.integers(-999, 999))


@given(st.tuples(PLACES, PLACES, PLACES, PLACES))
def test_a_split_line_is_the_same_curve(points: tuple[Point, Point, Point, Point]) -> None:
    line = Line(points)
    split = line.split()
    assert len(split.points) == 7
    for one, other in zip(line.trail(12), split.trail(6), strict=True):
        assert one == pytest.approx(other)


def test_control_points_of_lines_that_bulge_come_closer() -> None:
    """Graphviz takes control points for part of the picture, which makes it too large."""
    bulging = Line((Point(0, 0), Point(0, 100), Point(100, 100), Point(100, 0)))
    places = Layout(lines={"e1": bulging}).places()
    highest = max(float(p.partition(",")[2]) for p in places["e1"]["pos"].split())
    assert bulging.points[1].y == 100
    assert highest < 80


def test_numbers_are_written_shortly() -> None:
    assert str(Point(1.0, -0.001)) == "1,0"
    assert str(Point(2.345, 10)) == "2.35,10" or str(Point(2.345, 10)) == "2.34,10"
