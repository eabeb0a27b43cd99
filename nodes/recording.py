"""What nodes and orchestrator record of themselves: all their machines, to the run's collector.

Who has no path in its plan records nothing, and imports nothing for it.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amctl.machine import Machine
    from amctl.rpc.transports.base import Connection
    from amctl.telemetry.dbgstream import DebugStream
    from nodes.plan import DebugPlan

__all__ = ["DBG_PATH", "LAST_WORD", "browser_clock", "finish", "record"]

DBG_PATH: Final = "/dbg"
"""Path at the relay that leads to the collector."""
LAST_WORD: Final = 1.0
"""Seconds in which whoever is disposed of may still send what it recorded."""
_STRAGGLERS = 0.3
"""Share of these for machines whose disposal follows."""
_BROWSER_OUTBOX = 4000
_ARGS = ("round", "attempt", "reason", "retry", "machine_id")
"""Arguments of the workflow that are recorded besides the usual ones."""


def record(
    plan: DebugPlan, machine: Machine, dial: Callable[[str], Awaitable[Connection]]
) -> DebugStream | None:
    """A stream of the machine and all its descendants, not started; None if there is to be none.

    Args:
        plan: Where it goes, and what it holds.
        machine: Whom to follow; its id is the sender's name.
        dial: Connects to a path of the relay.
    """
    if not plan.path:
        return None
    from amctl.telemetry.dbglink import BROWSER_PACE, PACE
    from amctl.telemetry.dbgstream import DebugOptions, DebugStream

    options, pace, clock = DebugOptions(arg_names=_ARGS, **plan.options), PACE, time.time_ns
    if sys.platform == "emscripten":
        options = replace(options, outbox=_BROWSER_OUTBOX)
        pace, clock = BROWSER_PACE, browser_clock()
    stream = DebugStream(
        machine.id, lambda: dial(plan.path), plan.token, options, pace=pace, now_ns=clock
    )
    stream.attach(machine)
    return stream


def browser_clock() -> Callable[[], int]:
    """Unix time in nanoseconds, in steps of microseconds; Python's own has milliseconds there."""
    performance = import_module("js").performance
    origin, now = int(performance.timeOrigin * 1e6), performance.now
    return lambda: origin + int(now() * 1e6)


async def finish(stream: DebugStream, within: float = LAST_WORD) -> None:
    """The stream's machine is disposed of: follow those that go after it, send what is left."""
    await stream.until_gone(within * _STRAGGLERS)
    await stream.close(within * (1 - _STRAGGLERS))
