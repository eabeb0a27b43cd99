"""One connection of a collector: bytes in, words out. What they mean is for the collector."""

from __future__ import annotations

import asyncio
import hmac
import re
import socket
from typing import TYPE_CHECKING, Final, cast

from amctl.dump.errors import DumpError
from amctl.telemetry.dbgwire import (
    MAX_FRAME,
    VERSION,
    Batch,
    Bye,
    FrameReader,
    Hello,
    ack_frame,
    best_codec,
    read_sender,
    refused_frame,
    welcome_frame,
)
from amctl.telemetry.errors import DbgWireError

if TYPE_CHECKING:
    from amctl.dump._intake import Intake
    from amctl.dump.collector import Collector
    from amctl.rpc.wire.codec import Codec

__all__ = ["Guest", "keep_alive"]

_HELLO_TIMEOUT = 10.0
_LINGER = 3.0
"""Seconds for a peer to read the last word."""
_UNREAD = 64 << 10
"""Bytes of words that a peer may leave unread."""
_STREAM_ID: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}", re.ASCII)
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))


class Guest(asyncio.Protocol):
    """A sender, or whoever else has come.

    Args:
        collector: Whose guest it is.
        codec: The typed one; it has no state, so all guests share it.
    """

    def __init__(self, collector: Collector, codec: Codec) -> None:
        self._collector = collector
        self._codec = best_codec()
        self._reader = FrameReader(codec)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._acked = 0
        self._is_over = False
        self.intake: Intake | None = None
        """None until it has said who it is."""
        self.wants_to_leave = False
        """It has said BYE."""
        self.peer = "?"

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody came."""
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self.peer = f"{address[0]}:{address[1]}" if address else "?"
        keep_alive(transport.get_extra_info("socket"))
        if not self._collector.let_in(self):
            self.refuse("too many connections")
            return
        self._timer = asyncio.get_running_loop().call_later(
            _HELLO_TIMEOUT, self.refuse, "nothing was said"
        )

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        try:
            for raw in self._reader.feed(data):
                if self._is_over:
                    return
                self._on_word(read_sender(raw, self._reader.offset))
        except DbgWireError as err:
            self.refuse(str(err))
        self._collector.taken()

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._end()
        if self._timer is not None:
            self._timer.cancel()
        self._collector.left(self)

    def eof_received(self) -> bool:
        """It will say no more; what it has said may still be acknowledged."""
        if self.intake is None:
            return False
        self.wants_to_leave = True
        self._collector.leaving(self)
        return True

    # -- words

    def _on_word(self, word: Hello | Batch | Bye) -> None:
        if isinstance(word, Hello):
            self._hello(word)
        elif self.intake is None:
            self.refuse("HELLO comes first")
        elif isinstance(word, Batch):
            self._collector.take(self.intake, word, self._reader.offset)
        else:
            self.wants_to_leave = True
            self._collector.leaving(self)

    def _hello(self, word: Hello) -> None:
        token = self._collector.token
        if self.intake is not None:
            self.refuse("HELLO comes once")
        elif word.version != VERSION:
            self.refuse(f"version {word.version} of the stream, this collector speaks {VERSION}")
        elif token is not None and not hmac.compare_digest(token.encode(), word.token.encode()):
            self.refuse("the token is wrong")
        elif _STREAM_ID.fullmatch(word.stream_id) is None:
            self.refuse(f"stream id {word.stream_id!r:.80}")
        else:
            self._welcome(word)

    def _welcome(self, word: Hello) -> None:
        try:
            self.intake = self._collector.welcome(self, word.stream_id, word.name)
        except DumpError as err:
            self.refuse(str(err))
        else:
            if self._timer is not None:
                self._timer.cancel()
            self._reader.cap = MAX_FRAME
            self._acked = self.intake.seen
            self._write(welcome_frame(self._codec, self._collector.now_ns(), self._acked))

    def acknowledge(self) -> None:
        """Tell what is committed, of what came here: it may be less than what came before."""
        if self.intake is None or self._is_over:
            return
        safe = min(self.intake.stream.committed, self.intake.seen)
        if safe > self._acked or self.wants_to_leave:
            self._acked = safe
            self._write(ack_frame(self._codec, safe))
        if self.wants_to_leave:
            self._leave()

    def refuse(self, text: str) -> None:
        """Say why, and hang up."""
        if not self._is_over:
            self._collector.refused(self, text)
            self._write(refused_frame(self._codec, text))
            self._leave()

    def hang_up(self) -> None:
        """End the connection."""
        if not self._is_over:
            self._leave()

    # -- the socket

    def pause(self, *, paused: bool) -> None:
        """Read no more for the time being, or again."""
        if self._transport is not None and not self._transport.is_closing():
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._is_over:
            self._transport.write(data)
            if self._transport.get_write_buffer_size() > _UNREAD:
                self._is_over = True
                self._collector.refused(self, "it doesn't read what it is told")
                self._transport.abort()

    def _leave(self) -> None:
        self._end()
        transport = self._transport
        if transport is not None:
            transport.close()
            asyncio.get_running_loop().call_later(_LINGER, transport.abort)

    def _end(self) -> None:
        self._is_over = True


def keep_alive(sock: socket.socket) -> None:
    """Have the system find out when the other side is no more."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
