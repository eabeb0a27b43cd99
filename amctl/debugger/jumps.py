"""Where jumps lead to."""

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

__all__ = ["Jump", "neighbour", "target"]


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
    listed = frozenset(session.machines)
    for id, held in store.index.machines.items():
        if id not in listed:
            continue
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
