"""The machine that `amctl bench rpc` calls: as many states as an orchestrator has."""

from __future__ import annotations

from amctl.machine import Machine, Schema, StateDef

__all__ = ["PUSHED", "STATE", "STATES", "source"]

STATES = 45
STATE = "S20"
"""Added by every call, and multi, so that each one moves the clock."""
PUSHED = ("S03", "S21", "S40")
"""Changed by the source itself."""


def source() -> Machine:
    """A fresh one."""
    names = [f"S{i:02}" for i in range(STATES - 1)]
    multi = StateDef(multi=True)
    states = {name: multi if name in (STATE, *PUSHED) else StateDef() for name in names}
    return Machine("bench", Schema(states, names))
