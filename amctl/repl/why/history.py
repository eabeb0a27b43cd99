"""What a recording tells of one machine up to a moment: what moved each state, what was refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.dump.following import changes
from amctl.machine.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amctl.dump.model import Dump
    from amctl.graph.moments import Moment
    from amctl.telemetry.messages import TxMsg

__all__ = ["Past", "error_of", "past_of", "reason_from"]

_ADD, _REMOVE = 0, 1
_ERROR = re.compile(r"\[error[^\]]*\] (?P<text>.+)", re.DOTALL)
_BY = re.compile(r"\[cancel(?::self)?\] \(.*\) by (?P<handler>\S+)")
_LACKS = re.compile(r"(?P<state>\S+)\((?P<missing>-[^)]*)\)")
_BLOCKED = re.compile(r"\[rel:remove\] (?P<state>\S+) by (?P<by>.+)")
_BINDING = re.compile(r"\[handler:(?P<number>\d+)\] (?P<name>\S+)")


@dataclass(slots=True)
class Past:
    """One machine up to a moment. Transitions are by state name."""

    machine: str
    names: tuple[str, ...]
    """States, as they are called at the moment."""
    ticks: tuple[int, ...] = ()
    last: TxMsg | None = None
    """The last transition that counts."""
    began: dict[str, TxMsg] = field(default_factory=dict)
    """The last transition in which a state became active."""
    ended: dict[str, TxMsg] = field(default_factory=dict)
    """The last one in which it became inactive."""
    refused: dict[str, tuple[TxMsg, Reason]] = field(default_factory=dict)
    """The last refused one that called it, or whose reason names it."""
    waiting: list[TxMsg] = field(default_factory=list)
    """Mutations in the queue, the first one first."""

    def name(self, index: int) -> str:
        """A state's name, its number where the schema is shorter."""
        return self.names[index] if 0 <= index < len(self.names) else f"#{index}"

    def called(self, tx: TxMsg) -> tuple[str, ...]:
        """Names of the called states."""
        return tuple(self.name(i) for i in tx.called)


def past_of(dump: Dump, machine: str, moment: Moment | None = None) -> Past:
    """Read one machine's transitions, from the first one to the moment.

    Raises:
        UnknownMachineError: The recording holds no such machine.
    """
    schemas = list(dump.schemas(machine))
    past = Past(machine, schemas.pop(0)[1].names)
    for position, tx in enumerate(_until(dump, machine, moment)):
        while schemas and schemas[0][0] <= position:
            _rename(past, schemas.pop(0)[1].names)
        _take(past, tx)
    return past


def _until(dump: Dump, machine: str, moment: Moment | None) -> Iterator[TxMsg]:
    if moment is None:
        yield from dump.transitions(machine)
    elif moment.machine == machine:
        yield from dump.transitions(machine, 0, moment.position + 1)
    elif moment.time_ns:
        for tx in dump.transitions(machine):
            if (tx.time_ns or tx.received_ns) > moment.time_ns:
                return
            yield tx
    else:
        yield from _by_arrival(dump, machine, moment)


def _by_arrival(dump: Dump, machine: str, moment: Moment) -> Iterator[TxMsg]:
    """A recording that knows no times: what came before the moment's transition."""
    left = moment.position + 1
    for tx in dump.transitions() if left else ():
        if tx.machine_id == machine:
            yield tx
        if tx.machine_id == moment.machine:
            left -= 1
            if not left:
                return


def _rename(past: Past, names: tuple[str, ...]) -> None:
    ticks = dict(zip(past.names, past.ticks, strict=False))
    if past.names[: len(names)] != names[: len(past.names)]:
        past.ticks = tuple(ticks.get(name, 0) for name in names)
    past.names = names


def _take(past: Past, tx: TxMsg) -> None:
    if tx.is_check:
        return
    if tx.is_queued:
        _queued(past, tx)
        return
    past.waiting = [one for one in past.waiting if not _is_dealt_with(one, tx)]
    moved = changes(past.ticks, tx.clocks)
    for index in (*moved.added, *moved.ticked):
        if index < len(tx.clocks) and tx.clocks[index] & 1:
            past.began[past.name(index)] = tx
    for index in moved.removed:
        past.ended[past.name(index)] = tx
    if not tx.accepted and not (tx.is_auto and (tx.reason or reason_from(past, tx)) is None):
        reason = tx.reason or reason_from(past, tx)
        if reason is not None and not (tx.is_auto and reason.kind in ("require", "relations")):
            for name in dict.fromkeys((*past.called(tx), reason.state)):
                if name:
                    past.refused[name] = tx, reason
    past.ticks, past.last = tx.clocks, tx


def _queued(past: Past, tx: TxMsg) -> None:
    if tx.mut_queue_tick:
        past.waiting.append(tx)
    else:
        past.waiting.insert(0, tx)


def _is_dealt_with(waiting: TxMsg, done: TxMsg) -> bool:
    if waiting.mut_queue_tick:
        return waiting.mut_queue_tick <= done.queue_tick
    return (waiting.type, waiting.called) == (done.type, done.called)


def reason_from(past: Past, tx: TxMsg) -> Reason | None:
    """Why a transition was canceled, by the lines of its log: the original tells it nowhere else.

    None if they don't say.
    """
    lines = [line.text for line in tx.logs]
    called = past.called(tx)
    subject = called[0] if called else ""
    for text in lines:
        if match := _BY.match(text):
            return _by_handler(match["handler"], subject, lines)
    rejected = next((t for t in lines if t.startswith("[cancel:reject] ")), "")
    if not rejected:
        return None
    subject = rejected.removeprefix("[cancel:reject] ").split(" ")[0]
    for text in lines:
        if text.startswith("[reject] "):
            lacks = {m["state"]: m["missing"] for m in _LACKS.finditer(text)}
            if subject in lacks:
                return Reason("require", subject, tuple(_missing(subject, lacks)))
        if (match := _BLOCKED.match(text)) and match["state"] == subject:
            return Reason("remove", subject, tuple(match["by"].split(" ")))
    return Reason("relations", subject, called)


def _by_handler(handler: str, subject: str, lines: Sequence[str]) -> Reason:
    if handler not in ("timeout", "recover"):
        return Reason("veto", subject, handler=handler, binding=_binding(handler, lines))
    ran = [m["name"] for m in map(_BINDING.match, lines) if m]
    last = ran[-1] if ran else "a handler"
    kind = "timeout" if handler == "timeout" else "error"
    return Reason(kind, subject, handler=last, binding=_binding(last, lines))


def _binding(handler: str, lines: Sequence[str]) -> str:
    """The number of the binding whose handler ran last under that name."""
    found = [m["number"] for m in map(_BINDING.match, lines) if m and m["name"] == handler]
    return found[-1] if found else "?"


def _missing(subject: str, lacks: dict[str, str]) -> Iterator[str]:
    """The ends of a chain: what is missing and wasn't rejected itself."""
    todo, seen = [subject], {subject}
    while todo:
        for word in lacks.get(todo.pop(0), "").split(" "):
            name = word.removeprefix("-")
            if not name or name in seen:
                continue
            seen.add(name)
            if name in lacks:
                todo.append(name)
            else:
                yield name


def error_of(tx: TxMsg) -> str:
    """The error that a transition to Exception came with; empty if it isn't told."""
    if tx.args.get("err"):
        return tx.args["err"]
    for line in tx.logs:
        if match := _ERROR.match(line.text):
            return match["text"].splitlines()[0]
    return ""
