"""Lines made calmer, and their notes placed, once `dot` has found places.

`dot` routes a line through free space piece by piece, which makes it wave. Where a single curve
from end to end is free as well, that is taken: it leaves both ends level, so that arrows point
along their rows. A note stands where it hides least.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.vis.layout import Layout, Line, Point, Rect
from amctl.vis.text import width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amctl.vis.dotgraph import DotGraph

__all__ = ["calmed", "noted"]

MARGIN = 6.0
"""Points between a calmed line and what it passes."""
_NOTE_SIZE = 11
_LEVEL = 0.45
"""Part of the way that each end's tangent reaches."""


def calmed(layout: Layout, graph: DotGraph) -> Layout:
    """The layout with single curves for lines between ports, where nothing is in their way."""
    lines = dict(layout.lines)
    for edge in graph.edges:
        line = lines.get(edge.id)
        if line and edge.tail_port and edge.head_port and len(line.points) > 4:
            others = [r for name, r in layout.nodes.items() if name not in (edge.tail, edge.head)]
            own = [layout.nodes[edge.tail], layout.nodes[edge.head]]
            curve = _curve(line)
            if curve and _is_free(curve, others, own):
                lines[edge.id] = curve
    return Layout(layout.nodes, layout.boxes, lines, layout.labels)


def _curve(line: Line) -> Line | None:
    """One curve from the left end to the right one, level at both."""
    first, last = line.start or line.points[0], line.end or line.points[-1]
    back = _gap(line.start, line.points[0])
    ahead = _gap(line.end, line.points[-1])
    one, other = Point(first.x + back, first.y), Point(last.x - ahead, last.y)
    reach = (other.x - one.x) * _LEVEL
    if reach <= 0:
        return None
    points = (one, Point(one.x + reach, one.y), Point(other.x - reach, other.y), other)
    return Line(points, line.start, line.end)


def _gap(tip: Point | None, end: Point) -> float:
    """The length of an arrow."""
    return ((tip.x - end.x) ** 2 + (tip.y - end.y) ** 2) ** 0.5 if tip else 0.0


def _is_free(line: Line, others: Iterable[Rect], own: Iterable[Rect]) -> bool:
    trail = list(line.trail(24))
    around = Rect.around(Rect(p.x, p.y, p.x, p.y) for p in trail)
    obstacles = [*(r.grown(MARGIN) for r in others), *(r.grown(-1) for r in own)]
    return not any(r.holds(p) for r in obstacles if _overlap(r, around) > 0 for p in trail)


def noted(layout: Layout, graph: DotGraph) -> Layout:
    """The layout with a place for every note."""
    labels = dict(layout.labels)
    taken = [rect.grown(1) for rect in layout.nodes.values()]
    taken += [side for box in layout.boxes.values() for side in _sides(box)]
    points = [p for line in layout.lines.values() for p in line.trail(24)]
    for edge in graph.edges:
        line = layout.lines.get(edge.id)
        if line and edge.note:
            rect = _best(_candidates(line, edge.note), taken, points)
            taken.append(rect)
            labels[edge.id] = Point((rect.left + rect.right) / 2, (rect.bottom + rect.top) / 2)
    return Layout(layout.nodes, layout.boxes, layout.lines, labels)


def _sides(box: Rect) -> tuple[Rect, Rect, Rect, Rect]:
    """The frame of a box."""
    left, bottom, right, top = box
    return (
        Rect(left - 1, bottom, left + 1, top),
        Rect(right - 1, bottom, right + 1, top),
        Rect(left, bottom - 1, right, bottom + 1),
        Rect(left, top - 1, right, top + 1),
    )


def _candidates(line: Line, text: str) -> Iterator[Rect]:
    """Places on, above and below the line, from its middle outwards."""
    half_w, half_h = width(text, _NOTE_SIZE) / 2 + 2, _NOTE_SIZE / 2 + 1
    trail = list(line.trail(24))
    middle = len(trail) // 2
    for away in range(int(len(trail) * 0.4)):
        for index in {middle - away: None, middle + away: None}:
            x, y = trail[index]
            for dy in (half_h + 1, -half_h - 1, 0.0):
                yield Rect(x - half_w, y + dy - half_h, x + half_w, y + dy + half_h)


def _best(places: Iterable[Rect], taken: Sequence[Rect], points: Sequence[Point]) -> Rect:
    best, least = None, 0.0
    for rect in places:
        cost = sum(_overlap(rect, other) for other in taken)
        cost += 8 * sum(rect.holds(p) for p in points)
        if best is None or cost < least:
            best, least = rect, cost
        if not cost:
            break
    assert best is not None
    return best


def _overlap(one: Rect, other: Rect) -> float:
    """The area that both cover."""
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.top, other.top) - max(one.bottom, other.bottom)
    return wide * high if wide > 0 and high > 0 else 0.0
