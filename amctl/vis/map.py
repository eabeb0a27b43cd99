"""The map: a card per machine, children inside their parents, one line per pair of machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.vis.cells import EDGE, StateLook, cell, font, pill, row, table
from amctl.vis.columns import columns
from amctl.vis.dotgraph import Edge
from amctl.vis.drawing import Mark
from amctl.vis.frame import Frame, nesting
from amctl.vis.tables import half_table, tag_line
from amctl.vis.text import escape, key, label, width
from amctl.vis.theme import ink
from amctl.vis.wires import wires

if TYPE_CHECKING:
    from amctl.graph.model import GraphMachine
    from amctl.vis.dotgraph import Html
    from amctl.vis.drawing import Drawing
    from amctl.vis.view import View

__all__ = ["draw_map"]

_GRAPH = {
    "rankdir": "LR",
    "splines": "spline",
    "ranksep": "0.55",
    "nodesep": "0.11",
    "newrank": "true",
    "remincross": "true",
    "pad": "0.06",
}
_LAMPS = ("Start", "Ready", "Exception")
MANY = 8
"""From so many pipes on, their line is wide."""


def draw_map(view: View) -> Drawing:
    """The picture of a network without its states."""
    return _Map(view).drawing()


class _Map:
    def __init__(self, view: View) -> None:
        self.view = view
        self.column = columns(view, "mirror")
        at = {name: i for i, name in enumerate(view.graph.machines)}
        drawn = [*view.full, *view.half]
        self.order = sorted(drawn, key=lambda name: (at.get(name, len(at)), name))
        self.place = {n: (self.column[n], i) for i, n in enumerate(self.order)}
        self.frame = Frame(view, "map", _GRAPH, {"arrowsize": "0.7", "fontcolor": ink("text")})

    def drawing(self) -> Drawing:
        view = self.view
        for name in self.order:
            if name in view.full:
                self.frame.machine([name], self._card(view.graph.machines[name]))
            else:
                self.frame.machine([name], half_table(name, rounded=True))
        if view.options.nest_submachines:
            self.frame.nest(nesting(view, self.order), 7, self.order)
        for child, parent in view.parents:
            if child in self.place and parent in self.place and child != parent:
                self._parent(child, parent)
        for client, server in view.rpc:
            if client in self.place and server in self.place and client != server:
                self._rpc(client, server)
        self._pipes()
        return self.frame.drawing(0)

    def _card(self, machine: GraphMachine) -> Html:
        """A machine's card: name, lamps, and how many of its states are active."""
        look = StateLook(self.view.options.active, inherited=False)
        title = self._title(machine)
        lamps = []
        for state in (machine.state(name) for name in _LAMPS):
            if state:
                attrs: dict[str, str | int] = {"width": 18, "border": 0, "align": "CENTER"}
                lamps.append(pill(machine.id, state, look, self.frame.marks, None, attrs))
        active = sum(s.is_active for s in machine.states) if look.active else 0
        count = f"{active}/{len(machine.states)}" if look.active else f"{len(machine.states)}"
        if look.active:
            self.frame.seen.add("counts")
        tags = tag_line(machine) if self.view.options.tags else ""
        spare = max(10, width(title, 13, bold=True) - 20 * len(lamps))
        head = font(label(title), "text", 13, bold=True) + EDGE
        rows = [row(cell(head, colspan=4, align="LEFT"))]
        if tags:
            rows.append(row(cell(font(label(tags, 60), "muted", 10), colspan=4, align="LEFT")))
        attrs = {"width": spare, "colspan": 4 - len(lamps)}
        counted = cell(font(escape(count), "muted", 11) + EDGE, align="LEFT", **attrs)
        rows.append(row(*lamps, counted))
        focus = machine.id in self.view.requested
        return table(
            rows,
            border=3 if focus else 1,
            color=ink("focus" if focus else "line"),
            bgcolor=ink("head"),
            style="rounded",
            cellspacing=2,
        )

    def _title(self, machine: GraphMachine) -> str:
        """A child doesn't repeat the name of the parent that it stands in."""
        parent = dict(self.view.parents).get(machine.id, "")
        if parent and self.view.options.nest_submachines and machine.id.startswith(parent + "-"):
            return f"…{machine.id[len(parent) :]}"
        return machine.id

    def _parent(self, child: str, parent: str) -> None:
        if self.view.options.nest_submachines:
            left, right = sorted((child, parent), key=self.place.__getitem__)
            self.frame.order(left, right, weight=1)
            return
        mark = Mark(
            "edge parent", {"data-a": child, "data-b": parent}, f"parent: {child} → {parent}"
        )
        attrs = {"color": ink("parent"), "penwidth": "4", "weight": "3"}
        self._line(child, parent, mark, attrs, head="odot")

    def _rpc(self, client: str, server: str) -> None:
        mark = Mark("edge rpc", {"data-a": client, "data-b": server}, f"RPC: {client} → {server}")
        self._line(client, server, mark, {"color": ink("rpc"), "penwidth": "3", "weight": "8"})

    def _pipes(self) -> None:
        for wire in wires(self.view):
            number = len(wire.pipes)
            data = {"data-a": wire.source, "data-b": wire.target, "data-n": str(number)}
            mark = Mark("edge pipe count", data, wire.text)
            attrs = {
                "penwidth": "1.2" if number < MANY else "2.2",
                "weight": "3",
                "style": "dashed",
            }
            self._line(wire.source, wire.target, mark, attrs, note=str(number))

    def _line(
        self,
        source: str,
        target: str,
        mark: Mark,
        attrs: dict[str, str],
        *,
        head: str = "normal",
        note: str = "",
    ) -> None:
        """A line from left to right for `dot`, whatever its direction."""
        if self.place[source] < self.place[target]:
            edge = Edge(key(source), key(target), {**attrs, "arrowhead": head})
        else:
            back = {"dir": "back", "arrowtail": head}
            edge = Edge(key(target), key(source), {**attrs, **back})
        edge.note = note
        self.frame.edge(edge, mark)
