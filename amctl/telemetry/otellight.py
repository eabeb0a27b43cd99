"""Spans as plain values: the sink of browser threads, and of everything in a run.

Made to cost next to nothing where it is called: ids come from the system's randomness, many at a
time, and encoding is left for when somebody asks.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from amctl.telemetry.spans import SpanRef

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from amctl.telemetry.spans import AttributeValue

__all__ = ["ENDED", "LightSink", "LightSpan", "Moment"]

ENDED = 0
"""Status: nothing said."""
_ERROR = 2
_POOL = 2048
_FULL = 20_000


class Moment(NamedTuple):
    """An event of a span."""

    name: str
    time_ns: int
    attributes: Mapping[str, AttributeValue] | None


class LightSpan:
    """One span; see `amctl.telemetry.spans.Span`."""

    __slots__ = (
        "_sink",
        "attributes",
        "end_ns",
        "events",
        "links",
        "message",
        "name",
        "parent_id",
        "ref",
        "start_ns",
        "status",
    )

    def __init__(
        self,
        sink: LightSink,
        name: str,
        ref: SpanRef,
        parent_id: str,
        start_ns: int,
        attributes: dict[str, AttributeValue],
    ) -> None:
        self._sink: LightSink | None = sink
        self.name, self.ref, self.parent_id, self.start_ns = name, ref, parent_id, start_ns
        self.attributes = attributes
        self.end_ns = self.status = ENDED
        self.message = ""
        self.events: list[Moment] | None = None
        self.links: list[tuple[SpanRef, str]] | None = None

    def set(self, name: str, value: AttributeValue) -> None:
        """Give it an attribute."""
        if self._sink is not None:
            self.attributes[name] = value

    def event(
        self, name: str, time_ns: int, attributes: Mapping[str, AttributeValue] | None = None
    ) -> None:
        """Note a moment."""
        if self._sink is not None:
            if self.events is None:
                self.events = []
            self.events.append(Moment(name, time_ns, attributes))

    def link(self, ref: SpanRef, kind: str) -> None:
        """Point to another span."""
        if self._sink is not None:
            if self.links is None:
                self.links = []
            self.links.append((ref, kind))

    def fail(self, kind: str, text: str, time_ns: int) -> None:
        """Its status is an error."""
        if self._sink is not None:
            self.status, self.message = _ERROR, text or kind
            what = {"exception.type": kind, "exception.message": text}
            self.event("exception", time_ns, what)

    def end(self, time_ns: int) -> None:
        """It is over, and can be sent."""
        sink, self._sink = self._sink, None
        if sink is not None:
            self.end_ns = max(time_ns, self.start_ns)
            sink._ended(self)


class LightSink:
    """Keeps what has ended until somebody takes it.

    Args:
        service: `service.name` of the resource, and the scope's name.
        changed: Called when there is something to take, after there was nothing.
        limit: Spans that wait at most; further ones are lost, and counted.
    """

    def __init__(
        self,
        service: str,
        changed: Callable[[], object] = lambda: None,
        *,
        limit: int = _FULL,
    ) -> None:
        self.service = service
        self.dropped = 0
        """Spans for which there was no room."""
        self.open = 0
        """Spans that have begun and not ended."""
        self._changed, self._limit = changed, limit
        self._waiting: deque[LightSpan] = deque()
        self._pool = b""
        self._at = 0

    def start(
        self,
        name: str,
        parent: SpanRef | None,
        time_ns: int,
        attributes: Iterable[tuple[str, AttributeValue]] = (),
        ref: SpanRef | None = None,
    ) -> LightSpan:
        """Begin a span."""
        if ref is None:
            trace = parent.trace_id if parent is not None else self._hex(16)
            ref = SpanRef(trace, self._hex(8))
        above = parent.span_id if parent is not None else ""
        self.open += 1
        return LightSpan(self, name, ref, above, time_ns, dict(attributes))

    def take(self, most: int) -> list[LightSpan]:
        """Spans that have ended, the oldest first; they are the caller's from here on."""
        waiting = self._waiting
        return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def __len__(self) -> int:
        return len(self._waiting)

    def _ended(self, span: LightSpan) -> None:
        self.open -= 1
        if len(self._waiting) >= self._limit:
            self.dropped += 1
            return
        self._waiting.append(span)
        if len(self._waiting) == 1:
            self._changed()

    def _hex(self, size: int) -> str:
        """Random digits. Drawn when first needed: a heap that is restored many times must not hold
        them."""
        if self._at + size > len(self._pool):
            self._pool, self._at = os.urandom(_POOL), 0
        found = self._pool[self._at : self._at + size].hex()
        self._at += size
        return found if found.strip("0") else self._hex(size)
