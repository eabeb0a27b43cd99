"""A list with a cursor: keys, mouse and typing that move it, over rows that are only data."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.binding import Binding
from textual.geometry import Region

from amctl.debugger.face.pane import LinePane, safe
from amctl.debugger.search import type_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from textual import events

    from amctl.debugger.face.pane import Piece

__all__ = ["RowsPane"]

FORGET: Final = 1.5
"""Seconds after which typing begins anew."""


class RowsPane(LinePane, can_focus=True):
    """Rows of which one is the cursor's. Whoever subclasses it gives what is documented as such.

    Args:
        clock: Seconds, of any beginning.
    """

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("up,k", "cursor(-1)", show=False),
        Binding("down,j", "cursor(1)", show=False),
        Binding("enter", "choose", show=False),
    ]

    def __init__(self, *, id: str | None = None, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(id=id)
        self.at = 0
        """The row of the cursor, from 0."""
        self._clock = clock
        self._typed, self._typed_at = "", 0.0

    # -- of subclasses

    @property
    def count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def pieces(self, at: int) -> Iterable[Piece]:
        """A row that is there."""
        raise NotImplementedError

    def words(self) -> Sequence[str]:
        """What of each row typing looks for; empty: it isn't for that."""
        return ()

    def went(self) -> None:
        """The cursor was moved by a person."""

    def choose(self) -> None:
        """Enter, or a click, on the cursor's row."""

    # -- drawing

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """See `LinePane`."""
        if not 0 <= at < self.count:
            return ()
        pieces = list(self.pieces(at))
        if at != self.at:
            return pieces
        mark = self.ink("cursor" if self.has_focus else "chosen")
        room = max(self.virtual_size.width, width) - sum(cell_len(safe(text)) for text, _ in pieces)
        return [(text, style + mark if style else mark) for text, style in pieces] + [
            (" " * room, mark)
        ]

    def fit(self) -> None:
        """After the rows have changed: what can be scrolled to, and that the cursor is on one."""
        self.at = min(max(self.at, 0), max(self.count - 1, 0))
        width = max((self.width_of(at) for at in self._near()), default=0)
        self.sized(width, self.count)
        self.redraw()

    def width_of(self, at: int) -> int:
        """Cells of a row."""
        return sum(cell_len(text) for text, _ in self.pieces(at))

    def _near(self) -> range:
        top, height = round(self.scroll_y), max(self.size.height, 1)
        return range(max(top - height, 0), min(top + 2 * height, self.count))

    # -- moving

    def put(self, at: int, *, told: bool = True) -> None:
        """Move the cursor, and have it on the screen."""
        at = min(max(at, 0), max(self.count - 1, 0))
        if at != self.at:
            self.at = at
            if told:
                self.went()
        self.reveal()
        self.redraw()

    def reveal(self) -> None:
        """Scroll no further than it needs for the cursor to be seen."""
        self.scroll_to_region(
            Region(round(self.scroll_x), self.at, 1, 1), animate=False, force=True, immediate=True
        )

    def action_cursor(self, by: int) -> None:
        """So many rows down."""
        self.put(self.at + by)

    def page(self, by: int) -> None:
        """So many screens down."""
        self.put(self.at + by * max(self.size.height - 1, 1))

    def action_choose(self) -> None:
        """Enter."""
        if self.count:
            self.choose()

    def row_at(self, event: events.MouseEvent) -> int:
        """The row below the mouse; -1 where there is none."""
        offset = event.get_content_offset(self)
        at = offset.y + round(self.scroll_y) if offset is not None else -1
        return at if 0 <= at < self.count else -1

    def on_click(self, event: events.Click) -> None:
        """Moves the cursor there, and chooses."""
        at = self.row_at(event)
        if at >= 0:
            event.stop()
            was = self.at
            self.put(at)
            self.clicked(event, again=was == at)

    def clicked(self, event: events.Click, *, again: bool) -> None:
        """The mouse chose the cursor's row.

        Args:
            event: Where.
            again: The cursor was there before.
        """
        self.choose()

    # -- typing

    async def _on_key(self, event: events.Key) -> None:
        """Search as you type (debugger_ui.md 5, 42); j and k do so only in the midst of it."""
        if not self.words():
            return
        now = self._clock()
        is_on = bool(self._typed) and now - self._typed_at < FORGET
        key = event.character or ""
        if "+" in event.key:
            return  # a terminal names the letter of alt+l, too
        if key == "" or not (key.isascii() and (key.isalnum() or key in "-_")):
            return
        if key in "jk" and not is_on:
            return
        typed = self._typed + key if is_on else key
        found = type_ahead(self.words(), typed, self.at)
        self._typed, self._typed_at = typed, now
        event.stop()
        event.prevent_default()
        if found >= 0:
            self.put(found)
        else:
            self.dbg.say(f"nothing from here on begins with {typed!r}")
            self.dbg.changed()
