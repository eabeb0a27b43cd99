"""The matrix of one transition: which state worked on which (debugger_ui.md 40)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.geometry import Region, Size

from amctl.debugger.face.pane import LinePane, safe
from amctl.debugger.rain import Matrix, matrix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events

    from amctl.debugger.face.pane import Piece

__all__ = ["MatrixPane"]

_CELL: Final = 3
_MOST: Final = 24
"""Letters of a name."""
_HEAD: Final = 4
"""Rows above the square: called, a gap, differences, a gap."""


class MatrixPane(LinePane, can_focus=True):
    """Row 1 has the called states, row 3 by how much each ticked, and from row 5 on is the square.

    Columns are sources, rows are targets; a cell is the sum of the types of the steps between them.
    Names stand to the left of their rows; a column has the number of its state.
    """

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("up,k", "state(-1)", show=False),
        Binding("down,j", "state(1)", show=False),
        Binding("left", "aside(-3)", show=False),
        Binding("right", "aside(3)", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.matrix = Matrix()
        self._seen: tuple[object, ...] = ()
        self._names = 0

    def show(self) -> None:
        """See `Pane`."""
        session, store = self.session, self.session.store
        seen = (
            session.spot, session.group, session.state, session.next_cursor if session.step else 0,
            store.generation,
        )  # fmt: skip
        if seen == self._seen:
            return
        was, self._seen = self._seen, seen
        self.matrix = found = matrix(session)
        self._names = max((min(len(safe(name)), _MOST) for name in found.states), default=0) + 1
        diff = f"+{found.time_diff} " if found.time_diff > 0 else ""
        self.border_title = f"Matrix {diff}t{found.time}"
        width = self._names + len(found.states) * _CELL
        size = Size(width, _HEAD + len(found.states) if found.states else 1)
        if size != self.virtual_size:
            self.virtual_size = size
        if not was or was[2] != session.state:
            self.reveal()
        self.refresh()

    def reveal(self) -> None:
        """Have the selected state's row on the screen."""
        if self.matrix.selected >= 0:
            region = Region(round(self.scroll_x), _HEAD + self.matrix.selected, 1, 1)
            self.scroll_to_region(region, animate=False, force=True, immediate=True)

    # -- drawing

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """See `LinePane`."""
        found = self.matrix
        if not found.states:
            return [("no transition is here", self.ink("dim"))] if not at else ()
        if at == 0:
            return self._row("called", ["1" if one else "" for one in found.called], "bold")
        if at == 2:
            return self._row("ticks", [str(one) if one else "" for one in found.diffs], "active")
        if at in (1, 3):
            return self._row("" if at == 1 else "#", [str(n) if at == 3 else ""
                             for n in range(len(found.states))], "dim")  # fmt: skip
        target = at - _HEAD
        if not 0 <= target < len(found.states):
            return ()
        cells = [str(row[target]) if row[target] else "." for row in found.cells]
        return self._row(found.states[target], cells, "text", target)

    def _row(
        self, name: str, cells: list[str], role: str, target: int | None = None
    ) -> list[Piece]:
        found, room = self.matrix, self._names
        style, chosen = self.ink(role), self.ink("chosen")
        label = self.ink("dim")
        if target is not None:
            label = self.ink("called") if found.called[target] else self.ink("text")
        is_row = target is not None and target == found.selected
        text = safe(name)[:_MOST].ljust(room - 1)
        pieces: list[Piece] = [(text, label + chosen if is_row else label), (" ", None)]
        for source, cell in enumerate(cells):
            own = self.ink("dim") if cell == "." else style
            if found.called[source] and cell and cell != ".":
                own += self.ink("called")
            if is_row or source == found.selected:
                own += chosen
            pieces.append((f"{cell:>{_CELL}}", own))
        return pieces

    # -- moving

    def action_state(self, by: int) -> None:
        """Select the state so many rows down."""
        found = self.matrix
        if found.states:
            at = found.selected + by if found.selected >= 0 else 0
            at = min(max(at, 0), len(found.states) - 1)
            self.dbg.act(self.session.select_state(found.states[at]))

    def action_aside(self, by: int) -> None:
        """So many letters to the right."""
        self.scroll_to(x=self.scroll_x + by, animate=False, force=True, immediate=True)

    def page(self, by: int) -> None:
        """So many screens down."""
        to = self.scroll_y + by * max(self.size.height - 1, 1)
        self.scroll_to(y=to, animate=False, force=True, immediate=True)

    def on_click(self, event: events.Click) -> None:
        """Select the state: of the row by its name, else of the column."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        column = (offset.x + round(self.scroll_x) - self._names) // _CELL
        row = offset.y + round(self.scroll_y) - _HEAD
        states = self.matrix.states
        at = column if column >= 0 else row
        if 0 <= at < len(states):
            event.stop()
            self.dbg.act(self.session.select_state(states[at]))
