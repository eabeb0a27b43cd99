"""Pages to test: the workflow's network with a recording that ends in it."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from amctl.dump.memory import MemoryDump
from amctl.machine import StateDef
from amctl.telemetry.messages import SchemaMsg, TxMsg
from amctl.vis.draw import draw
from amctl.vis.history import history
from amctl.vis.page import page
from tests.support.recordings import BEGAN
from tests.vis.workflow import BIRD, MAP, view_of, workflow

if TYPE_CHECKING:
    from amctl.graph.model import Graph
    from amctl.vis.options import VisOptions
    from amctl.vis.theme import Choice

__all__ = ["copied", "page_of", "recorded", "ticked", "workflow_page"]


def recorded(graph: Graph, steps: int = 3) -> MemoryDump:
    """A recording whose last clocks are those of the graph.

    Args:
        graph: Its ticks are 0 or 1. What is active has been so twice before, what isn't once.
        steps: Milliseconds between two transitions.
    """
    dump = MemoryDump("workflow")
    clocks: dict[str, list[int]] = {}
    changes = []
    for machine in graph.machines.values():
        states = {state.name: StateDef() for state in machine.states}
        dump.write(SchemaMsg(machine.id, tuple(states), states, machine.parent, machine.tags))
        clocks[machine.id] = [0] * len(states)
        for index, state in enumerate(machine.states):
            changes += [(machine.id, index)] * state.tick
    random.Random(5).shuffle(changes)
    for number, (name, index) in enumerate(changes):
        clocks[name][index] += 1
        dump.write(
            TxMsg(
                name,
                f"{number:016x}",
                tuple(clocks[name]),
                called=(index,),
                time_ns=BEGAN + number * steps * 1_000_000,
            )
        )
    return dump


def page_of(
    graph: Graph, options: VisOptions = BIRD, title: str = "workflow", theme: Choice = "auto"
) -> str:
    """The page of a whole graph, with its history."""
    view = view_of(graph, options)
    return page(view, draw(view), history(recorded(graph), view.full), title, theme)


@cache
def workflow_page(kind: str = "bird") -> str:
    """The page of the workflow's 27 machines."""
    return page_of(ticked(workflow()), BIRD if kind == "bird" else MAP)


def ticked(graph: Graph) -> Graph:
    """The graph with clocks that have moved: 3 or 2 instead of 1 or 0."""
    return replace(
        graph,
        machines={
            name: replace(m, states=tuple(replace(s, tick=3 if s.tick else 2) for s in m.states))
            for name, m in graph.machines.items()
        },
    )


def copied(graph: Graph, times: int) -> Graph:
    """So many networks side by side."""

    def named(name: str, number: int) -> str:
        return f"{name}@{number}" if name else ""

    machines, pipes, rpc = {}, [], []
    for i in range(times):
        for m in graph.machines.values():
            tags = tuple(named(t, i) if t.startswith("src-id:") else t for t in m.tags)
            machines[named(m.id, i)] = replace(
                m, id=named(m.id, i), parent=named(m.parent, i), tags=tags
            )
        pipes += [
            replace(p, source=named(p.source, i), target=named(p.target, i)) for p in graph.pipes
        ]
        rpc += [(named(a, i), named(b, i)) for a, b in graph.rpc]
    return replace(graph, machines=machines, pipes=tuple(pipes), rpc=tuple(rpc))
