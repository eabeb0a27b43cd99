"""A picture that is decided but not laid out: what `draw` returns and `render` takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from amctl.vis.theme import painted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.vis.dotgraph import DotGraph
    from amctl.vis.theme import Theme

__all__ = ["OFF", "Drawing", "Mark", "for_people", "for_styles"]

OFF = ("\ufdd0", "\ufdd1")
"""Around the tags that make the name of an inactive state bold. In an SVG it is laid out bold, so
that it may be lit later without overflowing, and a style makes it light; elsewhere it is light at
once."""

_OFF_TAGS = re.compile(f"{OFF[0]}[^{OFF[1]}]*{OFF[1]}")


@dataclass(frozen=True, slots=True)
class Mark:
    """What an element of the picture stands for: its class, `data-*` and tooltip in the SVG."""

    classes: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture's content, without places."""

    kind: Literal["bird", "map", "single"]
    graph: DotGraph
    marks: Mapping[str, Mark]
    """By element id."""
    title: str
    description: str
    """One sentence of what there is to see, for those who can't."""
    machines: int = 0
    states: int = 0
    """Rows."""
    lines: int = 0

    @property
    def dot(self) -> str:
        """The source for `dot`, in the dark theme's colours."""
        return for_people(self.graph.write(), "dark")


def for_people(source: str, theme: Theme) -> str:
    """A source with real colours, where only active states are bold."""
    return painted(_OFF_TAGS.sub("", source), theme)


def for_styles(source: str) -> str:
    """A source with sentinel colours, where all names are bold: a style sheet does the rest."""
    return source.replace(OFF[0], "").replace(OFF[1], "")
