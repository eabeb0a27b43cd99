"""The whole way from a question to a report: of what runs, and of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.graph.moments import END, moment_at, moment_before_the_end
from amctl.repl.errors import UnreachableError
from amctl.repl.why.following import DEPTH, follow
from amctl.repl.why.live import PATIENCE, LiveWorld
from amctl.repl.why.model import OutOfReachError
from amctl.repl.why.recorded import RecordedWorld
from amctl.repl.why.report import report_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.dump.model import Dump
    from amctl.repl.peer import Fleet
    from amctl.repl.why.report import Report

__all__ = ["why_live", "why_recorded"]


async def why_live(
    fleet: Fleet,
    machine: str,
    state: str,
    op: str = "add",
    *,
    depth: int = DEPTH,
    patience: float = PATIENCE,
) -> Report:
    """Why a state of a running machine is as it is.

    Args:
        fleet: Who can be asked.
        machine: Its id: of a machine with an address, or of any within the process of one.
        state: Of it.
        op: `add`; or `remove`, to find out why it stays.
        depth: How many links to follow.
        patience: Seconds for each answer.

    Raises:
        NothingRunsError: No machine is connected.
        NoSuchMachineError, NoSuchStateError: Nobody knows it.
        UnreachableError: It is known, but can't be asked, nor can a mirror of it.
    """
    world = LiveWorld(fleet, patience)
    spot = await world.find(machine)
    try:
        return report_of(await follow(world, spot, state, op, depth=depth))
    except OutOfReachError as error:
        raise UnreachableError(machine, str(error)) from None


async def why_recorded(
    dump: Dump,
    machine: str,
    state: str,
    *,
    at: str | None = None,
    depth: int = DEPTH,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Why a state was as it was at a moment of a recording.

    Args:
        dump: The recording.
        machine: Its id.
        state: Of it.
        at: A moment as `amctl vis` takes it; None is the last one with all machines alive,
            `end` the end.
        depth: How many links to follow.
        say: Told if the moment isn't the end.

    Raises:
        NoSuchMachineError, NoSuchStateError: The recording holds none.
        GraphError: `at` names no moment.
        DumpError: The recording can't be read.
    """
    if at is None:
        moment = moment_before_the_end(dump)
        if moment is not None:
            say("note: as it was before the machines were taken down; --at end is the very end")
    else:
        moment = None if at == END else moment_at(dump, at)
    world = RecordedWorld(dump, moment)
    return report_of(await follow(world, await world.find(machine), state, depth=depth))
