"""Places of nodes, boxes and lines, as Graphviz found them (its JSON) and as it takes them back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Layout", "Line", "Point", "Rect", "read_layout"]

_INCH = 72.0
_SPLITS = 3


class Point(NamedTuple):
    """A place, in points; y grows upwards, as Graphviz has it."""

    x: float
    y: float

    def moved(self, dx: float, dy: float) -> Point:
        """The place elsewhere."""
        return Point(self.x + dx, self.y + dy)

    def __str__(self) -> str:
        return f"{_number(self.x)},{_number(self.y)}"


class Rect(NamedTuple):
    """An upright rectangle."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom

    def moved(self, dx: float, dy: float) -> Rect:
        """The rectangle elsewhere."""
        return Rect(self.left + dx, self.bottom + dy, self.right + dx, self.top + dy)

    def grown(self, by: float) -> Rect:
        """With a margin all around."""
        return Rect(self.left - by, self.bottom - by, self.right + by, self.top + by)

    def holds(self, point: Point) -> bool:
        """Whether a point lies inside, not on the border."""
        return self.left < point.x < self.right and self.bottom < point.y < self.top

    @classmethod
    def around(cls, rects: Iterable[Rect]) -> Rect:
        """The smallest one that holds all of them."""
        each = list(rects) or [cls(0, 0, 0, 0)]
        return cls(
            min(r.left for r in each),
            min(r.bottom for r in each),
            max(r.right for r in each),
            max(r.top for r in each),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A curve of cubic pieces, and the tips of its arrows, which lie beyond its ends."""

    points: tuple[Point, ...]
    start: Point | None = None
    end: Point | None = None

    def moved(self, dx: float, dy: float) -> Line:
        """The line elsewhere."""
        return Line(
            tuple(p.moved(dx, dy) for p in self.points),
            self.start and self.start.moved(dx, dy),
            self.end and self.end.moved(dx, dy),
        )

    def trail(self, steps: int = 12) -> Iterator[Point]:
        """Points along it, from end to end."""
        yield self.points[0]
        for i in range(0, len(self.points) - 3, 3):
            a, b, c, d = self.points[i : i + 4]
            for n in range(1, steps + 1):
                t = n / steps
                u = 1 - t
                k = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
                yield Point(
                    k[0] * a.x + k[1] * b.x + k[2] * c.x + k[3] * d.x,
                    k[0] * a.y + k[1] * b.y + k[2] * c.y + k[3] * d.y,
                )

    def split(self) -> Line:
        """The same curve with twice the pieces, whose control points lie closer to it."""
        points = [self.points[0]]
        for i in range(0, len(self.points) - 3, 3):
            a, b, c, d = self.points[i : i + 4]
            ab, bc, cd = _middle(a, b), _middle(b, c), _middle(c, d)
            abc, bcd = _middle(ab, bc), _middle(bc, cd)
            points += [ab, abc, _middle(abc, bcd), bcd, cd, d]
        return Line(tuple(points), self.start, self.end)

    def __str__(self) -> str:
        tips = [f"s,{self.start}"] if self.start else []
        tips += [f"e,{self.end}"] if self.end else []
        return " ".join([*tips, *map(str, self.points)])


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is."""

    nodes: dict[str, Rect] = field(default_factory=dict)
    boxes: dict[str, Rect] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    """By the edge's id."""
    labels: dict[str, Point] = field(default_factory=dict)
    """Middles of edge labels, by the edge's id."""

    @property
    def bounds(self) -> Rect:
        """Around everything."""
        rects = [*self.nodes.values(), *self.boxes.values()]
        rects += [_around(line.trail()) for line in self.lines.values()]
        return Rect.around(rects)

    def moved(self, dx: float, dy: float) -> Layout:
        """All of it elsewhere."""
        return Layout(
            {name: r.moved(dx, dy) for name, r in self.nodes.items()},
            {name: r.moved(dx, dy) for name, r in self.boxes.items()},
            {name: line.moved(dx, dy) for name, line in self.lines.items()},
            {name: p.moved(dx, dy) for name, p in self.labels.items()},
        )

    def joined(self, other: Layout) -> Layout:
        """Both in one."""
        return replace(
            self,
            nodes=self.nodes | other.nodes,
            boxes=self.boxes | other.boxes,
            lines=self.lines | other.lines,
            labels=self.labels | other.labels,
        )

    def places(self) -> dict[str, dict[str, str]]:
        """Attributes by element, for `DotGraph.write`.

        Graphviz takes control points for part of the picture, so lines that bulge are split.
        """
        found = {}
        bounds = self.bounds.grown(1)
        for name, rect in self.nodes.items():
            middle = Point((rect.left + rect.right) / 2, (rect.bottom + rect.top) / 2)
            found[name] = {"pos": str(middle)}
        for name, rect in self.boxes.items():
            found[name] = {"bb": ",".join(map(_number, rect))}
        for name, line in self.lines.items():
            for _ in range(_SPLITS):
                if all(bounds.holds(point) for point in line.points):
                    break
                line = line.split()
            found[name] = {"pos": str(line)}
            if name in self.labels:
                found[name]["lp"] = str(self.labels[name])
        return found


def read_layout(text: str | bytes) -> Layout:
    """What `dot -Tjson0` wrote.

    Raises:
        ValueError: It is something else.
    """
    raw = json.loads(text)
    layout = Layout()
    for item in raw.get("objects", ()):
        if "bb" in item:
            layout.boxes[item["name"]] = Rect(*map(float, item["bb"].split(",")))
        elif "pos" in item:
            x, y = map(float, item["pos"].split(","))
            half_w, half_h = (float(item[k]) * _INCH / 2 for k in ("width", "height"))
            layout.nodes[item["name"]] = Rect(x - half_w, y - half_h, x + half_w, y + half_h)
    for item in raw.get("edges", ()):
        if "pos" in item:
            layout.lines[item["id"]] = _line(item["pos"])
        if "lp" in item:
            layout.labels[item["id"]] = Point(*map(float, item["lp"].split(",")))
    return layout


def _line(text: str) -> Line:
    start = end = None
    points = []
    for word in text.split():
        if word.startswith("s,"):
            start = _point(word[2:])
        elif word.startswith("e,"):
            end = _point(word[2:])
        else:
            points.append(_point(word))
    return Line(tuple(points), start, end)


def _point(text: str) -> Point:
    x, y = text.split(",")
    return Point(float(x), float(y))


def _around(points: Iterable[Point]) -> Rect:
    return Rect.around(Rect(p.x, p.y, p.x, p.y) for p in points)


def _middle(one: Point, other: Point) -> Point:
    return Point((one.x + other.x) / 2, (one.y + other.y) / 2)


def _number(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
