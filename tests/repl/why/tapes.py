"""Recordings of real machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.dump.memory import MemoryDump
from amctl.machine import Machine
from amctl.repl.why.following import follow
from amctl.repl.why.recorded import RecordedWorld
from amctl.repl.why.report import report_of
from amctl.telemetry.dbgstream import DebugOptions, DebugStream
from tests.support.fake_debugger import FakeDebugger

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.graph.moments import Moment
    from amctl.machine import MachineView
    from amctl.repl.why.report import Report

__all__ = ["BEGAN", "Tape"]

BEGAN = 1_700_000_000_000_000_000
"""Unix nanoseconds of the first message; each one comes a second after the one before."""


class Tape:
    """Records machines into memory."""

    def __init__(self, **options: Any) -> None:
        self.now = BEGAN
        self.stream = DebugStream(
            "me", FakeDebugger().dial, "secret", DebugOptions(**options), now_ns=self._tick
        )
        self.dump = MemoryDump("tape")

    def _tick(self) -> int:
        self.now += 10**9
        return self.now

    def machine(self, id: str, states: dict[str, Any], **options: Any) -> Machine:
        """A machine that is recorded."""
        machine = Machine(id, states, names=[*states, "Exception"], **options)
        self.follow(machine)
        return machine

    def follow(self, machine: MachineView) -> None:
        """Record a machine, and what is below it."""
        self.stream.attach(machine)

    def read(self) -> MemoryDump:
        """What was recorded until now."""
        while (entry := self.stream.outbox.take()) is not None:
            self.dump.write(entry[1])
        return self.dump

    def write(self, path: Path) -> Path:
        """The recording as a file."""
        from amctl.dump.copying import messages_of
        from amctl.dump.sqlite import SqliteWriter

        dump = self.read()
        writer = SqliteWriter(path)
        for message in messages_of(dump):
            writer.write(message)
        writer.finish()
        return path

    async def why(
        self, machine: str, state: str, moment: Moment | None = None, **options: Any
    ) -> Report:
        """The report."""
        world = RecordedWorld(self.read(), moment)
        return report_of(await follow(world, await world.find(machine), state, **options))
