"""Machines that are alike, and joined to nothing but their parent, are drawn as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.graph.model import GraphMachine
    from amctl.vis.view import View

__all__ = ["LARGEST", "folds"]

LARGEST = 12
"""Machines in one table, each with a lamp in every row."""


def folds(view: View) -> dict[str, list[str]]:
    """The first machine of each group -> all of the group, in the graph's order."""
    busy = {end for pipe in view.pipes for end in (pipe.source, pipe.target)}
    busy |= {end for pair in view.rpc for end in pair} | view.requested
    busy |= {parent for _, parent in view.parents}
    parent_of = dict(view.parents)
    alike: dict[object, list[str]] = {}
    for name in view.full:
        parent = parent_of.get(name, "")
        if name not in busy and parent:
            alike.setdefault((parent, *_looks(view, view.graph.machines[name])), []).append(name)
    found = {}
    for names in alike.values():
        for start in range(0, len(names), LARGEST):
            group = names[start : start + LARGEST]
            if len(group) > 1:
                found[group[0]] = group
    return found


def _looks(view: View, machine: GraphMachine) -> tuple[object, ...]:
    """All of a machine that its table shows, but for its name and its clocks."""
    drawn = view.states.get(machine.id, frozenset())
    states = tuple(
        (s.name, s.auto, s.multi, s.require, s.add, s.remove, s.after, s.inherited)
        for s in machine.states
    )
    return machine.tags, drawn, states
