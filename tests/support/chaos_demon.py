"""A demon between dialers and one port: it delays, throttles, silences and cuts what passes.

Everything it does is drawn from a seed; when it does it depends on the machine, so a seed names a
mixture of misdeeds, not a run. It never changes, drops or doubles bytes within a connection: TCP
doesn't either.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from typing import TYPE_CHECKING, Self

from amctl.machine import TaskSet

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["ChaosDemon"]

_PIECE = 16 << 10
_SMALL = 48
"""A cut often comes within the first bytes: in a handshake, in the first frames of a resume."""


class ChaosDemon:
    """Listens on a port of its own and leads to another one.

    Args:
        seed: What the misdeeds follow from.
        to: Port on loopback that it leads to; may be changed.
        misdeeds: How many cuts, silences and slow links there are before it is tired and only
            carries on.

    Requests other than for a WebSocket are carried faithfully: a page that can't be loaded is a
    matter for whoever sits in front of it.
    """

    def __init__(self, seed: int, to: int, misdeeds: int) -> None:
        self._random = random.Random(seed)
        self.to, self.left = to, misdeeds
        self.port = 0
        self.done: Counter[str] = Counter()
        """Misdeeds by kind."""
        self.is_closed = False
        """Whether everybody is turned away."""
        self.on_tired: Callable[[], object] = lambda: None
        """Called after the last misdeed."""
        self._links: set[_Link] = set()
        self._tasks = TaskSet("demon")
        self._server: asyncio.Server | None = None
        self._moved = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut_all()
        await self._tasks.close()

    async def less_than(self, misdeeds: float) -> None:
        """Wait until it has strength for no more than that."""
        while self.left > misdeeds:
            self._moved.clear()
            await self._moved.wait()

    def calm(self) -> None:
        """Do nothing from now on; links that are slow become quick."""
        self.left = 0
        self._moved.set()
        for link in self._links:
            link.calm()

    def cut_all(self) -> None:
        """Reset every connection."""
        for link in tuple(self._links):
            link.cut()

    def close(self) -> None:
        """Cut all there is and turn everybody away, until `open`."""
        self.is_closed = True
        self.cut_all()

    def open(self, to: int) -> None:
        """Let dialers in again, to this port."""
        self.to, self.is_closed = to, False

    # -- misdeeds

    def commit(self, kind: str) -> bool:
        """Whether there is strength for one more misdeed; it counts as done."""
        if self.left <= 0:
            return False
        self.done[kind] += 1
        self.left -= 1
        self._moved.set()
        if not self.left:
            self.on_tired()
        return True

    def draw_length(self) -> int:
        """Bytes after which something happens: any number, small ones more often."""
        draw = self._random
        return draw.randrange(_SMALL) if draw.random() < 0.3 else int(draw.expovariate(1 / 4000))

    async def _accepted(self, near: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        if self.is_closed:
            out.transport.abort()
            return
        try:
            head = await near.read(_PIECE)
            far, to_far = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            out.transport.abort()
            return
        is_spared = not _is_websocket(head)
        link = _Link(self, random.Random(self._random.random()), is_spared, out, to_far)
        self._links.add(link)
        both = (link.carry(near, to_far, head), link.carry(far, out))
        tasks = [self._tasks.spawn(way, name="demon link") for way in both]
        try:
            await asyncio.wait(tasks)
        finally:
            link.cut()
            self._links.discard(link)


def _is_websocket(head: bytes) -> bool:
    return b"\nupgrade: websocket" in head.lower()


class _Link:
    """One connection, both ways."""

    def __init__(
        self,
        demon: ChaosDemon,
        draw: random.Random,
        is_spared: bool,
        *ends: asyncio.StreamWriter,
    ) -> None:
        self._demon, self._random, self._ends = demon, draw, ends
        self._is_spared = is_spared
        self._calm = asyncio.Event()
        self._speed, self._delay = 0, 0.0
        """Bytes a piece, on a slow link; 0 is full speed. Seconds before each."""
        self._pieces = 2000
        """Slow ones that are left."""
        if is_spared:
            return
        if draw.random() < 0.3 and demon.commit("throttle"):
            self._speed = draw.choice((1, 7, 60, 600))
        if draw.random() < 0.3 and demon.commit("delay"):
            self._delay = draw.uniform(0.001, 0.03)

    def cut(self) -> None:
        """Reset both ends; what is under way is lost."""
        for end in self._ends:
            end.transport.abort()

    def calm(self) -> None:
        """Carry on at full speed."""
        self._speed, self._delay = 0, 0.0
        self._calm.set()

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes = b""
    ) -> None:
        """One way, until it ends; `head` was read already."""
        until = self._demon.draw_length()
        with contextlib.suppress(OSError):
            while data := head or await reader.read(_PIECE):
                head = b""
                while len(data) > until and self._demon.left > 0 and not self._is_spared:
                    await self._write(data[:until], writer)
                    data = data[until:]
                    if not await self._misbehave():
                        return
                    until = self._demon.draw_length()
                until -= len(data)
                await self._write(data, writer)
            if writer.can_write_eof():
                writer.write_eof()

    async def _misbehave(self) -> bool:
        """Cut, be silent for a while, or both; False if the link is gone."""
        draw = self._random.random()
        if draw < 0.35:
            if self._demon.commit("silence"):
                await self._pause(self._random.uniform(0.02, 0.4))
            return True
        if draw < 0.5:
            if self._demon.commit("silent cut"):
                await self._pause(self._random.uniform(0.02, 0.3))
                self.cut()
                return False
            return True
        if self._demon.commit("cut"):
            self.cut()
            return False
        return True

    async def _write(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self._delay:
            await self._pause(self._delay)
        while data:
            size = self._speed if self._speed and self._pieces else len(data)
            writer.write(data[:size])
            data = data[size:]
            await writer.drain()
            if data:
                self._pieces -= 1
                await self._pause(0.001)

    async def _pause(self, seconds: float) -> None:
        """Until then, or until calm is called for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._calm.wait()
