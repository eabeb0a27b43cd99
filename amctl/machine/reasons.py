"""Why a transition was refused, as data: the one object that logs, dumps and errors print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine._replay import missing_names, replay, requires
from amctl.machine.errors import HandlerTimeoutError
from amctl.machine.plan import AUTO, CHECK_ADD, RELATION_KIND
from amctl.machine.relations import REMOVE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.machine._replay import Replay
    from amctl.machine.compiled import Compiled
    from amctl.machine.handlers import Action, Handler
    from amctl.machine.plan import ActiveSet, Called
    from amctl.machine.transition import Transition

__all__ = ["Reason", "explain", "failed", "reason_of", "vetoed"]

_SEVERAL = " and "
_OUTRIGHT = {
    "full": "the queue is full",
    "backoff": "the machine takes nothing for a while, as a handler had to be given up",
    "disposed": "the machine is disposed of, or about to be",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a transition was canceled, or would be. Its text is one plain sentence."""

    kind: str
    """`require`, `remove`, `veto`, `error`, `timeout`, `relations` (no single one is to blame);
    of what did not even become a transition `full`, `backoff` or `disposed`."""
    state: str = ""
    """The called (or target) state that could not be."""
    by: tuple[str, ...] = ()
    """Of `require`: the ends of the chain, which would have to be active. Of `remove`: the states
    that keep it out. Of `relations`: the called states."""
    handler: str = ""
    """The handler that vetoed or failed."""
    binding: str = ""
    """The binding of that handler."""
    text: str = ""
    """An error's text; of `require`, the links of the chain when there are more than one."""

    def __str__(self) -> str:
        by, handler = _listed(self.by), f"{self.handler} of binding {self.binding}"
        if self.kind == "require":
            if self.text:
                return f"{self.state} is missing {by}: {self.text}"
            return f"{self.state} requires {by}"
        if self.kind == "remove":
            return f"{self.state} is removed by {by}"
        if self.kind == "veto":
            return f"{handler} vetoed it"
        if self.kind in ("error", "timeout"):
            what = "failed" if self.kind == "error" else "ran too long"
            return f"{handler} {what}: {self.text}" if self.text else f"{handler} {what}"
        if self.kind in _OUTRIGHT:
            return _OUTRIGHT[self.kind]
        return f"relations refuse {by}" if self.by else "relations refuse it"


def reason_of(tx: Transition) -> Reason | None:
    """Why a transition was canceled; None if it was not."""
    if tx.is_accepted:
        return None
    schema = tx.machine._compiled
    if tx.failure is not None:
        return failed(schema, *tx.failure)
    plan = tx.plan
    if plan.accepted and tx.vetoes:
        return vetoed(schema, *tx.vetoes[-1])
    found: Reason | None = plan.kept.get(Reason) if plan.kept is not None else None
    if found is None:
        found = explain(schema, plan.config, plan.kind, plan.called)
        found = plan.keep(Reason, found or Reason("relations", by=tx.called_states))
    return found


def failed(schema: Compiled, handler: Handler, action: Action, error: BaseException) -> Reason:
    """A handler raised something, or ran too long."""
    kind = "timeout" if isinstance(error, HandlerTimeoutError) else "error"
    text = str(error) or type(error).__name__
    return _by_handler(kind, schema, handler, action, text)


def vetoed(schema: Compiled, handler: Handler, action: Action) -> Reason:
    """A handler said no."""
    return _by_handler("veto", schema, handler, action)


def _by_handler(
    kind: str, schema: Compiled, handler: Handler, action: Action, text: str = ""
) -> Reason:
    subject = _subject(schema, action.state)
    return Reason(kind, subject, handler=action.name, binding=handler.binding, text=text)


def explain(schema: Compiled, config: ActiveSet, kind: int, called: Called) -> Reason | None:
    """Why relations refuse a call; None if they don't.

    Args:
        schema: What they say.
        config: What is active.
        kind: ADD, REMOVE, SET, CHECK_ADD, CHECK_REMOVE or AUTO.
        called: The states that the call names.
    """
    relation = RELATION_KIND[kind]
    if relation == REMOVE or (kind == CHECK_ADD and called.mask & schema.multi):
        return None
    found = replay(schema, relation, called.order, config.order)
    missing = [i for i in called.order if i not in found.targets]
    if not missing or (kind == AUTO and len(missing) < len(called.order)):
        return None
    return _Search(schema, found).reason(missing[0])


class _Search:
    """From a state that was dropped to what would have to be otherwise."""

    def __init__(self, schema: Compiled, found: Replay) -> None:
        self._schema, self._found = schema, found
        self._rejects = {i: m for round in found.rejects for i, m in round.items()}

    def reason(self, i: int) -> Reason:
        name = self._name(i)
        if i in self._rejects:
            ends: dict[str, None] = {}
            links: list[str] = []
            self._follow(i, ends, links, {i})
            by = tuple(ends) or tuple(
                missing_names(self._schema, i, self._rejects[i])
            )  # a circle has no end
            text = ", ".join(links) if len(links) > 1 else ""
            return Reason("require", name, by, text=text)
        removers = tuple(map(self._name, self._removers(i)))
        return Reason("remove", name, removers) if removers else Reason("relations", by=(name,))

    def _follow(self, i: int, ends: dict[str, None], links: list[str], seen: set[int]) -> None:
        """Down the chain of Require; each link is told once."""
        missing = self._missing(i)
        names = missing_names(self._schema, i, missing)
        links.append(f"{self._name(i)} requires {_listed(names)}")
        for j, name in zip(missing, names, strict=True):
            if self._missing(j):
                if j not in seen:
                    seen.add(j)
                    self._follow(j, ends, links, seen)
                continue
            ends[name] = None
            by = self._removers(j)
            if by:
                links.append(f"{name} is removed by {_listed([self._name(b) for b in by])}")

    def _missing(self, i: int) -> list[int]:
        """What a state misses: one that was tried, or one that nobody tried to activate."""
        found = self._found
        if i < 0 or i in self._rejects:
            return self._rejects.get(i, [])
        there = {*found.targets, *found.active, *found.blocked, *found.kept_out}
        return [] if i in there else [j for j in requires(self._schema)[i] if j not in there]

    def _removers(self, i: int) -> Sequence[int]:
        found, remove = self._found, self._schema.remove
        tried = found.blocked.get(i) or found.kept_out.get(i)
        if tried or i < 0 or i in found.targets:
            return tried or ()
        stays = [j for j in found.targets if j in found.active]
        return [j for j in stays if remove[j] >> i & 1 and not remove[i] >> j & 1]

    def _name(self, i: int) -> str:
        return self._schema.names[i]


def _subject(schema: Compiled, state: int) -> str:
    return schema.names[state] if state >= 0 else ""


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])}{_SEVERAL}{names[-1]}" if len(names) > 1 else "".join(names)
