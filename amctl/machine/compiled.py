"""A schema in the form the engine computes with: bit masks by state index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine.errors import UnknownStateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amctl.machine.schema import StateDef

__all__ = ["EXCEPTION", "Compiled"]

EXCEPTION = "Exception"


class Compiled:
    """A schema by state index: one mask or tuple per relation and state."""

    __slots__ = (
        "add",
        "after",
        "auto",
        "exception",
        "has_add",
        "has_after",
        "has_remove",
        "has_require",
        "index",
        "multi",
        "names",
        "position",
        "positioned",
        "remove",
        "removed_by",
        "require",
        "start",
        "states",
    )

    def __init__(
        self, states: Mapping[str, StateDef], names: Sequence[str], mach_id: str = ""
    ) -> None:
        missing = [n for n in states if n not in set(names)]
        unknown = [n for n in names if n not in states]
        if unknown or missing:
            raise UnknownStateError(mach_id, unknown or missing, tuple(states))
        self.names = names = tuple(dict.fromkeys(names))
        self.states = states
        self.index = {name: i for i, name in enumerate(names)}
        size = len(names)
        never = 1 << size  # a bit no machine ever sets: an unknown requirement
        mask = self._mask
        self.require = [mask(states[n].require, never) for n in names]
        self.add = [tuple(self.index[a] for a in states[n].add if a in self.index) for n in names]
        self.remove = [mask(states[n].remove) for n in names]
        self.after = [mask(states[n].after) for n in names]
        self.removed_by = [0] * size
        self.multi = self.auto = self.has_require = self.has_add = 0
        self.has_remove = self.has_after = 0
        for i, name in enumerate(names):
            bit = 1 << i
            self.multi |= bit if states[name].multi else 0
            self.auto |= bit if states[name].auto else 0
            self.has_require |= bit if self.require[i] else 0
            self.has_add |= bit if self.add[i] else 0
            self.has_remove |= bit if self.remove[i] else 0
            self.has_after |= bit if self.after[i] else 0
            for j in range(size):
                if self.remove[i] >> j & 1:
                    self.removed_by[j] |= bit
        self.exception = self.index[EXCEPTION]
        self.start = self.index.get("Start", -1)
        order = self._require_order()
        self.position = [-1] * size
        self.positioned = 0
        for at, i in enumerate(order):
            self.position[i] = at
            self.positioned |= 1 << i

    def _mask(self, names: Iterable[str], unknown: int = 0) -> int:
        out = 0
        for name in names:
            i = self.index.get(name)
            out |= unknown if i is None else 1 << i
        return out

    def _require_order(self) -> list[int]:
        """REL-10: depth-first post-order over Require; empty when there is a cycle."""
        order: list[int] = []
        done: set[int] = set()
        path: set[int] = set()

        def visit(i: int) -> bool:
            if i in path:
                return False
            if i in done:
                return True
            path.add(i)
            for name in self.states[self.names[i]].require:
                j = self.index.get(name)
                if j is not None and not visit(j):
                    return False
            path.discard(i)
            done.add(i)
            order.append(i)
            return True

        for i in range(len(self.names)):
            if self.require[i] and not visit(i):
                return []
        return order
