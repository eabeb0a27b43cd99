"""A program for tests: three machines of a kind with REPL endpoints, until its stdin ends.

    python -m tests.support.three_machines FOLDER TOKEN

Prints a line once all listen. `Slow` takes its time and makes Foo active, `Away` closes the
machine's endpoint.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.machine import Machine, State
from amctl.rpc.repl import repl_endpoint
from amctl.rpc.states import SourceStates
from tests.support.fake_fleet import AWorking
from tests.support.fake_fleet import Worker as Local

if TYPE_CHECKING:
    from amctl.machine import Event
    from amctl.rpc.mux import Mux

__all__ = ["Worker"]


class Worker(Local, SourceStates):
    """As of the fake fleet, and served."""

    Got = State(multi=True)
    """It was given a name and a count."""
    Away = State()


class Handlers:
    """What its machines do."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.door = machine, None

    def VetoedEnter(self, e: Event) -> bool:
        """Never."""
        return False

    def EventState(self, e: Event) -> None:
        """Show that the arguments came, as so many ticks of Got."""
        for _ in range(e.args(AWorking).count):
            e.machine.add(Worker.Got)

    async def SlowState(self, e: Event) -> None:
        """Some work."""
        await asyncio.sleep(0.3)
        e.machine.add(Worker.Foo)


async def main(folder: Path, token: str) -> None:
    doors: list[Mux] = []
    for index in range(3):
        machine = Machine(f"worker{index}", Worker, tags=("test",))
        machine.accept_args(AWorking)
        machine.bind(Handlers(machine), id="test")
        door = repl_endpoint(machine, addr_dir=folder, token=token)
        await door.start()
        doors.append(door)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for door in doors:
        await door.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
