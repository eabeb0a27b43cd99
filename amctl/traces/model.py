"""A trace as plain values, whatever file it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ERROR", "Event", "Link", "Service", "Span", "Trace"]

ERROR = 2
"""Status of a span that failed; 0 is nothing said, 1 is fine."""


@dataclass(frozen=True, slots=True)
class Service:
    """Who made spans: a resource of OpenTelemetry. One is shared by all its spans."""

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Of the resource, `service.name` aside."""


@dataclass(frozen=True, slots=True)
class Event:
    """A moment of a span."""

    time_ns: int
    """Unix time."""
    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A span that another one points to; it may be in another trace, or in no file of ours."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What it means: `source` (the cause), `added`, `removed`; of foreign spans empty."""
        return str(self.attributes.get("am.link", ""))


@dataclass(frozen=True, slots=True)
class Span:
    """One span. Values of attributes are texts, numbers, booleans, bytes, None, lists, dicts."""

    trace_id: str
    """32 hexadecimal digits, small letters."""
    span_id: str
    """16 hexadecimal digits, small letters."""
    parent_id: str
    """Empty if it has none."""
    name: str
    service: Service
    start_ns: int
    """Unix time."""
    end_ns: int
    """Never before `start_ns`."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    status: int = 0
    message: str = ""
    """Of the status."""
    kind: int = 0
    """As OTLP numbers it: 1 is internal, 2 server, 3 client, 4 producer, 5 consumer."""
    scope: str = ""
    """Name of the instrumentation scope."""
    scope_version: str = ""
    trace_state: str = ""

    @property
    def duration_ns(self) -> int:
        """How long it took."""
        return self.end_ns - self.start_ns

    @property
    def is_error(self) -> bool:
        """Whether it says that it failed."""
        return self.status == ERROR

    def about(self, name: str) -> Any:
        """An attribute of machines by its bare name: ours have `am.` in front, the original's
        nothing. None if it has neither."""
        found = self.attributes.get(f"am.{name}")
        return self.attributes.get(name) if found is None else found


@dataclass(frozen=True, slots=True)
class Trace:
    """All spans of one trace that a file holds."""

    trace_id: str
    spans: tuple[Span, ...]
    """The earliest first; of equal ones, as the file has them. At least one."""
    lost: int = 0
    """Spans that their makers say they lost."""

    @property
    def started_ns(self) -> int:
        """Unix time of the earliest beginning."""
        return self.spans[0].start_ns

    @property
    def ended_ns(self) -> int:
        """Unix time of the latest end."""
        return max(span.end_ns for span in self.spans)

    @property
    def services(self) -> tuple[str, ...]:
        """Names of services, in the order in which they began."""
        return tuple(dict.fromkeys(span.service.name for span in self.spans))

    @property
    def errors(self) -> int:
        """How many spans failed."""
        return sum(span.is_error for span in self.spans)
