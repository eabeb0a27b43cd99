"""What stands around the panes: the machines, the bars with the current transition, the timelines.

All of them are rows of plain data of what is now; a face only draws them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from amctl.debugger._columns import below, cut, following, nth, nths
from amctl.debugger.filters import is_shown
from amctl.debugger.store import Condition
from amctl.dump.following import changes, plain
from amctl.graph.natural import natural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amctl.debugger.session import Session
    from amctl.debugger.store import Health, Record

__all__ = [
    "Bar",
    "Bucket",
    "MachineRow",
    "Machines",
    "StepTimeline",
    "Timeline",
    "bar",
    "buckets",
    "machines",
    "page_of",
    "status",
    "step_timeline",
    "tags_line",
    "time_now",
    "timeline",
    "wall_text",
]

RECENT: Final = 100
"""Transitions within which an error still shows in the list."""
_TYPES: Final = {0: "add", 1: "remove", 2: "set", 3: "eval"}


@dataclass(frozen=True, slots=True)
class MachineRow:
    """One machine in the list."""

    id: str
    depth: int
    """Below how many known parents it stands."""
    flags: str
    """`E` with Exception active, `R` or `S` with Ready or Start active, at the moment."""
    cursor: int
    """Its transition at the moment, from 1; 0 is before the first."""
    count: int
    """Transitions in the recording."""
    is_connected: bool
    """False once it is known to be gone."""
    error: str
    """`now`, `recent` (within 100 transitions), or empty."""
    is_selected: bool
    time: int
    """Its machine time at the moment."""
    dropped: int
    """Messages of it alone that are known to be missing."""

    @property
    def has_more(self) -> bool:
        """Whether transitions follow behind the moment."""
        return self.cursor < self.count

    @property
    def text(self) -> str:
        """As the original's list shows it: `--id E |12+`."""
        more = "+" if self.has_more else ""
        flags = f" {self.flags}" if self.flags else ""
        return f"{'-' * self.depth}{plain(self.id)}{flags} |{self.cursor}{more}"


@dataclass(frozen=True, slots=True)
class Machines:
    """The list."""

    rows: tuple[MachineRow, ...]
    total: int
    """Of all machines, hidden ones too."""
    time: int
    """Sum over all machines of their latest time."""
    time_now: int
    """The same at the moment."""

    @property
    def title(self) -> str:
        """Number of machines and their total time."""
        shown = f"{len(self.rows)} of {self.total}" if len(self.rows) < self.total else self.total
        return f"Machines {shown} T{self.time}"


def machines(session: Session) -> Machines:
    """All machines that the filters show, as a tree by parent, in the order of their ids."""
    store, found, time, now = session.store, [], 0, 0
    listed = frozenset(session.machines)
    for id, depth in _ordered(session):
        held = store.held(id)
        cursor = session.cursor if id == session.machine else session.cursor_at(id, session.moment)
        if held is not None:
            time += held.time_sum(held.size)
            now += held.time_sum(cursor)
        schema = store.schema(id)
        if (
            schema is not None
            and id in listed
            and is_shown(schema, is_gone=id in store.gone, filters=session.filters)
        ):
            found.append(_row(session, id, depth, cursor))
    return Machines(tuple(found), len(store.machines), time, now)


def time_now(session: Session) -> int:
    """The sum over all machines of their time at the moment."""
    time = 0
    for id, held in session.store.index.machines.items():
        here = id == session.machine
        cursor = session.cursor if here else session.cursor_at(id, session.moment)
        time += held.time_sum(cursor)
    return time


def _row(session: Session, id: str, depth: int, cursor: int) -> MachineRow:
    store = session.store
    held = store.held(id)
    active: Mapping[str, bool] = {}
    error = ""
    if held is not None:
        names = [name for name in ("Exception", "Ready", "Start") if name in held.tracks]
        active = {name: held.tracks[name].tick(cursor) & 1 == 1 for name in names}
        errors = held.error_bits & below(cursor + 1)
        if errors:
            at = errors.bit_length() - 1
            error = "now" if at == cursor else "recent" if cursor - at < RECENT else ""
    ready = "R" if active.get("Ready") else "S" if active.get("Start") else ""
    flags = ("E" if active.get("Exception") else "") + ready
    time = held.time_sum(cursor) if held is not None else 0
    lost = sum(gap.count for gap in store.gaps if gap.machine_id == id)
    return MachineRow(
        id,
        depth,
        flags,
        cursor,
        store.size(id),
        id not in store.gone,
        error,
        id == session.machine,
        time,
        lost,
    )


def _ordered(session: Session) -> Iterator[tuple[str, int]]:
    """Ids with their depth; children of unknown parents, and circles, are roots."""
    store = session.store
    known = set(store.machines)
    below_of: dict[str, list[str]] = {}
    for id in store.machines:
        schema = store.schema(id)
        parent = schema.parent if schema is not None else ""
        below_of.setdefault(parent if parent in known and parent != id else "", []).append(id)
    seen: set[str] = set()
    for start in (*sorted(below_of.get("", ()), key=natural), *sorted(known, key=natural)):
        waiting = [(start, 0)]
        while waiting:
            id, depth = waiting.pop()
            if id in seen:
                continue
            seen.add(id)
            yield id, depth
            children = sorted(below_of.get(id, ()), key=natural, reverse=True)
            waiting += [(child, depth + 1) for child in children]


def tags_line(session: Session) -> str:
    """`#tag`s of the machine, then ` ... ` and those of its parents."""
    parts, id, seen = [], session.machine, set()
    while id and id not in seen:
        seen.add(id)
        schema = session.store.schema(id)
        if schema is None:
            break
        parts.append(" ".join(f"#{plain(tag)}" for tag in schema.tags))
        id = schema.parent
    return " ... ".join(part for part in parts if part)


# -- the bars


@dataclass(frozen=True, slots=True)
class Bar:
    """One transition in a line, the current one or the next."""

    title: str
    """`Tail`, `Paused` or `Next`."""
    cursor: int
    """0 is before the first transition: then nothing else is told."""
    time: int = 0
    time_diff: int = 0
    type: str = ""
    """`add`, `remove`, `set` or `eval`."""
    called: tuple[str, ...] = ()
    is_multi: bool = False
    """Whether one of the called states is."""
    is_queued: bool = False
    is_auto: bool = False
    is_check: bool = False
    is_canceled: bool = False
    is_restart: bool = False
    """The machine began anew here: its clocks went back."""
    added: int = 0
    """States that became active, or multi ones that ticked again."""
    removed: int = 0
    touched: int = 0
    """States that its steps name."""
    wall_ns: int = 0
    wall: str = ""
    """With nanoseconds; empty if it is unknown."""
    differs_at: int = -1
    """The first character of `wall` that isn't as in the transition before it."""


def bar(session: Session, *, ahead: bool = False) -> Bar:
    """The current transition, or the next one that is shown."""
    title = "Next" if ahead else "Tail" if session.follow else "Paused"
    record = session.next_record if ahead else session.record
    if record is None:
        return Bar(title, 0)
    moved = changes(record.before, record.after)
    before = session.store.record(session.machine, record.cursor - 1)
    wall, old = wall_text(record.wall_ns), wall_text(before.wall_ns if before else 0)
    pairs = enumerate(zip(wall, old, strict=False))
    return Bar(
        title,
        record.cursor,
        record.time_sum,
        record.time_diff,
        _TYPES.get(record.tx.type, str(record.tx.type)),
        record.called,
        _is_multi(record),
        record.tx.is_queued,
        record.tx.is_auto,
        record.tx.is_check,
        not record.tx.accepted,
        record.is_restart,
        len(moved.added) + sum(record.after[i] & 1 for i in moved.ticked if i < len(record.after)),
        len(moved.removed),
        len(record.touched),
        record.wall_ns,
        wall,
        next((at for at, (one, other) in pairs if one != other), -1) if wall else -1,
    )


def _is_multi(record: Record) -> bool:
    states = record.schema.states
    return any(name in states and states[name].multi for name in record.called)


def wall_text(ns: int) -> str:
    """`2024-07-22 13:29:29.660639040`, in UTC; empty if it is unknown."""
    if ns <= 0:
        return ""
    seconds, rest = divmod(ns, 10**9)
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest:09}"
    except (ValueError, OverflowError, OSError):
        return ""


# -- the timelines


@dataclass(frozen=True, slots=True)
class Timeline:
    """Where one is among the transitions of the machine."""

    place: int
    """Shown transitions up to the cursor."""
    visible: int
    cursor: int
    total: int
    dropped: int

    @property
    def title(self) -> str:
        """`Transition 5 / 80`, and with filters `12 / 84` of all."""
        text = f"Transition {self.place} / {self.visible}"
        return text if self.visible == self.total else f"{text}  {self.cursor} / {self.total}"

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.place / self.visible if self.visible else 0.0


def timeline(session: Session) -> Timeline:
    """Of the transitions."""
    shown = session.shown
    return Timeline(
        session.visible_place, shown.visible, session.cursor, shown.total, shown.dropped
    )


@dataclass(frozen=True, slots=True)
class StepTimeline:
    """Where one is among the steps of the next transition."""

    step: int
    total: int
    is_canceled: bool
    """Grey all along, red at the end."""

    @property
    def title(self) -> str:
        """`Step 3 / 12`."""
        return f"Step {self.step} / {self.total}"

    @property
    def is_last(self) -> bool:
        """Whether all steps are done."""
        return self.total > 0 and self.step >= self.total


def step_timeline(session: Session) -> StepTimeline:
    """Of the steps."""
    ahead = session.next_record
    if ahead is None:
        return StepTimeline(0, 0, False)
    return StepTimeline(session.step, len(ahead.tx.steps), not ahead.tx.accepted)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A part of the timeline: what is in it."""

    start: int
    """Cursor of its first shown transition."""
    count: int
    errors: int
    canceled: int
    has_cursor: bool


def buckets(session: Session, width: int) -> tuple[Bucket, ...]:
    """The timeline in at most `width` parts of about as many shown transitions each."""
    visible = session.visible
    count = visible.bit_count()
    width = min(width, count)
    held = session.store.held(session.machine)
    errors, canceled = (held.error_bits, held.canceled.value) if held is not None else (0, 0)
    if not width:
        return ()
    starts = nths(visible, [at * count // width for at in range(width)])
    bounds = [*starts, session.store.size(session.machine) + 1]
    shown, wrong, refused = (
        cut(bits, bounds) for bits in (visible, errors & visible, canceled & visible)
    )
    cursor = session.cursor
    found = [
        Bucket(
            start,
            shown[at].bit_count(),
            wrong[at].bit_count(),
            refused[at].bit_count(),
            start <= cursor < bounds[at + 1],
        )
        for at, start in enumerate(starts)
    ]
    return tuple(found)


def status(session: Session) -> tuple[str, ...]:
    """What the status bar says: what is shown, how the recording is, the selected state."""
    parts = [str(session.shown)]
    health: Health = session.store.health
    if health.condition is not Condition.WHOLE:
        parts.append(health.text)
    if session.state:
        held = session.store.held(session.machine)
        track = held.tracks.get(session.state) if held is not None else None
        tick = track.tick(session.cursor) if track is not None else 0
        parts.append(f"{session.state} t{tick}")
    return tuple(parts)


def page_of(session: Session, before: int, after: int) -> list[int]:
    """Shown cursors around the current one, itself in the middle, be it shown or not."""
    at = session.cursor
    visible = session.visible | (1 << at if at else 0)
    back = visible & below(at + 1)
    number = back.bit_count()
    start = nth(visible, max(number - 1 - before, 0))
    found = [start] if start >= 0 else []
    while found and len(found) < min(number, before + 1) + after:
        ahead = following(visible, found[-1])
        if ahead < 0:
            break
        found.append(ahead)
    return found
