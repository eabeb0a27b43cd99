"""The writing half of a connection end.

Numbered frames are kept in the outbox until acknowledged; a resume sends them again under the same
number, so a number is the idempotency key. `data_to_send` is pulled when the transport can write:
what is built that late is as new as can be, and a slow reader gets merged diffs.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from .codes import Code, Kind
from .errors import Backpressure, EncodeError, ProtocolError
from .framer import BYTES, varint

if TYPE_CHECKING:
    from .limits import Limits

__all__ = ["Queued", "Sender"]

_PART = int(Kind.PART)


class Queued:
    """A message that waits to be sent, perhaps in part."""

    __slots__ = ("body", "kind", "offset", "tag")

    def __init__(self, kind: int, body: bytes, tag: int) -> None:
        self.kind, self.body, self.tag = kind, body, tag
        self.offset = 0
        """Bytes of the body that went out as PARTs."""


class Urgent(NamedTuple):
    """A small message that overtakes the bulk."""

    kind: int
    body: bytes


class Sender:
    """Numbers, outbox, window and queue of one direction of a session.

    Order of what goes out: control frames, what is sent again, urgent messages (each after the
    clock that belongs before it), clocks, bulk messages.
    """

    def __init__(self, limits: Limits) -> None:
        self.lim = limits
        self.open = False
        """The handshake is done on the present connection."""
        self.ctl = bytearray()
        self.urgent: deque[Urgent] = deque()
        self.urgent_bytes = 0
        self.bulk: deque[Queued] = deque()
        self.bulk_bytes = 0
        self.reset_numbers()

    def reset_numbers(self) -> None:
        """Start a session from nothing."""
        self.sent = self.acked = 0
        self.cursor = 0
        """Last number put on the present connection."""
        self.outbox: deque[bytes] = deque()
        """Whole frames with the numbers acked + 1 to sent."""
        self.outbox_bytes = 0
        self.marks: deque[tuple[int, int]] = deque()
        """(last number, tag) of messages sent to the end and not acknowledged."""

    # ---- queue

    def queue_bulk(self, kind: int, body: bytes, tag: int) -> None:
        """Queue a message.

        Raises:
            EncodeError: If it is larger than any message may be.
            Backpressure: If too much is waiting.
        """
        if len(body) > self.lim.message:
            raise EncodeError(f"message of {len(body)} bytes, at most {self.lim.message}")
        if (
            self.bulk_bytes + len(body) > self.lim.queue_bytes
            or len(self.bulk) >= self.lim.queue_items
        ):
            raise Backpressure(len(self.bulk), self.bulk_bytes)
        self._append_bulk(Queued(kind, body, tag))

    def _append_bulk(self, item: Queued) -> None:
        self.bulk.append(item)
        self.bulk_bytes += len(item.body)

    def _unqueue(self, item: Queued) -> None:
        self.bulk.remove(item)
        self.bulk_bytes -= len(item.body)

    def _queue_urgent(self, kind: int, body: bytes) -> None:
        self.urgent.append(Urgent(kind, body))
        self.urgent_bytes += len(body)

    # ---- out

    def data_to_send(self, limit: int = 65536) -> bytes:
        """Bytes for the transport, about `limit` at most; empty when there is nothing to send.

        Pull again until it is empty or the transport is full, after everything that may have made
        output: received data, a tick, a command, a transition of the source.
        """
        out, self.ctl = self.ctl, bytearray()
        if not self.open:
            return bytes(out)
        try:
            self._write_acks(out)
            while len(out) < limit:
                if self.cursor < self.sent or self.urgent or self.bulk:
                    if not self._write_next(out):
                        break
                elif not self._write_clocks(out):
                    break
        except ProtocolError as err:
            self._fail(err.code, err.text)
            out += self.ctl
            self.ctl = bytearray()
        return bytes(out)

    def _write_next(self, out: bytearray) -> bool:
        """Write one thing, the most pressing; False if there is none."""
        if self.cursor < self.sent:
            out += self.outbox[self.cursor - self.acked]
            self.cursor += 1
        elif self.urgent:
            self._before_urgent(out)
            message = self.urgent.popleft()
            self.urgent_bytes -= len(message.body)
            out += self._number(message.kind, message.body)
        elif self._write_clocks(out):
            pass
        elif self.bulk and self._has_room():
            self._write_bulk(out)
        else:
            return False
        return True

    def _write_bulk(self, out: bytearray) -> None:
        item, chunk = self.bulk[0], self.lim.chunk
        body, offset = item.body, item.offset
        if len(body) - offset > chunk:
            item.offset = offset + chunk
            out += self._number(_PART, body[offset : offset + chunk])
            return
        self.bulk.popleft()
        self.bulk_bytes -= len(body)
        out += self._number(item.kind, body[offset:] if offset else body)
        self._message_sent(item, self.sent)

    def _number(self, kind: int, body: bytes) -> bytes:
        self.sent = n = self.sent + 1
        size = len(body) + 2
        head = BYTES[size] if size < 128 else varint(size)
        whole = head + BYTES[kind] + BYTES[n & 255] + body
        self.outbox.append(whole)
        self.outbox_bytes += len(whole)
        self.cursor = n
        return whole

    def _has_room(self) -> bool:
        return (
            self.outbox_bytes < self.lim.window_bytes
            and self.sent - self.acked < self.lim.window_frames
        )

    def acknowledged(self, n: int) -> None:
        """The peer has everything up to number `n`."""
        if n > self.sent:
            raise ProtocolError(Code.PROTOCOL, f"acknowledged {n}, sent {self.sent}")
        while self.acked < n:
            self.acked += 1
            self.outbox_bytes -= len(self.outbox.popleft())
        if self.cursor < n:
            self.cursor = n
        while self.marks and self.marks[0][0] <= n:
            self._delivered(self.marks.popleft()[1])

    # ---- what the ends add

    def _fail(self, code: Code, text: str) -> None:
        raise NotImplementedError

    def _write_acks(self, out: bytearray) -> None:
        """Write an ACK if one is due."""

    def _before_urgent(self, out: bytearray) -> None:
        """Write the clock that belongs before an urgent message."""

    def _write_clocks(self, out: bytearray) -> bool:
        """Write a clock if one is due; False if nothing was written."""
        return False

    def _message_sent(self, item: Queued, n: int) -> None:
        """The last frame of `item` got number `n`."""

    def _delivered(self, tag: int) -> None:
        """The message with this tag was acknowledged."""
