"""The states of the machine as rows: clocks, relations, and what this transition did to each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.debugger.filters import group_states, groups_of
from amctl.debugger.index import is_error
from amctl.debugger.steps import Mark, marks
from amctl.dump.following import changes, state_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.debugger.session import Session
    from amctl.debugger.store import Record
    from amctl.machine import StateDef

__all__ = ["Branch", "StateRow", "StatesTree", "states_tree"]


@dataclass(frozen=True, slots=True)
class Branch:
    """What hangs below a state: a relation with its states, or tags."""

    title: str
    """`Add`, `Require`, `Remove`, `After`, `Tags`."""
    items: tuple[str, ...]
    """States; each leads to its own row. Tags lead nowhere."""
    active: tuple[bool, ...] = ()
    """Whether they are, by item."""


@dataclass(frozen=True, slots=True)
class StateRow:
    """One state."""

    name: str
    index: int
    tick: int
    is_active: bool
    is_multi: bool
    is_auto: bool
    is_error: bool
    is_selected: bool
    change: str
    """What the current transition did: `+` activated, `-` deactivated, `*` ticked, or nothing."""
    is_called: bool
    """By the current transition; while stepping, by the steps so far."""
    mark: Mark
    """While stepping: what the steps of the next transition have done so far."""
    branches: tuple[Branch, ...]

    @property
    def label(self) -> str:
        """`multi`, `auto`, or both."""
        return " ".join(w for w, on in (("auto", self.is_auto), ("multi", self.is_multi)) if on)

    @property
    def text(self) -> str:
        """As the original shows it: `Name M|3`."""
        return f"{self.name}{' M' if self.is_multi else ''}|{self.tick}"


@dataclass(frozen=True, slots=True)
class StatesTree:
    """All rows, and the groups to choose from."""

    rows: tuple[StateRow, ...] = ()
    groups: dict[str, int] = field(default_factory=dict)
    """Name -> number of states; `all` first."""
    group: str = ""
    time: int = 0
    is_stepping: bool = False
    is_canceled: bool = False
    """While stepping: the transition was, and this is its last step."""


def states_tree(session: Session) -> StatesTree:
    """The states of the selected group in the schema's order; while stepping touched ones first."""
    store, machine = session.store, session.machine
    schema = store.schema(machine, session.cursor)
    if schema is None:
        return StatesTree()
    record, ahead = session.record, session.next_record if session.step else None
    clocks = record.after if record is not None else ()
    chosen = group_states(schema, session.group)
    signs = _signs(record) if record is not None and ahead is None else {}
    found = marks(ahead, session.step) if ahead is not None else {}
    called = record.called if record is not None and ahead is None else ()
    rows = []
    for index, name in enumerate(schema.names):
        if chosen is not None and name not in chosen:
            continue
        tick = clocks[index] if index < len(clocks) else 0
        state = schema.states.get(name)
        mark = found.get(name, Mark())
        rows.append(
            StateRow(
                name,
                index,
                tick,
                tick & 1 == 1,
                state is not None and state.multi,
                state is not None and state.auto,
                is_error(name),
                name == session.state,
                signs.get(name, ""),
                name in called or mark.is_called,
                mark,
                _branches(state, schema.names, clocks) if state is not None else (),
            )
        )
    if ahead is not None:
        rows.sort(key=lambda row: not row.mark.is_touched)
    return StatesTree(
        tuple(rows),
        {label: len(states) for label, states in groups_of(schema).items()},
        session.group,
        sum(clocks),
        ahead is not None,
        ahead is not None and not ahead.tx.accepted and session.step >= len(ahead.tx.steps),
    )


def _signs(record: Record) -> dict[str, str]:
    moved = changes(record.before, record.after)
    parts = (("+", moved.added), ("-", moved.removed), ("*", moved.ticked))
    return {state_name(i, record.names): sign for sign, part in parts for i in part}


def _branches(state: StateDef, names: tuple[str, ...], clocks: Sequence[int]) -> tuple[Branch, ...]:
    ticks = dict(zip(names, clocks, strict=False))
    relations = (
        ("Add", state.add),
        ("Require", state.require),
        ("Remove", state.remove),
        ("After", state.after),
    )
    found = [
        Branch(title, tuple(items), tuple(ticks.get(item, 0) & 1 == 1 for item in items))
        for title, items in relations
        if items
    ]
    if state.tags:
        found.append(Branch("Tags", tuple(state.tags)))
    return tuple(found)
