"""Sessions at well-known places, for the panes' tests; and panes as text, for golden files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.dump.memory import MemoryDump
from amctl.machine import StateDef
from amctl.machine.steps import (
    ACTIVATE,
    CALLED,
    CANCEL,
    DEACTIVATE,
    HANDLER,
    RELATION,
    Step,
)
from amctl.telemetry.messages import GapMsg, SchemaMsg
from tests.debugger.histories import lines, recorded, tx

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["at", "lamp", "place_in_the_run", "text"]

NAMES = ("Plugged", "On", "Off", "ErrBulb")


def lamp() -> MemoryDump:
    """A lamp of four states: plugged in, switched on, refused, failed, one message lost."""
    states = {
        "Plugged": StateDef(),
        "On": StateDef(require=("Plugged",), remove=("Off",), tags=("light",)),
        "Off": StateDef(auto=True, remove=("On",)),
        "ErrBulb": StateDef(multi=True),
    }
    groups = {"self": (0, 1), "BasicStatesDef": (2, 3)}
    dump = MemoryDump("lamp")
    dump.write(
        SchemaMsg("lamp", NAMES, states, "", ("home", "addr:1"), groups, ("self", "BasicStatesDef"))
    )
    dump.write(
        tx(
            "lamp", 1, (1, 0, 1, 0), called=(0,), steps=(Step(CALLED, target=0),),
            logs=lines("[state] +Plugged +Off (by=hand)"),
        )
    )  # fmt: skip
    dump.write(tx("lamp", 2, (), called=(1,), is_queued=True, queue=1, mut_queue_tick=3))
    steps = (
        Step(CALLED, target=1),
        Step(RELATION, source=1, target=0, relation=2),
        Step(RELATION, source=1, target=2, relation=3),
        Step(DEACTIVATE, target=2),
        Step(ACTIVATE, target=1),
        Step(HANDLER, target=1, is_final=True, is_enter=True),
    )
    dump.write(
        tx(
            "lamp", 3, (1, 1, 2, 0), called=(1,), steps=steps, queue_tick=3, args={"by": "hand"},
            pre_logs=lines("[exter] a hand comes", level=1),
            logs=(*lines("[add] On (by=hand)", "[handler:0] OnState", level=3),
                  *lines("[state] +On -Off (by=hand)")),
        )
    )  # fmt: skip
    refused = (Step(CALLED, target=2), Step(CANCEL, target=2))
    dump.write(tx("lamp", 4, (1, 1, 2, 0), called=(2,), accepted=False, steps=refused))
    failed = lines("[error] it broke\n\tlamp.py:3\n\tmain.py:9")
    dump.write(tx("lamp", 5, (1, 1, 2, 1), called=(3,), logs=failed))
    dump.write(tx("lamp", 6, (1, 1, 2, 3), called=(3,)))
    dump.write(tx("lamp", 7, (1, 1, 2, 3), called=(0,)))
    dump.write(GapMsg(4, "outbox full", "lamp"))
    return dump


def at(cursor: int, step: int = 0, filters: Filters | None = None) -> Session:
    """Looking at the lamp."""
    session = Session(Store(lamp()), filters or Filters.none(), follow=False)
    session.work_all()
    session.go(Place("lamp", cursor))
    for _ in range(step):
        session.move_step()
    return session


def place_in_the_run(machine: str, cursor: int) -> Session:
    """Looking at the recorded run."""
    session = Session(Store(recorded()), follow=False)
    session.work_all()
    session.go(Place(machine, cursor))
    return session


def text(rows: Iterable[object]) -> str:
    """One line each."""
    return "".join(f"{row}\n" for row in rows)
