"""Rain, a character for each state and transition; and the matrix of one transition's steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.debugger.filters import group_states
from amctl.debugger.index import is_error
from amctl.debugger.views import page_of, wall_text
from amctl.dump.following import changes

if TYPE_CHECKING:
    from amctl.debugger.session import Session
    from amctl.debugger.store import Record

__all__ = ["Matrix", "Rain", "RainRow", "columns", "matrix", "rain", "rain_row"]


@dataclass(frozen=True, slots=True)
class RainRow:
    """One transition."""

    cursor: int
    cells: str
    """By state: `1` active, `2` active and touched, `|` deactivated now, `c` called but canceled,
    `*` touched, `.` none of them."""
    called: frozenset[int]
    """Columns of called states: underlined."""
    errors: frozenset[int]
    """Columns of active error states: on red."""
    is_canceled: bool
    is_current: bool
    wall: str


@dataclass(frozen=True, slots=True)
class Rain:
    """Shown transitions around the cursor."""

    states: tuple[str, ...] = ()
    """Of the columns: those of the selected group."""
    rows: tuple[RainRow, ...] = ()
    selected: int = -1
    """The column of the selected state."""


def rain(session: Session, before: int = 30, after: int = 30) -> Rain:
    """At most so many shown transitions before and behind the cursor, and itself."""
    states = columns(session)
    if not states:
        return Rain()
    rows = []
    for cursor in page_of(session, before, after):
        record = session.store.record(session.machine, cursor)
        if record is not None:
            rows.append(rain_row(record, states, is_current=cursor == session.cursor))
    selected = states.index(session.state) if session.state in states else -1
    return Rain(states, tuple(rows), selected)


def columns(session: Session) -> tuple[str, ...]:
    """The states that rain and matrix are about: those of the selected group."""
    schema = session.store.schema(session.machine, session.cursor)
    if schema is None:
        return ()
    return group_states(schema, session.group) or schema.names


def rain_row(record: Record, states: tuple[str, ...], *, is_current: bool = False) -> RainRow:
    """One transition, by the states of the columns."""
    at = {name: i for i, name in enumerate(record.names)}
    columns = [at.get(name, -1) for name in states]
    removed = frozenset(changes(record.before, record.after).removed)
    touched = frozenset(record.touched) | frozenset(record.tx.called)
    after, refused = record.after, not record.tx.accepted
    cells = []
    for i in columns:
        if refused and i in record.tx.called:
            cells.append("c")
        elif 0 <= i < len(after) and after[i] & 1:
            cells.append("2" if i in touched else "1")
        elif i in removed:
            cells.append("|")
        else:
            cells.append("*" if i in touched else ".")
    return RainRow(
        record.cursor,
        "".join(cells),
        frozenset(c for c, i in enumerate(columns) if i in record.tx.called),
        frozenset(
            c
            for c, i in enumerate(columns)
            if is_error(states[c]) and 0 <= i < len(after) and after[i] & 1
        ),
        refused,
        is_current,
        wall_text(record.wall_ns),
    )


@dataclass(frozen=True, slots=True)
class Matrix:
    """The steps of one transition: who worked on whom."""

    states: tuple[str, ...] = ()
    called: tuple[bool, ...] = ()
    diffs: tuple[int, ...] = ()
    """By how much each state ticked; while stepping nothing has ticked yet."""
    cells: tuple[tuple[int, ...], ...] = ()
    """Row: source, column: target; the sum of the types of their steps."""
    time: int = 0
    time_diff: int = 0
    selected: int = -1


def matrix(session: Session) -> Matrix:
    """Of the current transition; while stepping of the next one, up to the step."""
    is_stepping = session.step > 0
    record = session.next_record if is_stepping else session.record
    if record is None:
        return Matrix()
    names = record.names
    states = group_states(record.schema, session.group) or names
    column = {names.index(name): at for at, name in enumerate(states) if name in names}
    cells = [[0] * len(states) for _ in states]
    for step in record.tx.steps[: session.step] if is_stepping else record.tx.steps:
        # a step with one side stands on the diagonal
        source = column.get(step.source if step.source >= 0 else step.target)
        target = column.get(step.target if step.target >= 0 else step.source)
        if source is not None and target is not None:
            cells[source][target] += step.type
    width = len(names)
    before, after = ([*c, *[0] * (width - len(c))] for c in (record.before, record.after))
    diffs = [0 if is_stepping else after[i] - before[i] for i in column]
    called = frozenset(record.tx.called)
    return Matrix(
        states,
        tuple(i in called for i in column),
        tuple(diffs),
        tuple(map(tuple, cells)),
        sum(record.before) if is_stepping else record.time_sum,
        0 if is_stepping else record.time_diff,
        states.index(session.state) if session.state in states else -1,
    )
