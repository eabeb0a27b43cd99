"""A graph with everything decided that is drawn of it: what renderers get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.graph.model import Graph, Pipe
    from amctl.vis.options import VisOptions

__all__ = ["View"]


@dataclass(frozen=True, slots=True)
class View:
    """What is drawn. Made by `select`; renderers add nothing and leave nothing out."""

    graph: Graph
    options: VisOptions
    full: tuple[str, ...] = ()
    """Machines with their contents, in the graph's order."""
    half: tuple[str, ...] = ()
    """Machines of which only a title is drawn, since something drawn leads to them."""
    requested: frozenset[str] = frozenset()
    """Machines asked for by id; empty when nothing was."""
    states: dict[str, frozenset[str]] = field(default_factory=dict)
    """Drawn states of each full machine."""
    pipes: tuple[Pipe, ...] = ()
    """Pipes to draw. An end whose state isn't drawn goes to the machine itself."""
    rpc: tuple[tuple[str, str], ...] = ()
    parents: tuple[tuple[str, str], ...] = ()
    """(child, parent) lines or nestings to draw."""
    title: str = ""
    """What the picture is of, for its caption: dump name, moment."""
