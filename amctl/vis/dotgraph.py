"""A picture as Graphviz takes it: nodes, boxes and edges, written as DOT.

It is a structure rather than a text, since it is written twice: first for `dot`, which finds
places, then (with places, pushed together) for the painting. Element ids are set by us, so that
whatever Graphviz makes of names, an element of the SVG is found again by its id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Box", "DotGraph", "Edge", "Html", "Node", "attributes", "quoted"]


class Html(str):
    """An HTML-like label."""

    __slots__ = ()


@dataclass(slots=True)
class Node:
    """A node: as a rule a table."""

    name: str
    attrs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Edge:
    """A line. Its id is in its attributes."""

    tail: str
    head: str
    attrs: dict[str, str] = field(default_factory=dict)
    tail_port: str = ""
    """`port:compass`."""
    head_port: str = ""
    note: str = ""
    """A label. It has no part in the layout, since labels make `dot` double all ranks."""

    @property
    def id(self) -> str:
        """The element's id."""
        return self.attrs["id"]


@dataclass(slots=True)
class Box:
    """A cluster: nodes inside a frame."""

    name: str
    attrs: dict[str, str] = field(default_factory=dict)
    nodes: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    def members(self) -> Iterator[str]:
        """Its nodes, those of inner boxes too."""
        yield from self.nodes
        for box in self.boxes:
            yield from box.members()


@dataclass(slots=True)
class DotGraph:
    """A directed graph."""

    name: str
    attrs: dict[str, str] = field(default_factory=dict)
    node_attrs: dict[str, str] = field(default_factory=dict)
    edge_attrs: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)

    def add(self, node: Node) -> None:
        """Adds a node."""
        self.nodes[node.name] = node

    def write(
        self, places: Mapping[str, Mapping[str, str]] | None = None, *, notes: bool = True
    ) -> str:
        """As DOT.

        Args:
            places: Further attributes by element: `pos` of nodes (by name) and edges (by id), `bb`
                of boxes (by name).
            notes: Whether notes of edges are written.
        """
        more = places or {}
        out = [f"digraph {quoted(self.name)} {{", f"  graph [{attributes(self.attrs)}];"]
        out.append(f"  node [{attributes(self.node_attrs)}];")
        out.append(f"  edge [{attributes(self.edge_attrs)}];")
        boxed = {name for box in self.boxes for name in box.members()}
        for name, node in self.nodes.items():
            if name not in boxed:
                out.append(_node(node, more, "  "))
        for box in self.boxes:
            out += self._box(box, more, "  ")
        for edge in self.edges:
            ends = f"{_end(edge.tail, edge.tail_port)} -> {_end(edge.head, edge.head_port)}"
            label = {"label": edge.note} if edge.note and notes else {}
            out.append(
                f"  {ends} [{attributes({**edge.attrs, **label, **more.get(edge.id, {})})}];"
            )
        return "\n".join([*out, "}", ""])

    def _box(self, box: Box, more: Mapping[str, Mapping[str, str]], pad: str) -> list[str]:
        inner = pad + "  "
        out = [f"{pad}subgraph {quoted(box.name)} {{"]
        out.append(f"{inner}graph [{attributes({**box.attrs, **more.get(box.name, {})})}];")
        out += [_node(self.nodes[name], more, inner) for name in box.nodes]
        for each in box.boxes:
            out += self._box(each, more, inner)
        return [*out, pad + "}"]

    def part(self, names: Iterable[str]) -> DotGraph:
        """The graph of some nodes alone, with the boxes and edges which lie among them."""
        kept = set(names)
        return DotGraph(
            self.name,
            self.attrs,
            self.node_attrs,
            self.edge_attrs,
            {name: node for name, node in self.nodes.items() if name in kept},
            [box for box in self.boxes if kept.issuperset(box.members())],
            [edge for edge in self.edges if edge.tail in kept and edge.head in kept],
        )

    def components(self) -> list[list[str]]:
        """The nodes that hang together by lines or boxes; in the order of their first nodes."""
        leader = {name: name for name in self.nodes}

        def find(name: str) -> str:
            while leader[name] != name:
                leader[name] = name = leader[leader[name]]
            return name

        pairs = [(edge.tail, edge.head) for edge in self.edges]
        for box in self.boxes:
            first, *rest = box.members()
            pairs += [(first, other) for other in rest]
        for one, other in pairs:
            leader[find(other)] = find(one)
        groups: dict[str, list[str]] = {}
        for name in self.nodes:
            groups.setdefault(find(name), []).append(name)
        return list(groups.values())


def quoted(text: str) -> str:
    """A DOT string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def attributes(attrs: Mapping[str, str]) -> str:
    """An attribute list; HTML-like values stand in angle brackets."""
    return " ".join(
        f"{name}=<{value}>" if isinstance(value, Html) else f"{name}={quoted(value)}"
        for name, value in attrs.items()
    )


def _node(node: Node, more: Mapping[str, Mapping[str, str]], pad: str) -> str:
    return f"{pad}{quoted(node.name)} [{attributes({**node.attrs, **more.get(node.name, {})})}];"


def _end(name: str, port: str) -> str:
    where, _, compass = port.partition(":")
    parts = [quoted(name), *([quoted(where)] if where else []), *([compass] if compass else [])]
    return ":".join(parts)
