"""Carries an outbox to a collector: dial, send, dial again, for ever; and a proper end.

Messages are encoded when they are sent, in slices, so that a page's thread is never held up for
long. Nothing here waits for room or raises into whoever fills the outbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.rpc.wire.backoff import Backoff
from amctl.telemetry._dbgencode import StreamEncoder
from amctl.telemetry._dbgframes import (
    Ack,
    FrameReader,
    Refused,
    Welcome,
    batch_frame,
    best_codec,
    bye_frame,
    hello_frame,
    read_collector,
)
from amctl.telemetry.errors import DbgEncodeError, DbgWireError
from amctl.telemetry.messages import GapMsg, SchemaMsg
from amctl.telemetry.outbox import SCHEMA_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.rpc.transports.base import Connection, Dial
    from amctl.rpc.wire.codec import Codec
    from amctl.telemetry.messages import Message
    from amctl.telemetry.outbox import Outbox

__all__ = ["BROWSER_PACE", "PACE", "DebugLink", "Pace"]

_BATCH_BYTES = 256 << 10
_LONGEST_WAIT = 5.0
_LAST_WAIT = 0.1
"""Longest wait before another try once the link is to be closed."""
_log = logging.getLogger("amctl.telemetry.stream")


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is sent when; times in seconds."""

    linger: float = 0.05
    """A message waits so long for others to be sent with it."""
    batch: int = 200
    """Messages that go out at once, without lingering."""
    slice: float = 0.02
    """Longest time to encode before others have their turn."""
    pause: float = 0.0
    """How long their turn is."""
    welcome: float = 5.0
    """Longest wait for a collector's first word."""


PACE = Pace()
BROWSER_PACE = Pace(batch=500, slice=0.003, pause=0.012)
"""For threads that may have a page to draw."""


class DebugLink:
    """Sends what an outbox holds, from `start` to `close`.

    Args:
        name: The sender's, for people.
        stream_id: Under which the collector counts its messages.
        outbox: What is sent; call `wake` after filling it.
        dial: Makes a connection to the collector, or raises OSError.
        token: What the collector wants to hear.
        pace: How much is sent when.
        now_ns: Unix time, for the collector to compare with its own.
        codec: None is the best one.
    """

    def __init__(
        self,
        name: str,
        stream_id: str,
        outbox: Outbox,
        dial: Dial,
        token: str,
        *,
        pace: Pace = PACE,
        now_ns: Callable[[], int],
        codec: Codec | None = None,
    ) -> None:
        self.name, self.outbox = name, outbox
        self._stream_id, self._dial, self._token = stream_id, dial, token
        self._pace, self._now_ns, self._codec = pace, now_ns, codec or best_codec()
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff(random.Random(), most=_LONGEST_WAIT)
        self._task: asyncio.Task[None] | None = None
        self._session: _Session | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_hurried = False
        self._closing: asyncio.Future[None] | None = None
        self._is_ending = asyncio.Event()
        self._told: set[str] = set()

    # --- life

    def start(self) -> None:
        """Begin to connect; returns at once."""
        if self._task is None:
            self._task = self._loop.create_task(self._run())

    @property
    def is_connected(self) -> bool:
        """Whether a collector takes what is sent."""
        return self._session is not None and self._session.is_welcome

    def wake(self) -> None:
        """There is something to be sent; call it in the turn of the loop in which it happened."""
        if self._timer is None:
            if (session := self._session) is not None and session.is_welcome:
                self._timer = self._loop.call_later(self._pace.linger, self._send)
        elif not self._is_hurried and self.outbox.unsent >= self._pace.batch:
            self._schedule(0.0)
            self._is_hurried = True

    async def close(self, grace: float) -> int:
        """Send what is left, and wait until all of it is safe.

        Args:
            grace: Seconds; what isn't acknowledged by then is lost.

        Returns:
            How many messages that is.
        """
        self.outbox.end()
        if self._task is None:
            return self.outbox.unacked
        if self._closing is not None:
            await asyncio.wait({self._task})
            return self.outbox.unacked
        self._closing = self._loop.create_future()
        self._is_ending.set()
        self._schedule(0.0)
        try:
            await asyncio.wait({self._closing, self._task}, timeout=grace)
        finally:  # also when somebody does not want to wait any longer
            self._task.cancel()
        await asyncio.wait({self._task})
        self._unschedule()
        return self.outbox.unacked

    # --- connecting

    async def _run(self) -> None:
        while self._closing is None or not self._closing.done():
            try:
                conn = await self._dial()
            except Exception as error:
                # whatever a way to dial raises: there is always another try
                self._say(f"can't reach the collector: {error}")
            else:
                await self._serve(conn)
            if self._closing is None or not self._closing.done():
                await self._rest()

    async def _rest(self) -> None:
        """Wait before the next try; who is to be closed has no time for long waits."""
        delay = self._backoff.delay() or 0.0
        if self._is_ending.is_set():
            await asyncio.sleep(min(delay, _LAST_WAIT))
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._is_ending.wait()

    async def _serve(self, conn: Connection) -> None:
        session = self._session = _Session(self, conn)
        try:
            session.start()
            async with asyncio.timeout(self._pace.welcome) as limit:
                await session.welcomed.wait()
                limit.reschedule(None)
                await session.over
        except TimeoutError:
            self._say("the collector says nothing")
        finally:
            self._session = None
            self._unschedule()
            conn.close()
        if session.is_done and self._closing is not None and not self._closing.done():
            self._closing.set_result(None)

    def _say(self, text: str) -> None:
        """Warn of a trouble, once until all is well again."""
        level = logging.DEBUG if text in self._told else logging.WARNING
        self._told.add(text)
        _log.log(level, "recording of %s: %s", self.name, text)

    # --- told by the session

    def welcomed(self) -> None:
        """Everything may be sent."""
        if self._told:
            _log.info("recording of %s: the collector is back", self.name)
            self._told.clear()
        self._schedule(0.0)

    def settled(self) -> None:
        """Something was acknowledged: this collector is worth coming back to soon."""
        self._backoff.reset()

    def writable(self) -> None:
        """More can be written."""
        if self.outbox.unsent:
            self._schedule(0.0)

    def trouble(self, text: str) -> None:
        """The collector, or what poses as one, is no good."""
        self._say(text)

    # --- sending

    def _schedule(self, delay: float) -> None:
        self._unschedule()
        if self.is_connected:
            self._timer = self._loop.call_later(delay, self._send)

    def _unschedule(self) -> None:
        self._is_hurried = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send(self) -> None:
        self._timer, self._is_hurried = None, False
        session = self._session
        if session is None or not session.is_welcome:
            return
        until = self._loop.time() + self._pace.slice
        while session.send_batch(self._pace.batch, until):
            if self._loop.time() >= until:
                self._schedule(self._pace.pause)
                return
        if self._closing is not None and session.has_sent_all:
            session.say_goodbye()


class _Session:
    """One connection to a collector."""

    def __init__(self, link: DebugLink, conn: Connection) -> None:
        self._link, self._outbox, self.conn = link, link.outbox, conn
        self._codec = link._codec
        self._reader = FrameReader(self._codec)
        self._encoder = StreamEncoder(self._codec)
        self._prelude: deque[SchemaMsg] = deque()
        self.welcomed = asyncio.Event()
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._said_goodbye = False
        self._is_void = False

    def start(self) -> None:
        """Say who we are."""
        link = self._link
        self.conn.start(self._on_data, self._on_lost, link.writable)
        hello = hello_frame(self._codec, link._token, link._stream_id, link.name, link._now_ns())
        self.conn.write(hello)

    @property
    def is_welcome(self) -> bool:
        """Whether messages may be sent."""
        return self.welcomed.is_set() and not self._is_void and not self.conn.is_closed

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing is left for this connection."""
        return not self._prelude and not self._outbox.unsent

    @property
    def is_done(self) -> bool:
        """Whether the collector has closed after it had everything."""
        return self._said_goodbye and not self._outbox.unacked and not self._is_void

    def say_goodbye(self) -> None:
        """Ask for a last acknowledgement."""
        if not self._said_goodbye:
            self._said_goodbye = True
            self.conn.write(bye_frame(self._codec))

    # --- arriving

    def _on_data(self, data: bytes) -> None:
        try:
            for raw in self._reader.feed(data):
                self._on_word(read_collector(raw, self._reader.offset))
        except (DbgWireError, ValueError) as error:
            self._void(f"the collector at {self.conn.peer} makes no sense: {error}")

    def _on_word(self, word: Welcome | Refused | Ack) -> None:
        if self._is_void:
            return
        if isinstance(word, Refused):
            self._void(f"the collector refuses: {word.text}")
        elif isinstance(word, Welcome) and not self.welcomed.is_set():
            self._prelude.extend(self._outbox.begin(word.next))
            self.welcomed.set()
            self._link.welcomed()
        elif isinstance(word, Ack) and self.welcomed.is_set():
            self._outbox.ack(word.next)
            self._link.settled()
        else:
            raise DbgWireError(f"{type(word).__name__} out of turn", self._reader.offset)

    def _void(self, text: str) -> None:
        self._is_void = True
        self._link.trouble(text)
        self.conn.close()
        self._end()

    def _on_lost(self, error: Exception | None) -> None:
        if error is not None and not self.is_done:
            self._link.trouble(f"the connection is lost: {error}")
        self._end()

    def _end(self) -> None:
        self.welcomed.set()
        if not self.over.done():
            self.over.set_result(None)

    # --- sending

    def send_batch(self, most: int, until: float) -> bool:
        """Send some of what waits; False when there is nothing, or no room for it."""
        if self.has_sent_all or not self.conn.writable:
            return False
        time = self._link._loop.time
        first, parts, size = self._outbox.next_unsent, list[bytes](), 0
        while len(parts) < most and size < _BATCH_BYTES:
            part = self._next_part()
            if part is None:
                break
            parts.append(part)
            size += len(part)
            if not len(parts) & 7 and time() >= until:
                break
        if parts:
            self.conn.write(batch_frame(self._codec, first, parts))
        return True

    def _next_part(self) -> bytes | None:
        """The next message as bytes; what can't be sent is told by a gap in its place."""
        while self._prelude:
            part = self._encode(self._prelude.popleft())
            if part is not None:
                return part
        while (entry := self._outbox.take()) is not None:
            number, message = entry
            part = self._encode(message)
            if part is not None:
                return part
            if number == SCHEMA_NUMBER:
                self._outbox.forget()
                continue
            machine_id = getattr(message, "machine_id", "")
            gap = GapMsg(1, "can't be sent", machine_id, until_ns=getattr(message, "time_ns", 0))
            self._outbox.replace(gap)
            self._outbox.dropped += 1
            return self._encode(gap)
        return None

    def _encode(self, message: Message) -> bytes | None:
        try:
            return self._encoder.encode(message)
        except DbgEncodeError as error:
            _log.warning("recording of %s: %s", self._link.name, error)
        except Exception:
            # a number must not be left out, whatever is wrong with its message
            _log.exception("recording of %s: a message can't be sent", self._link.name)
        return None
