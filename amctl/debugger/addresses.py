"""Addresses and times: which transition they mean, and what a transition's address is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.graph.machurl import MachUrl

if TYPE_CHECKING:
    from amctl.debugger.index import Place
    from amctl.debugger.store import Store

__all__ = ["address_of", "cursor_at", "cursor_of", "cursor_of_moment", "resolve"]

_SHORTEST = 4
"""Characters of the beginning of an id that stand for all of it."""


def address_of(store: Store, place: Place) -> MachUrl:
    """A place as an address; before the first transition it is that of machine time 0."""
    record = store.record(place.machine, place.cursor)
    return MachUrl(place.machine, record.tx.id) if record else MachUrl(place.machine, time=0)


def cursor_of_moment(store: Store, machine: str, cursor: int, other: str) -> int:
    """Where another machine was when one stood at a cursor."""
    if machine == other:
        return cursor
    held = store.held(machine)
    if held is None or not 0 < cursor <= held.size:
        return 0
    return cursor_at(store, other, held.wall(cursor), held.seqs[cursor - 1])


def cursor_at(store: Store, machine: str, moment: int, seq: int = -1) -> int:
    """The last cursor of a machine up to a moment: by Unix ns, without one by arrival."""
    held, size = store.held(machine), store.size(machine)
    if moment > 0 and held is not None:
        # differs from Go, which lands on the one before: equal times are up to the moment
        found = held.times.first_at_least(moment + 1)
        if found < held.size or held.size == size:
            return found
    elif held is not None:
        return held.seqs.first_at_least(seq + 1)
    last = store.record(machine, size) if moment > 0 else None
    return size if last is not None and last.wall_ns <= moment else 0


def cursor_of(store: Store, machine: str, tx_id: str) -> int:
    """The cursor of a transition by its whole id, or the beginning of one; 0 if there is none."""
    held = store.held(machine)
    near: list[int] = []
    for cursor in held.candidates(tx_id) if held is not None else ():
        record = store.record(machine, cursor)
        if record is not None and record.tx.id == tx_id:
            return cursor
        if record is not None and record.tx.id.startswith(tx_id) and not record.tx.is_queued:
            near.append(cursor)
            if len(near) > 1:
                break
    if not near:
        return store.look_up(machine, tx_id)
    return near[0] if len(near) == 1 and len(tx_id) >= _SHORTEST else 0


def resolve(store: Store, url: MachUrl) -> tuple[int | None, str]:
    """The cursor that an address names, by its transition, time, wall time or queue tick.

    Returns:
        None without words if it names no moment; None with words if there is no such.
    """
    size = store.size(url.machine)
    if url.tx:
        found = cursor_of(store, url.machine, url.tx)
        return (found, "") if found else (None, f"{url.machine} has no transition {url.tx!r}")
    if not url.is_moment:
        return None, ""
    if url.time == 0:
        return 0, ""
    held = store.held(url.machine)
    if held is None:
        return 0, ""
    if url.time is not None:  # the first one stands for a time that none has
        return max(held.sums.index(url.time), 0) + 1, ""
    numbers, wanted = held.queue_ticks, url.queue or 0
    if url.wall_ns is not None:
        numbers, wanted = held.times, url.wall_ns
    return min(numbers.first_at_least(wanted) + 1, size), ""
