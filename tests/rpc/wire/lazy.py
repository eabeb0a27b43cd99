"""Clients that sleep for a while, and clients in a tab that nobody looks at."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.rpc.wire.sim import SMALL, Sim, Wire

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.rpc.wire import ClientCore, Conn

__all__ = ["LazySim"]

PATIENT = replace(SMALL, ping=10.0, pong=5.0, hello_timeout=3.0, resume=120.0)
"""The real times: what is given up after which silence matters here."""


class LazyWire(Wire):
    """Carries nothing to a client that sleeps, and nothing from it."""

    sim: LazySim

    def _move(self, end: int, it: ClientCore | Conn) -> None:
        if end == 1 or not self.sim.is_asleep:
            super()._move(end, it)

    def _arrive(self, end: int, data: bytes) -> None:
        if end == 1 and self.sim.is_asleep:
            self.sim.at(self.sim.wakes, lambda: self._arrive(end, data))
        else:
            super()._arrive(end, data)

    def kill(self) -> None:
        if self.sim.clamp > 1:
            # A death that only pings could find is found after minutes, when the session is over.
            self.silent = (False, self.silent[1])
        super().kill()

    def lost(self, end: int) -> None:
        if end == 0 and self.sim.is_asleep:
            self.sim.at(self.sim.wakes, lambda: self.lost(end))
        else:
            super().lost(end)


class LazySim(Sim):
    """A world with one of them.

    Args:
        seed: What it follows from.
        clamp: The client's timers go off at multiples of that many seconds only, as they do in a
            hidden tab: of 1 at first, of 60 after some minutes. What arrives, arrives.
        sleeps: Moments at which the client's machine sleeps for 60 s, and then hears of everything
            at once.
    """

    def __init__(
        self, seed: int, *, clamp: float = 0.0, sleeps: Sequence[float] = (), **options: Any
    ) -> None:
        super().__init__(seed, limits=PATIENT, **options)
        self.wire_kind = LazyWire
        self.clamp, self.wakes = clamp, 0.0
        self.gap = 3 * clamp + 90.0 * len(sleeps)
        for moment in sleeps:
            self.at(moment, self.sleep)

    @property
    def is_asleep(self) -> bool:
        """Whether the client's machine is."""
        return self.now < self.wakes

    def sleep(self) -> None:
        """Close the lid for a minute."""
        self.wakes = self.now + 60.0

    def fires_at(self, end: int, due: float) -> float:
        """See `Sim.fires_at`."""
        due = max(due, self.now)
        if end == 1:
            return due
        if self.clamp:
            due = math.ceil(due / self.clamp) * self.clamp
        return max(due, self.wakes)

    def connect(self) -> None:
        """Dial when a timer may go off."""
        due = self.fires_at(0, self.now)
        if due > self.now:
            self.at(due, self.connect)
        else:
            super().connect()

    def call(
        self, op: int, states: Sequence[int], args: dict[str, Any], wants: bool = True
    ) -> None:
        """Nobody calls while the machine sleeps."""
        if not self.is_asleep:
            super().call(op, states, args, wants)
