"""The collector: takes the debug streams of any number of senders, and writes one dump.

What comes waits in memory for a twentieth of a second, or until there is enough of it; then one
transaction writes all of it, and only then it is acknowledged. Who isn't acknowledged sends again,
so neither the death of this process nor that of a connection loses or doubles anything.

SQLite runs in the loop's own thread: a commit of some thousand rows takes some tens of
milliseconds, in which senders wait in their sockets' buffers. In a thread of its own it takes a
little longer, because the two fight over the interpreter's lock at every row.

If nothing can be written, because the disk is full say, the collector stops reading, tells it once,
and tries again. Senders keep what they have meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.dump._guest import Guest
from amctl.dump._intake import Intake, Stream, typed_codec
from amctl.dump.errors import DumpError, DumpFullError
from amctl.dump.rotation import Rotation, prune, target_for
from amctl.telemetry.messages import GapMsg

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.dump._forward import Forwards
    from amctl.dump._rpcguest import RpcDoor, RpcGuest
    from amctl.dump.sqlite import SqliteStore
    from amctl.telemetry.dbgwire import Batch

__all__ = ["Collector", "Counts", "Limits"]

_TICK = 1.0
"""Seconds between looks at the clock."""
_ROTATE_AGAIN = 60.0
"""Seconds until the next try to rotate."""
_log = logging.getLogger("amctl.dump.collector")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a collector bears."""

    connections: int = 256
    calling: int = 1024
    """Connections of the original's, which has one for each machine."""
    machines: int = 5000
    commit_after: float = 0.05
    """Seconds that something waits at most."""
    commit_rows: int = 5000
    """Transitions that wait at most."""
    retry_after: float = 1.0
    """Seconds until the next try to write."""


@dataclass(slots=True)
class Counts:
    """What a collector has done."""

    transitions: int = 0
    commits: int = 0
    connections: int = 0
    refused: int = 0
    gaps: int = 0
    missing: int = 0
    """Messages that the gaps stand for."""
    rotations: int = 0
    streams: set[str] = field(default_factory=set)


class Collector:
    """A TCP server, its guests, and the store that it owns from now on.

    Args:
        store: Where everything goes.
        token: What senders must know; None lets everybody in.
        limits: What it bears.
        rotation: When the dump is cut.
        forwards: Who else gets everything; `close` closes them.
        now_ns: Unix time.
        tell: Gets a line for people, and how many `-v` it takes to see it.
    """

    def __init__(
        self,
        store: SqliteStore,
        token: str | None,
        *,
        limits: Limits | None = None,
        rotation: Rotation | None = None,
        forwards: Forwards | None = None,
        now_ns: Callable[[], int] = time.time_ns,
        tell: Callable[[str, int], object] = lambda text, level: None,
    ) -> None:
        self.token, self.now_ns = token, now_ns
        self.limits = limits or Limits()
        self.counts = Counts()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets an exception when the dump turns out to be broken."""
        self._store, self._tell, self._forwards = store, tell, forwards
        self._rotation = rotation or Rotation()
        self._codec = typed_codec()
        self._loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = None
        self._guests: set[Guest] = set()
        self._leaving: set[Guest] = set()
        self._streams: dict[str, Stream] = {}
        self._dirty: set[Stream] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._rpc: RpcDoor | None = None
        self._no_rotation_before = 0.0
        self._is_closing = False
        self._gone = asyncio.Event()
        self.trouble = ""
        """Why nothing can be written at the moment."""

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; returns the address, with the port that was taken if it was 0.

        Raises:
            OSError: It can't be bound.
        """
        self._server = await self._loop.create_server(lambda: Guest(self, self._codec), host, port)
        address = self._server.sockets[0].getsockname()
        if self._forwards is not None:
            self._forwards.start()
        if self._rotation.seconds:
            self._tick()
        return address[0], address[1]

    async def start_rpc(self, host: str, port: int) -> tuple[str, int]:
        """Also take what programs of the original send; nobody asks them for a token.

        Raises:
            OSError: It can't be bound.
        """
        from amctl.dump._rpcguest import RpcDoor  # brings all of the gob room along

        self._rpc = RpcDoor(
            self, self._store.rows, None if self._forwards is None else self._forwards.put
        )
        return await self._rpc.start(host, port)

    async def close(self, grace: float = 1.0) -> None:
        """Take no more, write and acknowledge what was taken, and let go of everything.

        Args:
            grace: Seconds that peers have to read their last word, and forwards to send.

        Raises:
            DumpFullError: The last of it can't be written; it was not acknowledged.
        """
        self._is_closing = True
        if self._server is not None:
            self._server.close()
        if self._rpc is not None:
            self._rpc.close()
        for timer in (self._timer, self._clock):
            if timer is not None:
                timer.cancel()
        self._pause(paused=True)
        self.trouble = ""
        self._commit()
        problem = self.trouble
        for guest in [*self._guests, *(self._rpc.guests if self._rpc else ())]:
            guest.hang_up()
        if self._has_guests:
            try:
                async with asyncio.timeout(grace):
                    await self._gone.wait()
            except TimeoutError:
                _log.info("some connections are left open")
        if self._forwards is not None:
            for name, count in (await self._forwards.close(grace)).items():
                self._tell(f"{count} messages could not be forwarded to {name}", 0)
        if problem:
            waiting = self._store.waiting
            self._store.abandon()
            raise DumpFullError(self._store.name, f"{waiting} transitions are lost: {problem}")
        self._store.close()

    @property
    def _has_guests(self) -> bool:
        return bool(self._guests or (self._rpc is not None and self._rpc.guests))

    # -- told by guests

    def let_in(self, guest: Guest) -> bool:
        """Whether there is room for another connection."""
        self._guests.add(guest)
        self.counts.connections += 1
        return len(self._guests) <= self.limits.connections and not self._is_closing

    def welcome(self, guest: Guest, stream_id: str, name: str) -> Intake:
        """A stream begins, or goes on; an older connection of it ends.

        Raises:
            DumpError: The dump can't be read or written now.
        """
        if self.trouble:
            raise DumpFullError(self._store.name, self.trouble)
        stream = self._streams.get(stream_id)
        if stream is None:
            stream = Stream(stream_id, name, self._store.place(stream_id))
            self._streams[stream_id] = stream
        old, stream.session = stream.session, guest
        if isinstance(old, Guest):
            old.hang_up()
        self._tell(f"{guest.peer} sends as {name!r}", 2)
        return Intake(
            self._store.rows,
            stream,
            most=self.limits.machines,
            on_gap=self.on_gap,
            forward=None if self._forwards is None else self._forwards.put,
        )

    def take(self, intake: Intake, batch: Batch, offset: int) -> None:
        """A batch of messages came.

        Raises:
            DbgWireError: It is no good.
        """
        self._dirty.add(intake.stream)
        intake.take(batch.first, batch.messages, self.now_ns(), offset)

    def taken(self) -> None:
        """Some bytes were read: see whether it is time to write."""
        if self._is_closing or self.trouble:
            return
        if self._store.waiting >= self.limits.commit_rows:
            self._commit()
        elif self._timer is None and (self._dirty or not self._store.rows.is_empty):
            self._timer = self._loop.call_later(self.limits.commit_after, self._commit)

    def leaving(self, guest: Guest) -> None:
        """A sender is done, and waits for its last acknowledgement."""
        self._leaving.add(guest)
        if not self._is_closing and not self.trouble:
            self._commit()

    def left(self, guest: Guest) -> None:
        """A connection is over."""
        self._guests.discard(guest)
        self._leaving.discard(guest)
        if guest.intake is not None:
            stream = guest.intake.stream
            if stream.session is guest:
                stream.session = None
                self._release(stream)
        self.empty()

    def empty(self) -> None:
        """Somebody left: see whether it was the last one."""
        if self._is_closing and not self._has_guests:
            self._gone.set()

    @property
    def is_closing(self) -> bool:
        """Whether nobody is let in any more."""
        return self._is_closing

    def refused(self, guest: Guest | RpcGuest, why: str) -> None:
        """Somebody was hung up on."""
        self.counts.refused += 1
        self.say(f"{guest.peer} was refused: {why}", 1)

    def say(self, text: str, level: int) -> None:
        """A line for people."""
        self._tell(text, level)

    def on_gap(self, gap: GapMsg) -> None:
        """Somebody has told that messages are missing."""
        self.counts.gaps += 1
        self.counts.missing += gap.count
        whose = f" of {gap.machine_id}" if gap.machine_id else ""
        self._tell(f"{gap.count} messages{whose} are missing: {gap.why}", 1)

    # -- writing

    def _commit(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now, rows = self.now_ns(), self._store.waiting
        self._tell_lost(now)
        try:
            self._store.commit((s.id, s.next, s.name, now) for s in self._dirty)
        except DumpFullError as err:
            self._stick(err)
            return
        except Exception as err:
            self._fail(err)
            return
        self.counts.commits += 1
        self.counts.transitions += rows
        if self.trouble:
            self._unstick()
        done, self._dirty = self._dirty, set()
        for stream in done:
            self.counts.streams.add(stream.id)
            stream.committed = stream.next
            if isinstance(stream.session, Guest):
                stream.session.acknowledge()
            self._release(stream)
        for guest in list(self._leaving):
            guest.acknowledge()
        self._rotate_if_due(now)

    def _release(self, stream: Stream) -> None:
        """Forget a stream that nobody sends, and that is on disk."""
        if stream.session is None and stream not in self._dirty:
            self._streams.pop(stream.id, None)

    def _tell_lost(self, now_ns: int) -> None:
        for stream in self._dirty:
            for machine_id, count in stream.lost.items():
                gap = GapMsg(count, "too many machines", machine_id, until_ns=now_ns)
                self._store.rows.gap(count, gap.why, machine_id, 0, now_ns)
                self.on_gap(gap)
            stream.lost.clear()

    def _stick(self, err: DumpFullError) -> None:
        """Read no more until it can be written."""
        if not self.trouble:
            self._tell(f"error: {err}; trying again, senders wait", 0)
        self.trouble = err.problem
        self._pause(paused=True)
        if not self._is_closing:
            self._timer = self._loop.call_later(self.limits.retry_after, self._commit)

    def _unstick(self) -> None:
        self.trouble = ""
        self._tell(f"dump {self._store.name}: can be written again, nothing was lost", 0)
        self._pause(paused=False)

    def _pause(self, *, paused: bool) -> None:
        for guest in (*self._guests, *(self._rpc.guests if self._rpc else ())):
            guest.pause(paused=paused)

    def _fail(self, err: Exception) -> None:
        if not self.failed.done():
            self.failed.set_exception(err)

    # -- rotating

    def _tick(self) -> None:
        """The clock's part in rotation: whether or not something comes."""
        self._clock = self._loop.call_later(_TICK, self._tick)
        if not self.trouble:
            self._rotate_if_due(self.now_ns())

    def _rotate_if_due(self, now_ns: int) -> None:
        if self._is_closing or self._loop.time() < self._no_rotation_before:
            return
        try:
            if self._rotation.is_due(self._store, now_ns):
                self._rotate(now_ns)
        except DumpFullError as err:
            self._no_rotation_before = self._loop.time() + _ROTATE_AGAIN
            self._tell(f"error: it can't be rotated: {err}", 0)
        except DumpError as err:
            self._fail(err)

    def _rotate(self, now_ns: int) -> None:
        count = self._store.count
        target = target_for(self._store.path, now_ns)
        self._store.rotate(target)
        self.counts.rotations += 1
        self._tell(f"{count} transitions are in {target.name} now", 1)
        if self._rotation.keep:
            for old in prune(self._store.path, self._rotation.keep):
                self._tell(f"{old.name} is removed", 1)
