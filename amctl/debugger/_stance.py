"""Where one stands in a recording, and what is shown there."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, Self

from amctl.debugger import addresses
from amctl.debugger._columns import below, following, preceding
from amctl.debugger._history import History
from amctl.debugger.filters import Filters, Shown, group_states
from amctl.debugger.store import SLICE, Store, Update
from amctl.graph.machurl import MachUrl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from amctl.debugger.store import Record

__all__ = ["DONE", "Moved", "Spot", "Stance"]


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


DONE: Final = Moved(True)


class Stance:
    """Where one is, what is shown there, and what stays when the recording grows.

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
        self._removed: set[str] = set()
        self._found = ("", "", Spot("", 0))
        """The last expression, whose states it means, and where it led to."""
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
    ) -> Self:
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

    def work(self, limit: int = SLICE) -> bool:
        """Go on with the index, for some 40 ms. True if there is nothing left to do."""
        done = self.store.work(limit)
        self._settle()
        return done

    def work_all(self) -> None:
        """Build the whole index."""
        self.store.work_all()
        self._settle()

    def _find_again(self, spot: Spot, tx_id: str) -> None:
        """After another recording took the place: the same transition, if it is there."""
        self._history.clear()
        self._removed.clear()
        if spot.machine in self.store.machines and not self._follow:
            self._machine = spot.machine
            self._cursor = min(spot.cursor, self.store.size(spot.machine))
            self._step = 0
            record = self.record
            if tx_id and (record is None or record.tx.id != tx_id):
                self._cursor = addresses.cursor_of(self.store, spot.machine, tx_id) or self._cursor
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
        self._removed.discard(machine)
        if machine == self._machine:
            return Moved(False, f"{machine} is selected already")
        self._machine, self._step = machine, 0
        if self._follow:
            self._settle()
        else:
            self._cursor = self.cursor_at(machine, self._moment)
            self._history.add(self.spot)
        return DONE

    @property
    def machines(self) -> tuple[str, ...]:
        """Ids of the machines that nobody has taken out of the list, as they first appeared."""
        gone = self._removed
        held = self.store.machines
        return tuple(id for id in held if id not in gone) if gone else held

    def remove_machine(self, machine: str) -> Moved:
        """Take a machine out of the list; the recording keeps it, and another one shows it again.

        The selected one gives its place to the one behind it, or the one before.
        """
        left = self.machines
        if machine not in left:
            return Moved(False, f"the list has no machine {machine!r}")
        if len(left) == 1:
            return Moved(False, f"{machine} is the only one")
        if machine == self._machine:
            at = left.index(machine)
            self.select_machine(left[at + 1] if at + 1 < len(left) else left[at - 1])
        self._removed.add(machine)
        return DONE

    def cursor_at(self, machine: str, moment: int) -> int:
        """Where a machine was at a moment: its last transition up to then."""
        return addresses.cursor_at(self.store, machine, moment, self._seq)

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
        return DONE

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
        return DONE

    # -- standing elsewhere

    def _go(self, machine: str, cursor: int, step: int = 0) -> Moved:
        if (machine, cursor, step) == (self._machine, self._cursor, self._step):
            return Moved(False, "that is here")
        self._machine, self._cursor, self._step = machine, cursor, step
        self._moved()
        return DONE

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
