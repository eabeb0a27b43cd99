"""What came of tasks: one result for each task and machine, and the recap of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from amctl.repl.outcome import Verdict, worst
from amctl.repl.playbook.templates import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amctl.repl.errors import ReplError
    from amctl.repl.playbook.errors import Place

__all__ = ["COUNTED", "Did", "PlayReport", "Recap", "Status", "TaskResult", "recap"]


class Status(StrEnum):
    """How a task ended on a machine."""

    OK = "ok"
    """Done, and no clock moved."""
    CHANGED = "changed"
    """Done, and a clock moved."""
    CANCELED = "canceled"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Its condition was false."""
    UNKNOWN = "unknown"
    """In check mode: can't be known before."""

    @property
    def is_bad(self) -> bool:
        """Whether the machine gets no further tasks, unless errors are ignored."""
        return self in _VERDICTS


COUNTED = (
    Status.OK,
    Status.CHANGED,
    Status.CANCELED,
    Status.TIMEOUT,
    Status.UNREACHABLE,
    Status.FAILED,
)
"""The columns of the recap."""

_VERDICTS = {
    Status.CANCELED: Verdict.CANCELED,
    Status.TIMEOUT: Verdict.TIMED_OUT,
    Status.UNREACHABLE: Verdict.UNREACHABLE,
    Status.FAILED: Verdict.FAILED,
}


@dataclass(frozen=True, slots=True)
class Did:
    """What a machine answered to one attempt."""

    status: Status
    result: str = ""
    """A mutation's result word, or what else happened in a word or two."""
    reason: str = ""
    """Why, in a sentence, if it isn't as it should be."""
    before: Mapping[str, int] = field(default_factory=dict)
    """All ticks before it."""
    after: Mapping[str, int] = field(default_factory=dict)
    """All ticks after it; in check mode as far as relations tell."""
    data: Any = None
    """What a command answered."""
    lines: tuple[str, ...] = ()
    """The same for people."""

    @property
    def moved(self) -> dict[str, tuple[int, int]]:
        """State -> its tick before and after, of those that moved."""
        ticks = {name: (self.before.get(name, 0), tick) for name, tick in self.after.items()}
        return {name: pair for name, pair in ticks.items() if pair[0] != pair[1]}


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task on one machine, in one round of its loop."""

    play: str
    task: str
    place: Place
    machine: str
    did: Did
    attempts: int = 1
    seconds: float = 0.0
    item: Any = None
    """The loop's value; None without a loop."""
    ignored: bool = False
    """Whether the machine goes on although it failed."""

    @property
    def status(self) -> Status:
        """How it ended."""
        return self.did.status

    @property
    def is_bad(self) -> bool:
        """Whether it failed, and that counts."""
        return self.status.is_bad and not self.ignored

    def as_data(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            "play": self.play,
            "task": self.task,
            "place": str(self.place),
            "machine": self.machine,
            "status": self.status.value,
            "result": self.did.result,
            "reason": self.did.reason,
            "moved": {name: list(pair) for name, pair in self.did.moved.items()},
            "attempts": self.attempts,
            "seconds": round(self.seconds, 3),
            "item": self.item,
            "ignored": self.ignored,
            "data": self.did.data,
        }

    def as_variable(self) -> dict[str, Any]:
        """What `register` keeps; unknown parts of an unknown result are so."""
        known = self.status is not Status.UNKNOWN
        return {
            "task": self.task,
            "machine": self.machine,
            "status": self.status.value if known else UNKNOWN,
            "result": self.did.result if known else UNKNOWN,
            "reason": self.did.reason if known else UNKNOWN,
            "changed": (self.status is Status.CHANGED) if known else UNKNOWN,
            "failed": self.status.is_bad if known else UNKNOWN,
            "skipped": (self.status is Status.SKIPPED) if known else UNKNOWN,
            "attempts": self.attempts,
            "before": dict(self.did.before) if known else UNKNOWN,
            "after": dict(self.did.after) if known else UNKNOWN,
            "item": self.item,
            "data": self.did.data if known else UNKNOWN,
        }


@dataclass(slots=True)
class Recap:
    """One machine's line of the recap."""

    machine: str
    time_before: int
    """Sum of its ticks when the first play that has it began."""
    time_after: int
    counts: dict[Status, int] = field(default_factory=lambda: dict.fromkeys(Status, 0))
    failed_at: str = ""
    """Where it failed for good."""

    def as_data(self) -> dict[str, Any]:
        """As plain JSON data."""
        counts = {status.value: number for status, number in self.counts.items()}
        return {"machine": self.machine, **counts, "time": [self.time_before, self.time_after]}


@dataclass(frozen=True, slots=True)
class PlayReport:
    """What came of a playbook."""

    results: tuple[TaskResult, ...]
    recaps: tuple[Recap, ...]
    seconds: float = 0.0
    is_check: bool = False
    interrupted: bool = False
    error: ReplError | None = None
    """What ended it before its end."""

    @property
    def verdict(self) -> Verdict:
        """The gravest of what failed and isn't ignored."""
        found = [_VERDICTS[result.status] for result in self.results if result.is_bad]
        found += [Verdict.INTERRUPTED] if self.interrupted else []
        return worst(*found, *([self.error.verdict] if self.error is not None else []))

    @property
    def has_changes(self) -> bool:
        """Whether a clock moved, or in check mode would or might."""
        return any(r.status in (Status.CHANGED, Status.UNKNOWN) for r in self.results)

    def as_data(self) -> dict[str, Any]:
        """As plain JSON data."""
        return {
            "ok": self.verdict is Verdict.DONE,
            "verdict": self.verdict.value,
            "check": self.is_check,
            "changed": self.has_changes,
            "error": str(self.error) if self.error is not None else None,
            "seconds": round(self.seconds, 3),
            "results": [result.as_data() for result in self.results],
            "recap": [one.as_data() for one in self.recaps],
        }


def recap(results: Iterable[TaskResult], times: Mapping[str, tuple[int, int]]) -> tuple[Recap, ...]:
    """Counts by machine, in the order in which they came.

    Args:
        results: Of all tasks.
        times: Machine -> its machine time at the beginning and at the end.
    """
    rows = {machine: Recap(machine, *pair) for machine, pair in times.items()}
    for result in results:
        row = rows.get(result.machine)
        if row is None:
            before, after = (sum(side.values()) for side in (result.did.before, result.did.after))
            row = rows[result.machine] = Recap(result.machine, before, after)
        row.counts[result.status] += 1
        if result.is_bad and not row.failed_at:
            row.failed_at = str(result.place)
    return tuple(rows.values())
