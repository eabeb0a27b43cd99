"""The address of where one is, its history, and the tags of the machine (debugger_ui.md 2.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from amctl.debugger.face.cells import Cell, CellsPane
from amctl.debugger.face.pane import Pane, safe
from amctl.debugger.views import machines, tags_line
from amctl.graph.machurl import SCHEME

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["AddressBar", "TagsBar"]

WIDE = 100
"""Columns from which on buttons have words."""
_ADDRESS = 4
"""Cells before the address."""


class AddressBar(CellsPane):
    """Previous machine, back, forward, next machine; the address; copy, paste."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._near: tuple[object, tuple[bool, bool]] = (None, (False, False))

    def rows(self) -> Sequence[Sequence[Cell]]:
        """See `CellsPane`."""
        session = self.session
        back, forward = session.can_back, session.can_forward
        before, behind = self._neighbours()
        prev, next = ("◄ prev mach", "next mach ►") if self._is_wide else ("◄", "►")
        return (
            (
                self._button(prev, "prev_client", before, "the machine above in the list"),
                self._button("←", "history_back", back, "where you were before"),
                self._button("→", "history_forward", forward, "undo that"),
                self._button(next, "next_client", behind, "the machine below in the list"),
                self._address(),
                self._button("copy", "copy_address", True, "copy the address"),
                self._button("paste", "paste_address", True, "go to an address"),
            ),
        )

    @property
    def _is_wide(self) -> bool:
        """Whether there is room for words."""
        return self.size.width >= WIDE

    def _neighbours(self) -> tuple[bool, bool]:
        """Whether there are machines above and below in the list."""
        session, store = self.session, self.session.store
        key = session.machine, session.filters, session.machines, len(store.gone), store.generation
        if key != self._near[0]:
            ids = [row.id for row in machines(session).rows]
            at = ids.index(session.machine) if session.machine in ids else -1
            self._near = key, (at > 0, 0 <= at < len(ids) - 1)
        return self._near[1]

    def _button(self, label: str, action: str, is_on: bool, hint: str) -> Cell:
        style = self.ink("button" if is_on else "dim")
        return Cell(((f" {label} ", style),), action, hint)

    def _address(self) -> Cell:
        session = self.session
        url = session.address
        if not url.machine:
            return Cell((("no machine yet", self.ink("dim")),))
        gone = url.machine in session.store.gone or not getattr(self.app, "is_live", True)
        head, id, tail = str(url).partition(url.machine)
        if head != SCHEME:  # the id is written in another way in addresses
            head, id, tail = SCHEME, str(url)[len(SCHEME) :], ""
        scheme = self.ink("dim" if gone else "active")
        pieces = ((head, scheme), (id, self.ink("link")), (tail, self.ink("dim")))
        return Cell(pieces, "go_to", "click to go to another address")

    def spread(self, row: Sequence[Cell], width: int) -> list[int]:
        """Buttons to both sides, the address in the middle."""
        starts, at = [], 0
        for cell in row[:_ADDRESS]:
            starts.append(at)
            at += cell.width + 1
        right = sum(cell.width for cell in row[_ADDRESS + 1 :]) + len(row) - _ADDRESS - 2
        address = row[_ADDRESS]
        last = width - right - address.width - 1
        start = max(min((width - address.width) // 2, last), at + 1)
        starts.append(start)
        at = max(width - right, start + address.width + 1)
        for cell in row[_ADDRESS + 1 :]:
            starts.append(at)
            at += cell.width + 1
        return starts


class TagsBar(Pane):
    """`#tag`s of the machine, and those of its parents."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = ""

    def show(self) -> None:
        """See `Pane`."""
        text = tags_line(self.session)
        if text != self.text:
            self.text = text
            self.refresh()

    def render(self) -> Text:
        """One line, in its middle."""
        text = Text(safe(self.text), self.ink("dim"), no_wrap=True, overflow="ellipsis", end="")
        text.truncate(self.size.width, overflow="ellipsis")
        text.align("center", self.size.width)
        return text
