"""Whether a recording can be read to its end, and makes sense."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from amctl.dump.copying import messages_of
from amctl.dump.errors import DumpFormatError, UnknownMachineError
from amctl.telemetry.messages import GapMsg, PipeMsg, SchemaMsg, TxMsg

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.dump.model import Dump

__all__ = ["CheckReport", "check"]

_MOST: Final = 20
_TELL_EVERY: Final = 5_000


@dataclass(slots=True)
class CheckReport:
    """What a full read has found."""

    name: str
    machines: int = 0
    transitions: int = 0
    pipes: int = 0
    gaps: int = 0
    lost: int = 0
    """Messages that are known to be missing: no damage, it was told."""
    problems: list[str] = field(default_factory=list)
    """What is damaged; empty if nothing is."""
    oddities: list[str] = field(default_factory=list)
    """What can't have happened so, though the file is whole."""

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.problems


def check(dump: Dump, *, progress: Callable[[int, int], None] | None = None) -> CheckReport:
    """Read all of a recording.

    Args:
        dump: It was opened, so it isn't damaged all through.
        progress: Told transitions done, and those of the whole recording, now and then.
    """
    report = CheckReport(dump.name)
    try:
        _read(dump, report, progress)
    except (DumpFormatError, UnknownMachineError) as error:
        report.problems.append(str(error))
    return report


def _read(dump: Dump, report: CheckReport, progress: Callable[[int, int], None] | None) -> None:
    total = dump.count()
    schemas: dict[str, SchemaMsg] = {}
    sums: dict[str, int] = {}
    odd: Counter[str] = Counter()
    for message in messages_of(dump):
        if isinstance(message, TxMsg):
            report.transitions += 1
            odd.update(_oddities(message, schemas[message.machine_id], sums))
            if progress is not None and report.transitions % _TELL_EVERY == 0:
                progress(report.transitions, total)
        elif isinstance(message, SchemaMsg):
            schemas[message.machine_id] = message
            sums.pop(message.machine_id, None)
        elif isinstance(message, PipeMsg):
            report.pipes += 1
        elif isinstance(message, GapMsg):
            report.gaps += 1
            report.lost += message.count
    report.machines = len(schemas)
    told = [f"{text}{f', {count} times' if count > 1 else ''}" for text, count in odd.items()]
    report.oddities = told[:_MOST] + ([f"and {len(told) - _MOST} more"] if told[_MOST:] else [])
    if report.transitions < total:
        report.problems.append(f"{report.transitions} transitions of {total} can be read")


def _oddities(tx: TxMsg, schema: SchemaMsg, sums: dict[str, int]) -> list[str]:
    machine, count = tx.machine_id, len(schema.names)
    odd = []
    if len(tx.clocks) != count:
        odd.append(f"{machine}: {len(tx.clocks)} clocks of {count} states")
    if any(not 0 <= index < count for index in tx.called):
        odd.append(f"{machine}: a state was called that it hasn't got")
    if not tx.is_queued:
        if tx.time_sum < sums.get(machine, 0):
            odd.append(f"{machine}: its clocks step back, as if it had been restarted")
        sums[machine] = tx.time_sum
    return odd
