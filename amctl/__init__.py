"""Async state machines that talk to each other.

These are the engine's names that most programs need; the rest stands in the rooms
(`amctl.states`, `amctl.rpc`, `amctl.telemetry`, ...).
"""

from amctl.machine import (
    Args,
    Event,
    Machine,
    MachineView,
    MutationType,
    Result,
    Schema,
    Source,
    State,
    States,
    Tracer,
)

__all__ = [
    "Args",
    "Event",
    "Machine",
    "MachineView",
    "MutationType",
    "Result",
    "Schema",
    "Source",
    "State",
    "States",
    "Tracer",
]
