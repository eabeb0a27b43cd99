"""A collector's door for programs of the original: Go's `net/rpc` over gob.

Nobody has to show a token here, so whoever can reach the door can append to the dump; it is for the
loopback alone, and nothing that is said here can take anything out. Calls are answered when they
are taken, as in the original, whose machines would be held up by more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from amctl.dump._guest import keep_alive
from amctl.dump._rpcintake import Room, RpcIntake
from amctl.dump.errors import DumpError
from amctl.dump.gob.calls import AnswerWriter, CallReader
from amctl.dump.gob.decoder import GobError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.dump.collector import Collector
    from amctl.dump.gob.calls import Call
    from amctl.dump.sqlite._append import Appender
    from amctl.telemetry.messages import Message

__all__ = ["RpcDoor", "RpcGuest"]

_FIRST_CALL = 10.0
"""Seconds until a machine has told its schema."""
_UNREAD = 64 << 10
"""Bytes of answers that a peer may leave unread."""
_UNFINISHED = 64 << 20
"""Bytes that wait for the rest of their value, of all connections."""
_SCHEMAS = 64 << 20
"""Characters of the schemas that all connections have told."""
_WRONG = 100
"""Calls that a connection may get wrong."""
_LINGER: Final = 3.0
"""Seconds for a peer to read the last answer."""


class RpcDoor:
    """A server, and its guests.

    Args:
        collector: Whose door it is.
        rows: Where everything goes.
        forward: Gets each message too.
    """

    def __init__(
        self, collector: Collector, rows: Appender, forward: Callable[[Message], object] | None
    ) -> None:
        self.collector = collector
        self.guests: set[RpcGuest] = set()
        self.unfinished = 0
        self._rows, self._forward = rows, forward
        self._room = Room(_SCHEMAS)
        self._count = 0
        self._server: asyncio.Server | None = None
        self._began = f"{collector.now_ns():x}"

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; returns the address.

        Raises:
            OSError: It can't be bound.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: RpcGuest(self), host, port)
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    def close(self) -> None:
        """Let nobody in any more."""
        if self._server is not None:
            self._server.close()

    def let_in(self, guest: RpcGuest) -> bool:
        """Whether there is room for another connection."""
        self.guests.add(guest)
        self.collector.counts.connections += 1
        is_room = len(self.guests) <= self.collector.limits.calling
        return is_room and not self.collector.is_closing

    def intake(self) -> RpcIntake:
        """For one more connection."""
        self._count += 1
        collector = self.collector
        return RpcIntake(
            self._rows,
            f"gob-{self._began}-{self._count}",
            self._room,
            most=collector.limits.machines,
            on_gap=collector.on_gap,
            forward=self._forward,
            now_ns=collector.now_ns,
        )

    def left(self, guest: RpcGuest) -> None:
        """A connection is over."""
        self.guests.discard(guest)
        guest.intake.release()
        self.collector.empty()

    def unfinish(self, more: int) -> bool:
        """Count bytes that wait, or wait no longer; False if there are too many."""
        self.unfinished += more
        return self.unfinished <= _UNFINISHED


class RpcGuest(asyncio.Protocol):
    """A machine of the original's, another debugger that forwards, or whoever else has come.

    Args:
        door: Through which it came.
    """

    def __init__(self, door: RpcDoor) -> None:
        self.peer = "?"
        self.intake = door.intake()
        self._door, self._collector = door, door.collector
        self._reader, self._writer = CallReader(), AnswerWriter()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._buffered = self._wrong = 0
        self._is_over = False

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self.peer = f"{address[0]}:{address[1]}" if address else "?"
        keep_alive(transport.get_extra_info("socket"))
        if not self._door.let_in(self):
            self.refuse("too many connections")
            return
        self._timer = asyncio.get_running_loop().call_later(
            _FIRST_CALL, self.refuse, "no schema was told"
        )
        if self._collector.trouble:
            self.pause(paused=True)

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        if self._is_over:
            return
        try:
            for call in self._reader.feed(data):
                self._take(call)
                if self._is_over:
                    break
        except GobError as error:
            if self._reader.pending is not None:
                self._write(self._writer.answer(*self._reader.pending, f"{error}"))
            self.refuse(f"{error}")
        self._account()
        self._collector.taken()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        self._account()
        self._door.left(self)

    # -- calls

    def _take(self, call: Call) -> None:
        try:
            problem = call.problem or self.intake.take(call)
        except DumpError as error:
            problem = f"{error}"
        if problem:
            self._wrong += 1
            self._collector.say(f"{self.peer}: {problem}", 1 if self._wrong == 1 else 2)
        elif self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._collector.counts.streams.add(self.intake.name)
            self._collector.say(f"{self.peer} sends by gob", 2)
        self._write(self._writer.answer(call.method, call.seq, problem))
        if self._wrong > _WRONG:
            self.refuse(f"more than {_WRONG} calls are wrong")

    def _account(self) -> None:
        """Bytes that wait for the rest of their value are bounded, of all guests together."""
        now = 0 if self._is_over else self._reader.buffered
        more, self._buffered = now - self._buffered, now
        if not self._door.unfinish(more) and more > 0:
            self.refuse("too many bytes wait for the rest of their value")

    # -- the socket

    def pause(self, *, paused: bool) -> None:
        """Read no more for the time being, or again."""
        if self._transport is not None and not self._transport.is_closing():
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def refuse(self, why: str) -> None:
        """Hang up on it."""
        if not self._is_over:
            self._collector.refused(self, why)
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection."""
        if not self._is_over:
            self._is_over = True
            self._account()
            if self._transport is not None:
                self._transport.close()
                asyncio.get_running_loop().call_later(_LINGER, self._transport.abort)

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._is_over:
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > _UNREAD:
                self._collector.refused(self, "it doesn't read what it is told")
                self._is_over = True
                self._transport.abort()
