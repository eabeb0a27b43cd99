"""The lines of jsonl recordings as typed records: what stands in them, and messages to and fro.

docs/dump.md describes them. A part that has its default value is left out of a line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import (
    ACTIVATE,
    CALLED,
    CANCEL,
    DEACTIVATE,
    DEACTIVATE_PASSIVE,
    HANDLER,
    RELATION,
    Step,
)
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "EndLine",
    "GapLine",
    "GoneLine",
    "Header",
    "Line",
    "PipeLine",
    "SchemaLine",
    "States",
    "TxLine",
    "decode",
    "encode",
    "other_line",
    "other_message",
    "schema_line",
    "schema_message",
    "tx_line",
    "tx_message",
]

_TYPES: Final = ("add", "remove", "set", "eval")
_TYPE_NUMBERS: Final = {name: number for number, name in enumerate(_TYPES)}
_STEPS: Final = {
    RELATION: "relation",
    HANDLER: "handler",
    ACTIVATE: "activate",
    DEACTIVATE: "deactivate",
    DEACTIVATE_PASSIVE: "deactivate-passive",
    CALLED: "called",
    CANCEL: "cancel",
}
_STEP_NUMBERS: Final = {name: number for number, name in _STEPS.items()}
_RELATIONS: Final = ("after", "add", "require", "remove")
_RELATION_NUMBERS: Final = {name: number for number, name in enumerate(_RELATIONS)}

Ref = str | int
"""A state by its name, or by its index where the name says too little; a word, or a number."""


class Header(msgspec.Struct, omit_defaults=True):
    """The first line."""

    format: str
    version: int
    meta: dict[str, str] = {}


class _State(msgspec.Struct, omit_defaults=True):
    auto: bool = False
    multi: bool = False
    require: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class _Step(msgspec.Struct, omit_defaults=True):
    type: Ref
    source: Ref = -1
    target: Ref = -1
    relation: Ref = 0
    final: bool = False
    self_: bool = msgspec.field(default=False, name="self")
    enter: bool = False
    data: str = ""


class _Source(msgspec.Struct, omit_defaults=True):
    machine: str
    tx: str = ""
    time: int = 0


class _Reason(msgspec.Struct, omit_defaults=True):
    kind: str
    state: str = ""
    by: tuple[str, ...] = ()
    handler: str = ""
    binding: str = ""
    text: str = ""


class SchemaLine(msgspec.Struct, tag_field="kind", tag="schema", omit_defaults=True):
    """A machine, as it is from now on."""

    machine: str
    names: tuple[str, ...]
    states: dict[str, _State]
    parent: str = ""
    tags: tuple[str, ...] = ()
    groups: dict[str, tuple[int, ...]] = {}
    groups_order: tuple[str, ...] = ()
    time_ns: int = 0


class TxLine(msgspec.Struct, tag_field="kind", tag="tx", omit_defaults=True):
    """A transition, or a queued mutation."""

    machine: str
    n: int
    id: str = ""
    time_ns: int = 0
    received_ns: int = 0
    type: Ref = "add"
    called: tuple[Ref, ...] = ()
    auto: bool = False
    accepted: bool = True
    check: bool = False
    queued: bool = False
    queue_tick: int = 0
    mut_queue_tick: int = 0
    mut_queue_token: int = 0
    queue: int = 0
    clocks: tuple[int, ...] | None = None
    ticks: dict[str, int] = {}
    args: dict[str, str] = {}
    source: _Source | None = None
    reason: _Reason | None = None
    steps: tuple[_Step, ...] = ()
    pre_logs: tuple[tuple[int, str], ...] = ()
    logs: tuple[tuple[int, str], ...] = ()
    stack: str = ""


class PipeLine(msgspec.Struct, tag_field="kind", tag="pipe", omit_defaults=True):
    """A pipe that was bound, or is gone."""

    mutation: Literal["add", "remove"]
    source: str
    target: str
    source_state: str = ""
    target_state: str = ""
    gone: bool = False
    time_ns: int = 0


class GapLine(msgspec.Struct, tag_field="kind", tag="gap", omit_defaults=True):
    """Messages that were lost."""

    count: int
    why: str
    machine: str = ""
    since_ns: int = 0
    until_ns: int = 0


class GoneLine(msgspec.Struct, tag_field="kind", tag="gone", omit_defaults=True):
    """A machine was disposed of."""

    machine: str
    time_ns: int = 0


class EndLine(msgspec.Struct, tag_field="kind", tag="end"):
    """The last line: it counts the lines between the header and itself."""

    lines: int


Line = SchemaLine | TxLine | PipeLine | GapLine | GoneLine | EndLine

_encoder = msgspec.json.Encoder()


def encode(line: Line | Header) -> bytes:
    """One line, with its end."""
    try:
        return _encoder.encode(line) + b"\n"
    except UnicodeEncodeError:  # lone surrogates: escaped, they are valid JSON
        return json.dumps(msgspec.to_builtins(line), separators=(",", ":")).encode() + b"\n"


def decode(text: bytes, kind: Any) -> Any:
    """A record from one line.

    Raises:
        msgspec.MsgspecError: It isn't JSON, or not of `kind`.
        ValueError, RecursionError: The same.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:  # msgspec refuses lone surrogates
        if b"\\u" not in text:
            raise
        return msgspec.convert(json.loads(text), type=kind)


class States:
    """The names of a machine's states, as lines call them."""

    __slots__ = ("_names", "indexes", "unique")

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.indexes = {name: index for index, name in reversed([*enumerate(names)])}
        self.unique = len(self.indexes) == len(names)

    def ref(self, index: int) -> Ref:
        """What a line calls a state."""
        if 0 <= index < len(self._names):
            name = self._names[index]
            if self.unique or self.indexes[name] == index:
                return name
        return index

    def index(self, ref: Ref) -> int:
        """The state that a line means.

        Raises:
            ValueError: There is no such state.
        """
        return ref if isinstance(ref, int) else _number(ref, self.indexes, "state")


def _word(number: int, words: Sequence[str]) -> Ref:
    return words[number] if 0 <= number < len(words) else number


def _number(ref: Ref, numbers: dict[str, int], what: str) -> int:
    if isinstance(ref, int):
        return ref
    try:
        return numbers[ref]
    except KeyError:
        raise ValueError(f"there is no {what} {ref[:60]!r}") from None


def schema_line(m: SchemaMsg) -> SchemaLine:
    """The line of a schema message."""
    states = {
        name: _State(s.auto, s.multi, s.require, s.add, s.remove, s.after, s.tags)
        for name, s in m.states.items()
    }
    groups = {name: tuple(indexes) for name, indexes in m.groups.items()}
    return SchemaLine(
        m.machine_id, m.names, states, m.parent, m.tags, groups, m.groups_order, m.time_ns
    )


def schema_message(line: SchemaLine) -> SchemaMsg:
    """The schema message of a line."""
    states = {
        name: StateDef(s.auto, s.multi, s.require, s.add, s.remove, s.after, s.tags)
        for name, s in line.states.items()
    }
    return SchemaMsg(
        line.machine,
        line.names,
        states,
        line.parent,
        line.tags,
        line.groups,
        line.groups_order,
        line.time_ns,
    )


def _step_line(step: Step, states: States) -> _Step:
    return _Step(
        _STEPS.get(step.type, step.type),
        -1 if step.source == -1 else states.ref(step.source),
        -1 if step.target == -1 else states.ref(step.target),
        _word(step.relation, _RELATIONS) if step.relation else 0,
        step.is_final,
        step.is_self,
        step.is_enter,
        step.data,
    )


def _step(line: _Step, states: States) -> Step:
    return Step(
        _number(line.type, _STEP_NUMBERS, "type of step"),
        states.index(line.source),
        states.index(line.target),
        _number(line.relation, _RELATION_NUMBERS, "relation"),
        line.final,
        line.self_,
        line.enter,
        line.data,
    )


def tx_line(
    m: TxMsg, n: int, states: States, clocks: tuple[int, ...] | None, ticks: dict[str, int]
) -> TxLine:
    """The line of a transition message, which carries its clocks in one of two ways."""
    ref = states.ref
    line = TxLine(m.machine_id, n, m.id, m.time_ns, m.received_ns)
    line.type = _word(m.type, _TYPES)
    line.called = tuple([ref(index) for index in m.called])
    line.auto, line.accepted, line.check, line.queued = (
        m.is_auto, m.accepted, m.is_check, m.is_queued,
    )  # fmt: skip
    line.queue_tick, line.queue = m.queue_tick, m.queue
    line.mut_queue_tick, line.mut_queue_token = m.mut_queue_tick, m.mut_queue_token
    line.clocks, line.ticks = clocks, ticks
    if m.args:
        line.args = dict(m.args)
    if m.source is not None:
        line.source = _Source(m.source.machine_id, m.source.tx_id, m.source.time)
    if (r := m.reason) is not None:
        line.reason = _Reason(r.kind, r.state, r.by, r.handler, r.binding, r.text)
    if m.steps:
        line.steps = tuple([_step_line(step, states) for step in m.steps])
    line.pre_logs, line.logs = _log_lines(m.pre_logs), _log_lines(m.logs)
    line.stack = m.stack
    return line


def _log_lines(lines: Iterable[LogLine]) -> tuple[tuple[int, str], ...]:
    return tuple([(line.level, line.text) for line in lines])


def _logs(lines: Iterable[tuple[int, str]]) -> tuple[LogLine, ...]:
    return tuple([LogLine(level, text) for level, text in lines])


def tx_message(line: TxLine, clocks: tuple[int, ...], states: States) -> TxMsg:
    """The transition message of a line.

    Raises:
        ValueError: It names what there isn't.
    """
    r, s = line.reason, line.source
    return TxMsg(
        line.machine,
        line.id,
        clocks,
        _number(line.type, _TYPE_NUMBERS, "type"),
        tuple([states.index(ref) for ref in line.called]),
        line.auto,
        line.accepted,
        line.check,
        line.queued,
        line.queue_tick,
        line.mut_queue_tick,
        line.mut_queue_token,
        line.queue,
        line.time_ns,
        line.received_ns,
        tuple([_step(step, states) for step in line.steps]),
        _logs(line.logs),
        _logs(line.pre_logs),
        line.args,
        None if s is None else SourceRef(s.machine, s.tx, s.time),
        None if r is None else Reason(r.kind, r.state, r.by, r.handler, r.binding, r.text),
        line.stack,
    )


def other_line(m: PipeMsg | GapMsg | GoneMsg) -> PipeLine | GapLine | GoneLine:
    """The line of any other message."""
    if isinstance(m, PipeMsg):
        return PipeLine(
            m.kind, m.source, m.target, m.source_state, m.target_state, m.gone, m.time_ns
        )
    if isinstance(m, GapMsg):
        return GapLine(m.count, m.why, m.machine_id, m.since_ns, m.until_ns)
    return GoneLine(m.machine_id, m.time_ns)


def other_message(line: PipeLine | GapLine | GoneLine) -> PipeMsg | GapMsg | GoneMsg:
    """The message of such a line."""
    if isinstance(line, GapLine):
        return GapMsg(line.count, line.why, line.machine, line.since_ns, line.until_ns)
    if isinstance(line, GoneLine):
        return GoneMsg(line.machine, line.time_ns)
    return PipeMsg(
        line.mutation,
        line.source,
        line.source_state,
        line.target,
        line.target_state,
        line.gone,
        line.time_ns,
    )
