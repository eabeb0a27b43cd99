"""Every way to move in a recording, over machines, transitions and steps.

A cursor counts the transitions of its machine: 0 is before the first, where all clocks are 0. Steps
are those of the transition behind the cursor that is shown next; 0 is none of them. No move raises
anything or runs any handler: it says in words why it led nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from amctl.debugger import addresses, jumps
from amctl.debugger._columns import following, nth, preceding
from amctl.debugger._stance import DONE, Moved, Spot, Stance
from amctl.debugger.errors import DebuggerError
from amctl.debugger.index import Place
from amctl.debugger.predicates import find, parse_predicate
from amctl.graph.errors import MachUrlError
from amctl.graph.machurl import MachUrl, parse_machurl

if TYPE_CHECKING:
    from amctl.debugger.jumps import Jump

__all__ = ["FAST", "Moved", "Session", "Spot"]

FAST: Final = 50
"""Transitions of a fast jump."""


class Session(Stance):
    """One person's look at a recording: `open` it, `work` until its index is there, and move."""

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
            return Moved(False, "there is none behind it" if by > 0 else "that is the beginning")
        return self._go(self._machine, cursor)

    def move_step(self, by: int = 1) -> Moved:
        """A step forward or back, over transitions."""
        for _ in range(abs(by)):
            moved = self._step_forward() if by > 0 else self._step_back()
            if not moved.ok:
                return moved
        return DONE

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
        return self.jump(jumps.Jump.TOUCHED, forward)

    def jump(self, kind: Jump, forward: bool = True) -> Moved:
        """To the next transition of a kind that is shown, or the one before; see `Jump`."""
        place, why = jumps.target(self, kind, forward)
        if place is None:
            return Moved(False, why)
        return self._go(place.machine, place.cursor)

    def move_any(self, forward: bool = True) -> Moved:
        """To the next transition of any machine, in the order of arrival; or the one before."""
        place = jumps.neighbour(self, forward)
        if place is None:
            return Moved(False, "there is none behind it" if forward else "that is the beginning")
        return self._go(place.machine, place.cursor)

    def find(self, expression: str, *, back: bool = False) -> Moved:
        """To where an expression became true next; or, back, where it became so before here.

        States without a machine are those of the selected one. That holds on while the same
        expression leads from machine to machine.
        """
        if not self._machine:
            return Moved(False, "there is no machine yet")
        last, home, spot = self._found
        home = home if (last, spot) == (expression, self.spot) else self._machine
        here = Place(self._machine, self._cursor)
        try:
            node = parse_predicate(expression)
            place = find(self.store.index, node, here, back=back, home=home)
        except DebuggerError as error:
            return Moved(False, str(error), error.hint)
        if place is None:
            where = "before" if back else "behind"
            return Moved(False, f"{expression} did not become true {where} this{self._partly()}")
        moved = self._go(place.machine, place.cursor)
        self._found = expression, home, self.spot
        return moved

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
        cursor, why = addresses.resolve(self.store, url)
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

    @property
    def can_back(self) -> bool:
        """Whether `back` leads anywhere."""
        return self._history.has_back

    @property
    def can_forward(self) -> bool:
        """Whether `forward` leads anywhere."""
        return self._history.has_forward

    def _travel(self, spot: Spot | None) -> Moved:
        if spot is None:
            return Moved(False, "there is nothing there")
        self._follow = False
        self._machine, self._step = spot.machine, spot.step
        self._cursor = min(spot.cursor, self.store.size(spot.machine))
        self._set_moment()
        return DONE

    @property
    def history(self) -> tuple[Spot, ...]:
        """Where one was, the newest first."""
        return self._history.spots
