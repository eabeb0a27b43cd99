"""Where machines stand from left to right: a column each, found from what they are to each other.

A parent is left of its children, an RPC client left of its server. What serves RPC stands left of
the machine that it belongs to, so that a network reads as one story: orchestrator, clients,
servers, workers. A *mirror* order also puts network machines between their consumer and their
client: longer, but with straighter pipes; best when children are nested in their parents.

What would make a circle is left out, later relations first: no machine is right of itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.vis.view import View

__all__ = ["NETWORK_MACHINE", "SERVER", "Flow", "columns"]

Flow = Literal["chain", "mirror"]

SERVER = "rpc-server"
"""Tag of a machine that serves RPC."""
NETWORK_MACHINE = "rpc-netmach"
"""Tag of the local copy of a remote machine."""


class _Order:
    """What must stand left of what, without circles."""

    def __init__(self, names: Sequence[str]) -> None:
        self.right: dict[str, dict[str, None]] = {name: {} for name in names}

    def reaches(self, start: str, end: str) -> bool:
        seen, todo = {start}, [start]
        while todo:
            name = todo.pop()
            if name == end:
                return True
            fresh = [x for x in self.right[name] if x not in seen]
            seen.update(fresh)
            todo += fresh
        return False

    def add(self, left: str, right: str) -> None:
        known = left in self.right and right in self.right
        if known and right not in self.right[left] and not self.reaches(right, left):
            self.right[left][right] = None

    def columns(self) -> dict[str, int]:
        """Each as far left as it can be; roots next to their nearest neighbour."""
        column: dict[str, int] = {}
        for name in self.sorted():
            column.setdefault(name, 0)
            for other in self.right[name]:
                column[other] = max(column.get(other, 0), column[name] + 1)
        has_left = {other for others in self.right.values() for other in others}
        for name in sorted(column, key=lambda x: -column[x]):
            if self.right[name] and name not in has_left:
                column[name] = min(column[x] for x in self.right[name]) - 1
        return column

    def sorted(self) -> list[str]:
        """Left before right (Kahn's way)."""
        waits = dict.fromkeys(self.right, 0)
        for others in self.right.values():
            for other in others:
                waits[other] += 1
        ready = [name for name, count in waits.items() if not count]
        for name in ready:
            for other in self.right[name]:
                waits[other] -= 1
                if not waits[other]:
                    ready.append(other)
        return ready


def columns(view: View, flow: Flow = "chain") -> dict[str, int]:
    """The column of each drawn machine; only their order means something."""
    machines = view.graph.machines
    order = _Order([*view.full, *view.half])

    def tagged(name: str, tag: str) -> bool:
        return name in machines and tag in machines[name].tags

    for child, parent in _families(view):
        is_left = tagged(child, SERVER) or (flow == "mirror" and tagged(child, NETWORK_MACHINE))
        order.add(*((child, parent) if is_left else (parent, child)))
    for client, server in view.rpc:
        order.add(client, server)
    for pipe in view.pipes:
        if flow == "mirror" and tagged(pipe.source, NETWORK_MACHINE):
            order.add(pipe.target, pipe.source)
        elif pipe.source != pipe.target:
            order.add(pipe.source, pipe.target)
    return order.columns()


def _families(view: View) -> Iterable[tuple[str, str]]:
    """(child, parent) among the drawn, whether that is drawn itself or not."""
    drawn = {*view.full, *view.half}
    pairs = {p for p in view.graph.parents if drawn.issuperset(p)}
    return sorted(pairs | set(view.parents))
