"""What a recording holds, in numbers: of the whole and of each machine, from a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from amctl.dump.following import Follower, active_names
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.dump.following import Entry
    from amctl.telemetry.messages import Message, SchemaMsg

__all__ = ["MachineSummary", "Summary", "seconds_text", "time_text"]

_GAPS: Final = 20
"""That a report tells one by one."""


@dataclass(slots=True)
class MachineSummary:
    """One machine."""

    schema: SchemaMsg
    """Its newest."""
    executed: int = 0
    canceled: int = 0
    queued: int = 0
    checks: int = 0
    first_ns: int = 0
    last_ns: int = 0
    clocks: tuple[int, ...] = ()
    """After the last transition."""
    gone_ns: int = 0

    @property
    def count(self) -> int:
        """Messages of transitions, all kinds."""
        return self.executed + self.canceled + self.queued + self.checks

    @property
    def active(self) -> tuple[str, ...]:
        """The states that were active at the end."""
        return active_names(self.clocks, self.schema.names)


@dataclass(slots=True)
class Summary:
    """A recording in numbers; grows as messages are taken."""

    meta: Mapping[str, str] = field(default_factory=dict)
    machines: dict[str, MachineSummary] = field(default_factory=dict)
    pipes: int = 0
    gaps: list[GapMsg] = field(default_factory=list)
    first_ns: int = 0
    last_ns: int = 0
    _follower: Follower = field(default_factory=Follower)

    def take(self, message: Message) -> Entry | None:
        """Count one message; an entry if it was a transition."""
        entry = self._follower.take(message)
        if entry is not None:
            self._count(entry)
        elif isinstance(message, PipeMsg):
            self.pipes += 1
        elif isinstance(message, GapMsg):
            self.gaps.append(message)
        elif isinstance(message, GoneMsg):
            if message.machine_id in self.machines:
                self.machines[message.machine_id].gone_ns = message.time_ns
        else:
            self._schema(self._follower.schemas[message.machine_id])
        return entry

    def _schema(self, schema: SchemaMsg) -> None:
        machine = self.machines.setdefault(schema.machine_id, MachineSummary(schema))
        machine.schema, machine.gone_ns = schema, 0
        machine.clocks = self._follower.clocks.get(schema.machine_id, ())

    def _count(self, entry: Entry) -> None:
        tx = entry.tx
        machine = self.machines[tx.machine_id]
        if tx.is_queued:
            machine.queued += 1
        elif tx.is_check:
            machine.checks += 1
        elif tx.accepted:
            machine.executed += 1
        else:
            machine.canceled += 1
        machine.clocks = self._follower.clocks.get(tx.machine_id, tx.clocks)
        if tx.time_ns:
            machine.first_ns = machine.first_ns or tx.time_ns
            machine.last_ns = max(machine.last_ns, tx.time_ns)
            self.first_ns = min(self.first_ns or tx.time_ns, tx.time_ns)
            self.last_ns = max(self.last_ns, tx.time_ns)

    @property
    def count(self) -> int:
        """Messages of transitions."""
        return sum(machine.count for machine in self.machines.values())

    @property
    def lost(self) -> int:
        """Messages that are known to be missing."""
        return sum(gap.count for gap in self.gaps)

    @property
    def name(self) -> str:
        """What a report is called."""
        return self.meta.get("name", "Recording")

    def facts(self) -> list[tuple[str, str]]:
        """What stands at the top of a report."""
        lasted = f"{seconds_text(self.last_ns - self.first_ns)} s" if self.first_ns else "-"
        return [
            ("began", time_text(self.first_ns)),
            ("lasted", lasted),
            ("machines", str(len(self.machines))),
            ("transitions", str(self.count)),
            ("of them", self._kinds() or "-"),
        ]

    def _kinds(self) -> str:
        machines = self.machines.values()
        checks = sum(m.checks for m in machines)
        kinds = {
            "executed": sum(m.executed for m in machines),
            "canceled": sum(m.canceled for m in machines),
            "queued": sum(m.queued for m in machines),
            "check" if checks == 1 else "checks": checks,
        }
        return ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)

    def gap_texts(self) -> Iterator[str]:
        """A line for each gap; of many, only the first, and how many more there are."""
        for gap in self.gaps[:_GAPS]:
            count = f"{gap.count} message{'s' if gap.count != 1 else ''}"
            who = f" of {gap.machine_id}" if gap.machine_id else ""
            yield f"{count if gap.count else 'an unknown number of messages'}{who}: {gap.why}"
        if len(self.gaps) > _GAPS:
            yield f"and {len(self.gaps) - _GAPS} more gaps"


def time_text(time_ns: int) -> str:
    """`2026-01-31 12:34:56.789 UTC`; `-` if it is unknown or no such time can be."""
    if time_ns <= 0:
        return "-"
    seconds, rest = divmod(time_ns, 10**9)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // 10**6:03} UTC"
    except (ValueError, OverflowError, OSError):
        return "-"


def seconds_text(ns: int) -> str:
    """`12.345678`: seconds to the microsecond."""
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    return f"{sign}{ns // 10**9}.{ns % 10**9 // 1000:06}"
