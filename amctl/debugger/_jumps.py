"""Where jumps, addresses and times lead to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from amctl.debugger import causes
from amctl.debugger._columns import edges, following, preceding
from amctl.debugger.index import Place

if TYPE_CHECKING:
    from amctl.debugger.index import MachineIndex
    from amctl.debugger.session import Session
    from amctl.debugger.store import Store
    from amctl.graph.machurl import MachUrl

__all__ = ["Jump", "cursor_at", "cursor_of", "neighbour", "resolve", "target"]

_SHORTEST = 4
"""Characters of the beginning of an id that stand for all of it."""


class Jump(StrEnum):
    """What one can jump to; those with a state mean the selected one."""

    ERROR = "error"
    """An error state became active, or ticked again."""
    CANCELED = "canceled"
    TOUCHED = "touched"
    """The state ticked, or was called, be it in vain (debugger_ui.md 34)."""
    ACTIVE = "active"
    """The state became active."""
    ENDED = "ended"
    """The state became inactive."""
    CAUSE = "cause"
    """Back: what caused this one. Forward: the first that this one caused."""


def target(session: Session, kind: Jump, forward: bool) -> tuple[Place | None, str]:
    """Where a jump leads; or none, and why."""
    store, place = session.store, Place(session.machine, session.cursor)
    if kind is Jump.CAUSE:
        return _related(store, place, forward)
    held = store.held(place.machine)
    if held is None:
        return None, f"{place.machine or 'the recording'} holds no transition yet"
    state = session.state
    if kind in (Jump.TOUCHED, Jump.ACTIVE, Jump.ENDED) and not state:
        return None, "select a state first"
    found = _bits(held, kind, state) & session.visible
    at = following(found, place.cursor) if forward else preceding(found, place.cursor)
    if at >= 1:
        return Place(place.machine, at), ""
    word = f"{state} {kind}" if state and kind not in (Jump.ERROR, Jump.CANCELED) else str(kind)
    share = store.index.share
    partly = "" if share >= 1 else f", as far as is looked at ({share:.0%})"
    return None, f"no {word} {'behind' if forward else 'before'} this{partly}"


def _bits(held: MachineIndex, kind: Jump, state: str) -> int:
    if kind is Jump.ERROR:
        return held.new_errors
    if kind is Jump.CANCELED:
        return held.canceled.value
    track = held.tracks.get(state)
    if track is None:
        return 0
    if kind is Jump.TOUCHED:
        return track.changed | track.called_bits.value
    active = track.active(held.end)
    return edges(active if kind is Jump.ACTIVE else held.everything & ~active) & track.changed


def _related(store: Store, place: Place, forward: bool) -> tuple[Place | None, str]:
    if forward:
        first = next(causes.effects_of(store, place), None)
        text = "nothing is known to come from this"
        return (first.place, "") if first is not None else (None, text)
    link = causes.cause_of(store, place)
    return link.place, link.text


def neighbour(session: Session, forward: bool) -> Place | None:
    """The next shown transition of all machines in the order of arrival, or the one before."""
    store = session.store
    now = _seq(store, session.machine, session.cursor)
    best: tuple[int, Place] | None = None
    for id, held in store.index.machines.items():
        passed = held.seqs.first_at_least(now + 1 if forward else now)
        visible = session.visible_of(id)
        at = following(visible, passed) if forward else preceding(visible, passed + 1)
        if not 1 <= at <= held.size:
            continue
        seq = held.seqs[at - 1]
        if best is None or (seq < best[0]) is forward:
            best = seq, Place(id, at)
    if best is None and not forward and session.cursor:
        return Place(session.machine, 0)
    return best[1] if best is not None else None


def _seq(store: Store, machine: str, cursor: int) -> int:
    held = store.held(machine)
    if held is None or not cursor:
        return -1
    return held.seqs[cursor - 1] if cursor <= held.size else store.count


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
