"""What a page knows of its network, as plain data for JSON.

machines   [id, parent's index or -1, tags, 0 not drawn | 1 title only | 2 in full, states]
  states   [name, kind, flags (1 auto, 2 multi, 4 inherited), require, add, remove, after], where
           relations are indexes of states of the same machine
pipes      [source machine, its state, target machine, its state, 1 add | 2 remove | 3 both], where
           an unknown state is -1
rpc        [client machine, server machine]
copies     [source machine, its copy, RPC client or -1, RPC server or -1]
ticks      of all states at the drawn moment
glyphs     kind -> [active, inactive]
history    null, or columns with one entry per moment: t nanoseconds since the one before (the first
           one since `base`, itself a string, as it exceeds what JSON's readers hold), m machine, d
           changes (flat: machine, state, new tick), c called states, y type, f flags (1 accepted, 2
           auto), j changes it stands for; and `known`, the machines with a history
at, exact  how many moments lead to the drawn one, and whether the clocks are exactly those drawn
note       what people should know of the history's gaps
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args

from amctl.vis.text import clean
from amctl.vis.theme import Kind, glyph, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.graph.model import Graph, GraphMachine, GraphState
    from amctl.vis.history import History
    from amctl.vis.view import View

__all__ = ["page_data"]

_RELATIONS = ("require", "add", "remove", "after")
_COPY = "src-id:"
"""Tag of a network machine that names the machine it is a copy of."""


def page_data(view: View, history: History) -> dict[str, Any]:
    """All of it."""
    graph = view.graph
    index = {name: i for i, name in enumerate(graph.machines)}
    shown = history if history.moments and view.options.active else None
    at, exact = _drawn_moment(graph, history) if shown else (0, True)
    return {
        "machines": [_machine(view, machine, index) for machine in graph.machines.values()],
        "pipes": _pipes(graph, index),
        "rpc": [[index[a], index[b]] for a, b in graph.rpc if a in index and b in index],
        "copies": list(_copies(graph, index)),
        "ticks": [[state.tick for state in m.states] for m in graph.machines.values()],
        "glyphs": {kind: [glyph(kind, True), glyph(kind, False)] for kind in get_args(Kind)},
        "history": _history(graph, history, index) if shown else None,
        "at": at,
        "exact": exact,
        "note": _note(history),
    }


def _machine(view: View, machine: GraphMachine, index: Mapping[str, int]) -> list[Any]:
    drawn = 2 if machine.id in view.full else 1 if machine.id in view.half else 0
    own = {state.name: i for i, state in enumerate(machine.states)}
    return [
        clean(machine.id),
        index.get(machine.parent, -1),
        [clean(tag) for tag in machine.tags],
        drawn,
        [_state(state, own) for state in machine.states],
    ]


def _state(state: GraphState, own: Mapping[str, int]) -> list[Any]:
    flags = state.auto | state.multi << 1 | state.inherited << 2
    relations = [[own[x] for x in getattr(state, kind) if x in own] for kind in _RELATIONS]
    return [clean(state.name), kind_of(state.name), flags, *relations]


def _pipes(graph: Graph, index: Mapping[str, int]) -> list[list[int]]:
    states = {
        machine.id: {state.name: i for i, state in enumerate(machine.states)}
        for machine in graph.machines.values()
    }
    kinds: dict[tuple[int, int, int, int], int] = {}
    for pipe in graph.pipes:
        if pipe.source in index and pipe.target in index:
            key = (
                index[pipe.source],
                states[pipe.source].get(pipe.source_state, -1),
                index[pipe.target],
                states[pipe.target].get(pipe.target_state, -1),
            )
            kinds[key] = kinds.get(key, 0) | (1 if pipe.kind == "add" else 2)
    return [[*key, kind] for key, kind in sorted(kinds.items())]


def _copies(graph: Graph, index: Mapping[str, int]) -> Iterator[list[int]]:
    """Network machines, and the way that their states come."""
    servers = dict(graph.rpc)
    for machine in graph.machines.values():
        for tag in machine.tags:
            source = tag.removeprefix(_COPY)
            if tag == source or source not in index:
                continue
            client = _client(machine, servers)
            server = index.get(servers.get(client, ""), -1)
            yield [index[source], index[machine.id], index.get(client, -1), server]


def _client(machine: GraphMachine, servers: Mapping[str, str]) -> str:
    """The RPC client of a network machine: its parent, or the one of its name (`rnm-x`, `rc-x`)."""
    if machine.parent in servers:
        return machine.parent
    named = machine.id.replace("rnm-", "rc-", 1)
    return named if named in servers else machine.parent


def _history(graph: Graph, history: History, index: Mapping[str, int]) -> dict[str, Any]:
    places = _places(graph, history, index)
    moments = history.moments
    times = [moment.time_ns for moment in moments]
    changes, called = [], []
    for moment in moments:
        ticks = moment.ticks
        flat: list[int] = []
        for machine, state, tick in zip(ticks[0::3], ticks[1::3], ticks[2::3], strict=True):
            place = places[machine].get(state)
            if place:
                flat += (*place, tick)
        changes.append(flat)
        own = places[moment.machine]
        called.append([own[state][1] for state in moment.called if state in own])
    return {
        "base": str(times[0]),
        "t": [0, *(b - a for a, b in pairwise(times))],
        "m": [index.get(history.machines[moment.machine], -1) for moment in moments],
        "d": changes,
        "c": called,
        "y": [moment.type for moment in moments],
        "f": [moment.accepted | moment.is_auto << 1 for moment in moments],
        "j": [moment.joined for moment in moments],
        "known": sorted({index[name] for name in history.machines if name in index}),
    }


def _places(
    graph: Graph, history: History, index: Mapping[str, int]
) -> list[dict[int, tuple[int, int]]]:
    """Of each machine of a history: its state index -> (machine, state) of the graph."""
    found = []
    for name in history.machines:
        machine = graph.machines.get(name)
        own = {state.name: i for i, state in enumerate(machine.states)} if machine else {}
        states = enumerate(history.names[name])
        found.append({i: (index[name], own[state]) for i, state in states if state in own})
    return found


def _drawn_moment(graph: Graph, history: History) -> tuple[int, bool]:
    """How many moments lead to the graph's own, and whether their clocks are equal.

    A graph of an earlier moment may lie between two moments that are left.
    """
    index = {name: i for i, name in enumerate(graph.machines)}
    places = _places(graph, history, index)
    wanted = [[state.tick for state in machine.states] for machine in graph.machines.values()]
    now = [[0] * len(ticks) for ticks in wanted]
    drawn = {place for own in places for place in own.values()}
    different = sum(wanted[m][state] != 0 for m, state in drawn)
    found = 0 if different == 0 else -1
    for number, moment in enumerate(history.moments, start=1):
        ticks = moment.ticks
        for machine, state, tick in zip(ticks[0::3], ticks[1::3], ticks[2::3], strict=True):
            place = places[machine].get(state)
            if place:
                m, i = place
                different += (tick != wanted[m][i]) - (now[m][i] != wanted[m][i])
                now[m][i] = tick
        if different == 0:
            found = number
    if found >= 0:
        return found, True
    last = max((machine.time_ns for machine in graph.machines.values()), default=0)
    return sum(moment.time_ns <= last for moment in history.moments), False


def _note(history: History) -> str:
    said = []
    if history.is_thinned:
        said.append(
            f"Showing {len(history.moments):,} of {history.total:,} changes: neighbours are joined."
        )
    if history.lost:
        said.append(f"{history.lost:,} messages of this recording are missing.")
    return " ".join(said)
