"""Who listens to a machine: handlers and tracers."""

from __future__ import annotations

import logging
import random
from _thread import get_ident
from contextlib import contextmanager
from dataclasses import is_dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from amctl.machine._gates import TRACED, WATCHED
from amctl.machine._listening import Breakpoint, Breakpoints, Changes
from amctl.machine._narrated import narrate
from amctl.machine.core import Core
from amctl.machine.errors import BindError
from amctl.machine.handlers import Binding
from amctl.machine.plan import planner_of
from amctl.machine.tracer import Hooks, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from amctl.machine.args import Args
    from amctl.machine.machine import Machine

    OnChange = Callable[[Machine, Mapping[str, int], Mapping[str, int]], None]

__all__ = ["Bound"]

T = TypeVar("T", bound=Tracer)
USER, OPS = 1, 3  # levels of lines
_log = logging.getLogger("amctl.machine")


class Bound(Core):
    """Binds and unbinds. `Machine` adds what changes states."""

    _bindings: list[Binding]
    _tracers: tuple[Tracer, ...]
    _failed_tracers: set[str]
    _bound: int = 0
    _accepted: tuple[type[Args], ...] = ()

    def bind(self, handlers: object, *, prefix: str = "", id: str = "") -> str:
        """Bind handlers: an object with methods, or a map by name.

        Names, in calling order: `AExit`, `AEnter`, `AA` (already active), `AB` (A was active, B is
        a target), `AnyEnter`; clocks move; `AEnd`, `AState`, `AnyState`. The first line are
        negotiation handlers: plain functions, which veto by returning False. Final handlers return
        nothing and may be coroutines: such a task lives as long as its state. One of a Multi state,
        an End or AnyState lives with Start, if that is active, else with the machine. A coroutine
        that ends its own state is cancelled at its next await: hand over what must be finished.
        What a handler raises becomes Exception. Methods that start with a small letter are helpers.

        Args:
            handlers: Each gets the Event.
            prefix: Offer only events starting with it, and look them up without it (HND-8).
            id: Name of the binding, for tools.

        Returns:
            The binding's id, for `detach`.

        Raises:
            HandlerNameError: A handler fits no state; its hint has a near match.
            BindError: The id is taken, or a negotiation handler is a coroutine function.
        """
        id = id or f"anon-{random.getrandbits(16):04x}"
        binding = Binding(id, handlers, prefix, self.names, self.id, self._bound)
        if any(b.id == binding.id for b in self._bindings):
            raise BindError(f"machine {self.id!r} has a binding {binding.id!r} already")
        self._bound += 1
        self._bindings.append(binding)
        self._rebind(self._config.order)
        self._line(OPS, f"[handlers] bind {binding.number}:{binding.id}")
        if self._bound == 1 and self.is_err() and self._error is not None:
            self.add_err(self._error)  # HND-12
        return binding.id

    def detach(self, id: str) -> None:
        """Unbind handlers.

        Raises:
            BindError: No such binding.
        """
        left = [b for b in self._bindings if b.id != id]
        if len(left) == len(self._bindings):
            raise BindError(f"machine {self.id!r} has no binding {id!r}")
        self._bindings = left
        self._rebind(self._config.order)
        self._line(OPS, f"[handlers] detach {id}")

    @property
    def bindings(self) -> list[str]:
        """Ids of what is bound, in order."""
        return [b.id for b in self._bindings]

    def _rebind(self, order: tuple[int, ...]) -> None:
        """Plan with other handlers: every plan is out of date."""
        limits = self.limits
        self._planner = planner_of(self._compiled, self._bindings, limits.plans, limits.resolver)
        self._table = self._planner.table
        self._config = self._planner.config(order)

    def accept_args(self, *types: type[Args]) -> None:
        """Declare typed arguments that the handlers take, for tools that offer and read them.

        It changes nothing for mutations. Declaring a type again is of no effect.

        Raises:
            BindError: One is no dataclass, or another type of the same name or key is declared.
        """
        for cls in types:
            if not is_dataclass(cls):
                raise BindError(f"machine {self.id!r}: {cls.__qualname__} is no dataclass")
            for other in self._accepted:
                same = cls.label() == other.label() or cls.key() == other.key()
                if same and cls is not other:
                    raise BindError(
                        f"machine {self.id!r} takes {other.__qualname__} by the name "
                        f"{other.label()!r}, so {cls.__qualname__} can't have it"
                    )
            if cls not in self._accepted:
                self._accepted = (*self._accepted, cls)

    @property
    def accepted_args(self) -> tuple[type[Args], ...]:
        """The declared types, in order."""
        return self._accepted

    @contextmanager
    def watched_by(self, tracer: Tracer) -> Iterator[None]:
        """Tell a tracer of what happens within a block, and no log of the tracer.

        For looking at one call of one's own, so it is told before all others, which may call, too;
        `bind_tracer` is for listening.
        """
        self._set_tracers((tracer, *self._tracers))
        try:
            yield
        finally:
            self._set_tracers(tuple(t for t in self._tracers if t is not tracer))

    def bind_tracer(self, tracer: Tracer) -> None:
        """Tell this one of everything from now on.

        Raises:
            BindError: It has no id, or its id is taken.
        """
        if not tracer.id or any(t.id == tracer.id for t in self._tracers):
            raise BindError(f"machine {self.id!r}: tracer id {tracer.id!r} is empty or taken")
        self._set_tracers((*self._tracers, tracer))
        self._line(OPS, f"[tracers] bind {tracer.id}")

    def detach_tracer(self, tracer: Tracer) -> None:
        """Stop telling this one.

        Raises:
            BindError: It isn't bound.
        """
        if tracer not in self._tracers:
            raise BindError(f"machine {self.id!r} has no tracer {tracer.id!r}")
        self._set_tracers(tuple(t for t in self._tracers if t is not tracer))
        self._line(OPS, f"[tracers] detach {tracer.id}")

    @property
    def tracers(self) -> tuple[Tracer, ...]:
        """Those bound, in order."""
        return self._tracers

    @property
    def on_change(self) -> OnChange | None:
        """Called with the machine, and ticks by name before and after, at the end of every
        transition, also of one that changed nothing; not of questions (TX-9)."""
        found = self._own(Changes)
        return found.fn if found is not None else None

    @on_change.setter
    def on_change(self, fn: OnChange | None) -> None:
        left = tuple(t for t in self._tracers if not isinstance(t, Changes))
        self._set_tracers((*left, Changes(fn)) if fn is not None else left)

    def add_breakpoint(
        self,
        added: Iterable[str],
        removed: Iterable[str] = (),
        *,
        strict: bool = False,
        call: Callable[[], object] | None = None,
    ) -> None:
        """Write a line whenever these states are called, all of them in this order (BRK-1).

        Args:
            added: What an `add` names.
            removed: What a `remove` names.
            strict: Not for an add of what is active, or a remove of what is inactive.
            call: Called then, too, before the mutation runs; `breakpoint`, say.

        Raises:
            UnknownStateError: A name isn't in the schema.
        """
        lists = tuple(dict.fromkeys(added)), tuple(dict.fromkeys(removed))
        for names in lists:
            self._mask_of(names)
        found = self._own(Breakpoints)
        if found is None:
            found = Breakpoints()
            self._set_tracers((found, *self._tracers))
        found.points = (*found.points, Breakpoint(*lists, strict, call))

    def _own(self, kind: type[T]) -> T | None:
        return next((t for t in self._tracers if isinstance(t, kind)), None)

    def _tell_cycle(self) -> None:
        if self._compiled.cycle:
            what = f"state {self._compiled.cycle} has a Require cycle for {self.id}"
            self._line(2, f"[resolver] relation error: {what}")

    def _set_tracers(self, tracers: tuple[Tracer, ...]) -> None:
        self._tracers = tracers
        self._time = None
        self._hooks = Hooks(tracers, self._tracer_failed) if tracers else None
        self._gate = self._gate | TRACED if tracers else self._gate & ~TRACED
        listens = self._hooks is not None and self._hooks.log_line
        narrate(self._subs, partial(self._line, OPS) if listens else None)

    def _tracer_failed(self, tracer: Tracer, error: Exception) -> None:
        """PAN-11: logged always, told once, as telling is traced too."""
        _log.error("machine %s: tracer %s failed", self.id, tracer.id, exc_info=error)
        if tracer.id not in self._failed_tracers:
            self._failed_tracers.add(tracer.id)
            self.add_err(error)

    def log(self, text: str, *args: object, handler: str = "") -> None:
        """Write a line for whoever reads this machine's log, and to the program's own (LOG-2).

        Another thread's line goes to the latter alone.

        Args:
            text: A message, in which `%` marks stand for `args` as in Python's logging.
            args: Its values. It is put together only if somebody listens.
            handler: Whose line it is; see `Event.log`.
        """
        listened = self._hooks is not None and self._hooks.log_line and get_ident() == self._thread
        if not listened and not _log.isEnabledFor(logging.INFO):
            return
        message = _formatted(text, args) if args else text
        _log.info("machine %s: %s", self.id, message)
        if listened:
            whose = f"[{handler}] " if handler else ""
            self._line(USER, f"{whose}[exter] {' '.join(message.splitlines())}")

    def _watch(self) -> None:
        self._gate |= WATCHED

    def _unwatch(self) -> None:
        self._gate &= ~WATCHED


def _formatted(text: str, args: tuple[object, ...]) -> str:
    try:
        return text % args
    except (TypeError, ValueError):  # a log must not fail for its text
        return f"{text} {args}"
