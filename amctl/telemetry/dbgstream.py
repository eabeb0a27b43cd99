"""Records machines: what they do goes to a collector, whatever that does meanwhile.

    stream = DebugStream("browser1", dial, token)
    stream.start()
    stream.attach(machine)
    ...
    lost = await stream.close(1.0)

One stream belongs to one event loop. It follows the machines that it was given and, by itself, all
that have one of them as an ancestor, whenever they come. Nothing that goes wrong here reaches a
machine; what can't be recorded is counted, and told in the recording.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from amctl.machine import registry
from amctl.telemetry._dbglines import SafeLines
from amctl.telemetry.dbglink import PACE, DebugLink
from amctl.telemetry.dbgtracer import DebugTracer, SteppingTracer
from amctl.telemetry.messages import GoneMsg, PipeMsg
from amctl.telemetry.outbox import FULL, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import MachineView, PipeRecord
    from amctl.rpc.transports.base import Connection, Dial
    from amctl.rpc.wire.codec import Codec
    from amctl.telemetry.dbglink import Pace
    from amctl.telemetry.messages import Message

__all__ = ["Carrier", "DebugOptions", "DebugStream"]

_log = logging.getLogger("amctl.telemetry.stream")


@dataclass(frozen=True, slots=True)
class DebugOptions:
    """What of each transition is recorded, and of which machines."""

    steps: bool = True
    args: bool = True
    """Those arguments which may be shown, see `loggable`."""
    arg_names: tuple[str, ...] = ()
    """More of them, by name."""
    log_level: int = 3
    """Of log lines; 0 writes none."""
    checks: bool = False
    """Also questions (Can*), which change nothing."""
    queued: Literal["none", "waiting", "all"] = "waiting"
    """Also what is queued, when it is: mutations that have to wait for their turn; or all, as in
    the original, where each one is put in the queue before it runs."""
    stacks: bool = False
    """With queued ones: where in the code they come from. Slow."""
    rpc: bool = True
    """Also machines of the RPC layer."""
    relay: bool = True
    """Also machines of the relay."""
    outbox: int = 20_000
    """How many messages may wait for the collector."""

    def covers(self, machine: MachineView) -> bool:
        """Whether a machine is to be recorded. If it isn't, its descendants aren't either."""
        for tag in machine.tags:
            if (tag == "relay" and not self.relay) or (tag.startswith("rpc-") and not self.rpc):
                return False
        return True


_DEFAULT = DebugOptions()


class Carrier(Protocol):
    """Brings an outbox to whoever records; `DebugLink` brings it to a collector."""

    @property
    def is_connected(self) -> bool:
        """Whether somebody takes what is sent."""
        ...

    def start(self) -> None:
        """Begin to connect; returns at once."""
        ...

    def wake(self) -> None:
        """There is something to be sent."""
        ...

    async def close(self, grace: float) -> int:
        """Send what is left within so many seconds; returns how many messages could not be."""
        ...


async def _nowhere() -> Connection:
    raise ConnectionRefusedError("there is no collector to dial")


class DebugStream:
    """What one process or thread records.

    Args:
        name: Who sends, for people.
        dial: Makes a connection to the collector, or raises OSError.
        token: What the collector wants to hear.
        options: What is recorded.
        pace: How much is sent when.
        now_ns: Unix time in nanoseconds; stamped on every message.
        codec: Of the wire; None is the best one.
        carrier: Makes what brings the outbox elsewhere than to a collector; then there is nothing
            to `dial`, and no token.
    """

    def __init__(
        self,
        name: str,
        dial: Dial = _nowhere,
        token: str = "",
        options: DebugOptions = _DEFAULT,
        *,
        pace: Pace = PACE,
        now_ns: Callable[[], int] = time.time_ns,
        codec: Codec | None = None,
        carrier: Callable[[Outbox], Carrier] | None = None,
    ) -> None:
        self.name, self.options, self.now_ns = name, options, now_ns
        self.id = secrets.token_hex(8)
        self.outbox = Outbox(options.outbox, now_ns, self._losing)
        self._link: Carrier
        if carrier is not None:
            self._link = carrier(self.outbox)
        else:
            self._link = DebugLink(
                name, self.id, self.outbox, dial, token, pace=pace, now_ns=now_ns, codec=codec
            )
        self.lines: SafeLines | None = None
        """Writes the lines of all machines; bound to each before its own tracer."""
        if options.log_level:
            self.lines = SafeLines(
                options.log_level, options.arg_names, checks=options.checks, id=f"lines-{self.id}"
            )
        self._tracers: dict[int, DebugTracer] = {}
        self._pipes: set[PipeRecord] = set()
        self._gone: asyncio.Event = asyncio.Event()
        self._is_closed = False

    def start(self) -> None:
        """Begin to connect; returns at once. What is recorded before waits."""
        self._link.start()

    @property
    def is_connected(self) -> bool:
        """Whether a collector takes what is sent."""
        return self._link.is_connected

    @property
    def dropped(self) -> int:
        """Messages that were lost before they were sent."""
        return self.outbox.dropped

    # --- machines

    def attach(self, machine: MachineView) -> None:
        """Follow a machine, its descendants, and those that they will have.

        Does nothing for one that is followed already, is disposed of, or isn't covered.
        """
        self.follow(machine)
        waiting = [machine.id]
        children: dict[str, list[MachineView]] = {}
        for other in registry.live():
            children.setdefault(other.parent_id, []).append(other)
        while waiting:
            for child in children.pop(waiting.pop(), ()):
                self.follow(child)
                waiting.append(child.id)

    def follow(self, machine: MachineView) -> None:
        """Follow this machine, and children that it will have. See `attach`."""
        if self._is_closed or machine.is_disposed or id(machine) in self._tracers:
            return
        if not self.options.covers(machine):
            return
        tracer = (SteppingTracer if self.options.steps else DebugTracer)(machine, self)
        self._tracers[id(machine)] = tracer
        self._gone.clear()
        try:
            tracer.begin()
        except Exception:
            # recording must not keep a machine from being made
            _log.exception("recording of %s: %s can't be followed", self.name, machine.id)
            self._tracers.pop(id(machine), None)

    @property
    def machine_ids(self) -> list[str]:
        """Of the machines that are followed, in the order in which they came."""
        return [tracer.machine.id for tracer in self._tracers.values()]

    # --- told by tracers

    def offer(self, message: Message) -> bool:
        """Take a message over, if there is room."""
        kept = self.outbox.put(message)
        self._link.wake()
        return kept

    def lose(self, why: str, machine_id: str) -> None:
        """A message could not even be made."""
        self.outbox.lose(1, why, machine_id)
        self._link.wake()

    def pipe(self, record: PipeRecord, gone: bool) -> None:
        """A pipe was bound or unbound. Both of its ends may say so; it is told once."""
        was_told = record in self._pipes
        if was_told != gone:
            return
        if gone:
            self._pipes.remove(record)
        else:
            self._pipes.add(record)
        message = PipeMsg(
            record.op,
            record.source_id,
            record.source_state,
            record.target_id,
            record.target_state,
            gone,
            self.now_ns(),
        )
        self.offer(message)

    def ended(self, tracer: DebugTracer, was_told: bool) -> None:
        """A machine was disposed of, which ends its pipes too."""
        machine_id = tracer.machine.id
        self._tracers.pop(id(tracer.machine), None)
        ends = [p for p in self._pipes if machine_id in (p.source_id, p.target_id)]
        self._pipes.difference_update(ends)
        if was_told:
            self.outbox.put(GoneMsg(machine_id, self.now_ns()), must=True)
            self._link.wake()
        if not self._tracers:
            self._gone.set()

    def _losing(self, why: str) -> None:
        if why == FULL:
            _log.warning(
                "recording of %s: %d messages wait for the collector, further ones are lost",
                self.name,
                self.options.outbox,
            )

    # --- the end

    async def until_gone(self, within: float) -> bool:
        """Wait until all machines that are followed are disposed of; whether they are."""
        try:
            async with asyncio.timeout(within):
                await self._gone.wait()
        except TimeoutError:
            return False
        return True

    @property
    def unsent(self) -> int:
        """Messages that no collector has taken yet; once it is closed, none ever will."""
        return self.outbox.unacked

    async def close(self, grace: float = 1.0) -> int:
        """Stop following, send what is left, and wait until it is safe.

        Args:
            grace: Seconds; what isn't safe by then is lost, and that is logged.

        Returns:
            How many messages were lost, those without room included.
        """
        is_first, self._is_closed = not self._is_closed, True
        tracers, self._tracers = list(self._tracers.values()), {}
        for tracer in tracers:
            tracer.end()
        self._gone.set()
        lost = await self._link.close(grace)
        if lost and is_first:
            _log.warning("recording of %s: the last %d messages are lost", self.name, lost)
        return lost + self.outbox.dropped
