"""What both ends of a connection share: reading, acknowledging, liveness, resume.

Sans-IO: bytes in, events out (`receive_data`); commands in, bytes out (`data_to_send`). Time comes
in as `now`, in seconds of any clock that never goes back. Nothing here may raise for what a peer
sends: a broken rule becomes a BYE and a Closed event.
"""

from __future__ import annotations

import struct

from .codec import decode, encode
from .codes import Code, Kind, is_terminal
from .errors import ProtocolError
from .events import Closed, Event
from .framer import Framer, frame
from .limits import BYE_TEXT, Limits
from .messages import ByeBody
from .sender import Sender

__all__ = ["Link", "bye"]

_BYE, _PING, _ACK = int(Kind.BYE), int(Kind.PING), int(Kind.ACK)
_CALL, _PAYLOAD, _PART = int(Kind.CALL), int(Kind.PAYLOAD), int(Kind.PART)
_JOINS_PARTS = frozenset((_CALL, int(Kind.NOTE), _PAYLOAD))
_U16 = struct.Struct("<H")
_NEVER = -1.0
_LONGEST_AFTER = 3600.0


def bye(code: int, text: str = "", after: float = 0.0) -> bytes:
    """A BYE frame."""
    return frame(_BYE, encode(ByeBody(int(code), text[:BYE_TEXT], after)))


class Link(Sender):
    """One end of a session, and of the connection it has at the moment."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.attached = False
        """There is a connection."""
        self.framer = Framer(limits.hello)
        self.events: list[Event] = []
        self.pinged = self.last_ping = _NEVER
        self._attach_time(0.0)
        self.reset_session()

    def reset_session(self) -> None:
        """Forget the session: counters, outbox, half-received messages."""
        self.reset_numbers()
        self.recv = 0
        """Numbered frames accepted."""
        self.done = 0
        """Numbered frames dealt with: handed over, or run."""
        self.ack_sent = 0
        self.ack_due = _NEVER
        self.ack_now = False
        self.got_bytes = 0
        """Numbered bytes received since the last ACK."""
        self.parts = bytearray()

    # ---- in

    def receive_data(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the transport, any number, cut anywhere."""
        self.pinged = _NEVER
        try:
            for one in self.framer.feed(data):
                self._frame(one, now)
        except ProtocolError as err:
            self._fail(err.code, err.text)
        except (IndexError, struct.error, OverflowError, ValueError, RecursionError) as err:
            self._fail(Code.PROTOCOL, f"malformed frame: {err}")
        return self._take_events()

    def _take_events(self) -> list[Event]:
        events, self.events = self.events, []
        return events

    def _frame(self, one: bytes, now: float) -> None:
        if not self.attached:  # finished by an earlier frame of this batch
            return
        kind = one[0]
        if kind == _BYE:
            self._on_bye(decode(one[1:], ByeBody))
        elif not self.open:
            self._control(kind, one, now)
        elif _CALL <= kind <= _PART:
            self._numbered(kind, one, now)
        elif kind == _PING:
            self._on_ping(one)
        elif kind == _ACK:
            (low,) = _U16.unpack(one[1:])
            self.acknowledged(self.acked + ((low - self.acked) & 0xFFFF))
        else:
            self._control(kind, one, now)

    def _numbered(self, kind: int, one: bytes, now: float) -> None:
        n = self.recv + 1
        if one[1] != n & 255:
            raise ProtocolError(Code.GAP, f"numbered frame {one[1]}, expected {n & 255}")
        self.recv = n
        self.got_bytes += len(one)
        if kind == _PART:
            self._on_part(one[2:])
            self._part_done(n)
            return
        body: bytes | memoryview = memoryview(one)[2:]
        if self.parts and kind in _JOINS_PARTS:
            self._check_message_size(len(body))
            body, self.parts = bytes(self.parts + body), bytearray()
        self._message(kind, body, n)
        if self.ack_due < 0 and self.done > self.ack_sent:
            self.ack_due = now + self.lim.ack_delay

    def _on_part(self, piece: bytes) -> None:
        if not piece:
            raise ProtocolError(Code.PROTOCOL, "empty part")
        self._check_message_size(len(piece))
        self.parts += piece

    def _check_message_size(self, more: int) -> None:
        if len(self.parts) + more > self.lim.message:
            raise ProtocolError(Code.TOO_BIG, f"message of more than {self.lim.message} bytes")

    def _on_ping(self, one: bytes) -> None:
        self.ack_now = True
        (low,) = _U16.unpack_from(one, 1)
        if low != self.recv & 0xFFFF:
            raise ProtocolError(Code.GAP, "the last numbered frame did not arrive")
        self._check_stamp(one[3:])

    # ---- acknowledgements

    def _write_acks(self, out: bytearray) -> None:
        waiting = self.done - self.ack_sent
        if (
            self.ack_now
            or waiting >= self.lim.ack_frames
            or (waiting > 0 and self.got_bytes >= self.lim.window_bytes >> 2)
        ):
            self._write_ack(out)

    def _write_ack(self, out: bytearray) -> None:
        out += frame(_ACK, _U16.pack(self.done & 0xFFFF))
        self.got_bytes = 0
        self.ack_sent, self.ack_now, self.ack_due = self.done, False, _NEVER

    # ---- ends

    def _fail(self, code: Code, text: str) -> None:
        """A finding of our own ends the connection: say why, then close."""
        if self.attached:
            self.ctl = bytearray(bye(code, text))
            self._drop(code, text)

    def _drop(self, code: int, text: str, after: float = 0.0) -> None:
        if self.attached:
            self.attached = self.open = False
            self.events.append(Closed(int(code), text, not is_terminal(code), after))

    def _on_bye(self, body: ByeBody) -> None:
        after = body.after if 0 <= body.after <= _LONGEST_AFTER else 0.0
        self._drop(body.code, body.text[:BYE_TEXT], after)

    def connection_lost(self, now: float) -> list[Event]:
        """The transport is gone. The session stays: numbers, outbox, half-received messages."""
        self.attached = self.open = False
        self.ctl = bytearray()
        self.framer = Framer(self.lim.hello)
        return self._take_events()

    def _attach_time(self, now: float) -> None:
        self.last_tick = now
        self.pinged = _NEVER

    def _resume_from(self, peer_recv: int, now: float) -> None:
        """The handshake is done: the peer has `peer_recv` of our numbered frames."""
        self.acknowledged(peer_recv)
        self.cursor = peer_recv
        self.ack_sent = self.recv  # our handshake carried it, so the peer knows this much
        self.ack_now, self.ack_due = False, _NEVER
        self.open, self.last_ping = True, now
        self.framer.cap = self.lim.frame

    # ---- time

    def next_timer(self) -> float | None:
        """When `tick` must be called next, in the clock of `now`; None if nothing waits for time.

        Ask again after everything that may have changed it: data, ticks, commands, output,
        transitions of the source. A value in the past means at once. What only waits for a
        transport that can't write is no reason to call `tick`.
        """
        if self.events:
            return self.last_tick
        if not self.open:
            return None
        # as `_liveness_due`, which this asks for after every read and write
        due = self.last_ping + self.lim.ping if self.pinged < 0 else self.pinged + self.lim.pong
        return min(due, self.ack_due) if self.ack_due >= 0 else due

    def _liveness_due(self) -> float:
        """When to ask whether the peer is there, or to give it up."""
        if self.pinged < 0:
            return self.last_ping + self.lim.ping
        return self.pinged + self.lim.pong

    def tick(self, now: float) -> list[Event]:
        """Let time pass; call it at `next_timer()`, and more often if you like."""
        self.last_tick = now
        if self.open:
            if 0 <= self.ack_due <= now:
                self.ack_now = self.ack_now or self.done > self.ack_sent
                self.ack_due = _NEVER
            due = self._liveness_due()
            # a timer this late means that we slept, not the peer: ask it first, judge later
            slept = now > due + self.lim.ping
            if now >= due and self.pinged >= 0 and not slept:
                self._drop(Code.TIMEOUT, "no answer to ping")
            elif now >= due:
                self.ping(now)
        return self._take_events()

    def ping(self, now: float) -> None:
        """Ask whether the peer is there, and has the last numbered frame and the last diff."""
        self.pinged = self.last_ping = now
        self.ctl += frame(_PING, _U16.pack(self.cursor & 0xFFFF), self._stamp())

    def memory(self) -> int:
        """Bytes of messages and frames that this end holds."""
        return (
            self.outbox_bytes
            + self.bulk_bytes
            + self.urgent_bytes
            + len(self.parts)
            + self.framer.pending
            + len(self.ctl)
        )

    # ---- what the ends add

    def _stamp(self) -> bytes:
        """What a PING says of the last diff."""
        return b""

    def _check_stamp(self, stamp: bytes) -> None:
        if stamp:
            raise ProtocolError(Code.PROTOCOL, "unexpected bytes in a ping")

    def _part_done(self, n: int) -> None:
        self.done = n

    def _message(self, kind: int, body: bytes | memoryview, n: int) -> None:
        raise ProtocolError(Code.PROTOCOL, f"unexpected message of kind {kind}")

    def _control(self, kind: int, one: bytes, now: float) -> None:
        raise ProtocolError(Code.PROTOCOL, f"unexpected frame of kind {kind}")
