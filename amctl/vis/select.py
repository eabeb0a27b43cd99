"""What of a graph is drawn (vis.md 3.3 and the passes of section 4).

Machines first: in full if they are requested, near enough, or deep enough; then, by name alone,
those that a drawn line leads to. Then the lines between them, and last the states: an end of a
drawn pipe is drawn too.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from amctl.graph.errors import UnknownMachineError
from amctl.vis.view import View

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from amctl.graph.model import Graph, GraphState, Pipe
    from amctl.vis.options import VisOptions

__all__ = ["full_machines", "select"]

_FLAGGED = ("Start", "Ready", "Exception")


def select(
    graph: Graph,
    options: VisOptions,
    requested: Iterable[str] = (),
    *,
    title: str = "",
    skip: Collection[str] = (),
    only: Collection[str] | None = None,
) -> View:
    """Decide what is drawn.

    Args:
        graph: The whole network.
        options: The rules.
        requested: Ids that are asked for; without any, every machine is.
        title: For the picture's caption.
        skip: Ids that are never drawn, not even by name.
        only: Names of the states that may be drawn; None is all.

    Raises:
        UnknownMachineError: A requested machine isn't in the graph.
    """
    asked = frozenset(requested)
    full = full_machines(graph, options, asked, skip)
    lines = _Lines(graph, options, set(full), skip, both_ways=bool(asked))
    states = _states(graph, options, full, lines.pipes, only)
    order = [id for id in graph.machines if id in lines.half]
    return View(
        graph,
        options,
        full=tuple(full),
        half=tuple(order),
        requested=asked,
        states=states,
        pipes=tuple(p for p in lines.pipes if _has_ends(p, options, states)),
        rpc=tuple(lines.rpc),
        parents=tuple(lines.parents),
        title=title,
    )


# -- machines


def full_machines(
    graph: Graph, options: VisOptions, requested: Collection[str] = (), skip: Collection[str] = ()
) -> list[str]:
    """Ids of the machines to draw with their contents, in the graph's order.

    Raises:
        UnknownMachineError: A requested machine isn't in the graph.
    """
    known = [machine.id for machine in graph.machines.values() if machine.known]
    for id in requested:
        if id not in graph.machines or not graph.machines[id].known:
            raise UnknownMachineError(id, known)
    if not requested:
        # differs from Go, where a depth without requested machines changes nothing
        levels = {id: len(list(_ancestors(graph, id))) for id in known} if options.depth else {}
        chosen = {id for id in known if levels.get(id, 0) <= options.depth}
    else:
        chosen = {*requested, *_near(graph, options.distance, requested)}
        chosen |= {
            id
            for id in known
            if any(
                parent in requested
                for level, parent in enumerate(_ancestors(graph, id), start=1)
                if level <= options.depth
            )
        }
    return [id for id in known if id in chosen and id not in skip]


def _ancestors(graph: Graph, id: str) -> Iterator[str]:
    """Parent, its parent, and so on; a circle ends."""
    seen = {id}
    machine = graph.machines.get(id)
    while machine is not None and machine.parent in graph.machines and machine.parent not in seen:
        yield machine.parent
        seen.add(machine.parent)
        machine = graph.machines.get(machine.parent)


def _near(graph: Graph, distance: int, requested: Collection[str]) -> Collection[str]:
    """Machines within some hops of a requested one; -1 is all."""
    if distance < 0:
        return graph.machines
    if distance == 0:
        return requested
    joined: dict[str, set[str]] = {}
    edges = (*graph.parents, *graph.rpc, *((p.source, p.target) for p in graph.pipes))
    for one, two in edges:
        joined.setdefault(one, set()).add(two)
        joined.setdefault(two, set()).add(one)
    hops = dict.fromkeys(requested, 0)
    waiting = deque(requested)
    while waiting:
        id = waiting.popleft()
        if hops[id] < distance:
            for other in joined.get(id, ()):
                if other not in hops:
                    hops[other] = hops[id] + 1
                    waiting.append(other)
    return hops


# -- lines


class _Lines:
    """The lines that are drawn, and the machines by name alone that they need.

    A line between two machines in full is drawn if its kind is; one that leaves them needs the
    option of half ones. One that comes from outside is drawn only if machines were requested.
    """

    def __init__(
        self,
        graph: Graph,
        options: VisOptions,
        full: set[str],
        skip: Collection[str],
        *,
        both_ways: bool,
    ) -> None:
        self.half: set[str] = set()
        self._full, self._skip, self._both_ways = full, skip, both_ways
        nests = options.nest_submachines
        self.parents = [
            (child, parent)
            for child, parent in graph.parents
            if (options.parent_rel or nests) and self._draws(child, parent, options.half_hierarchy)
        ]
        self.rpc = [
            (client, server)
            for client, server in graph.rpc
            if options.conns and self._draws(client, server, options.half_conns)
        ]
        self.pipes = [
            pipe
            for pipe in graph.pipes
            if options.pipes
            and pipe.source != pipe.target
            and self._draws(pipe.source, pipe.target, options.half_pipes)
        ]

    def _draws(self, source: str, target: str, with_half: bool) -> bool:
        inside, outside = source in self._full, target in self._full
        if inside and outside:
            return True
        if not with_half or not (inside or (outside and self._both_ways)):
            return False
        other = target if inside else source
        if other in self._skip:
            return False
        self.half.add(other)
        return True


# -- states


def _states(
    graph: Graph,
    options: VisOptions,
    full: Collection[str],
    pipes: Iterable[Pipe],
    only: Collection[str] | None,
) -> dict[str, frozenset[str]]:
    piped: set[tuple[str, str]] = set()
    if options.pipe_states and options.detailed_pipes and not options.map:
        # differs from Go, which draws all states of a machine that any pipe reaches
        for pipe in pipes:
            piped |= {(pipe.source, pipe.source_state), (pipe.target, pipe.target_state)}
    return {
        id: frozenset(
            state.name
            for state in graph.machines[id].states
            if (only is None or state.name in only)
            and (_is_drawn(state, options) or (id, state.name) in piped)
        )
        for id in full
    }


def _is_drawn(state: GraphState, options: VisOptions) -> bool:
    if state.name in _FLAGGED:
        flags = options.start, options.ready, options.exception
        return flags[_FLAGGED.index(state.name)]
    return options.states and (options.inherited or not state.inherited)


def _has_ends(pipe: Pipe, options: VisOptions, states: dict[str, frozenset[str]]) -> bool:
    """Without half pipes, a pipe that can't end at its states isn't drawn."""
    if options.half_pipes or not options.detailed_pipes or options.map:
        return True
    ends = (pipe.source, pipe.source_state), (pipe.target, pipe.target_state)
    return all(state in states.get(id, ()) for id, state in ends)
