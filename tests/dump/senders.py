"""Senders for tests of the collector: plain, and step by step."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from amctl.telemetry.dbgwire import (
    Ack,
    FrameReader,
    Refused,
    StreamEncoder,
    Welcome,
    batch_frame,
    bye_frame,
    hello_frame,
    read_collector,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amctl.telemetry.messages import Message

__all__ = ["Sender"]


class Sender:
    """One connection, by hand."""

    opened: ClassVar[list[Sender]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.encoder = StreamEncoder()
        self.codec = self.encoder.codec
        self._frames = FrameReader(self.codec)
        self._words: list[Any] = []
        self.opened.append(self)

    @classmethod
    async def dial(cls, address: tuple[str, int]) -> Sender:
        return cls(*await asyncio.open_connection(*address))

    @classmethod
    async def welcomed(
        cls, address: tuple[str, int], stream: str = "s", token: str = "secret"
    ) -> tuple[Sender, int]:
        """Connected, and from which number on."""
        sender = await cls.dial(address)
        await sender.hello(stream, token)
        word = await sender.word()
        assert isinstance(word, Welcome), word
        return sender, word.next

    async def hello(self, stream: str = "s", token: str = "secret") -> None:
        await self.raw(hello_frame(self.codec, token, stream, "a test", 1))

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def send(self, first: int, messages: Iterable[Message]) -> None:
        parts = [self.encoder.encode(message) for message in messages]
        for at in range(0, len(parts), 5000):
            numbered = [part for part in parts[:at] if part[1] != 0]
            frame = batch_frame(self.codec, first + len(numbered), parts[at : at + 5000])
            await self.raw(frame)

    async def bye(self) -> None:
        await self.raw(bye_frame(self.codec))

    async def word(self) -> Welcome | Refused | Ack | None:
        """The collector's next word; None after the last one."""
        async with asyncio.timeout(20):
            while not self._words:
                data = await self.reader.read(1 << 16)
                if not data:
                    return None
                self._words += [read_collector(raw) for raw in self._frames.feed(data)]
        word: Welcome | Refused | Ack = self._words.pop(0)
        return word

    async def acked(self, next: int) -> None:
        """Wait until everything before `next` is safe."""
        while True:
            word = await self.word()
            assert isinstance(word, Ack), word
            assert word.next <= next
            if word.next == next:
                return

    async def refused(self) -> str:
        """Why it is hung up on."""
        word = await self.word()
        assert isinstance(word, Refused), word
        assert await self.word() is None
        return word.text

    def close(self) -> None:
        self.writer.close()

    @classmethod
    async def close_all(cls) -> None:
        """At a test's end, whatever became of it."""
        for sender in cls.opened:
            sender.writer.close()
            with contextlib.suppress(OSError):
                await sender.writer.wait_closed()
        cls.opened.clear()
