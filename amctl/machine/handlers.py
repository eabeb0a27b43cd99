"""Bindings, and the tables which tell what runs for which states (HND-*)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amctl.machine.errors import HandlerNameError, MachineError

__all__ = ["Action", "Binding", "Handler", "HandlerTable", "handler_names"]

_NEGOTIATION = ("Exit", "Enter")
_FINAL = ("State", "End")


class Handler:
    """One function that answers one event."""

    __slots__ = ("binding", "fn", "is_coroutine", "name")

    def __init__(self, binding: str, name: str, fn: Callable[[Any], Any]) -> None:
        self.binding, self.name, self.fn = binding, name, fn
        self.is_coroutine = inspect.iscoroutinefunction(fn)


class Action:
    """One event: its name and every handler that answers it, in binding order."""

    __slots__ = ("can_veto", "handlers", "is_async", "name", "phase", "state")

    def __init__(self, name: str, handlers: tuple[Handler, ...], phase: str, state: int) -> None:
        self.name = name
        self.handlers = handlers
        self.phase = phase  # Exit, Enter, Self, Pair, State, End, Any
        self.state = state  # the state an auto transition drops on a veto
        self.can_veto = not name.endswith(_FINAL)  # HND-10
        self.is_async = any(h.is_coroutine for h in handlers)


def handler_names(names: Sequence[str]) -> set[str]:
    """Every handler name that a machine with these states could call."""
    out = {n + suffix for n in names for suffix in (*_NEGOTIATION, *_FINAL)}
    out |= {a + b for a in names for b in names}
    return out | {"AnyEnter", "AnyState"}


def _is_known(name: str, states: frozenset[str]) -> bool:
    if name in ("AnyEnter", "AnyState"):
        return True
    for suffix in (*_NEGOTIATION, *_FINAL):
        if name.endswith(suffix) and name[: -len(suffix)] in states:
            return True
    return any(name.startswith(s) and name[len(s) :] in states for s in states)


class Binding:
    """Handlers that were bound together.

    Args:
        id: Unique name within the machine.
        source: An object whose methods with capital letters are handlers, or a map by name.
        prefix: Only events that start with it are offered, and looked up without it (HND-8).
        names: The machine's states.
        mach_id: For errors.

    Raises:
        HandlerNameError: A handler fits no state.
        MachineError: A negotiation handler is a coroutine function.
    """

    __slots__ = ("handlers", "id", "prefix", "source")

    def __init__(
        self, id: str, source: object, prefix: str, names: Sequence[str], mach_id: str
    ) -> None:
        self.id, self.prefix, self.source = id, prefix, source
        if isinstance(source, Mapping):
            found = {n: f for n, f in source.items() if f is not None}
        else:
            found = {
                n: f
                for n in dir(type(source))
                if n[0].isupper() and inspect.isroutine(f := getattr(source, n))
            }
            found |= {
                n: f
                for n, f in getattr(source, "__dict__", {}).items()
                if n[0].isupper() and callable(f)
            }
        states = frozenset(names)
        for name, fn in found.items():
            if not _is_known(prefix + name, states) and not prefix:
                raise HandlerNameError(mach_id, name, sorted(handler_names(names)))
            if inspect.iscoroutinefunction(fn) and not name.endswith(_FINAL):
                raise MachineError(
                    f"machine {mach_id!r}: negotiation handler {name!r} is a coroutine; "
                    "it has to answer at once"
                )
        self.handlers: dict[str, Callable[[Any], Any]] = found


class HandlerTable:
    """Actions by state index, built whenever the bindings change."""

    __slots__ = (
        "_events",
        "any_enter",
        "any_state",
        "bound",
        "end",
        "enter",
        "exit",
        "pair_from",
        "pairs",
        "self_",
        "state",
    )

    def __init__(self, names: Sequence[str], bindings: Sequence[Binding]) -> None:
        events: dict[str, list[Handler]] = {}
        for binding in bindings:
            for name, fn in binding.handlers.items():
                events.setdefault(binding.prefix + name, []).append(Handler(binding.id, name, fn))
        self.bound = bool(bindings)
        self._events = events

        def action(name: str, phase: str, state: int = -1) -> Action | None:
            found = events.get(name)
            return Action(name, tuple(found), phase, state) if found else None

        numbered = list(enumerate(names))
        self.exit = [action(n + "Exit", "Exit", i) for i, n in numbered]
        self.enter = [action(n + "Enter", "Enter", i) for i, n in numbered]
        self.self_ = [action(n + n, "Self", i) for i, n in numbered]
        self.state = [action(n + "State", "State", i) for i, n in numbered]
        self.end = [action(n + "End", "End", i) for i, n in numbered]
        self.any_enter = action("AnyEnter", "Any")
        self.any_state = action("AnyState", "Any")
        self.pairs: dict[tuple[int, int], Action] = {}
        for x, left in numbered:
            rest = {e[len(left) :] for e in events if e.startswith(left)}
            for y, right in numbered if rest else ():
                if x != y and right in rest:
                    self.pairs[x, y] = Action(left + right, tuple(events[left + right]), "Pair", y)
        self.pair_from = 0
        for x, _ in self.pairs:
            self.pair_from |= 1 << x

    def negotiation(
        self,
        exits: tuple[int, ...],
        enters: tuple[int, ...],
        targets: tuple[int, ...],
        active: tuple[int, ...],
        active_mask: int,
        removing: bool,
    ) -> tuple[Action, ...]:
        """Every existing negotiation action of a transition, in HND-2 order."""
        if not self._events:
            return ()
        out = [self.exit[i] for i in exits]
        out += [self.enter[i] for i in enters]
        if not removing:
            out += [self.self_[i] for i in targets if active_mask >> i & 1]
        if self.pair_from & active_mask:
            pairs = self.pairs
            out += [pairs.get((x, y)) for x in active if self.pair_from >> x & 1 for y in targets]
        out.append(self.any_enter)
        return tuple(a for a in out if a is not None)

    def finals(self, exits: tuple[int, ...], enters: tuple[int, ...]) -> tuple[Action, ...]:
        """Every existing final action of a transition, in HND-2 order."""
        if not self._events:
            return ()
        out = [self.end[i] for i in exits]
        out += [self.state[i] for i in enters]
        out.append(self.any_state)
        return tuple(a for a in out if a is not None)
