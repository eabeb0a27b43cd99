"""The relation resolver once more: over lists, telling of everything that it decides.

`Resolver` is the one that machines run; it says nothing but the targets. This one walks the same
rules as the text has them, and is asked afterwards, by tracers and tools. Both agree on targets.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from amctl.machine._step import ACTIVATE, CANCEL, DEACTIVATE, DEACTIVATE_PASSIVE, RELATION, Step
from amctl.machine.relations import ADD, REMOVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.machine.compiled import Compiled

__all__ = ["Replay", "missing_names", "replay", "requires"]

_AFTER, _ADD, _REQUIRE, _REMOVE = range(4)


@lru_cache(maxsize=16384)
def _step(type: int, source: int = -1, target: int = -1, relation: int = 0) -> Step:
    """Steps are few and come again and again."""
    return Step(type, source, target, relation)


class Replay:
    """One resolution: what came out, and why.

    Args:
        schema: What relations say.
        kind: ADD, REMOVE or SET.
        called: Indexes in the order of the call, unique.
        active: Indexes in the machine's own order.
    """

    __slots__ = (
        "active",
        "base",
        "blocked",
        "called",
        "kept_out",
        "kind",
        "rejects",
        "schema",
        "steps",
        "targets",
    )

    def __init__(
        self, schema: Compiled, kind: int, called: tuple[int, ...], active: tuple[int, ...]
    ) -> None:
        self.schema, self.kind = schema, kind
        self.called, self.active = frozenset(called), frozenset(active)
        self.steps: list[Step] = []
        self.rejects: list[dict[int, list[int]]] = []
        """Of both prunings: each owner with what it misses; -1 is a state that doesn't exist."""
        self.blocked: dict[int, tuple[int, ...]] = {}
        """Blocked states, in the order of their fall, with their blockers (REL-4)."""
        self.kept_out: dict[int, tuple[int, ...]] = {}
        """What the second pass would have implied, with those who remove it (REL-6)."""
        self.base = self._base(called, active)
        """Where it began (REL-1)."""
        self.targets = self._resolve()
        """In order (REL-9)."""

    def _base(self, called: tuple[int, ...], active: tuple[int, ...]) -> list[int]:
        if self.kind == REMOVE:
            self.steps += [_step(DEACTIVATE, -1, i) for i in called]
            return [i for i in active if i not in self.called]
        self.steps += [_step(ACTIVATE, -1, i) for i in called if i not in self.active]
        if self.kind == ADD:
            return [*called, *(i for i in active if i not in self.called)]
        self.steps += [_step(DEACTIVATE, -1, i) for i in active if i not in self.called]
        return list(called)

    def _resolve(self) -> list[int]:
        items = self._required(_unique(self._implied(self.base)))
        kept = self._unblocked(items)
        removers: dict[int, list[int]] = {}
        for i in kept:
            for j in _bits(self.schema.remove[i]):
                removers.setdefault(j, []).append(i)
        items = _unique(self._implied(kept))
        self.kept_out = {i: tuple(removers[i]) for i in items if i in removers}
        items = self._required([i for i in reversed(items) if i not in removers])
        return _sorted(self.schema, items, self.steps)

    def _implied(self, items: list[int]) -> list[int]:
        """REL-2. What is appended isn't scanned in the same pass."""
        out = list(items)
        for i in items:
            if i in self.active and not self.schema.multi >> i & 1:
                continue
            more = self.schema.add[i]
            if self.kind == REMOVE:
                more = tuple(j for j in more if j not in self.called)
            self.steps += [_step(RELATION, i, j, _ADD) for j in more]
            self.steps += [_step(ACTIVATE, -1, j) for j in more]
            out += more
        return out

    def _required(self, items: list[int]) -> list[int]:
        """REL-3: rounds, each of which looks at the list as it was at its start."""
        require, rejects = requires(self.schema), {}
        while True:
            here, left = frozenset(items), []
            for i in items:
                missing = self._missing(i, require[i], here)
                if missing:
                    rejects[i] = missing
                else:
                    left.append(i)
            if len(left) == len(items):
                break
            items = left
        self.rejects.append(rejects)
        return items

    def _missing(self, i: int, required: tuple[int, ...], here: frozenset[int]) -> list[int]:
        missing = []
        for j in required:
            self.steps.append(_step(RELATION, i, j, _REQUIRE))
            if j not in here:
                self.steps.append(_step(DEACTIVATE_PASSIVE, i))
                if i in self.called:
                    self.steps.append(_step(CANCEL, -1, j))
                missing.append(j)
        return missing

    def _unblocked(self, items: list[int]) -> list[int]:
        """REL-4: from the end, and the fallen block no more; what is left, backwards."""
        kept = []
        for i in reversed(items):
            by = []
            for j in items:
                if self.schema.remove[j] >> i & 1:
                    self.steps.append(_step(RELATION, j, i, _REMOVE))
                    if j not in self.blocked:
                        by.append(j)
            if not by:
                kept.append(i)
                continue
            self.blocked[i] = tuple(by)
            if i in self.active:
                self.steps.append(_step(DEACTIVATE, -1, i))
            else:
                self.steps.append(_step(DEACTIVATE_PASSIVE, i))
        return kept

    def sorting(self, items: list[int]) -> list[Step]:
        """The steps of sorting something else, such as exits (REL-12)."""
        steps: list[Step] = []
        _sorted(self.schema, items, steps)
        return steps


def _sorted(schema: Compiled, items: list[int], steps: list[Step]) -> list[int]:
    """REL-9 to REL-11."""
    items = sorted(items, key=schema.position.__getitem__)
    for start in range(1, len(items)):
        at = start
        while at:
            here, left = items[at], items[at - 1]
            if schema.after[here] >> left & 1:
                steps.append(_step(RELATION, left, here, _AFTER))
                break
            if not schema.after[left] >> here & 1:
                break
            steps.append(_step(RELATION, here, left, _AFTER))
            items[at], items[at - 1] = left, here
            at -= 1
    return items


@lru_cache(maxsize=512)
def replay(schema: Compiled, kind: int, called: tuple[int, ...], active: tuple[int, ...]) -> Replay:
    """The same, kept for the next one who asks. Not to be changed."""
    return Replay(schema, kind, called, active)


@lru_cache(maxsize=256)
def requires(schema: Compiled) -> list[tuple[int, ...]]:
    """The required states of each state, in the schema's order; -1 is one that doesn't exist."""
    states, index = schema.schema, schema.index
    return [tuple(index.get(n, -1) for n in states[name].require) for name in schema.names]


def missing_names(schema: Compiled, owner: int, missing: Iterable[int]) -> list[str]:
    """The names of what a state misses, also of states that don't exist."""
    index = schema.index
    unknown = iter([n for n in schema.schema[schema.names[owner]].require if n not in index])
    return [schema.names[j] if j >= 0 else next(unknown, "") for j in missing]


def _unique(items: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(items))


def _bits(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
