"""A collector in this loop that loses, stalls and talks nonsense on demand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.wire.codec import pure_codec
from amctl.telemetry import dbgwire as wire
from amctl.telemetry.messages import SchemaMsg, TxMsg

if TYPE_CHECKING:
    from amctl.rpc.transports.base import Connection
    from amctl.telemetry.messages import Message

__all__ = ["FakeDebugger", "Kept"]

CODEC = pure_codec()


@dataclass
class Kept:
    """What is on disk of one stream."""

    next: int = 0
    messages: list[Message] = field(default_factory=list)
    """Schemas among them as often as they were sent."""

    @property
    def txs(self) -> list[TxMsg]:
        """The transitions."""
        return [m for m in self.messages if isinstance(m, TxMsg)]

    @property
    def told(self) -> list[Message]:
        """All but schemas."""
        return [m for m in self.messages if not isinstance(m, SchemaMsg)]


class FakeDebugger:
    """`dial` connects to it. What it has committed survives `kill`; what it was just told doesn't.

    Args:
        token: What senders must say.
        room: High-water mark of its connections.
        commits: Commit every batch at once; else only `commit` does.
    """

    def __init__(
        self, token: str = "secret", room: int = 64 << 10, *, commits: bool = True
    ) -> None:
        self.token, self.room, self.commits = token, room, commits
        self.is_up = True
        self.greets = True
        """Whether it answers HELLO."""
        self.names: list[str] = []
        """Senders, as often as they came."""
        self.byes = 0
        self.streams: dict[str, Kept] = {}
        self.guests: list[_Guest] = []

    @property
    def kept(self) -> Kept:
        """What there is of the only stream."""
        (kept,) = self.streams.values() or [Kept()]
        return kept

    async def dial(self) -> MemoryConnection:
        """A new connection, unless it is down."""
        await asyncio.sleep(0)
        if not self.is_up:
            raise ConnectionRefusedError("nobody listens")
        near, far = memory_pair(self.room)
        self.guests.append(_Guest(self, far, near))
        return near

    def accept(self, conn: Connection) -> None:
        """Take a connection of any other kind."""
        self.guests.append(_Guest(self, conn))

    async def quiet(self) -> None:
        """Wait until nobody is connected."""
        while self.guests:  # noqa: ASYNC110 - a fake needs no better
            await asyncio.sleep(0.005)

    def kill(self) -> None:
        """Break all connections; what isn't committed is gone."""
        guests, self.guests = self.guests, []
        for guest in guests:
            guest.pending.clear()
            guest.near.cut()

    def commit(self, most: int | None = None) -> None:
        """Put everything on disk, or so many messages of each connection, and say so."""
        for guest in self.guests:
            guest.commit(most)

    def hold(self) -> None:
        """Read nothing that comes from now on, as one whose disk is busy."""
        for guest in self.guests:
            guest.near.hold()

    def release(self) -> None:
        """Read on."""
        for guest in self.guests:
            guest.near.release()

    def say(self, data: bytes) -> None:
        """Send anything to everybody."""
        for guest in self.guests:
            guest.end.write(data)


class _Guest:
    """One connection."""

    def __init__(
        self, owner: FakeDebugger, end: Connection, near: MemoryConnection | None = None
    ) -> None:
        self.owner, self.end = owner, end
        self._near = near
        self.stream_id = ""
        self.pending: list[Message] = []
        self.next = 0
        self._reader = wire.FrameReader(CODEC, wire.MAX_FRAME)
        self._decoder = wire.StreamDecoder()
        end.start(self._on_data, lambda error: self._on_lost(), lambda: None)

    @property
    def near(self) -> MemoryConnection:
        """The sender's end, if it is in memory."""
        assert self._near is not None
        return self._near

    def _on_lost(self) -> None:
        if self in self.owner.guests:
            self.owner.guests.remove(self)

    def _on_data(self, data: bytes) -> None:
        for raw in self._reader.feed(data):
            word = wire.read_sender(raw, self._reader.offset)
            if isinstance(word, wire.Hello):
                self._hello(word)
            elif not self.stream_id:
                return  # replaced by a later connection
            elif isinstance(word, wire.Batch):
                self._batch(word)
            else:
                self.owner.byes += 1
                self.commit()
                self.end.close()

    def _hello(self, hello: wire.Hello) -> None:
        owner = self.owner
        if hello.token != owner.token:
            self.end.write(wire.refused_frame(CODEC, "wrong token"))
            self.end.close()
        elif owner.greets:
            for other in owner.guests:
                if other.stream_id == hello.stream_id:
                    other.stream_id, other.pending = "", []
            self.stream_id = hello.stream_id
            owner.names.append(hello.name)
            self.next = owner.streams.setdefault(hello.stream_id, Kept()).next
            self.end.write(wire.welcome_frame(CODEC, 0, self.next))

    def _batch(self, batch: wire.Batch) -> None:
        number = batch.first
        assert number <= self.next, "numbers were left out"
        for message in self._decoder.batch(batch.messages):
            if isinstance(message, SchemaMsg):
                self.pending.append(message)
                continue
            if number >= self.next:
                self.pending.append(message)
                self.next = number + 1
            number += 1
        if self.owner.commits:
            self.commit()

    def commit(self, most: int | None = None) -> None:
        """Put what came on disk, and say so."""
        if self.stream_id:
            kept = self.owner.streams[self.stream_id]
            now, self.pending = self.pending[:most], self.pending[len(self.pending[:most]) :]
            kept.messages += now
            kept.next += sum(not isinstance(m, SchemaMsg) for m in now)
            self.end.write(wire.ack_frame(CODEC, kept.next))
