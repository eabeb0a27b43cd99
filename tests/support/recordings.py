"""Small recordings for tests of pictures, made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.dump.memory import MemoryDump
from amctl.machine import StateDef
from amctl.machine.steps import ACTIVATE, CALLED, CANCEL, DEACTIVATE, HANDLER, RELATION, Step
from amctl.telemetry.messages import SchemaMsg, SourceRef, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BEGAN", "HOSTILE", "lamp", "recording", "schema", "tx"]

BEGAN = 1_700_000_000_123_456_789
"""Unix nanoseconds of the first transition."""
HOSTILE = "<script>alert('&\"')</script>\x00\u202e;%%\n"
"""A name that breaks out of whatever doesn't escape it."""


def schema(machine: str, states: dict[str, StateDef] | Iterable[str], **more: Any) -> SchemaMsg:
    """A machine; states without relations may be given by name alone."""
    known = states if isinstance(states, dict) else {name: StateDef() for name in states}
    return SchemaMsg(machine, tuple(known), known, **more)


def tx(machine: str, number: int, clocks: Iterable[int], **more: Any) -> TxMsg:
    """The transition of a machine with this number, a millisecond after the one before it."""
    more.setdefault("time_ns", BEGAN + number * 1_000_000)
    return TxMsg(machine, f"{number:016x}", tuple(clocks), **more)


def recording(*messages: SchemaMsg | TxMsg) -> MemoryDump:
    """A recording in memory."""
    return MemoryDump("test", messages=messages)


def lamp() -> MemoryDump:
    """A lamp that is plugged in, switched on and fails: three transitions, all kinds of steps."""
    states = {
        "Plugged": StateDef(),
        "On": StateDef(require=("Plugged",), add=("Warm",), remove=("Off",)),
        "Off": StateDef(auto=True, remove=("On",)),
        "Warm": StateDef(after=("On",)),
        "ErrBulb": StateDef(multi=True, require=("Exception",)),
        "Exception": StateDef(multi=True),
    }
    groups = {"self": (0, 1, 2, 3), "ErrorsStatesDef": (4, 5)}
    switched = (
        Step(CALLED, target=1),
        Step(ACTIVATE, target=1),
        Step(RELATION, source=1, target=3, relation=1),
        Step(ACTIVATE, target=3),
        Step(RELATION, source=3, target=1, relation=0),
        Step(RELATION, source=1, target=0, relation=2),
        Step(RELATION, source=1, target=2, relation=3),
        Step(DEACTIVATE, target=2),
        Step(RELATION, source=1, target=0, relation=2),
        Step(HANDLER),
        Step(HANDLER, target=2),
        Step(HANDLER, target=1, is_enter=True),
        Step(HANDLER, target=1, is_enter=True, is_final=True),
    )
    failed = (
        Step(CALLED, target=4),
        Step(ACTIVATE, target=4),
        Step(RELATION, source=4, target=5, relation=2),
        Step(CANCEL, target=4),
    )
    return recording(
        schema("lamp", states, groups=groups, groups_order=("self", "ErrorsStatesDef")),
        tx("lamp", 1, (1, 0, 1, 0, 0, 0), called=(0,)),
        tx(
            "lamp",
            2,
            (1, 1, 2, 1, 0, 0),
            called=(1,),
            steps=switched,
            args={"hand": "left"},
            source=SourceRef("person", "00000000000000aa", 7),
        ),
        tx("lamp", 3, (1, 1, 2, 1, 0, 0), called=(4,), accepted=False, steps=failed),
    )
