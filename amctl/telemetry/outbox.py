"""What was recorded and isn't safe yet: bounded, numbered, kept until a collector has it on disk.

Messages stand here in the order in which they happened. All but schemas have a number. On every
new connection the schemas that the oldest message needs are sent anew (`begin` says which), then
everything that isn't acknowledged. What does not fit is counted, and told by a GapMsg as soon as
there is room: the gap stays open until the outbox is a quarter empty, so that one that is full for
a minute is one gap and not a thousand.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from amctl.telemetry.messages import GapMsg, GoneMsg, SchemaMsg

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.telemetry.messages import Message

__all__ = ["FULL", "SCHEMA_NUMBER", "Outbox"]

SCHEMA_NUMBER: Final = -1
"""Stands for the number of a schema, which has none."""
_CALM = 0.75
"""A gap is over when the outbox holds less than this share of its limit."""
FULL: Final = "outbox full"
"""Why messages are lost that found no room."""


@dataclass(slots=True)
class _Gap:
    why: str
    machine_id: str
    since_ns: int
    count: int = 0
    until_ns: int = 0


class Outbox:
    """Knows nothing of connections, nor of bytes.

    Args:
        limit: How many messages may wait, sent or not.
        now_ns: Unix time, for gaps.
        on_gap: Called with the reason when messages begin to be lost.
    """

    def __init__(
        self, limit: int, now_ns: Callable[[], int], on_gap: Callable[[str], object]
    ) -> None:
        self.limit = limit
        self.dropped = 0
        """Messages lost for ever, all gaps together."""
        self._now_ns, self._on_gap = now_ns, on_gap
        self._waiting: deque[tuple[int, Message]] = deque()
        self._sent: deque[tuple[int, Message]] = deque()
        self._schemas: dict[str, SchemaMsg] = {}
        self._next = 0
        self._acked = 0
        self._gap: _Gap | None = None

    # --- filling

    @property
    def next_number(self) -> int:
        """Of the next message that is put."""
        return self._next

    @property
    def unacked(self) -> int:
        """Numbered messages that are not safe yet."""
        return self._next - self._acked

    @property
    def unsent(self) -> int:
        """Messages that were not sent on this connection."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether a message would be dropped."""
        return self._gap is not None or len(self._waiting) + len(self._sent) >= self.limit

    def put(self, message: Message, *, must: bool = False) -> bool:
        """Append a message; whether it was kept.

        A schema that wasn't kept does not count as lost: offer it again before the machine's next
        message.

        Args:
            message: Is not changed from now on.
            must: Keep it even if there is no room, the end of a machine whose schema is here say.
        """
        if not must and (
            self._gap is not None or len(self._waiting) + len(self._sent) >= self.limit
        ):
            if type(message) is not SchemaMsg:
                self.lose(1, FULL, getattr(message, "machine_id", ""))
            return False
        if type(message) is SchemaMsg:
            self._waiting.append((SCHEMA_NUMBER, message))
        else:
            self._waiting.append((self._next, message))
            self._next += 1
        return True

    def lose(self, count: int, why: str, machine_id: str = "") -> None:
        """Count messages that were lost, here or before they came here."""
        now, gap = self._now_ns(), self._gap
        if gap is None:
            gap = self._gap = _Gap(why, machine_id, now)
            self._on_gap(why)
        gap.count += count
        gap.until_ns = now
        if gap.machine_id != machine_id:
            gap.machine_id = ""
        if gap.why != why:
            gap.why = FULL
        self.dropped += count
        self._close_gap()

    def end(self) -> None:
        """Nothing more is put: tell an open gap now, whether there is room or not."""
        self._close_gap(at_once=True)

    def _close_gap(self, *, at_once: bool = False) -> None:
        gap, size = self._gap, len(self._waiting) + len(self._sent)
        if gap is not None and (at_once or size < self.limit * _CALM):
            self._gap = None
            told = GapMsg(gap.count, gap.why, gap.machine_id, gap.since_ns, gap.until_ns)
            self.put(told, must=True)

    # --- emptying

    def begin(self, next: int) -> list[SchemaMsg]:
        """A new connection, whose collector has everything before `next`.

        Returns:
            The schemas to be sent before everything else.

        Raises:
            ValueError: `next` is a number that no message has had yet.
        """
        if next > self._next:
            raise ValueError(f"next is {next}, of {self._next} messages")
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()
        waiting = self._waiting
        while waiting and waiting[0][0] < next:
            self._settle(waiting.popleft())
        self._acked = max(self._acked, next)
        self._close_gap()
        return list(self._schemas.values())

    def take(self) -> tuple[int, Message] | None:
        """The next message to be sent, with its number; None if there is none."""
        if not self._waiting:
            return None
        entry = self._waiting.popleft()
        self._sent.append(entry)
        return entry

    def replace(self, message: Message) -> None:
        """What `take` gave last can't be sent: this goes out under its number instead."""
        number, _ = self._sent.pop()
        self._sent.append((number, message))

    def forget(self) -> None:
        """What `take` gave last, a schema, can't be sent."""
        self._sent.pop()

    def ack(self, next: int) -> None:
        """Everything before `next` is safe.

        Raises:
            ValueError: Some of that was not sent on this connection.
        """
        first = self._first_waiting()
        if next > first:
            raise ValueError(f"acknowledged up to {next}, but only {first} were sent")
        sent = self._sent
        while sent and sent[0][0] < next:
            self._settle(sent.popleft())
        self._acked = max(self._acked, next)
        if self._gap is not None:
            self._close_gap()

    @property
    def next_unsent(self) -> int:
        """The number of the next numbered message to be sent."""
        return self._first_waiting()

    def _first_waiting(self) -> int:
        return next((number for number, _ in self._waiting if number >= 0), self._next)

    def _settle(self, entry: tuple[int, Message]) -> None:
        """A message leaves. Later ones still need the schemas among those that left."""
        message = entry[1]
        if type(message) is SchemaMsg:
            self._schemas[message.machine_id] = message
        elif type(message) is GoneMsg:
            self._schemas.pop(message.machine_id, None)
