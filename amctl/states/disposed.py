"""Orderly disposal: callbacks run, then the machine goes (DSP-6)."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.machine import Args, State, States

if TYPE_CHECKING:
    from amctl.machine import Event, Machine

__all__ = ["ARegisterDisposal", "DisposalCallback", "DisposedHandlers", "DisposedStates"]

DisposalCallback = Callable[[], Awaitable[None] | None]

_log = logging.getLogger("amctl.states.disposed")


class DisposedStates(States):
    """To be merged into a machine with DisposedHandlers bound."""

    RegisterDisposal = State(multi=True)
    """Adds a callback; comes with ARegisterDisposal."""

    Disposing = State(remove=["Start", "Exception"])
    """The callbacks are running. Add this state to dispose of the machine."""

    Disposed = State(remove=["Start", "Exception", "Disposing"])
    """All callbacks have run; the machine is disposed of."""


@dataclass(frozen=True)
class ARegisterDisposal(Args):
    """Arguments of RegisterDisposal. Local only: a callback can't travel."""

    callback: DisposalCallback | None = None
    """Called once when the machine disposes; may be a coroutine function."""


class DisposedHandlers:
    """Handlers of DisposedStates: inherit from it, or bind it on its own.

    A class that overrides `DisposingState` must await the inherited one at its end.
    """

    def __init__(self) -> None:
        self._disposals: list[DisposalCallback] = []

    def RegisterDisposalEnter(self, e: Event) -> bool:
        """Refuse whatever is no callback, and say so unless it was only a question."""
        if callable(e.args(ARegisterDisposal).callback):
            return True
        if not e.is_check:
            e.machine.add_err(TypeError("RegisterDisposal needs ARegisterDisposal(callback)"))
        return False

    def RegisterDisposalState(self, e: Event) -> None:
        """Keep the callback."""
        callback = e.args(ARegisterDisposal).callback
        assert callback is not None
        self._disposals.append(callback)

    async def DisposingState(self, e: Event) -> None:
        """Run the callbacks in the order they came, then add Disposed; a failing one is logged."""
        machine: Machine = e.machine
        disposals, self._disposals = self._disposals, []
        for callback in disposals:
            try:
                answer = callback()
                if inspect.isawaitable(answer):
                    await answer
            except Exception:
                _log.exception("%s: a disposal callback failed", machine.id)
        machine.add("Disposed", source=e)

    def DisposedState(self, e: Event) -> None:
        """Dispose of the machine."""
        e.machine.dispose()
