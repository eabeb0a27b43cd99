"""The list of machines (debugger_ui.md 2.1)."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.binding import Binding

from amctl.debugger.face.pane import clipped, safe
from amctl.debugger.face.rows import RowsPane
from amctl.debugger.views import Machines, machines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.style import Style

    from amctl.debugger.face.pane import Piece
    from amctl.debugger.views import MachineRow

__all__ = ["ClientList"]

DEBOUNCE: Final = 1.0
"""Seconds in which what only grew is shown once."""


class ClientList(RowsPane):
    """All machines as a tree by parent, with how they are at the moment."""

    BINDINGS = [Binding("backspace,delete", "remove", show=False)]  # noqa: RUF012

    def __init__(self, *, id: str | None = None, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(id=id, clock=clock)
        self.list = Machines((), 0, 0, 0)
        self._width = 0
        self._seen: tuple[object, ...] = ()
        self._grown: tuple[object, ...] = ()
        self._shown_at = -DEBOUNCE
        self._chosen = ""

    @property
    def count(self) -> int:
        """Machines."""
        return len(self.list.rows)

    def show(self) -> None:
        """See `Pane`. What only grew waits for a second (debugger_ui.md 7)."""
        session, store = self.session, self.session.store
        seen = (
            session.spot, session.filters, session.machines, store.generation, session.moment,
            self._is_live,
        )  # fmt: skip
        grown = (store.count, store.index.done, len(store.gone))
        now = self._clock()
        late = now - self._shown_at >= DEBOUNCE
        if seen == self._seen and (grown == self._grown or not late):
            if grown != self._grown:
                self.set_timer(DEBOUNCE, self.dbg.changed)
            return
        self._seen, self._grown, self._shown_at = seen, grown, now
        here = self.list.rows[self.at].id if self.at < self.count else ""
        self.list = machines(session)
        ids = [row.id for row in self.list.rows]
        self._width = max((cell_len(self._label(row)) for row in self.list.rows), default=0)
        self.entitle(self.list.title)
        if session.machine != self._chosen:
            self._chosen = here = session.machine
        if here in ids:
            self.at = ids.index(here)
        self.fit()
        self.reveal()

    @property
    def _is_live(self) -> bool:
        return bool(getattr(self.app, "is_live", True))

    def words(self) -> Sequence[str]:
        """Ids, without what shows their depth."""
        return [row.id for row in self.list.rows]

    def pieces(self, at: int) -> Iterable[Piece]:
        """Name, flags, where it is."""
        row = self.list.rows[at]
        style = self._style(row)
        more = "+" if row.has_more else ""
        where = f"{row.flags:>2}|{row.cursor}{more}"
        room = max(min(self._width, self.content_size.width - 2 - len(where)), 8)
        return [(f"{clipped(self._label(row), room)} {where}", style)]

    def _label(self, row: MachineRow) -> str:
        return f"{'-' * row.depth}{' ' if row.depth else ''}{safe(row.id)}"

    def _style(self, row: MachineRow) -> Style:
        if row.error:
            style = self.ink("error" if row.error == "now" else "recent")
        else:
            style = self.ink("active" if row.is_connected and self._is_live else "dim")
        return style + self.ink("called") if row.is_selected else style

    def choose(self) -> None:
        """Look at the machine."""
        self.dbg.act(self.session.select_machine(self.list.rows[self.at].id))

    def clicked(self, event: object, *, again: bool) -> None:
        """As Enter; on the selected one it does nothing."""
        if self.list.rows[self.at].id != self.session.machine:
            self.choose()

    def action_remove(self) -> None:
        """Take the machine out of the list."""
        if self.count:
            self.dbg.act(self.session.remove_machine(self.list.rows[self.at].id))
