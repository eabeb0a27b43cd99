"""The machines of a recording at a glance: asked, not counted, so it takes no longer for more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.dump.following import active_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.dump.model import Dump
    from amctl.telemetry.messages import SchemaMsg

__all__ = ["Listing", "Row", "list_dump"]


@dataclass(frozen=True, slots=True)
class Row:
    """One machine."""

    schema: SchemaMsg
    """Its newest."""
    transitions: int
    """Messages, queued ones included."""
    first_ns: int
    """Of the first one; 0 if there is none, or its time is unknown."""
    last_ns: int
    clocks: tuple[int, ...]
    """After the last transition."""
    gone_ns: int
    """When it was disposed of; 0: not, as far as is known."""

    @property
    def id(self) -> str:
        """Of the machine."""
        return self.schema.machine_id

    @property
    def active(self) -> tuple[str, ...]:
        """States that are active at the end."""
        return active_names(self.clocks, self.schema.names)

    def to_json(self) -> dict[str, Any]:
        """All of it but relations."""
        return {
            "id": self.id,
            "parent": self.schema.parent,
            "tags": list(self.schema.tags),
            "states": list(self.schema.names),
            "transitions": self.transitions,
            "first_ns": self.first_ns,
            "last_ns": self.last_ns,
            "clocks": list(self.clocks),
            "active": list(self.active),
            "gone_ns": self.gone_ns,
        }


@dataclass(frozen=True, slots=True)
class Listing:
    """A recording at a glance."""

    name: str
    format: str
    transitions: int
    first_ns: int
    """Of the first transition that arrived."""
    last_ns: int
    """Of the latest of all machines' last ones."""
    pipes: int
    gaps: int
    lost: int
    """Messages that are known to be missing."""
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """One document."""
        return {
            "dump": self.name,
            "format": self.format,
            "transitions": self.transitions,
            "first_ns": self.first_ns,
            "last_ns": self.last_ns,
            "pipes": self.pipes,
            "gaps": self.gaps,
            "lost": self.lost,
            "machines": [row.to_json() for row in self.rows],
        }


def list_dump(dump: Dump, machines: Sequence[str] | None = None) -> Listing:
    """Look at all machines of a recording, or at some."""
    gone = dump.gone()
    rows = tuple(
        _row(dump, id, gone.get(id, 0))
        for id in (dump.machines() if machines is None else machines)
    )
    first = next(iter(dump.transitions(None, 0, 1)), None)
    gaps = dump.gaps()
    return Listing(
        dump.name,
        dump.format,
        dump.count(),
        first.time_ns if first is not None else 0,
        max((row.last_ns for row in rows), default=0),
        len(dump.pipes()),
        len(gaps),
        sum(gap.count for gap in gaps),
        rows,
    )


def _row(dump: Dump, machine: str, gone_ns: int) -> Row:
    count = dump.count(machine)
    first = next(iter(dump.transitions(machine, 0, 1)), None)
    last = next(iter(dump.transitions(machine, max(0, count - 1), count)), None)
    return Row(
        dump.schema(machine),
        count,
        first.time_ns if first is not None else 0,
        last.time_ns if last is not None else 0,
        _last_clocks(dump, machine, count),
        gone_ns,
    )


def _last_clocks(dump: Dump, machine: str, count: int) -> tuple[int, ...]:
    """Those of the last transition that wasn't only queued."""
    for back in (8, 200, count):
        clocks = None
        for tx in dump.transitions(machine, max(0, count - back), count):
            if not tx.is_queued:
                clocks = tx.clocks
        if clocks is not None:
            return clocks
    return ()
