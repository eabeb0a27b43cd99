"""What each transition of a stream has changed, and in which words people read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

from amctl.machine.steps import step_text
from amctl.telemetry.messages import SchemaMsg, TxMsg, args_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amctl.machine.reasons import Reason
    from amctl.machine.steps import Step
    from amctl.telemetry.messages import Message

__all__ = [
    "Changes",
    "Entry",
    "Follower",
    "active_names",
    "changes",
    "flags_text",
    "outcome",
    "plain",
    "reason_text",
    "state_name",
    "step_line",
]

_SIGNS: Final = {0: "+", 1: "-", 2: "="}


_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Changes(NamedTuple):
    """State indexes, in their order."""

    added: tuple[int, ...]
    """Not active before, active now."""
    removed: tuple[int, ...]
    """Active before, not now."""
    ticked: tuple[int, ...]
    """As before, but it has ticked: a multi state again, or one that came and went."""

    def text(self, names: Sequence[str]) -> str:
        """`+A -B *C`, empty if nothing changed."""
        signs = (("+", self.added), ("-", self.removed), ("*", self.ticked))
        return " ".join(f"{sign}{state_name(i, names)}" for sign, part in signs for i in part)


def changes(before: Sequence[int], after: Sequence[int]) -> Changes:
    """What differs between two clocks; what one lacks at its end counts as 0."""
    added: list[int] = []
    removed: list[int] = []
    ticked: list[int] = []
    if before != after:
        for index, (old, new) in enumerate(zip_longest(before, after, fillvalue=0)):
            if old == new:
                continue
            if old & 1 == new & 1:
                ticked.append(index)
            else:
                (added if new & 1 else removed).append(index)
    return Changes(tuple(added), tuple(removed), tuple(ticked))


def state_name(index: int, names: Sequence[str]) -> str:
    """A state's name; its number where the schema is shorter."""
    return names[index] if 0 <= index < len(names) else f"#{index}"


@dataclass(slots=True)
class Entry:
    """A transition message in its place."""

    tx: TxMsg
    names: tuple[str, ...]
    """The states of its machine, as they are called at that time."""
    before: tuple[int, ...]
    """The machine's clocks before it; zeros at first."""
    position: int
    """Of the message within its machine; from 0."""

    @property
    def changes(self) -> Changes:
        """What it changed."""
        return changes(self.before, self.tx.clocks)

    @property
    def mutation(self) -> str:
        """`+A, B`, `-A`, `=A`, or `eval`."""
        called = ", ".join(state_name(i, self.names) for i in self.tx.called)
        return "eval" if self.tx.type == 3 else _SIGNS.get(self.tx.type, "?") + called

    @property
    def active(self) -> tuple[str, ...]:
        """The states that are active after it."""
        return active_names(self.tx.clocks, self.names)

    @property
    def line(self) -> str:
        """One line: what was called with what, what came of it, what it changed."""
        words = [self.mutation + args_text(self.tx.args), flags_text(self.tx)]
        text = self.changes.text(self.names)
        return "  ".join(word for word in (*words, text and f"-> {text}") if word)


def plain(text: str) -> str:
    """A text in one line, with nothing in it that moves a cursor or turns its direction."""
    return _CONTROL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def active_names(clocks: Sequence[int], names: Sequence[str]) -> tuple[str, ...]:
    """The states whose ticks are odd."""
    return tuple(state_name(i, names) for i, tick in enumerate(clocks) if tick & 1)


def outcome(tx: TxMsg) -> str:
    """`queued`, `canceled`, or `executed`."""
    if tx.is_queued:
        return "queued"
    return "executed" if tx.accepted else "canceled"


def flags_text(tx: TxMsg) -> str:
    """`auto`, `check`, `queued`, `canceled`: what is special about it; often empty."""
    flags = (
        ("auto", tx.is_auto),
        ("check", tx.is_check),
        ("queued", tx.is_queued),
        ("canceled", not tx.accepted),
    )
    return " ".join(word for word, is_so in flags if is_so)


def reason_text(reason: Reason) -> str:
    """Why it was canceled: kind, state, by whom, in which handler, in words."""
    handler = f"{reason.handler} of {reason.binding}" if reason.binding else reason.handler
    parts = (reason.kind, reason.state, ", ".join(reason.by), handler, reason.text)
    return ": ".join(part for part in parts if part)


def step_line(step: Step, names: Sequence[str]) -> str:
    """`called A`, `A require B`, `handler AState`, `activate A`."""
    if not 0 <= step.relation < 4:  # of a damaged or a later recording
        step = replace(step, relation=0)
    return step_text(step, names).replace("**", "")


class Follower:
    """Follows a stream of messages, and knows what came before each transition."""

    def __init__(self) -> None:
        self.schemas: dict[str, SchemaMsg] = {}
        """Of each machine, as of now."""
        self.clocks: dict[str, tuple[int, ...]] = {}
        """Of each machine that has had a transition; what is queued is none."""
        self._counts: dict[str, int] = {}

    def take(self, message: Message) -> Entry | None:
        """Go one message on; an entry if it was a transition."""
        if isinstance(message, SchemaMsg):
            self._replace(message)
            return None
        if not isinstance(message, TxMsg):
            return None
        machine = message.machine_id
        schema = self.schemas.get(machine)
        if message.is_queued:  # nothing has happened; the original sends stale clocks with some
            before = message.clocks
        else:
            before = self.clocks.get(machine, ())
            self.clocks[machine] = message.clocks
        position = self._counts.get(machine, 0)
        self._counts[machine] = position + 1
        return Entry(message, schema.names if schema else (), before, position)

    def entries(self, messages: Iterable[Message]) -> Iterable[Entry]:
        """The transitions of a stream."""
        for message in messages:
            entry = self.take(message)
            if entry is not None:
                yield entry

    def _replace(self, schema: SchemaMsg) -> None:
        """A new schema may have another order: the clocks move with the names."""
        machine = schema.machine_id
        old = self.schemas.get(machine)
        self.schemas[machine] = schema
        clocks = self.clocks.get(machine)
        if old is not None and clocks and old.names != schema.names:
            ticks = dict(zip(old.names, clocks, strict=False))
            self.clocks[machine] = tuple([ticks.get(name, 0) for name in schema.names])
