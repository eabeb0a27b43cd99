"""Rain: a row for each shown transition, a letter for each state (debugger_ui.md 41)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.geometry import Region, Size

from amctl.debugger._columns import below, nth
from amctl.debugger.face.pane import LinePane
from amctl.debugger.index import Place
from amctl.debugger.rain import RainRow, columns, rain_row
from amctl.debugger.session import Moved

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events

    from amctl.debugger.face.pane import Piece

__all__ = ["RainPane"]

_LETTERS: Final = {"1": "active", "2": "active", "|": "removed", "*": "text", ".": "dim"}
_ROLES: Final = ("active", "called", "canceled", "chosen", "dim", "filter", "removed", "text")


class RainPane(LinePane, can_focus=True):
    """All shown transitions of the machine; only those on the screen are ever read.

    Arrows move in it: up and down by transitions, left and right by states.
    """

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("up,k", "tx(-1)", show=False),
        Binding("down,j", "tx(1)", show=False),
        Binding("left", "state(-1)", show=False),
        Binding("right", "state(1)", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.states: tuple[str, ...] = ()
        self.bits = 0
        """Cursors with a row, as a set of bits."""
        self._seen: tuple[object, ...] = ()
        self._digits = 1
        self._machine = ""
        self._cursors: dict[int, int] = {}
        """Row -> its cursor, of rows that were on the screen: counting bits takes its time."""

    # -- what is there

    def show(self) -> None:
        """See `Pane`."""
        session, store = self.session, self.session.store
        seen = (
            session.spot, session.group, session.filters, session.state, store.generation,
            store.size(session.machine), getattr(store.held(session.machine), "size", -1),
            self.size,
        )  # fmt: skip
        if seen == self._seen:
            return
        moved = not self._seen or self._seen[:2] != seen[:2] or self._seen[2] != seen[2]
        resized = not self._seen or self._seen[-1] != seen[-1]
        self._seen = seen
        self.states = columns(session)
        bits = session.visible | (1 << session.cursor if session.cursor else 0)
        if bits != self.bits or session.machine != self._machine:
            self.bits, self._machine = bits, session.machine
            self._cursors.clear()
        self._digits = len(str(store.size(session.machine)))
        self.border_title = f"Rain {session.state}".rstrip()
        width = len(self.states) + self._digits + 32
        size = Size(width, self.bits.bit_count())
        if size != self.virtual_size:
            self.virtual_size = size
        if moved or resized:
            self.reveal()
        self.refresh()

    def on_resize(self) -> None:
        """The cursor's row is to be seen still."""
        self.show()

    @property
    def row(self) -> int:
        """The row of the cursor, from 0; -1 before the first."""
        return (self.bits & below(self.session.cursor + 1)).bit_count() - 1

    def reveal(self) -> None:
        """Have the cursor's row on the screen, and the selected state's column."""
        if not self.size.height:  # it isn't laid out yet; it comes here again then
            return
        state = self.session.state
        column = self.states.index(state) if state in self.states else round(self.scroll_x)
        region = Region(column, max(self.row, 0), 1, 1)
        top, height = round(self.scroll_y), self.scrollable_content_region.height
        is_seen = top <= self.row < top + height
        if not is_seen:  # in the middle, so that one sees what is around it
            y = max(self.row - height // 2, 0)
            self.scroll_to(y=y, animate=False, force=True, immediate=True)
        self.scroll_to_region(region, animate=False, force=True, immediate=True)

    def cursor_of(self, at: int) -> int:
        """The cursor of row `at`; -1 if there is none."""
        found = self._cursors.get(at)
        if found is None:
            found = self._cursors[at] = nth(self.bits, at)
        return found

    def row_of(self, at: int) -> RainRow | None:
        """What row `at` tells, from 0."""
        session = self.session
        record = session.store.record(session.machine, self.cursor_of(at))
        if record is None:
            return None
        return rain_row(record, self.states, is_current=record.cursor == session.cursor)

    # -- drawing

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """See `LinePane`."""
        row = self.row_of(at) if 0 <= at < self.virtual_size.height else None
        if row is None:
            return
        yield from self._cells(row)
        wall = row.wall
        if len(row.cells) + self._digits + 3 + len(wall) > width:
            wall = wall.partition(" ")[2]  # the day is the same, mostly
        tail = f"  {row.cursor:>{self._digits}} {wall}"
        yield tail, self.ink("current") if row.is_current else self.ink("dim")

    def _cells(self, row: RainRow) -> Iterable[Piece]:
        """A letter for each state; neighbours that look alike are one piece."""
        inks = {role: self.ink(role) for role in _ROLES}
        state = self.session.state
        chosen = self.states.index(state) if state in self.states else -1
        quiet = inks["dim"] if row.is_canceled else None
        roles = {letter: quiet or inks[role] for letter, role in _LETTERS.items()}
        roles["c"] = inks["canceled"]
        text, last = "", inks["text"]
        for column, letter in enumerate(row.cells):
            style = inks["filter"] if column in row.errors else roles[letter]
            if column in row.called:
                style += inks["called"]
            if column == chosen:
                style += inks["chosen"]
            if style is not last and text:
                yield text, last
                text = ""
            text, last = text + letter, style
        yield text, last

    # -- moving

    def action_tx(self, by: int) -> None:
        """So many transitions down."""
        self.dbg.act(self.session.move(by))

    def action_state(self, by: int) -> None:
        """Select the state so many columns to the right."""
        if not self.states:
            return
        state = self.session.state
        at = self.states.index(state) + by if state in self.states else 0
        at = min(max(at, 0), len(self.states) - 1)
        self.dbg.act(self.session.select_state(self.states[at]))
        self.call_later(self.reveal)

    def page(self, by: int) -> None:
        """So many screens down."""
        self.dbg.act(self.session.move(by * max(self.size.height - 1, 1)))

    def cell_at(self, event: events.MouseEvent) -> tuple[int, int]:
        """Row and column below the mouse, -1 where there is none."""
        offset = event.get_content_offset(self)
        if offset is None:
            return -1, -1
        row, column = offset.y + round(self.scroll_y), offset.x + round(self.scroll_x)
        return (
            row if row < self.virtual_size.height else -1,
            column if column < len(self.states) else -1,
        )

    def on_click(self, event: events.Click) -> None:
        """Select the state, and go to the transition."""
        row, column = self.cell_at(event)
        if row < 0:
            return
        event.stop()
        if column >= 0:
            self.dbg.act(self.session.select_state(self.states[column]))
        moved = self.session.go(Place(self.session.machine, self.cursor_of(row)))
        self.dbg.act(moved if moved.ok else Moved(True))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say which state that is."""
        row, column = self.cell_at(event)
        name = self.states[column] if row >= 0 <= column else ""
        if (self.tooltip or "") != name:
            self.tooltip = name or None
