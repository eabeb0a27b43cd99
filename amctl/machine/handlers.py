"""Bindings, and the tables which tell what runs for which states (HND-*)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from amctl.machine.errors import BindError, HandlerNameError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ANY",
    "END",
    "SELF",
    "STATE",
    "Action",
    "Binding",
    "Finals",
    "Handler",
    "HandlerTable",
    "roles",
]

EXIT, ENTER, SELF, PAIR, STATE, END, ANY = "Exit", "Enter", "Self", "Pair", "State", "End", "Any"
_SUFFIXES = (EXIT, ENTER, STATE, END)
_FINAL = (STATE, END)


class Handler:
    """One function that answers one event."""

    __slots__ = ("binding", "fn", "is_coroutine", "name")

    def __init__(self, binding: str, name: str, fn: Callable[[Any], Any]) -> None:
        self.binding, self.name, self.fn = binding, name, fn
        self.is_coroutine = iscoroutinefunction(fn)


class Action:
    """One event: its name and every handler that answers it, in binding order."""

    __slots__ = ("handlers", "name", "phase", "state")

    def __init__(self, name: str, handlers: tuple[Handler, ...], phase: str, state: int) -> None:
        self.name = name
        self.handlers = handlers
        self.phase = phase
        self.state = state  # the state an auto transition drops on a veto


Finals = tuple[tuple[Action, int], ...]
"""Final actions, each with the number of entered states whose State event comes before it."""


def roles(name: str, index: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """What a handler's name can mean: phase, state, and the other state of a pair.

    The phase, not the name's ending, decides later whether an answer counts.
    # differs from Go: a state called FrontEnd can have vetoing pair handlers (HND-10).
    """
    if name in ("AnyEnter", "AnyState"):
        yield name, -1, -1
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and (i := index.get(name[: -len(suffix)])) is not None:
            yield suffix, i, -1
    for cut in range(1, len(name)):
        left, right = index.get(name[:cut]), index.get(name[cut:])
        if left is not None and right is not None:
            yield (SELF if left == right else PAIR), right, left


def _found(source: object) -> dict[str, Callable[[Any], Any]]:
    """Handlers of a map, or the callables of an object whose names start with a capital letter."""
    if isinstance(source, Mapping):
        return {name: fn for name, fn in source.items() if fn is not None}
    out = {}
    for name in dir(source):
        if name[0].isupper() and callable(fn := getattr(source, name)) and not isinstance(fn, type):
            out[name] = fn
    return out


class Binding:
    """Handlers that were bound together.

    Args:
        id: Unique within the machine.
        source: An object with methods, or a map by handler name; None values are skipped.
        prefix: Only events that start with it are offered, and looked up without it (HND-8).
        names: The machine's states.
        mach_id: For errors.
        number: How many were bound before it (HND-6).

    Raises:
        HandlerNameError: A handler fits no state; with a prefix it is only never called.
        BindError: A negotiation handler is a coroutine function.
    """

    __slots__ = ("handlers", "id", "number", "prefix")

    def __init__(
        self,
        id: str,
        source: object,
        prefix: str,
        names: Sequence[str],
        mach_id: str,
        number: int = 0,
    ) -> None:
        self.id, self.prefix = re.sub(r"[^A-Za-z0-9_.\-]", "", id), prefix
        self.number = number
        self.handlers = _found(source)
        index = {name: i for i, name in enumerate(names)}
        for name, fn in self.handlers.items():
            phases = [phase for phase, _, _ in roles(prefix + name, index)]
            if not phases and not prefix:
                raise HandlerNameError(mach_id, prefix + name, names)
            if iscoroutinefunction(fn) and not {*phases} <= {STATE, END, "AnyState"}:
                raise BindError(
                    f"machine {mach_id!r}: negotiation handler {name!r} is a coroutine function, "
                    "but has to answer at once"
                )


class HandlerTable:
    """Actions by state index, made whenever the bindings change."""

    __slots__ = ("any_enter", "any_state", "bound", "end", "enter", "exit", "pair_from", "pairs",
                 "selves", "state")  # fmt: skip

    def __init__(self, names: Sequence[str], bindings: Sequence[Binding]) -> None:
        size = len(names)
        self.exit: list[Action | None] = [None] * size
        self.enter: list[Action | None] = [None] * size
        self.selves: list[Action | None] = [None] * size
        self.pairs: dict[tuple[int, int], Action] = {}
        self.state: list[Action | None] = [None] * size
        self.end: list[Action | None] = [None] * size
        self.any_enter: Action | None = None
        self.any_state: Action | None = None
        self.pair_from = 0
        events: dict[str, list[Handler]] = {}
        for binding in bindings:
            for name, fn in binding.handlers.items():
                events.setdefault(binding.prefix + name, []).append(Handler(binding.id, name, fn))
        self.bound = bool(events)
        index = {name: i for i, name in enumerate(names)} if events else {}
        for name, handlers in events.items():
            self._enter(name, tuple(handlers), index)

    def _enter(self, name: str, handlers: tuple[Handler, ...], index: Mapping[str, int]) -> None:
        for phase, i, other in roles(name, index):
            if phase == "AnyEnter":
                self.any_enter = Action(name, handlers, ANY, -1)
            elif phase == "AnyState":
                self.any_state = Action(name, handlers, ANY, -1)
            elif phase == PAIR:
                self.pairs[other, i] = Action(name, handlers, phase, i)
                self.pair_from |= 1 << other
            else:
                self._of(phase)[i] = Action(name, handlers, phase, i)

    def _of(self, phase: str) -> list[Action | None]:
        return {EXIT: self.exit, ENTER: self.enter, SELF: self.selves, STATE: self.state,
                END: self.end}[phase]  # fmt: skip

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
        if not self.bound:
            return ()
        out = [self.exit[i] for i in exits]
        out += [self.enter[i] for i in enters]
        if not removing:
            out += [self.selves[i] for i in targets if active_mask >> i & 1]
        if self.pair_from & active_mask:
            pairs = self.pairs
            out += [pairs.get((x, y)) for x in active if self.pair_from >> x & 1 for y in targets]
        out.append(self.any_enter)
        return tuple(a for a in out if a is not None)

    def finals(self, exits: tuple[int, ...], enters: tuple[int, ...]) -> Finals:
        """Every existing final action of a transition, in HND-2 order."""
        if not self.bound:
            return ()
        out = [(self.end[i], 0) for i in exits]
        out += [(self.state[i], at) for at, i in enumerate(enters)]
        out.append((self.any_state, len(enters)))
        return tuple((a, at) for a, at in out if a is not None)
