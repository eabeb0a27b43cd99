"""A schema in the form the engine computes with: bit masks by state index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine.schema import EXCEPTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.machine.plan import Called, Planner
    from amctl.machine.schema import Schema

__all__ = ["Compiled"]


class Compiled:
    """A schema by state index: one mask or tuple per relation and state. Shared by machines."""

    __slots__ = (
        "add",
        "after",
        "auto",
        "bits",
        "called",
        "cycle",
        "exception",
        "has_add",
        "has_after",
        "has_remove",
        "has_require",
        "index",
        "multi",
        "names",
        "planners",
        "position",
        "positioned",
        "remove",
        "removed_by",
        "require",
        "schema",
        "start",
    )

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.names = names = schema.names
        self.index = {name: i for i, name in enumerate(names)}
        self.bits = {name: 1 << i for i, name in enumerate(names)}
        states = [schema[name] for name in names]
        never = 1 << len(names)  # a bit no machine ever sets: an unknown requirement
        self.require = [self._mask(s.require, never) if s.require else 0 for s in states]
        self.add = [tuple(self.index[a] for a in s.add if a in self.index) for s in states]
        self.remove = [self._mask(s.remove) if s.remove else 0 for s in states]
        self.after = [self._mask(s.after) if s.after else 0 for s in states]
        self.removed_by = [0] * len(names)
        self.multi = self.auto = self.has_require = self.has_add = 0
        self.has_remove = self.has_after = 0
        for i, state in enumerate(states):
            bit = 1 << i
            if state.multi:
                self.multi |= bit
            if state.auto:
                self.auto |= bit
            if self.require[i]:
                self.has_require |= bit
            if self.add[i]:
                self.has_add |= bit
            if self.after[i]:
                self.has_after |= bit
            if self.remove[i]:
                self.has_remove |= bit
                for other in state.remove:
                    self.removed_by[self.index[other]] |= bit
        self.called: dict[object, Called] = {}
        """What callers named lately, by names and by indexes."""
        self.planners: dict[int, Planner] = {}
        """Those that machines without handlers share, by their limit."""
        self.exception = self.bits[EXCEPTION]
        self.start = self.index.get("Start", -1)
        self.cycle = ""
        """A state that requires itself by way of others; then Require orders nothing (REL-10)."""
        self.position = [-1] * len(names)
        self.positioned = 0
        for at, i in enumerate(self._require_order()):
            self.position[i] = at
            self.positioned |= 1 << i

    def _mask(self, names: Iterable[str], unknown: int = 0) -> int:
        out = 0
        for name in names:
            out |= self.bits.get(name, unknown)
        return out

    def _require_order(self) -> list[int]:
        """REL-10: depth-first post-order over Require; empty when there is a cycle."""
        order: list[int] = []
        done: set[int] = set()
        path: set[int] = set()

        def visit(i: int) -> bool:
            if i in path:
                self.cycle = self.names[i]
                return False
            if i in done:
                return True
            path.add(i)
            for name in self.schema[self.names[i]].require:
                j = self.index.get(name)
                if j is not None and not visit(j):
                    return False
            path.discard(i)
            done.add(i)
            order.append(i)
            return True

        for i, require in enumerate(self.require):
            if require and not visit(i):
                return []
        return order
