"""What a machine tells a debugger: its schema, its transitions, what it queued, its pipes.

These are the records of recordings too: collectors store them, readers of every dump format yield
them. Plain data, no machine behind it. The rules are those of the original's messages; what ours
say beyond them (source, reason, pipes, gaps, the sender's time) is absent in its recordings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.machine import StateDef
    from amctl.machine.lines import LogLine
    from amctl.machine.reasons import Reason
    from amctl.machine.steps import Step

__all__ = [
    "GapMsg",
    "GoneMsg",
    "Message",
    "PipeMsg",
    "SchemaMsg",
    "SourceRef",
    "TxMsg",
    "args_text",
]


@dataclass(frozen=True, slots=True)
class SourceRef:
    """The transition that a mutation came from."""

    machine_id: str
    tx_id: str = ""
    time: int = 0
    """Time sum of the source machine before that transition; 0 if unknown."""


@dataclass(slots=True)
class SchemaMsg:
    """A machine, as it is known from now on. A second one replaces the first; history stays."""

    machine_id: str
    names: tuple[str, ...]
    """State names; their positions are the indexes in all the other messages."""
    states: Mapping[str, StateDef]
    parent: str = ""
    """Id of the parent machine; empty at the top."""
    tags: tuple[str, ...] = ()
    """`name` or `name:value`."""
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Group name -> state indexes."""
    groups_order: tuple[str, ...] = ()
    time_ns: int = 0
    """Nanoseconds of Unix time at the sender; 0 if unknown."""


@dataclass(slots=True)
class TxMsg:
    """A transition that has ended, or (is_queued) a mutation that was put in the queue."""

    machine_id: str
    id: str
    """16 hex digits (32 in the original's); of queued ones `LASTTX-N`."""
    clocks: tuple[int, ...]
    """Ticks by state index after it; odd is active. Equal to the message before for queued ones."""
    type: int = 0
    """0 add, 1 remove, 2 set, 3 eval."""
    called: tuple[int, ...] = ()
    """Indexes of the called states, in the order of the call."""
    is_auto: bool = False
    accepted: bool = True
    is_check: bool = False
    is_queued: bool = False
    queue_tick: int = 0
    """The machine's queue tick when the message was made."""
    mut_queue_tick: int = 0
    """Of a queued mutation: the queue tick at which it will run; 0 for prepended ones."""
    mut_queue_token: int = 0
    """Of a prepended mutation; else 0."""
    queue: int = 0
    """Length of the queue."""
    time_ns: int = 0
    """Nanoseconds of Unix time at the sender."""
    received_ns: int = 0
    """The same at the collector; 0 if it never came through one."""
    steps: tuple[Step, ...] = ()
    logs: tuple[LogLine, ...] = ()
    """Lines written during the transition."""
    pre_logs: tuple[LogLine, ...] = ()
    """Lines written since the transition before it."""
    args: Mapping[str, str] = field(default_factory=dict)
    """Arguments as short texts."""
    source: SourceRef | None = None
    reason: Reason | None = None
    """Only of a canceled one."""
    stack: str = ""
    """Where a queued mutation was asked for, if stack traces are on."""

    def is_active(self, index: int) -> bool:
        """Whether the state is active after it; False beyond a short vector."""
        return 0 <= index < len(self.clocks) and self.clocks[index] & 1 == 1

    @property
    def time_sum(self) -> int:
        """Sum of all ticks."""
        return sum(self.clocks)


@dataclass(frozen=True, slots=True)
class PipeMsg:
    """A pipe was bound; or, with `gone`, is no more."""

    kind: Literal["add", "remove"]
    source: str
    """Machine id."""
    source_state: str
    """Empty if only the target's end is known."""
    target: str
    target_state: str
    """Empty if only the source's end is known."""
    gone: bool = False
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class GapMsg:
    """Messages that were lost, told by whoever lost them."""

    count: int
    why: str
    """`outbox full`, `collector gone`, ..."""
    machine_id: str = ""
    """Empty: of several machines."""
    since_ns: int = 0
    until_ns: int = 0


@dataclass(frozen=True, slots=True)
class GoneMsg:
    """A machine was disposed of."""

    machine_id: str
    time_ns: int = 0


Message = SchemaMsg | TxMsg | PipeMsg | GapMsg | GoneMsg


def args_text(args: Mapping[str, Any]) -> str:
    """` (k=v k2=v2)` sorted by key, as log lines show arguments; empty without any (LOG-4)."""
    return f" ({' '.join(f'{k}={args[k]}' for k in sorted(args))})" if args else ""
