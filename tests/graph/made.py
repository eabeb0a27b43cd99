"""Recordings for tests of graphs, made by hand; and how the golden graph looks as ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from amctl.graph.assemble import as_graph
from amctl.graph.model import Graph, GraphMachine, GraphState, Pipe
from amctl.machine.lines import LogLine
from tests.support.house import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.vis.view import View

__all__ = ["GOLDEN", "golden_graph", "lines", "pipes_of", "small"]

GOLDEN: dict[str, Any] = json.loads(
    (ROOT / "tests" / "cases" / "workflow_graph.json").read_text(encoding="utf-8")
)


def golden_graph() -> Graph:
    """The workflow of the original, without ticks."""
    machines = [
        GraphMachine(m["id"], tuple(map(GraphState, m["states"])), m["parent"] or "")
        for m in GOLDEN["machines"]
    ]
    return as_graph(machines, [Pipe(*p) for p in GOLDEN["pipes"]], map(tuple, GOLDEN["rpc_edges"]))


def lines(*texts: str) -> tuple[LogLine, ...]:
    """Lines of level 3."""
    return tuple(LogLine(3, text) for text in texts)


def pipes_of(graph: Graph | View) -> list[str]:
    """Pipes in one line each: `a.Ready +> b.Up`."""
    return [
        f"{p.source}.{p.source_state} {'+' if p.kind == 'add' else '-'}> "
        f"{p.target}.{p.target_state}"
        for p in graph.pipes
    ]


def small(machines: dict[str, str], pipes: Iterable[str] = (), rpc: Iterable[str] = ()) -> Graph:
    """A graph in a few words.

    Args:
        machines: Id -> names of states, those with a `*` active, and `^parent`.
        pipes: As `pipes_of` tells them.
        rpc: `client server`.
    """
    made = []
    for id, text in machines.items():
        words = text.split()
        parent = next((word[1:] for word in words if word.startswith("^")), "")
        states = [
            GraphState(word.removesuffix("*"), int(word.endswith("*")))
            for word in words
            if not word.startswith("^")
        ]
        made.append(GraphMachine(id, tuple(states), parent))
    return as_graph(made, map(_pipe, pipes), [(e.split()[0], e.split()[1]) for e in rpc])


def _pipe(text: str) -> Pipe:
    one, arrow, two = text.split(" ")
    source, target = one.split("."), two.split(".")
    return Pipe(source[0], "add" if arrow == "+>" else "remove", source[1], target[0], target[1])
