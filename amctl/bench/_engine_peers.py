"""Other libraries, and what they take for a flip-flop of two states. Used where installed."""

from __future__ import annotations

import importlib
import time
import types
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PEERS", "flipflop"]


def flipflop() -> Callable[[int], float]:
    """Ours: two states that exclude each other, added in turns."""
    machine = Machine("flipflop", {"On": {"remove": ["Off"]}, "Off": {"remove": ["On"]}})
    machine.add("Off")
    add = machine.add

    def run(count: int) -> float:
        began = time.thread_time()
        for _ in range(count // 2):
            add("On")
            add("Off")
        return time.thread_time() - began

    return run


def _peer(flip: Callable[[], object], flop: Callable[[], object]) -> Callable[[int], float]:
    def run(count: int) -> float:
        began = time.thread_time()
        for _ in range(count // 2):
            flip()
            flop()
        return time.thread_time() - began

    return run


def _transitions() -> Callable[[int], float]:
    library: Any = importlib.import_module("transitions")
    model = types.SimpleNamespace()
    moves = [["flip", "Off", "On"], ["flop", "On", "Off"]]
    library.Machine(model, states=["On", "Off"], transitions=moves, initial="Off")
    return _peer(model.flip, model.flop)


def _python_statemachine() -> Callable[[int], float]:
    library: Any = importlib.import_module("statemachine")
    off, on = library.State(initial=True), library.State()
    body = {"off": off, "on": on, "flip": off.to(on), "flop": on.to(off)}
    made: Any = types.new_class("FlipFlop", (library.StateMachine,), {}, lambda ns: ns.update(body))
    machine = made()
    return _peer(machine.flip, machine.flop)


def _if_installed(make: Callable[[], Callable[[int], float]]) -> Callable[[int], float] | None:
    try:
        return make()
    except ImportError:
        return None


PEERS: dict[str, Callable[[], Callable[[int], float] | None]] = {
    "transitions": lambda: _if_installed(_transitions),
    "python-statemachine": lambda: _if_installed(_python_statemachine),
}
"""By name on the package index: what makes so many transitions, and returns the CPU seconds that
it took; None if the library isn't installed."""
