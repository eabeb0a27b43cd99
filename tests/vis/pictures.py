"""What tests of pictures share: Graphviz, if it is there, and finished SVGs taken apart."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from amctl.vis.draw import draw
from amctl.vis.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.vis.view import View

__all__ = ["Picture", "Rect", "needs_dot", "picture_of"]

needs_dot = pytest.mark.skipif(
    shutil.which("dot") is None, reason="needs Graphviz (dot): amctl setup installs it"
)

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom: y grows downwards in an SVG."""


@dataclass
class Picture:
    """A finished SVG."""

    text: str
    root: ElementTree.Element
    by_id: dict[str, ElementTree.Element] = field(default_factory=dict)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in px."""
        return float(self.root.get("width", 0)), float(self.root.get("height", 0))

    def of_class(self, *classes: str) -> list[ElementTree.Element]:
        """Elements that have all these classes."""
        wanted = set(classes)
        return [e for e in self.root.iter() if wanted <= set(e.get("class", "").split())]

    def pill(self, machine: str, state: str) -> Rect:
        """Where the cell of a state is."""
        rows = (e for e in self.of_class("row") if e.get("data-m") == machine)
        row = next(e for e in rows if e.get("data-s") == state)
        rect = row.find("rect")
        assert rect is not None
        x, y, w, h = (float(rect.get(k, "nan")) for k in ("x", "y", "width", "height"))
        return x, y, x + w, y + h

    def table(self, machine: str) -> Rect:
        """Where the table of a machine is: its widest shape."""
        group = next(e for e in self.of_class("mach") if e.get("data-m") == machine)
        shapes = [bounds(e) for e in group if e.tag in ("polygon", "path")]
        return max(shapes, key=lambda r: r[2] - r[0])

    def texts(self) -> list[str]:
        """All text that is drawn."""
        return ["".join(e.itertext()) for e in self.root.iter("text")]


def picture_of(view: View) -> Picture:
    """Draws a view."""
    text = render(draw(view), "svg").decode()
    root = ElementTree.fromstring(text)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    ids = [e.get("id", "") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    return Picture(text, root, {e.get("id", ""): e for e in root.iter()})


def points_of(element: ElementTree.Element) -> Iterator[tuple[float, float]]:
    """All points that a shape's outline is made of."""
    raw = element.get("d", "") or element.get("points", "")
    for letter in "MCLZ":
        raw = raw.replace(letter, " ")
    for pair in raw.split():
        x, _, y = pair.partition(",")
        yield float(x), float(y)


def bounds(element: ElementTree.Element) -> Rect:
    """Around a shape's points."""
    points = list(points_of(element))
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
