"""A source machine small enough to be obviously right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.rpc.wire import Listener, Op

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence


class Toy:
    """Ticks, a queue tick, and mutations that always do the same.

    Every third state is "multi": adding it again counts two. `args` may hold `u` (logged with the
    result, to check what ran), `n` (the names that the caller meant) and `veto`.
    """

    args_names = ("Work.payload",)

    def __init__(self, names: Sequence[str], m: int = 1, log: list[Any] | None = None) -> None:
        self.id, self.names, self.m, self.q = "src", list(names), m, 1
        self.ticks = [0] * len(names)
        self.schema: dict[str, Any] = {name: {} for name in names}
        self.listeners: list[Listener] = []
        self.last_args: Mapping[str, Any] | None = None
        self.log: list[tuple[int, int, int]] = log if log is not None else []
        self.rev = 0

    @property
    def hash(self) -> str:
        return f"h{len(self.names)}-{self.rev}"

    def run(self, op: int, states: Sequence[int], args: Any = None) -> int:
        """Run a mutation; 0 executed, 1 canceled."""
        self.q += 1
        self.last_args = args
        known = args if isinstance(args, dict) else {}
        if "n" in known:
            assert [self.names[i] for i in states] == known["n"], "hit other states than meant"
        changed = [] if known.get("veto") else self._changes(op, states)
        for i, increment in changed:
            self.ticks[i] += increment
        result = 1 if known.get("veto") else 0
        if "u" in known:
            self.log.append((known["u"], self.q, result))
        self._tell(op, states, changed)
        return result

    def _changes(self, op: int, states: Sequence[int]) -> list[tuple[int, int]]:
        on = [tick & 1 for tick in self.ticks]
        if op == Op.SET:
            return [(i, 1) for i in range(len(on)) if on[i] != (i in states)]
        changed = []
        for i in dict.fromkeys(states):
            toggled = op == Op.TOGGLE or (op == Op.ADD and not on[i]) or (op == Op.REMOVE and on[i])
            if toggled:
                changed.append((i, 1))
            elif op == Op.ADD and i % 3 == 0:
                changed.append((i, 2))
        return changed

    def _tell(self, op: int, called: Sequence[int], changed: list[tuple[int, int]]) -> None:
        for listener in list(self.listeners):
            listener(op, list(called), changed)

    def new_schema(self, rng: random.Random) -> None:
        """Add a state, and perhaps put all in another order."""
        ticks = dict(zip(self.names, self.ticks, strict=True))
        names = self.names[:]
        if rng.random() < 0.5:
            rng.shuffle(names)
        names.append(f"n{len(names)}")
        self.names, self.ticks = names, [ticks.get(name, 0) for name in names]
        self.schema = {name: {} for name in names}
        self.rev += 1
        self.q += 1
        self._tell(99, [], [])
