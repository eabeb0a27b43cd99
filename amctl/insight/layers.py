"""The order of the rooms: which imports run against it.

tests/test_layers.py says what each room may import, and fails the gate. What a picture needs is
less, and holds for other people's nodes too: imports run downwards, and never in a circle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["ORDER", "against", "room_of"]

ORDER = (
    ("amctl.machine",),
    ("amctl", "amctl.states"),
    ("amctl.rpc",),
    ("amctl.telemetry", "amctl.relay", "amctl.bundle"),
    ("amctl.dump", "amctl.insight", "amctl.traces"),
    ("amctl.graph",),
    ("amctl.vis", "amctl.repl", "amctl.debugger"),
    ("amctl.run", "nodes"),
    ("amctl.bench",),
    ("amctl.cli",),
)
"""Rooms from the ground up. Those of one row don't import each other."""

_RANK = {room: rank for rank, row in enumerate(ORDER) for room in row}


def room_of(name: str) -> str:
    """The room of a module or package: `amctl.dump` of `amctl.dump.sqlite.reader`."""
    top, _, rest = name.partition(".")
    if top != "amctl" or not rest:
        return top
    return f"{top}.{rest.partition('.')[0]}"


def against(edges: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those imports, of modules or packages, that run upwards, or lie in a circle of rooms.

    A room that `ORDER` doesn't know is judged by circles alone.
    """
    known = frozenset(edges)
    rooms = {(room_of(one), room_of(other)) for one, other in known}
    above: dict[str, set[str]] = {}
    for one, other in rooms:
        above.setdefault(one, set()).add(other)
    reached = {room: _reach(room, above) for room in above}
    bad = {
        (one, other)
        for one, other in rooms
        if one != other and (_upwards(one, other) or one in reached.get(other, ()))
    }
    return frozenset(edge for edge in known if (room_of(edge[0]), room_of(edge[1])) in bad)


def _upwards(one: str, other: str) -> bool:
    return one in _RANK and other in _RANK and _RANK[one] <= _RANK[other]


def _reach(start: str, above: dict[str, set[str]]) -> Collection[str]:
    """All that can be come to from `start`."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = above.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found
