"""Where one stands in a recording: machine, transition, step; and every way to move.

A cursor counts the transitions of its machine: 0 is before the first, where all clocks are 0. Steps
are those of the transition behind the cursor that is shown next; 0 is none of them. No move raises
anything or runs any handler: it says in words why it led nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from amctl.debugger import _jumps
from amctl.debugger._columns import below, following, nth, preceding
from amctl.debugger._history import History
from amctl.debugger.errors import DebuggerError
from amctl.debugger.filters import Filters, Shown, group_states
from amctl.debugger.index import Place
from amctl.debugger.predicates import find, parse_predicate
from amctl.debugger.store import Store, Update
from amctl.graph.errors import MachUrlError
from amctl.graph.machurl import MachUrl, parse_machurl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amctl.debugger._jumps import Jump
    from amctl.debugger.store import Record

__all__ = ["FAST", "Moved", "Session", "Spot"]

FAST: Final = 50
"""Transitions of a fast jump."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one can stand."""

    machine: str
    cursor: int
    step: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of a move."""

    ok: bool
    """Whether one stands elsewhere now (or, of a choice, whether it was taken)."""
    text: str = ""
    """Why not, for people."""
    hint: str = ""


_DONE: Final = Moved(True)


class Session:
    """One person's look at a recording.

    Args:
        store: Is closed with the session.
        filters: What is hidden at first.
        follow: Begin at the newest transition, and stay there while more come.
    """

    def __init__(
        self, store: Store, filters: Filters | None = None, *, follow: bool = True
    ) -> None:
        self.store = store
        self._filters = filters or Filters()
        self._machine, self._cursor, self._step = "", 0, 0
        self._follow = follow
        self._moment = 0
        """Unix ns that machines are compared at; moves set it, switching machines does not."""
        self._seq = -1
        """The same in the order of arrival, for recordings that know no times."""
        self._states: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._visible: dict[str, tuple[object, int]] = {}
        self._history: History[Spot] = History()
        self._settle()

    @classmethod
    def open(
        cls,
        source: str | Path,
        *,
        filters: Filters | None = None,
        follow: bool = True,
        wait: bool = False,
        say: Callable[[str], None] | None = None,
    ) -> Session:
        """Open a recording, see `Store.open`. Its index is not built yet: call `work`.

        Raises:
            DumpError: It can't be read, unless `wait`.
        """
        return cls(Store.open(source, say=say, wait=wait), filters, follow=follow)

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()

    # -- where one is

    @property
    def machine(self) -> str:
        """Id of the selected machine; empty while there is none."""
        return self._machine

    @property
    def cursor(self) -> int:
        """Of the selected machine."""
        return self._cursor

    @property
    def step(self) -> int:
        """Of the next transition, from 1; 0 is none."""
        return self._step

    @property
    def spot(self) -> Spot:
        """All three."""
        return Spot(self._machine, self._cursor, self._step)

    @property
    def follow(self) -> bool:
        """Whether it stays at the newest transition."""
        return self._follow

    @property
    def moment(self) -> int:
        """The Unix time in ns at which other machines are shown; 0 before everything."""
        return self._moment

    @property
    def record(self) -> Record | None:
        """The current transition; None at cursor 0, or if it can't be read."""
        return self.store.record(self._machine, self._cursor)

    @property
    def next_cursor(self) -> int:
        """The next transition that is shown, whose steps are stepped through; 0 if none is."""
        return max(following(self.visible, self._cursor), 0)

    @property
    def next_record(self) -> Record | None:
        """That transition."""
        return self.store.record(self._machine, self.next_cursor)

    @property
    def address(self) -> MachUrl:
        """Where one is, as an address."""
        record = self.record
        state = self._states.get(self._machine, "")
        group = self._groups.get(self._machine, "")
        if record is None:
            return MachUrl(self._machine, time=0, state=state, group=group)
        return MachUrl(self._machine, record.tx.id, self._step, state=state, group=group)

    # -- what is shown

    @property
    def filters(self) -> Filters:
        """What is hidden."""
        return self._filters

    def set_filters(self, filters: Filters) -> None:
        """Hide other ones. A cursor whose transition is hidden now goes back to one that is not."""
        self._filters = filters
        self._settle_cursor()

    @property
    def visible(self) -> int:
        """Cursors of the selected machine that are shown, as a set of bits."""
        return self.visible_of(self._machine)

    def visible_of(self, machine: str) -> int:
        """The same of any machine."""
        held, size = self.store.held(machine), self.store.size(machine)
        group = self._groups.get(machine, "")
        done = held.size if held is not None else -1
        key = (self._filters, group, size, done, self.store.generation)
        found = self._visible.get(machine)
        if found is None or found[0] != key:
            schema = self.store.schema(machine)
            states = group_states(schema, group) if schema is not None else None
            found = self._visible[machine] = key, self._filters.visible(held, size, states)
        return found[1]

    @property
    def shown(self) -> Shown:
        """How many transitions of the selected machine are shown, of how many."""
        dropped = self.store.dropped_of(self._machine)
        total = self.store.size(self._machine)
        return Shown(self.visible.bit_count(), total, dropped, self.store.index.share)

    @property
    def visible_place(self) -> int:
        """How many shown transitions there are up to the cursor, itself included."""
        return (self.visible & below(self._cursor + 1)).bit_count()

    # -- while the recording grows

    def refresh(self) -> Update:
        """Look whether the recording has changed. The view stays where it is, unless it follows."""
        spot, record = self.spot, self.record
        update = self.store.refresh()
        if update.is_new:
            self._find_again(spot, record.tx.id if record is not None else "")
        elif update.grew:
            self._settle()
        return update

    def work(self) -> bool:
        """Go on with the index, for some 0.1 s. True if there is nothing left to do."""
        done = self.store.work()
        self._settle()
        return done

    def work_all(self) -> None:
        """Build the whole index."""
        self.store.work_all()
        self._settle()

    def _find_again(self, spot: Spot, tx_id: str) -> None:
        """After another recording took the place: the same transition, if it is there."""
        self._history.clear()
        if spot.machine in self.store.machines and not self._follow:
            self._machine = spot.machine
            self._cursor = min(spot.cursor, self.store.size(spot.machine))
            self._step = 0
            record = self.record
            if tx_id and (record is None or record.tx.id != tx_id):
                self._cursor = _jumps.cursor_of(self.store, spot.machine, tx_id) or self._cursor
            return
        self._machine, self._cursor, self._step = "", 0, 0
        self._settle()

    def _settle(self) -> None:
        """Have a machine if there is one, and be at its end when following."""
        machines = self.store.machines
        if self._machine not in machines and machines:
            self._machine, self._cursor, self._step = machines[0], 0, 0
            if not self._follow:
                self._moved()
        if self._follow and self._machine:
            last = max(self.visible.bit_length() - 1, 0)
            if last != self._cursor:
                self._cursor, self._step = last, 0
            self._set_moment()
            self._history.replace(self.spot)

    def _settle_cursor(self) -> None:
        if self._follow:
            self._settle()
        elif self._cursor and not self.visible >> self._cursor & 1:
            self._cursor, self._step = max(preceding(self.visible, self._cursor), 0), 0
            self._moved()

    def set_follow(self, follow: bool) -> None:
        """Stay at the newest transition from now on; or stay here."""
        if follow and not self._follow:
            self._history.add(self.spot)
        self._follow = follow
        self._settle()

    # -- machines, states, groups

    def select_machine(self, machine: str) -> Moved:
        """Look at another machine, at the same moment; at its end when following."""
        if machine not in self.store.machines:
            near = get_close_matches(machine, self.store.machines, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else ""
            return Moved(False, f"the recording has no machine {machine!r}", hint)
        if machine == self._machine:
            return Moved(False, f"{machine} is selected already")
        self._machine, self._step = machine, 0
        if self._follow:
            self._settle()
        else:
            self._cursor = self.cursor_at(machine, self._moment)
            self._history.add(self.spot)
        return _DONE

    def cursor_at(self, machine: str, moment: int) -> int:
        """Where a machine was at a moment: its last transition up to then."""
        return _jumps.cursor_at(self.store, machine, moment, self._seq)

    @property
    def state(self) -> str:
        """The selected state; it is remembered for each machine. Empty is none."""
        return self._states.get(self._machine, "")

    def select_state(self, state: str) -> Moved:
        """Select a state of the machine; empty selects none."""
        schema = self.store.schema(self._machine)
        names = schema.names if schema is not None else ()
        if state and state not in names:
            near = get_close_matches(state, names, n=3)
            hint = f"did you mean {', '.join(near)}?" if near else ""
            return Moved(False, f"{self._machine} has no state {state!r}", hint)
        self._states[self._machine] = state
        return _DONE

    @property
    def group(self) -> str:
        """The selected group of states; empty is all of them."""
        return self._groups.get(self._machine, "")

    def select_group(self, group: str) -> Moved:
        """Select a group by its name, loosely compared; empty or `all` selects none."""
        schema = self.store.schema(self._machine)
        if schema is None or (group and group != "all" and group_states(schema, group) is None):
            return Moved(False, f"{self._machine} has no group {group!r}")
        self._groups[self._machine] = "" if group == "all" else group
        self._settle_cursor()
        return _DONE

    # -- moves

    def _go(self, machine: str, cursor: int, step: int = 0) -> Moved:
        if (machine, cursor, step) == (self._machine, self._cursor, self._step):
            self._follow = False
            return Moved(False, "that is here")
        self._machine, self._cursor, self._step = machine, cursor, step
        self._moved()
        return _DONE

    def _moved(self) -> None:
        self._follow = False
        self._set_moment()
        self._history.add(self.spot)

    def _set_moment(self) -> None:
        held = self.store.held(self._machine)
        self._moment, self._seq = 0, -1
        if self._cursor and held is not None and held.size >= self._cursor:
            self._moment, self._seq = held.wall(self._cursor), held.seqs[self._cursor - 1]
        elif self._cursor:
            record = self.record
            self._moment = record.wall_ns if record is not None else 0
            self._seq = self.store.count

    def go(self, spot: Spot | Place) -> Moved:
        """Go to a place, be it shown or not."""
        if spot.machine not in self.store.machines:
            return self.select_machine(spot.machine)
        cursor = min(max(spot.cursor, 0), self.store.size(spot.machine))
        return self._go(spot.machine, cursor, spot.step if isinstance(spot, Spot) else 0)

    def move(self, by: int = 1) -> Moved:
        """So many shown transitions forward, or back if negative.

        With nothing left it stays, forward, and goes to 0, back.
        """
        cursor, visible = self._cursor, self.visible
        for _ in range(abs(by)):
            if by > 0:
                ahead = following(visible, cursor)
                if ahead < 0:
                    break
                cursor = ahead
            else:
                cursor = max(preceding(visible, cursor), 0)
                if not cursor:
                    break
        if cursor == self._cursor and not self._step:
            self._follow = False
            return Moved(False, "there is none behind it" if by > 0 else "that is the beginning")
        return self._go(self._machine, cursor)

    def move_step(self, by: int = 1) -> Moved:
        """A step forward or back, over transitions."""
        for _ in range(abs(by)):
            moved = self._step_forward() if by > 0 else self._step_back()
            if not moved.ok:
                return moved
        return _DONE

    def _step_forward(self) -> Moved:
        ahead = self.next_record
        if ahead is None:
            return Moved(False, "there is none behind it")
        if self._step < len(ahead.tx.steps):
            return self._go(self._machine, self._cursor, self._step + 1)
        return self._go(self._machine, ahead.cursor)

    def _step_back(self) -> Moved:
        if self._step:
            return self._go(self._machine, self._cursor, self._step - 1)
        if not self._cursor:
            return Moved(False, "that is the beginning")
        back = max(preceding(self.visible, self._cursor), 0)
        ahead = self.store.record(self._machine, following(self.visible, back))
        return self._go(self._machine, back, len(ahead.tx.steps) if ahead is not None else 0)

    def first(self) -> Moved:
        """Before the first transition."""
        return self._go(self._machine, 0)

    def last(self) -> Moved:
        """To the last transition that is shown."""
        return self._go(self._machine, max(self.visible.bit_length() - 1, 0))

    def to_fraction(self, share: float) -> Moved:
        """To a part of the timeline of what is shown: 0 is its beginning, 1 its end."""
        visible = self.visible
        number = round(min(max(share, 0.0), 1.0) * visible.bit_count())
        return self._go(self._machine, nth(visible, number - 1) if number else 0)

    def fast(self, forward: bool = True) -> Moved:
        """To the next transition that moved or called the selected state; without one, 50 on."""
        if not self.state:
            return self.move(FAST if forward else -FAST)
        return self.jump(_jumps.Jump.TOUCHED, forward)

    def jump(self, kind: Jump, forward: bool = True) -> Moved:
        """To the next transition of a kind that is shown, or the one before; see `Jump`."""
        place, why = _jumps.target(self, kind, forward)
        if place is None:
            return Moved(False, why)
        return self._go(place.machine, place.cursor)

    def move_any(self, forward: bool = True) -> Moved:
        """To the next transition of any machine, in the order of arrival; or the one before."""
        place = _jumps.neighbour(self, forward)
        if place is None:
            return Moved(False, "there is none behind it" if forward else "that is the beginning")
        return self._go(place.machine, place.cursor)

    def find(self, expression: str, *, back: bool = False) -> Moved:
        """To where an expression became true next; or, back, where it became so before here."""
        if not self._machine:
            return Moved(False, "there is no machine yet")
        try:
            node = parse_predicate(expression)
            place = find(self.store.index, node, Place(self._machine, self._cursor), back=back)
        except DebuggerError as error:
            return Moved(False, str(error), error.hint)
        if place is None:
            where = "before" if back else "behind"
            return Moved(False, f"{expression} did not become true {where} this{self._partly()}")
        return self._go(place.machine, place.cursor)

    def _partly(self) -> str:
        share = self.store.index.share
        return "" if share >= 1 else f", as far as is looked at ({share:.0%})"

    # -- addresses and times

    def go_to(self, address: str | MachUrl) -> Moved:
        """To an address: its transition, time, queue tick; it selects state and group, too."""
        try:
            url = parse_machurl(address, lenient=True) if isinstance(address, str) else address
        except MachUrlError as error:
            return Moved(False, str(error), error.hint)
        if url.machine not in self.store.machines:
            return self.select_machine(url.machine)
        cursor, why = _jumps.resolve(self.store, url)
        if cursor is None and why:
            return Moved(
                False, why, f"list them: amctl dump inspect {self.store.name} {url.machine}"
            )
        if cursor is None:
            moved = self.select_machine(url.machine)
        else:
            moved = self._go(url.machine, cursor, self._steps_of(url, cursor))
        if url.group or url.is_moment:
            self.select_group(url.group)
        if url.state:
            self.select_state(url.state)
        return moved

    def _steps_of(self, url: MachUrl, cursor: int) -> int:
        ahead = self.store.record(url.machine, following(self.visible_of(url.machine), cursor))
        return min(url.step, len(ahead.tx.steps)) if ahead is not None else 0

    def go_to_tx(self, tx_id: str) -> Moved:
        """To a transition of the machine by its id, or by the beginning of one."""
        return self.go_to(MachUrl(self._machine, tx_id))

    def go_to_wall(self, wall_ns: int) -> Moved:
        """To the machine's first transition at or after a Unix time in ns, else its last."""
        return self.go_to(MachUrl(self._machine, wall_ns=wall_ns))

    def go_to_time(self, time: int) -> Moved:
        """To the first transition with a machine time."""
        return self.go_to(MachUrl(self._machine, time=time))

    def back(self) -> Moved:
        """To where one was before."""
        return self._travel(self._history.back())

    def forward(self) -> Moved:
        """Undo `back`."""
        return self._travel(self._history.forward())

    def _travel(self, spot: Spot | None) -> Moved:
        if spot is None:
            return Moved(False, "there is nothing there")
        self._follow = False
        self._machine, self._step = spot.machine, spot.step
        self._cursor = min(spot.cursor, self.store.size(spot.machine))
        self._set_moment()
        return _DONE

    @property
    def history(self) -> tuple[Spot, ...]:
        """Where one was, the newest first."""
        return self._history.spots
