"""What a machine costs that does nothing, and what one costs that never does the same twice."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc
from typing import TYPE_CHECKING

from amctl.bench._engine_work import SETUP, orchestrator
from amctl.machine import Machine

if TYPE_CHECKING:
    from amctl.machine import Schema

__all__ = ["Walk", "bytes_machine", "create_seconds"]

_WALKED = 30
"""States of the walk: 2**30 sets of active ones."""


def _made(schema: Schema, count: int) -> list[Machine]:
    return [Machine(f"m{n}", schema) for n in range(count)]


def _gone(machines: list[Machine]) -> None:
    for machine in machines:
        machine.dispose_force()


def bytes_machine(count: int) -> tuple[float, float]:
    """Bytes of one more machine of 45 states: new, and with six states active.

    What machines of one schema share is not counted, since one of them is there already.
    """
    schema = orchestrator()
    first = _made(schema, 1)
    for state in SETUP * 2:
        first[0].add(state)
        first[0].remove(state)
        first[0].add(state)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        machines = _made(schema, count)
        gc.collect()
        new = tracemalloc.get_traced_memory()[0]
        for machine in machines:
            for state in SETUP:
                machine.add(state)
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    _gone([*first, *machines])
    return (new - before) / count, (used - before) / count


def create_seconds(schema: Schema, count: int) -> float:
    """CPU seconds to make so many machines."""
    began = time.thread_time()
    machines = _made(schema, count)
    taken = time.thread_time() - began
    _gone(machines)
    return taken


class Walk:
    """A machine whose states are toggled at random, so that hardly any plan is met again."""

    def __init__(self, seed: int = 1) -> None:
        self._names = [f"S{n:02}" for n in range(_WALKED)]
        self._machine = Machine("walk", {name: {} for name in self._names})
        self._rng = random.Random(seed)

    def run(self, count: int) -> float:
        """CPU seconds of so many steps."""
        steps = self._rng.choices(self._names, k=count)
        toggle = self._machine.toggle
        began = time.thread_time()
        for name in steps:
            toggle(name)
        return time.thread_time() - began

    def grown(self, count: int) -> float:
        """Bytes that so many steps leave behind, once as many have been made."""
        self.run(count)
        gc.collect()
        tracemalloc.start()
        try:
            self.run(count)
            before = tracemalloc.get_traced_memory()[0]
            self.run(count)
            return float(tracemalloc.get_traced_memory()[0] - before)
        finally:
            tracemalloc.stop()
