"""The bird's-eye picture: a table per machine, a row per state, pipes from row to row.

All lines run from left to right for `dot`, whatever their direction, since ports make sense then:
one that points to the left is given reversed, with its head at the tail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.vis.cells import StateLook
from amctl.vis.columns import NETWORK_MACHINE, columns
from amctl.vis.dotgraph import Edge
from amctl.vis.drawing import Drawing, Mark
from amctl.vis.folding import folds
from amctl.vis.frame import Frame, nesting
from amctl.vis.rows import Seating, seated
from amctl.vis.tables import PIPES, TableOptions, block_port, half_table, machine_table, state_port
from amctl.vis.text import key
from amctl.vis.theme import TINTS, ink
from amctl.vis.wires import Wire, wires

if TYPE_CHECKING:
    from amctl.graph.model import GraphState
    from amctl.vis.view import View

__all__ = ["bird"]

_GRAPH = {
    "rankdir": "LR",
    "splines": "spline",
    "nodesep": "0.14",
    "newrank": "true",
    "remincross": "true",
    "mclimit": "8",
    "nslimit": "8",
    "searchsize": "200",
    "outputorder": "edgesfirst",
    "pad": "0.15",
}
_HEADS = {"both": "normal", "add": "empty", "remove": "ediamond"}


def bird(view: View) -> Drawing:
    """The picture of a network with its states, children beside or inside their parents."""
    return _Bird(view).drawing()


class _Bird:
    def __init__(self, view: View) -> None:
        options = view.options
        self.view = view
        self.nested = options.nest_submachines
        self.column = columns(view, "mirror" if self.nested else "chain")
        self.folds = folds(view)
        hidden = {name for group in self.folds.values() for name in group[1:]}
        at = {name: i for i, name in enumerate(view.graph.machines)}
        drawn = [name for name in (*view.full, *view.half) if name not in hidden]
        self.order = sorted(
            drawn, key=lambda name: (self.column[name], at.get(name, len(at)), name)
        )
        self.place = {name: i for i, name in enumerate(self.order)}
        self.wires = wires(view)
        self.frame = Frame(
            view,
            "bird",
            {**_GRAPH, "ranksep": "0.45" if self.nested else "0.9"},
            {"arrowsize": "0.6", "fontcolor": ink("text")},
        )
        self.sides: dict[str, dict[str, set[str]]] = {name: {} for name in self.order}
        self.titled: set[str] = set()
        """Machines with pipes that end at their titles."""
        self.links: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self.rows: dict[tuple[str, str], int] = {}

    def drawing(self) -> Drawing:
        self._find_sides()
        states = sum(self._machine(name) for name in self.order)
        if self.nested:
            self.frame.nest(nesting(self.view, self.order), 10, self.order)
        self._parents()
        self._rpc()
        self._pipes()
        return self.frame.drawing(states)

    def _leads_right(self, source: str, target: str) -> bool:
        return self.place[source] < self.place[target]

    def _port(self, name: str, state: str) -> str:
        """A row's; else below the lines of parents and RPC, in the title still."""
        if state:
            return state_port(state, "?")
        return "head:?" if name in self.view.half else f"{PIPES}:?"

    def _find_sides(self) -> None:
        for wire in self.wires:
            if not wire.source_state and wire.form != "bundle":
                self.titled.add(wire.source)
            if not wire.target_state and not wire.prefix:
                self.titled.add(wire.target)
            if wire.form != "pipe":
                continue
            right = self._leads_right(wire.source, wire.target)
            one, other = (wire.source, wire.source_state), (wire.target, wire.target_state)
            for (name, state), side in (
                (one, "e" if right else "w"),
                (other, "w" if right else "e"),
            ):
                if state:
                    self.sides[name].setdefault(state, set()).add(side)
            self.links.setdefault(one, []).append(other)
            self.links.setdefault(other, []).append(one)

    def _machine(self, name: str) -> int:
        """Adds a machine; returns how many states it shows."""
        view, options = self.view, self.view.options
        if name not in view.full:
            self.frame.machine([name], half_table(name))
            return 0
        group = [view.graph.machines[x] for x in self.folds.get(name, [name])]
        shown = [s for s in group[0].states if s.name in view.states.get(name, ())]
        mirrors = {w.prefix: w.source for w in self.wires if w.target == name and w.prefix}
        seating = seated(
            shown,
            prefixes=mirrors,
            sides=self.sides[name],
            partner=lambda state: self._partner(name, state),
            groups=options.relations,
        )
        self.rows.update({(name, state): row for state, row in seating.positions().items()})
        quiet = NETWORK_MACHINE in group[0].tags
        table = machine_table(
            group,
            seating,
            TableOptions(
                StateLook(options.active, options.mark_inherited),
                options.relations,
                options.after,
                options.tags,
            ),
            self.frame.marks,
            quiet=quiet,
            mirrors=mirrors,
            focus=name in view.requested,
            titled=name in self.titled,
        )
        self.frame.machine([m.id for m in group], table)
        self._explain(shown, seating, quiet=quiet)
        return len(shown) * len(group)

    def _explain(self, shown: list[GraphState], seating: Seating, *, quiet: bool) -> None:
        self.frame.explain(shown, relations=self.view.options.relations and not quiet)
        if seating.groups:
            self.frame.seen.add("one of")

    def _partner(self, name: str, state: str) -> float:
        """The mean row of what a state is piped to; far down if that isn't seated yet."""
        rows = [self.rows.get(other, 99) for other in self.links.get((name, state), ())]
        return sum(rows) / len(rows) if rows else 99.0

    def _line(
        self,
        ends: tuple[tuple[str, str], tuple[str, str]],
        mark: Mark,
        attrs: dict[str, str],
        head: str = "normal",
        note: str = "",
    ) -> None:
        """A line; `ends` are (machine, port), where `?` stands for the side."""
        (source, source_port), (target, target_port) = ends
        arrows = {"arrowhead": head, "arrowtail": "none"}
        left, right = (source, source_port), (target, target_port)
        if not self._leads_right(source, target):
            left, right = right, left
            arrows = {"arrowhead": "none", "arrowtail": head}
        edge = Edge(
            key(left[0]),
            key(right[0]),
            {"dir": "both", **arrows, **attrs},
            left[1].replace("?", "e"),
            right[1].replace("?", "w"),
            note,
        )
        self.frame.edge(edge, mark)

    def _parents(self) -> None:
        hidden = {x: group for group in self.folds.values() for x in group}
        for child, parent in self.view.parents:
            if child not in self.place or parent not in self.place:
                continue
            if self.nested:  # keep the columns although no line is drawn
                pair = (child, parent) if self._leads_right(child, parent) else (parent, child)
                self.frame.order(*pair, weight=2)
                continue
            children = ", ".join(hidden.get(child, [child]))
            mark = Mark("edge parent", {"data-a": child, "data-b": parent}, "")
            mark = Mark(mark.classes, mark.data, f"parent: {children} → {parent}")
            attrs = {"color": ink("parent"), "penwidth": "4", "arrowsize": "0.7", "weight": "3"}
            self._line(((child, "head:?"), (parent, "head:?")), mark, attrs, head="odot")

    def _rpc(self) -> None:
        attrs = {"color": ink("rpc"), "penwidth": "3", "weight": "6", "arrowsize": "0.8"}
        for client, server in self.view.rpc:
            if client in self.place and server in self.place and client != server:
                data = {"data-a": client, "data-b": server}
                mark = Mark("edge rpc", data, f"RPC: {client} → {server}")
                self._line(((client, "head:?"), (server, "head:?")), mark, attrs)

    def _pipes(self) -> None:
        tints: dict[str, list[str]] = {}
        for wire in self.wires:
            sources = tints.setdefault(wire.target, [])
            if wire.source not in sources:
                sources.append(wire.source)
            self._pipe(wire, f"pipe{sources.index(wire.source) % TINTS}")

    def _pipe(self, wire: Wire, tint: str) -> None:
        data = {"data-a": wire.source, "data-b": wire.target}
        kind = wire.kind
        source = self._port(wire.source, wire.source_state)
        target = self._port(wire.target, wire.target_state)
        colour = tint if kind == "both" else kind
        attrs = {"style": "dashed", "color": ink(colour), "penwidth": "1.2", "weight": "1"}
        if wire.form == "pipe":
            data |= {"data-f": wire.source_state, "data-t": wire.target_state}
        else:
            data["data-n"] = str(len(wire.pipes))
        if wire.form == "group":
            attrs["weight"] = "0"
        if wire.form == "bundle":
            source = "head:?"
            target = f"{block_port(wire.prefix)}:?" if wire.prefix else target
            attrs = {"color": ink(tint), "penwidth": "4", "weight": "12", "arrowsize": "0.7"}
        classes = f"edge pipe {wire.form if wire.form != 'pipe' else kind}"
        mark = Mark(classes, data, wire.text)
        ends = (wire.source, source), (wire.target, target)
        head = _HEADS[kind] if wire.form == "pipe" else "normal"
        self._line(
            ends, mark, attrs, head, note=str(len(wire.pipes)) if wire.form == "group" else ""
        )
