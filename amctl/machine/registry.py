"""All live machines of this process, for tools. Costs nothing per transition."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amctl.machine.view import MachineView

__all__ = ["enrol", "find", "live"]

_machines: weakref.WeakValueDictionary[int, MachineView] = weakref.WeakValueDictionary()


def enrol(machine: MachineView) -> None:
    """Called by each machine, local or mirror, when it is made."""
    _machines[id(machine)] = machine


def live() -> list[MachineView]:
    """Machines which exist and are not disposed of, oldest first."""
    return [m for m in list(_machines.values()) if not m.is_disposed]


def find(machine_id: str) -> MachineView | None:
    """The newest live machine with this id."""
    return next((m for m in reversed(live()) if m.id == machine_id), None)
