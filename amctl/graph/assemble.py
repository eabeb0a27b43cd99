"""The last step to a graph, wherever its parts come from: sorted, nothing twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.graph.model import Graph, GraphMachine, Pipe
from amctl.graph.natural import natural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["as_graph", "restricted"]


def as_graph(
    machines: Iterable[GraphMachine], pipes: Iterable[Pipe], rpc: Iterable[tuple[str, str]]
) -> Graph:
    """Sort everything; a machine that only pipes and RPC edges name gets an empty entry.

    A half of a pipe is left out if a whole one contains it.
    """
    found = {machine.id: machine for machine in machines}
    all_pipes = sorted(_joined(pipes), key=_pipe_key)
    edges = sorted(set(rpc), key=lambda edge: (natural(edge[0]), natural(edge[1])))
    named = [id for pipe in all_pipes for id in (pipe.source, pipe.target)]
    for id in (*named, *(id for edge in edges for id in edge)):
        found.setdefault(id, GraphMachine(id, known=False))
    ordered = {id: found[id] for id in sorted(found, key=natural)}
    return Graph(ordered, tuple(all_pipes), tuple(edges))


def restricted(graph: Graph, machines: Collection[str]) -> Graph:
    """Only some machines, and the pipes, RPC edges and parents that touch one of them.

    What lies at the other ends has entries without contents.
    """
    kept = [machine for id, machine in graph.machines.items() if id in machines]
    parents = {m.parent for m in kept if m.parent in graph.machines} - {m.id for m in kept}
    kept += [GraphMachine(id, known=False) for id in parents]
    pipes = [p for p in graph.pipes if p.source in machines or p.target in machines]
    return as_graph(kept, pipes, [e for e in graph.rpc if e[0] in machines or e[1] in machines])


def _pipe_key(pipe: Pipe) -> tuple[object, ...]:
    ends = natural(pipe.source), natural(pipe.target)
    return *ends, natural(pipe.source_state), natural(pipe.target_state), pipe.kind


def _joined(pipes: Iterable[Pipe]) -> list[Pipe]:
    every = set(pipes)
    whole = {end for pipe in every if not pipe.is_half for end in _ends(pipe)}
    return [pipe for pipe in every if not pipe.is_half or not whole.issuperset(_ends(pipe))]


def _ends(pipe: Pipe) -> list[tuple[str, ...]]:
    edge = pipe.source, pipe.target, pipe.kind
    ends = (("from", pipe.source_state), ("to", pipe.target_state))
    return [(*edge, side, state) for side, state in ends if state]
