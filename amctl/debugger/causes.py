"""What caused a transition, back to the first cause; and what came of it, across machines.

Sources are what transitions say themselves. Where they say none: an auto transition follows the one
before it, and a mirror shows what its machine has done at the same machine time. A pipe is told by
its record. What a recording doesn't hold is said, not passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from amctl.debugger._columns import following, preceding
from amctl.debugger.index import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amctl.debugger.store import Record, Store
    from amctl.telemetry.messages import SourceRef

__all__ = [
    "Cause",
    "Effect",
    "Via",
    "cause_of",
    "effects",
    "effects_of",
    "execution_of",
    "last_move",
    "mirrored",
    "root_of",
    "walk",
]

DEPTH: Final = 100
"""Links of a walk."""
BREADTH: Final = 200
"""Effects that are looked for."""
_MIRROR: Final = "src-id:"


class Via(StrEnum):
    """How a transition comes from another one."""

    OWN = "own"
    """The same machine: a handler of it, or what waited for it."""
    AUTO = "auto"
    """An auto transition, after the one before it."""
    PIPE = "pipe"
    MIRROR = "mirror"
    """It shows what the machine behind a connection has done."""
    RPC = "rpc"
    """Another machine, over a connection or in another thread."""
    CALL = "call"
    """Another machine of the same family."""
    ROOT = "root"
    """Nothing is told: it came from outside, or is the first cause."""
    MISSING = "missing"
    """A source is named that the recording doesn't hold."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A link from a transition to the one that caused it."""

    via: Via
    place: Place | None
    """The cause; None for `root` and `missing`."""
    text: str
    """In words, for people."""
    crosses: str = ""
    """If it comes from another thread or process: `browser2 -> orchestrator`, their roots."""

    @property
    def is_end(self) -> bool:
        """Whether nothing lies behind it."""
        return self.place is None


@dataclass(frozen=True, slots=True)
class Effect:
    """A transition that another one caused, in a tree of them."""

    place: Place
    via: Via
    depth: int
    """1 for what the first one caused itself."""
    by: Place
    """What caused it."""


def root_of(store: Store, machine: str) -> str:
    """The topmost known ancestor: what stands for a thread or process."""
    seen = {machine}
    while True:
        schema = store.schema(machine)
        parent = schema.parent if schema is not None else ""
        if not parent or parent in seen or store.schema(parent) is None:
            return machine
        seen.add(parent)
        machine = parent


def mirrored(store: Store, machine: str) -> str:
    """Of a mirror: the machine that it shows; else empty."""
    schema = store.schema(machine)
    tags = schema.tags if schema is not None else ()
    return next((tag.removeprefix(_MIRROR) for tag in tags if tag.startswith(_MIRROR)), "")


def _crosses(store: Store, source: str, target: str) -> str:
    one, other = root_of(store, source), root_of(store, target)
    return f"{one} -> {other}" if one != other else ""


def last_move(store: Store, machine: str, state: str, cursor: int) -> int:
    """The transition that last moved a state, up to a cursor; 0 if none did."""
    held = store.held(machine)
    track = held.tracks.get(state) if held is not None else None
    return max(track.last_change(cursor), 0) if track is not None else 0


# -- back


def cause_of(store: Store, place: Place) -> Cause:
    """What caused a transition; it may be the end of the walk."""
    record = store.record(place.machine, place.cursor)
    if record is None:
        what = "nothing was before" if place.cursor <= 0 else "it can't be read"
        return Cause(Via.ROOT if place.cursor <= 0 else Via.MISSING, None, what)
    tx = record.tx
    if tx.source is not None:
        return _sourced(store, record, tx.source)
    if tx.is_queued and (run := execution_of(store, record)):
        ran = store.record(place.machine, run)
        if ran is not None and ran.tx.source is not None:
            return _sourced(store, ran, ran.tx.source)
    shown = mirrored(store, place.machine)
    if shown and not tx.is_queued:
        return _shown(store, record, shown)
    if tx.is_auto:
        before = _executed_before(store, place)
        if before is not None:
            return Cause(Via.AUTO, before, "auto, after the transition before it")
    return Cause(Via.ROOT, None, "no source is told: it came from outside")


def _sourced(store: Store, record: Record, source: SourceRef) -> Cause:
    machine, target = source.machine_id, record.tx.machine_id
    crosses = _crosses(store, machine, target) if machine != target else ""
    place, why = _find(store, source)
    if place is None and not source.tx_id and mirrored(store, target) == machine:
        return _shown(store, record, machine)
    if place is None and not source.tx_id:
        place = _piped(store, record, machine)
        if place is not None:
            text = f"pipe from {place.machine}, by the time of it: its transition is not told"
            return Cause(Via.PIPE, place, text, crosses)
    if place is None:
        return Cause(Via.MISSING, None, why, crosses)
    via, how = _kind(store, record, machine, crosses)
    return Cause(via, place, f"{how} {machine}" if machine != target else how, crosses)


def _kind(store: Store, record: Record, machine: str, crosses: str) -> tuple[Via, str]:
    target = record.tx.machine_id
    if machine == target:
        return (Via.AUTO, "auto") if record.tx.is_auto else (Via.OWN, "by itself")
    if mirrored(store, target) == machine:
        return Via.MIRROR, "shows"
    called, wanted = set(record.called), "remove" if record.tx.type == 1 else "add"
    for pipe in store.pipes:
        ends = pipe.source, pipe.target, pipe.kind
        if ends == (machine, target, wanted) and pipe.target_state in called:
            return Via.PIPE, f"pipe {pipe.source_state} -> {pipe.target_state} from"
    held = store.held(target)
    for one in held.openings.open_at(record.cursor) if held is not None else ():
        if one.kind == "pipe-in" and one.other == machine and one.text in called:
            return Via.PIPE, f"pipe to {one.text} from"
    return (Via.RPC, "over a connection, from") if crosses else (Via.CALL, "called by")


def _piped(store: Store, record: Record, machine: str) -> Place | None:
    """Where a pipe's source last moved before this, for a source that names no transition.

    The original's mirrors pipe in the name of the machine that they show.
    """
    target, called = record.tx.machine_id, set(record.called)
    wanted = "remove" if record.tx.type == 1 else "add"
    near = [machine, *(id for id in store.machines if mirrored(store, id) == machine)]
    for pipe in store.pipes if record.wall_ns else ():
        ends = pipe.source in near, pipe.target, pipe.kind
        if ends == (True, target, wanted) and pipe.target_state in called:
            at = last_move(
                store, pipe.source, pipe.source_state, _until(store, pipe.source, record)
            )
            if at:
                return Place(pipe.source, at)
    held = store.held(target)
    for one in held.openings.open_at(record.cursor) if held and record.wall_ns else ():
        if one.kind == "pipe-in" and one.other in near and one.op == wanted and one.text in called:
            at = _until(store, one.other, record)
            if at:
                return Place(one.other, at)
    return None


def _until(store: Store, machine: str, record: Record) -> int:
    """The last cursor of a machine up to a transition of another one."""
    held = store.held(machine)
    return held.times.first_at_least(record.wall_ns + 1) if held is not None else 0


def execution_of(store: Store, record: Record) -> int:
    """The cursor at which a queued mutation was executed; 0 if that isn't known."""
    held = store.held(record.tx.machine_id)
    return held.execution(record.tx, record.cursor) if held is not None else 0


def _find(store: Store, source: SourceRef) -> tuple[Place | None, str]:
    machine = source.machine_id
    if store.schema(machine) is None:
        return None, f"its source is {machine}, of which the recording holds nothing"
    held = store.held(machine)
    if source.tx_id:
        for cursor in held.candidates(source.tx_id) if held is not None else ():
            found = store.record(machine, cursor)
            if found is not None and found.tx.id == source.tx_id:
                return Place(machine, cursor), ""
        return None, f"its source, {source.tx_id} of {machine}, is not in the recording"
    at = held.sums.index(source.time) if held is not None and source.time else -1
    if at >= 0:
        return Place(machine, at + 1), ""
    return None, f"its source is {machine}, which transition is not told"


def _shown(store: Store, record: Record, shown: str) -> Cause:
    """What a mirror shows: the last transition of its machine with no more time, until then."""
    crosses = _crosses(store, shown, record.tx.machine_id)
    held = store.held(shown)
    if held is None:
        text = f"it shows {shown}, of which the recording holds nothing"
        return Cause(Via.MISSING, None, text, crosses)
    at = held.sums.index(record.time_sum)
    if at < 0 and held.sums.is_sorted:
        at = held.sums.first_at_least(record.time_sum + 1) - 1
    if at < 0:
        text = f"it shows {shown}, which never had that time"
        return Cause(Via.MISSING, None, text, crosses)
    return Cause(Via.MIRROR, Place(shown, at + 1), f"shows {shown}", crosses)


def _executed_before(store: Store, place: Place) -> Place | None:
    held = store.held(place.machine)
    if held is None:
        return None
    hidden = held.queued.value | held.checks.value
    at = preceding(held.everything & ~hidden, place.cursor)
    return Place(place.machine, at) if at > 0 else None


def walk(store: Store, place: Place, depth: int = DEPTH) -> list[Cause]:
    """The chain of causes, the nearest first. The last one says why it ends."""
    found: list[Cause] = []
    seen = {place}
    while len(found) < depth:
        cause = cause_of(store, place)
        if cause.place is not None and cause.place in seen:
            where = f"{cause.place.machine}, its transition {cause.place.cursor}"
            found.append(Cause(cause.via, None, f"it goes in a circle: {where}", cause.crosses))
            return found
        found.append(cause)
        if cause.place is None:
            return found
        place = cause.place
        seen.add(place)
    found.append(Cause(Via.MISSING, None, f"only {depth} links are followed"))
    return found


# -- forward


def effects_of(store: Store, place: Place) -> Iterator[Effect]:
    """What a transition caused itself, machine by machine."""
    record = store.record(place.machine, place.cursor)
    if record is None:
        return
    seen: set[Place] = set()
    for one in _effects(store, record, place):
        if one.place not in seen:
            seen.add(one.place)
            yield one


def _effects(store: Store, record: Record, place: Place) -> Iterator[Effect]:
    tx, machine = record.tx, place.machine
    for id, held in store.index.machines.items():
        for cursor in held.forks_of(machine, tx.id):
            fork = store.record(id, cursor)
            source = fork.tx.source if fork is not None else None
            if fork is None or source is None or source.tx_id != tx.id:
                continue
            via, _ = _kind(store, fork, machine, _crosses(store, machine, id))
            yield Effect(Place(id, cursor), via, 1, place)
        if mirrored(store, id) == machine and not tx.is_queued and record.time_diff:
            cursor = held.sums.index(record.time_sum) + 1
            if cursor and not held.sourced.value >> cursor & 1:
                yield Effect(Place(id, cursor), Via.MIRROR, 1, place)
    if not tx.is_queued and not tx.is_check:
        yield from _autos(store, place)


def _autos(store: Store, place: Place) -> Iterator[Effect]:
    held = store.held(place.machine)
    if held is None:
        return
    run = held.everything & ~(held.queued.value | held.checks.value)
    at = following(run, place.cursor)
    if at > 0 and held.auto.value >> at & 1 and not held.sourced.value >> at & 1:
        yield Effect(Place(place.machine, at), Via.AUTO, 1, place)


def effects(store: Store, place: Place, most: int = BREADTH) -> tuple[list[Effect], bool]:
    """All that came of a transition, nearest first; and whether there is more than that.

    A transition that comes from several stands there once.
    """
    found: list[Effect] = []
    seen, waiting = {place}, [(place, 0)]
    while waiting:
        now, depth = waiting.pop(0)
        for one in effects_of(store, now):
            if one.place in seen:
                continue
            if len(found) >= most:
                return found, True
            seen.add(one.place)
            found.append(Effect(one.place, one.via, depth + 1, now))
            waiting.append((one.place, depth + 1))
    return found, False
