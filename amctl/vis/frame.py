"""What all pictures of machines are built on: elements with their marks, nesting, the legend."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from amctl.vis.cells import BREAK, RELATIONS, cell, font, row
from amctl.vis.dotgraph import Box, DotGraph, Edge, Html, Node
from amctl.vis.drawing import Drawing, Mark
from amctl.vis.legend import legend, seen_in
from amctl.vis.tables import tag_line
from amctl.vis.text import clean, key, label
from amctl.vis.theme import FONT, ink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal

    from amctl.graph.model import GraphMachine, GraphState
    from amctl.vis.view import View

__all__ = ["LEGEND", "Frame", "counted", "nesting"]

LEGEND = "#legend"
"""Node of the legend; no machine's key has such a character."""


class Frame:
    """Collects a picture.

    Args:
        view: What is drawn.
        kind: In which style.
        attrs: Of the graph.
        edge_attrs: Of all edges.
    """

    def __init__(
        self,
        view: View,
        kind: Literal["bird", "map", "single"],
        attrs: Mapping[str, str],
        edge_attrs: Mapping[str, str],
    ) -> None:
        self.view = view
        self.kind = kind
        self.marks: dict[str, Mark] = {}
        self.seen: set[str] = set()
        self.graph = DotGraph(
            kind,
            {"bgcolor": ink("page"), "dpi": "72", **attrs},
            {"shape": "plain", "fontname": FONT, "fontsize": "11"},
            {"fontname": FONT, "fontsize": "11", "color": ink("pipe"), **edge_attrs},
        )
        self._edges = 0
        self._hidden_edges = 0

    def machine(self, names: Sequence[str], label: Html) -> None:
        """Adds the node of a machine, or of several that are drawn as one."""
        first, view = names[0], self.view
        element = f"m|{key(first)}"
        data = {"data-m": first}
        if len(names) > 1:
            data["data-all"] = json.dumps(list(names), ensure_ascii=False)
            self.seen.add("fold")
        classes = ["node", "mach"]
        if first in view.half:
            classes.append("half")
        if first in view.requested:
            classes.append("focus")
        machine = view.graph.machines.get(first)
        is_full = machine is not None and first in view.full
        if (
            machine
            and is_full
            and view.options.tags
            and any(t.startswith("src-id:") for t in machine.tags)
        ):
            self.seen.add("copy")
        self.marks[element] = Mark(" ".join(classes), data, ", ".join(map(clean, names)))
        self.graph.add(Node(key(first), {"id": element, "class": "mach", "label": label}))

    def edge(self, edge: Edge, mark: Mark, *, prefix: str = "e") -> None:
        """Adds a line; it gets the next id."""
        self._edges += 1
        edge.attrs = {**edge.attrs, "id": f"{prefix}{self._edges}"}
        edge.attrs["class"] = mark.classes.removeprefix("edge ")
        self.marks[edge.id] = mark
        self.graph.edges.append(edge)

    def order(self, left: str, right: str, weight: int) -> None:
        """One machine left of another, with no line to be seen."""
        self._hidden_edges += 1
        attrs = {"style": "invis", "weight": str(weight), "id": f"i{self._hidden_edges}"}
        self.graph.edges.append(Edge(key(left), key(right), attrs))

    def nest(self, tree: Mapping[str, Sequence[str]], margin: int, order: Sequence[str]) -> None:
        """Puts machines with children into boxes."""
        for name in order:
            if name in tree[""]:
                box = self._box(name, tree, margin, 0)
                if box:
                    self.graph.boxes.append(box)

    def _box(
        self, name: str, tree: Mapping[str, Sequence[str]], margin: int, depth: int
    ) -> Box | None:
        children = tree.get(name, ())
        if not children:
            return None
        element = f"c|{key(name)}"
        self.marks[element] = Mark("cluster nest", {"data-m": name}, clean(name))
        attrs = {
            "id": element,
            "class": "nest",
            "style": "filled,rounded",
            "margin": str(margin),
            "label": "",
            "fillcolor": ink("nest2" if depth % 2 else "nest1"),
            "color": ink("line"),
        }
        box = Box(f"cluster#{key(name)}", attrs, [key(name)])
        for child in children:
            inner = self._box(child, tree, margin, depth + 1)
            if inner:
                box.boxes.append(inner)
            else:
                box.nodes.append(key(child))
        return box

    def explain(self, states: Iterable[GraphState], *, relations: bool, flags: bool = True) -> None:
        """Notes what rows show by signs, for the legend."""
        for state in states:
            if flags and (state.auto or state.multi):
                self.seen.add("flags")
            if relations:
                self.seen.update(r for r, _ in RELATIONS if getattr(state, r))
        if not self.view.options.after:
            self.seen.discard("after")

    def _heading(self, machine: GraphMachine) -> list[str]:
        """Rows with the machine's name and tags; they have the id that its table would have."""
        element = f"m|{key(machine.id)}"
        self.marks[element] = Mark("node mach", {"data-m": machine.id}, clean(machine.id))
        name = font(label(machine.id, 64), "text", 15, bold=True)
        tags = tag_line(machine) if self.view.options.tags else ""
        if tags:
            name += BREAK + font(label(tags, 80), "muted", 10) + BREAK
        attrs = {"href": "#", "id": element, "title": "x", "align": "LEFT"}
        return [row(cell(name, colspan=3, **attrs))]

    def drawing(self, states: int, heading: GraphMachine | None = None) -> Drawing:
        """The picture, with its legend.

        Args:
            states: How many states are drawn.
            heading: The only machine, if its name stands nowhere else.
        """
        view = self.view
        self.seen |= seen_in(self.marks.values())
        facts = _facts(view, states)
        machines = len(view.full) + len(view.half)
        title = view.title or counted(machines, "machine")
        self.marks["legend"] = Mark("node legend", {}, "Legend")
        head = self._heading(heading) if heading else []
        table = legend(self.seen, title, facts, self.marks, head)
        if heading:
            title = f"{heading.id}, {title}"
        self.graph.add(Node(LEGEND, {"id": "legend", "class": "legend", "label": table}))
        described = f"{title}: {facts}."
        return Drawing(
            kind=self.kind,
            graph=self.graph,
            marks=self.marks,
            title=title,
            description=described,
            machines=machines,
            states=states,
            lines=self._edges,
        )


def counted(number: int, what: str) -> str:
    """`1 machine`, `2 machines`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _facts(view: View, states: int) -> str:
    facts = [counted(len(view.full), "machine")]
    if view.half:
        facts.append(f"{len(view.half)} by name alone")
    if states:
        facts.append(counted(states, "state"))
    if view.pipes:
        facts.append(counted(len(view.pipes), "pipe"))
    if view.rpc:
        facts.append(f"{len(view.rpc)} RPC")
    return ", ".join(facts)


def nesting(view: View, order: Sequence[str]) -> dict[str, list[str]]:
    """Parent -> its children, in `order`; under "" those that stand in no box."""
    parent_of = dict(view.parents)
    tree: dict[str, list[str]] = {"": []}
    for name in order:
        chain = [name]
        while chain[-1] in parent_of and parent_of[chain[-1]] not in chain:
            chain.append(parent_of[chain[-1]])
        is_circle = chain[-1] in parent_of
        parent = parent_of.get(name, "")
        inside = parent in order and not (is_circle and parent == chain[-1])
        tree.setdefault(parent if inside and not is_circle else "", []).append(name)
    return tree
