"""What the reader pane tells of a transition, section by section (debugger_ui.md 2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from amctl.debugger import causes
from amctl.debugger._columns import below
from amctl.debugger.index import Place
from amctl.dump.following import plain, reason_text
from amctl.dump.summary import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.debugger._openings import Opening
    from amctl.debugger.index import MachineIndex
    from amctl.debugger.store import Record, Store

__all__ = ["PENDING", "Item", "Section", "pending", "read"]

PENDING: Final = 50
"""Mutations of the queue that are listed."""
_MANY: Final = 200
"""Entries of one section."""
_HANDLER: Final = re.compile(r"\[handler(?::(?P<number>[^\]]*))?\] (?P<name>\S+)")
_OPEN: Final = (
    ("StateCtx", "ctx"),
    ("When", "when"),
    ("WhenNot", "whenNot"),
    ("WhenTime", "whenTime"),
    ("WhenArgs", "whenArgs"),
    ("WhenQueue", "whenQueue"),
    ("WhenQuery", "whenQuery"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One entry."""

    text: str
    place: Place | None = None
    """Where Enter leads."""
    states: tuple[str, ...] = ()
    """States of the machine that it names: it is marked when one of them is selected."""
    more: str = ""
    """Text of many lines, for an overlay: a stack trace."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    items: tuple[Item, ...]


def read(store: Store, place: Place) -> tuple[Section, ...]:
    """The sections of a transition in their order, empty ones left out.

    At cursor 0, and where nothing can be read, there are none.
    """
    record = store.record(place.machine, place.cursor)
    if record is None:
        return ()
    held = store.held(place.machine)
    found: list[tuple[str, Iterable[Item]]] = [
        ("Source", _source(store, record, place)),
        ("State Trace", _trace(store, place)),
        ("Queue", _queue(store, record, held)),
        ("Forked", _forked(store, place)),
        ("Siblings", _siblings(store, record, place)),
        ("Executed", _executed(record)),
        ("Arguments", _arguments(record)),
        *_open(store, record, held),
    ]
    made = [Section(title, tuple(items)) for title, items in found]
    return tuple(section for section in made if section.items)


def _told(store: Store, place: Place) -> str:
    """A transition in a few words: machine, time, mutation."""
    record = store.record(place.machine, place.cursor)
    if record is None:
        return f"{place.machine} {place.cursor}: it can't be read"
    words = [f"{place.machine} t{record.time_sum}", record.mutation]
    words += ["auto"] if record.tx.is_auto else []
    return plain(" ".join(words))


def _source(store: Store, record: Record, place: Place) -> Iterator[Item]:
    cause = causes.cause_of(store, place)
    where = cause.place
    if where is not None:
        name = "self" if where.machine == place.machine else _told(store, where)
        yield Item(f"{name} ({cause.via})", where)
        there = store.record(where.machine, where.cursor)
        if there is not None and where.machine == place.machine:
            yield Item(f"t{there.time_sum} {plain(there.mutation)}", where)
        schema = store.schema(where.machine)
        if schema is not None and schema.tags:
            yield Item(" ".join(f"#{plain(tag)}" for tag in schema.tags))
    else:
        yield Item(f"unknown: {cause.text}")
    if cause.crosses:
        yield Item(f"from another thread: {cause.crosses}")
    if record.tx.reason is not None:
        yield Item(f"canceled: {plain(reason_text(record.tx.reason))}")
    stack = record.tx.stack or _asked_by(store, record)
    if stack:
        yield Item("stack trace", more=stack)


def _asked_by(store: Store, record: Record) -> str:
    """The stack trace of the queued message that announced it."""
    held = store.held(record.tx.machine_id)
    at = held.queueing(record.tx, record.cursor) if held and not record.tx.is_queued else 0
    queued = store.record(record.tx.machine_id, at) if at else None
    return queued.tx.stack if queued is not None else ""


def _trace(store: Store, place: Place) -> Iterator[Item]:
    for cause in causes.walk(store, place):
        if cause.place is None:
            yield Item(cause.text)
        else:
            yield Item(f"{_told(store, cause.place)} ({cause.via})", cause.place)


# -- queue


def _queue(store: Store, record: Record, held: MachineIndex | None) -> Iterator[Item]:
    tx, id = record.tx, record.tx.machine_id
    yield Item(f"tick {tx.queue_tick}")
    if held is not None and tx.is_queued:
        ran = held.execution(tx, record.cursor)
        when = f"for tick {tx.mut_queue_tick}" if tx.mut_queue_tick else "prepended"
        if ran:
            yield Item(f"queued {when}, executed {ran - record.cursor} later", Place(id, ran))
        else:
            yield Item(f"queued {when}, not executed as far as is known")
    elif held is not None and (at := held.queueing(tx, record.cursor)):
        yield Item(f"was queued {record.cursor - at} earlier", Place(id, at))
    yield Item(f"length {tx.queue}")
    for one in pending(store, Place(id, record.cursor)):
        text = f"{'prepended ' if one.tx.mut_queue_token else ''}{plain(one.mutation)}"
        yield Item(text, Place(id, one.cursor), one.called)


def pending(store: Store, place: Place, most: int = PENDING) -> list[Record]:
    """Mutations that wait in a machine's queue behind a transition, prepended ones first."""
    held = store.held(place.machine)
    if held is None:
        return []
    waiting = held.queued.value & below(place.cursor + 1)
    found: list[Record] = []
    looked = 0
    while waiting and len(found) < most and looked < 4 * most:
        at = waiting.bit_length() - 1
        waiting &= below(at)
        looked += 1
        record = store.record(place.machine, at)
        ran = held.execution(record.tx, at) if record is not None else 0
        if record is not None and (ran == 0 or ran > place.cursor):
            found.append(record)
    found.reverse()
    first = [one for one in reversed(found) if one.tx.mut_queue_token]
    return [*first, *(one for one in found if not one.tx.mut_queue_token)]


# -- what came of it, and beside it


def _forked(store: Store, place: Place) -> Iterator[Item]:
    for number, one in enumerate(causes.effects_of(store, place)):
        if number >= _MANY:
            yield Item("and more")
            return
        yield Item(f"{_told(store, one.place)} ({one.via})", one.place)


def _siblings(store: Store, record: Record, place: Place) -> Iterator[Item]:
    source = record.tx.source
    if source is None or not source.tx_id:
        return
    cause = causes.cause_of(store, place)
    if cause.place is None:
        return
    for number, one in enumerate(causes.effects_of(store, cause.place)):
        if number >= _MANY:
            yield Item("and more")
            return
        if one.place != place:
            yield Item(f"{_told(store, one.place)} ({one.via})", one.place)


def _executed(record: Record) -> Iterator[Item]:
    """By its log; of recordings without one, by its steps."""
    found = [m for line in record.tx.logs if (m := _HANDLER.match(line.text))]
    for match in found:
        number = f"{match['number']}: " if match["number"] else ""
        yield Item(f"{number}{plain(match['name'])}", states=_of_handler(match["name"], record))
    if not found:
        from amctl.debugger.steps import handler_steps

        for text, states in handler_steps(record):
            yield Item(text, states=states)


def _of_handler(name: str, record: Record) -> tuple[str, ...]:
    """States that a handler's name begins or ends with."""
    return tuple(s for s in record.names if name.startswith(s) or name.endswith(s))


def _arguments(record: Record) -> Iterator[Item]:
    for key in sorted(record.tx.args):
        yield Item(plain(f"{key}={record.tx.args[key]}"))


# -- what is open


def _open(
    store: Store, record: Record, held: MachineIndex | None
) -> Iterator[tuple[str, list[Item]]]:
    openings = held.openings.open_at(record.cursor) if held is not None else ()
    for title, kind in _OPEN:
        yield title, [_opened(one, held) for one in openings if one.kind == kind]
    for title, kind in (("Pipe-in", "pipe-in"), ("Pipe-out", "pipe-out")):
        yield title, _pipes(store, record, openings, held, kind)


def _opened(one: Opening, held: MachineIndex | None) -> Item:
    time = held.time_sum(one.cursor) if held is not None else 0
    place = Place(held.id, one.cursor) if held is not None else None
    return Item(plain(f"{one.text} (t{time})"), place, one.states)


def _pipes(
    store: Store,
    record: Record,
    openings: tuple[Opening, ...],
    held: MachineIndex | None,
    kind: str,
) -> list[Item]:
    """By record where there are such, else by lines; by state."""
    id, is_in = record.tx.machine_id, kind == "pipe-in"
    found: dict[tuple[str, str, str], Item] = {}
    for pipe in store.pipes:
        mine, other = (pipe.target, pipe.source) if is_in else (pipe.source, pipe.target)
        state = pipe.target_state if is_in else pipe.source_state
        far = pipe.source_state if is_in else pipe.target_state
        if mine != id or (record.wall_ns and pipe.time_ns > record.wall_ns):
            continue
        key = state, pipe.kind, other
        if pipe.gone:
            found.pop(key, None)
            continue
        arrow = f"from {other}" if is_in else f"to {other}"
        when = f" ({time_text(pipe.time_ns)})" if pipe.time_ns else ""
        text = f"{state} {pipe.kind} {arrow}{f'.{far}' if far else ''}{when}"
        found[key] = Item(plain(text), _far(store, other, record), (state,) if state else ())
    known = {other for _, _, other in found}
    for one in openings:
        if one.kind == kind and one.other not in known:
            time = held.time_sum(one.cursor) if held is not None else 0
            arrow = "from" if is_in else "to"
            text = f"{one.text} {one.op} {arrow} {one.other} (t{time})"
            found[one.text, one.op, one.other] = Item(
                plain(text), _far(store, one.other, record), (one.text,)
            )
    return [found[key] for key in sorted(found)]


def _far(store: Store, machine: str, record: Record) -> Place | None:
    """The other machine at the same moment; None if the recording doesn't hold it."""
    held = store.held(machine)
    if held is None:
        return None
    if record.wall_ns:
        return Place(machine, held.times.first_at_least(record.wall_ns + 1))
    mine = store.held(record.tx.machine_id)
    seq = mine.seqs[record.cursor - 1] if mine and record.cursor <= mine.size else store.count
    return Place(machine, held.seqs.first_at_least(seq))
