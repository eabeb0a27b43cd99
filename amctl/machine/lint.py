"""What is odd about a schema: states that can't come, circles, calls that are refused always.

Some of it can be read from the schema. The rest is tried: the engine's own plans are made from many
sets of active states, those first in which a state has all it requires. What never worked there may
still work in a set that was not tried, so such findings say how many were.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from amctl.machine.handlers import HandlerTable
from amctl.machine.plan import AUTO, Planner
from amctl.machine.reasons import explain
from amctl.machine.relations import ADD, REMOVE, SET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.machine.plan import Called, Config
    from amctl.machine.schema import Schema

__all__ = ["Finding", "lint"]

_TRIES = 30_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One oddity."""

    kind: str
    """`conflict` (requires what it removes), `unknown` (a name that is no state), `cycle` (of
    Require), `self-removal`, `unreachable`, `add-canceled` (adding the state is refused always),
    `add-dropped` (what it implies never comes with it)."""
    severity: str
    """`error`: it can't be meant so. `warning`: it hardly can. `note`: it is worth knowing."""
    state: str
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.severity}: {self.state}: {self.text} [{self.kind}]"


def lint(schema: Schema, tries: int = _TRIES) -> list[Finding]:
    """Everything that is odd, in index order of the states.

    Args:
        schema: As it was written, not cleaned up.
        tries: How many calls to try. More take longer and make the last three kinds surer.
    """
    found = [*_names(schema), *_conflicts(schema), *_cycles(schema), *_self_removals(schema)]
    trial = _Trial(schema, tries)
    found += trial.findings()
    index = {name: i for i, name in enumerate(schema.names)}
    return sorted(found, key=lambda one: index[one.state])


# -- read from the schema


def _names(schema: Schema) -> Iterator[Finding]:
    for name in schema:
        state = schema[name]
        for relation in ("require", "add", "remove", "after"):
            for other in getattr(state, relation):
                if other in schema.names:
                    continue
                near = get_close_matches(other, schema.names, n=1)
                hint = f"did you mean {near[0]}?" if near else f"define {other}, or leave it out"
                if relation == "require":
                    text = f"requires {other}, which is no state, and so can never be active"
                    yield Finding("unknown", "error", name, text, hint)
                else:
                    text = f"names {other} in {relation}, which is no state, and is passed over"
                    yield Finding("unknown", "warning", name, text, hint)


def _conflicts(schema: Schema) -> Iterator[Finding]:
    effective = schema.effective[0]
    for name in schema:
        state = effective[name]
        for other in state.require:
            if other in state.remove:
                text = f"requires {other}, and removes it"
                yield Finding("conflict", "error", name, text, "leave one of them out")


def _cycles(schema: Schema) -> Iterator[Finding]:
    """Each circle of Require once, at its first state."""
    told: set[frozenset[str]] = set()
    for name in schema:
        circle = _circle(schema, name)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            text = " requires ".join((*circle, name))
            text += ": they come together or not at all, and Require orders no state here"
            yield Finding("cycle", "warning", name, text, "let one of them not require the other")


def _circle(schema: Schema, name: str) -> tuple[str, ...]:
    """The shortest way from a state over what it requires back to it; empty if there is none."""
    seen = {name}
    todo: deque[tuple[str, ...]] = deque([(name,)])
    while todo:
        path = todo.popleft()
        for other in schema[path[-1]].require:
            if other == name:
                return path
            if other in schema and other not in seen:
                seen.add(other)
                todo.append((*path, other))
    return ()


def _self_removals(schema: Schema) -> Iterator[Finding]:
    """A state's own name among those it removes is passed over. It's how groups of states exclude
    each other, so it counts only where no other state has the same list."""
    for name in schema:
        remove = schema[name].remove
        shared = sum(schema[other].remove == remove for other in schema) > 1
        if name in remove and not shared:
            text = "removes itself, which is passed over"
            yield Finding("self-removal", "note", name, text, "leave it out of its own Remove")
    effective = schema.effective[0]
    for name in effective:
        for other in effective[name].add:
            if other in effective and other != name and name in effective[other].remove:
                text = f"removes itself: it adds {other}, which removes {name}"
                hint = f"let {other} not remove it, or add {other} on its own"
                yield Finding("self-removal", "error", name, text, hint)


# -- tried


class _Trial:
    """Calls from many sets of active states."""

    def __init__(self, schema: Schema, tries: int) -> None:
        self._compiled = schema.compiled()
        table = HandlerTable(self._compiled.names, ())
        self._planner = Planner(self._compiled, table, 0)  # keeps no plans, but sets
        self._left = tries
        self._seen: dict[tuple[int, ...], Config] = {}
        self._todo: deque[Config] = deque()
        self._single = [self._planner.called((i,)) for i in range(len(self._compiled.names))]
        self._came = self._added = 0
        self._pairs: dict[tuple[int, int], bool] = {}
        """Whether what a state adds ever came with it; only of adds that were tried."""
        self._refusal: dict[int, tuple[int, Config]] = {}
        """The set in which a refused state missed least."""

    def findings(self) -> Iterator[Finding]:
        self._explore()
        names, count = self._compiled.names, len(self._seen)
        where = f"in {count} sets of active states that were tried"
        never = 1 << len(names)  # the bit of a requirement that is no state
        for i in range(len(names)):
            if self._compiled.require[i] & never:
                continue  # told already
            if not self._came >> i & 1:
                yield self._finding("unreachable", "error", i, f"never was active {where}")
            elif not self._added >> i & 1:
                text = f"was never added by itself {where}"
                yield self._finding("add-canceled", "warning", i, text)
        for (i, j), came in self._pairs.items():
            if not came:
                text = f"adds {names[j]}, which never came with it {where}"
                hint = f"see what removes {names[j]}, and what it requires"
                yield Finding("add-dropped", "warning", names[i], text, hint)

    def _finding(self, kind: str, severity: str, i: int, text: str) -> Finding:
        """With the reason of the refusal that came nearest to a success."""
        config = self._refusal[i][1] if i in self._refusal else self._planner.config(())
        reason = explain(self._compiled, config, ADD, self._single[i])
        why = f": {reason}" if reason is not None else ""
        hint = "see what it requires, and what removes it"
        return Finding(kind, severity, self._compiled.names[i], text + why, hint)

    def _explore(self) -> None:
        empty = self._planner.config(())
        self._visit(empty)
        for i in range(len(self._single)):
            needs = tuple(dict.fromkeys(self._needs(i, ())))
            self._run(empty, SET, self._planner.called(needs))
            self._run(empty, SET, self._planner.called((*needs, i)))
            config = empty
            for j in needs:
                config = self._run(config, ADD, self._single[j])
        while self._todo and self._left > 0:
            config = self._todo.popleft()
            for i, called in enumerate(self._single):
                self._run(config, ADD, called)
                if config.mask >> i & 1:
                    self._run(config, REMOVE, called)

    def _needs(self, i: int, path: tuple[int, ...]) -> Iterator[int]:
        """What a state requires, deepest first."""
        for name in self._compiled.schema[self._compiled.names[i]].require:
            j = self._compiled.index.get(name)
            if j is not None and j != i and j not in path:
                yield from self._needs(j, (*path, i))
                yield j

    def _run(self, config: Config, kind: int, called: Called) -> Config:
        """One call, and the auto states after it; where they lead."""
        self._left -= 1
        plan = self._planner.plan(config, kind, called)
        if kind == ADD:
            self._note(config, called.order[0], plan.accepted, plan.targets)
        if not plan.accepted or plan.outcome is None:
            return config
        after = plan.outcome.next
        self._visit(after)
        if plan.outcome.follow is not None:
            auto = self._planner.plan(after, AUTO, plan.outcome.follow)
            if auto.accepted and auto.outcome is not None:
                after = auto.outcome.next
                self._visit(after)
        return after

    def _note(self, config: Config, i: int, accepted: bool, targets: tuple[int, ...]) -> None:
        if not accepted:
            missing = (self._compiled.require[i] & ~config.mask).bit_count()
            if i not in self._refusal or missing < self._refusal[i][0]:
                self._refusal[i] = missing, config
            return
        if not config.mask >> i & 1:
            self._added |= 1 << i
            for j in self._compiled.add[i]:
                self._pairs[i, j] = self._pairs.get((i, j), False) or j in targets

    def _visit(self, config: Config) -> None:
        if config.order not in self._seen:
            self._seen[config.order] = config
            self._todo.append(config)
            self._came |= config.mask
