"""One machine with all its relations, as a power graph; what is required stands on the left."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from amctl.vis.cells import RELATIONS, StateLook, cell, font, pill, row, table
from amctl.vis.dotgraph import Edge, Node
from amctl.vis.drawing import Mark
from amctl.vis.frame import Frame
from amctl.vis.power import PowerEnd, power_graph
from amctl.vis.tables import state_port
from amctl.vis.text import escape, key, shortened
from amctl.vis.theme import ink

if TYPE_CHECKING:
    from amctl.vis.drawing import Drawing
    from amctl.vis.power import PowerBox, PowerEdge, PowerGraph
    from amctl.vis.view import View

__all__ = ["single"]

_GRAPH = {
    "rankdir": "LR",
    "splines": "spline",
    "ranksep": "0.75",
    "nodesep": "0.13",
    "newrank": "true",
    "remincross": "true",
    "outputorder": "edgesfirst",
    "pad": "0.15",
}
_LONG = 24
"""Rows of a box that still make a good column."""
_LOOSE = 5
"""Rows that are as high as one is wide, about."""
_HEADS = {"require": "dot", "add": "normal", "remove": "diamond", "after": "vee"}
_SIGNS = dict(RELATIONS)
_TITLES = {"one of": "one of", "unrelated": "no relations", "alike": ""}


def single(view: View) -> Drawing:
    """The picture of the only machine of a view."""
    return _Single(view).drawing()


class _Single:
    def __init__(self, view: View) -> None:
        self.view = view
        options = view.options
        self.machine = view.graph.machines[view.full[0]]
        shown = view.states.get(self.machine.id, frozenset())
        self.states = {s.name: s for s in self.machine.states if s.name in shown}
        self.look = StateLook(options.active, options.mark_inherited, words=True)
        self.power = power_graph(
            list(self.states.values()), relations=options.relations, after=options.after
        )
        self.frame = Frame(view, "single", _GRAPH, {"arrowsize": "0.7", "penwidth": "1.4"})

    def drawing(self) -> Drawing:
        for number, box in enumerate(self.power.boxes):
            self._box(number, box)
        for edge in self.power.edges:
            self._edge(edge)
        self.frame.explain(self.states.values(), relations=False, flags=False)
        return self.frame.drawing(len(self.states), heading=self.machine)

    def _box(self, number: int, box: PowerBox) -> None:
        title = _TITLES[box.form] if self.view.options.relations else ""
        columns = _columns(box)
        head = cell(font(title, "muted", 10), colspan=3 * columns - 1, align="LEFT")
        rows = [row(cell(width=7), head)] if title else []
        high = ceil(len(box.states) / columns)
        for at in range(high):
            names = box.states[at::high]  # down each column, as one reads lists
            rows.append(row(*(part for name in names for part in self._cells(name, box))))
        if box.form == "one of":
            self.frame.seen.add("one of")
        style = {"style": "rounded"} if len(box.states) == 1 else {}
        label = table(rows, border=1, color=ink("line"), bgcolor=ink("box"), **style)
        name = f"b{number}"
        self.frame.marks[name] = Mark("node box", {}, title)
        self.frame.graph.add(Node(name, {"id": name, "class": "box", "label": label}))

    def _cells(self, name: str, box: PowerBox) -> list[str]:
        bar: dict[str, str | int] = {"border": 0}
        if box.form == "one of":
            bar = {"sides": "L", "border": 4, "color": ink("remove")}
        cells = [cell(port=f"w_{key(name)}", cellpadding=0, width=7, **bar)]
        state, marks = self.states[name], self.power.marks.get(name, ())
        padded = {"cellpadding": 2}
        cells.append(pill(self.machine.id, state, self.look, self.frame.marks, name, padded))
        said = [font(escape(_SIGNS[k] + shortened(other, 28)), k, 10) for k, other in marks]
        self.frame.seen.update(kind for kind, _ in marks)
        port, padding = f"e_{key(name)}", 2 if said else 0
        cells.append(cell(" ".join(said), port=port, align="LEFT", cellpadding=padding, width=7))
        return cells

    def _edge(self, edge: PowerEdge) -> None:
        lead = edge.kinds[0]
        head = "".join(_HEADS[kind] for kind in edge.kinds)
        attrs = {"color": ":".join(ink(kind) for kind in edge.kinds)}
        source, target = f"b{edge.source.box}", f"b{edge.target.box}"
        data = {"data-a": source, "data-b": target}
        data |= {"data-f": edge.source.state, "data-t": edge.target.state}
        mark = Mark(f"edge rel {' '.join(edge.kinds)}", data, _told(self.power, edge))
        if lead == "require":  # prerequisites stand on the left
            attrs |= {"dir": "back", "arrowtail": head, "weight": "2"}
            ends = _port(edge.target, "e"), _port(edge.source, "w")
            line = Edge(target, source, attrs, *ends)
        elif lead == "add":
            attrs |= {"arrowhead": head}
            ends = _port(edge.source, "e"), _port(edge.target, "w")
            line = Edge(source, target, attrs, *ends)
        else:
            style = "dashed" if lead == "remove" else "dotted"
            attrs |= {"arrowhead": head, "style": style, "constraint": "false"}
            if edge.mutual:
                attrs |= {"dir": "both", "arrowtail": head, "penwidth": "2.2"}
            line = Edge(source, target, attrs, _row_port(edge.source), _row_port(edge.target))
        self.frame.edge(line, mark, prefix="r")


def _columns(box: PowerBox) -> int:
    """Many states that no line leads to stand side by side, as wide as high."""
    many = box.form == "unrelated" and len(box.states) > _LONG
    return round((len(box.states) / _LOOSE) ** 0.5) if many else 1


def _port(end: PowerEnd, side: str) -> str:
    """At a row, or at the middle of the box's side."""
    return state_port(end.state, side) if end.state else f":{side}"


def _row_port(end: PowerEnd) -> str:
    """At a row; for a box `dot` picks the side."""
    return f"e_{key(end.state)}" if end.state else ""


def _told(power: PowerGraph, edge: PowerEdge) -> str:
    def names(end: PowerEnd) -> str:
        return ", ".join(power.states_of(end))

    sign = "↔" if edge.mutual else "→"
    return f"{' + '.join(edge.kinds)}: {names(edge.source)} {sign} {names(edge.target)}"
