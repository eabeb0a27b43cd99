"""Up to where a recording is replayed: an address becomes a position and a time."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.dump.errors import UnknownTransitionError
from amctl.graph.errors import MachUrlError, MomentError, UnknownMomentError
from amctl.graph.machurl import SCHEME, parse_machurl, parse_time

if TYPE_CHECKING:
    from amctl.dump.model import Dump
    from amctl.graph.machurl import MachUrl
    from amctl.telemetry.messages import TxMsg

__all__ = ["END", "Moment", "find_position", "moment_at", "moment_before_the_end", "moment_of"]

END = "end"
"""As a moment: everything that was recorded counts."""

_LAST_WORDS = 256
"""Transitions of a machine among which its way to the end is looked for."""
_SHORTEST = 4
"""Characters of the beginning of an id that stand for all of it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The last of what counts: of one machine by position, of the others by their clocks' time."""

    time_ns: int
    """Unix time; with 0, which is unknown, the order of arrival decides."""
    machine: str = ""
    """The machine whose transition it is; empty if it is but a time."""
    position: int = -1
    """Of the last transition that counts, within that machine; -1 is none."""
    step: int = 0
    """How many steps of the transition behind it count too."""
    is_exact: bool = True
    """False if no transition has the wanted machine time, and the first one stands for it."""


def moment_of(dump: Dump, url: MachUrl) -> Moment | None:
    """The moment that an address names; None if it is the end of the recording.

    Raises:
        UnknownMachineError: The recording holds no such machine.
        UnknownTransitionError: The machine has no such transition, or none at all.
    """
    schema = dump.schemas(url.machine)[0][1]  # also tells whether the machine is there
    if not url.is_moment:
        return None
    found = find_position(dump, url)
    if found is None:
        return Moment(url.wall_ns or schema.time_ns, url.machine, -1, url.step)
    position, tx = found
    is_exact = bool(url.tx) or url.time in (None, tx.time_sum)
    return Moment(tx.time_ns or tx.received_ns, url.machine, position, url.step, is_exact)


def moment_at(dump: Dump, text: str) -> Moment:
    """The moment that a person names.

    Args:
        dump: The recording.
        text: An address with a moment; a wall time; or `MACHINE:STATE`, which is the last time that
            the state became active.

    Raises:
        MachUrlError: It is none of them.
        UnknownMachineError: The recording holds no such machine.
        UnknownMomentError: The machine has no such state, or it never was active.
        UnknownTransitionError: The machine has no such transition.
    """
    with contextlib.suppress(ValueError):
        return Moment(parse_time(text))
    machine, colon, state = text.rpartition(":")
    if colon and not text.lower().startswith(SCHEME):
        return _activation(dump, machine, state)
    if not text.lower().startswith(SCHEME):
        raise MomentError(text)
    moment = moment_of(dump, parse_machurl(text))
    if moment is None:
        raise MachUrlError(text, "it names no moment")
    return moment


def moment_before_the_end(dump: Dump) -> Moment | None:
    """The last moment before all machines of a recording were taken down.

    A run that is recorded to its last moment ends with nothing alive, which makes a poor picture
    of it. The moment is just before the first machine without a parent began to dispose of itself.

    Returns:
        None if the recording ends while one of them is there; its end is worth a picture then.
    """
    gone = dump.gone()
    roots = [id for id in dump.machines() if not dump.schema(id).parent]
    if not roots or any(id not in gone for id in roots):
        return None
    return Moment(min(_way_out(dump, id, gone[id]) for id in roots) - 1)


def _way_out(dump: Dump, machine: str, gone_ns: int) -> int:
    """When a machine became Disposing for the last time, or was gone."""
    names = dump.schema(machine).names
    if "Disposing" not in names:
        return gone_ns
    index, found, was_active = names.index("Disposing"), gone_ns, False
    for tx in dump.transitions(machine, max(dump.count(machine) - _LAST_WORDS, 0)):
        if tx.is_active(index) and not was_active:
            found = tx.time_ns or tx.received_ns
        was_active = tx.is_active(index)
    return min(found, gone_ns)


def _activation(dump: Dump, machine: str, state: str) -> Moment:
    found: Moment | None = None
    schemas = dump.schemas(machine)
    names, upcoming, before = schemas[0][1].names, list(schemas[1:]), 0
    for position, tx in enumerate(dump.transitions(machine)):
        while upcoming and upcoming[0][0] <= position:
            names = upcoming.pop(0)[1].names
        index = names.index(state) if state in names else -1
        tick = tx.clocks[index] if 0 <= index < len(tx.clocks) else 0
        if tick & 1 and tick != before:
            found = Moment(tx.time_ns or tx.received_ns, machine, position)
        before = tick
    if found is None:
        raise UnknownMomentError(machine, state, schemas[-1][1].names)
    return found


def find_position(dump: Dump, url: MachUrl) -> tuple[int, TxMsg] | None:
    """The transition that an address names, with its position in its machine.

    A transition's id is exact, or the beginning of one that no other shares (4 characters or more).
    Without it, the first of the wanted machine time counts, or the first of all if
    none has it; or the first at or after a wall time or queue tick, else the last
    (dbg.md 4.2). Without any of them it is the last one.

    Returns:
        None if the machine never had a transition and the address names none.

    Raises:
        UnknownMachineError: The recording holds no such machine.
        UnknownTransitionError: The machine has no transition with that id, or several.
    """
    first: tuple[int, TxMsg] | None = None
    last: tuple[int, TxMsg] | None = None
    if not url.is_moment:
        count = dump.count(url.machine)
        found = next(iter(dump.transitions(url.machine, max(count - 1, 0))), None)
        return None if found is None else (count - 1, found)
    near: list[tuple[int, TxMsg]] = []
    for position, tx in enumerate(dump.transitions(url.machine)):
        if _is_meant(url, tx):
            return position, tx
        last = position, tx
        first = first or last
        if len(url.tx) >= _SHORTEST and len(near) < 2 and tx.id.startswith(url.tx):
            near += [] if tx.is_queued else [last]
    if url.tx and len(near) != 1:
        raise UnknownTransitionError(dump.name, url.machine, url.tx)
    if near:
        return near[0]
    return first if url.time is not None else last


def _is_meant(url: MachUrl, tx: TxMsg) -> bool:
    if url.tx:
        return tx.id == url.tx
    if url.time is not None:
        return tx.time_sum == url.time
    if url.wall_ns is not None:
        return (tx.time_ns or tx.received_ns) >= url.wall_ns
    return url.queue is not None and tx.queue_tick >= url.queue
