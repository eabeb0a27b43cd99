"""Rows of things to press: by mouse, or by keys while they are in focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.binding import Binding
from textual.strip import Strip

from amctl.debugger.face.pane import Pane, safe, strip_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual import events

    from amctl.debugger.face.pane import Piece

__all__ = ["Cell", "CellsPane"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing to press, or a text that can't be."""

    pieces: tuple[Piece, ...]
    action: str = ""
    """What it does; empty is nothing."""
    hint: str = ""
    """For people: what it does, shown below the mouse."""

    @property
    def width(self) -> int:
        """In cells of the terminal."""
        return sum(cell_len(safe(text)) for text, _ in self.pieces)


class CellsPane(Pane, can_focus=True):
    """Rows of cells. Whoever subclasses it gives `rows`, and may give what stands between them.

    The cell of the cursor shows while it is in focus; a row that has no room is shifted so that
    this cell is seen.
    """

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("left", "cell(-1)", show=False),
        Binding("right", "cell(1)", show=False),
        Binding("up,k", "row(-1)", show=False),
        Binding("down,j", "row(1)", show=False),
        Binding("enter", "press", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.at = (0, 0)
        """Row and cell of the cursor."""
        self._rows: Sequence[Sequence[Cell]] = ()

    # -- of subclasses

    def rows(self) -> Sequence[Sequence[Cell]]:
        """What there is now."""
        raise NotImplementedError

    def spread(self, row: Sequence[Cell], width: int) -> list[int]:
        """Where each cell of a row begins."""
        starts, at = [], 0
        for cell in row:
            starts.append(at)
            at += cell.width
        return starts

    # -- drawing

    def show(self) -> None:
        """See `Pane`."""
        rows = self.rows()
        if rows != self._rows:
            self._rows = rows
            self.refresh()

    def on_resize(self) -> None:
        """What there is may depend on the room."""
        self.show()

    @property
    def shown_rows(self) -> list[int]:
        """Which rows have room: the cursor's, where there isn't room for all."""
        height = max(self.size.height, 1)
        first = min(max(self.at[0] - height + 1, 0), max(len(self._rows) - height, 0))
        return list(range(first, min(first + height, len(self._rows))))

    def render_line(self, y: int) -> Strip:
        """One row."""
        shown, width = self.shown_rows, self.size.width
        if y >= len(shown):
            return Strip.blank(width, self.rich_style)
        number = shown[y]
        left, starts = self._laid(number)
        pieces: list[Piece] = []
        at = 0
        for index, (cell, start) in enumerate(zip(self._rows[number], starts, strict=True)):
            pieces.append((" " * (start - at), None))
            is_cursor = self.has_focus and (number, index) == self.at
            mark = self.ink("current") if is_cursor else None
            pieces += [(text, mark or style) for text, style in cell.pieces]
            at = start + cell.width
        strip = strip_of(pieces).crop_extend(left, left + width, None)
        return strip.apply_style(self.rich_style)

    def _laid(self, number: int) -> tuple[int, list[int]]:
        """By how much a row is shifted, and where its cells begin."""
        row, width = self._rows[number], self.size.width
        starts = self.spread(row, width)
        here = self.at[1] if number == self.at[0] and self.has_focus else 0
        here = min(here, len(row) - 1)
        if not row:
            return 0, starts
        stop = starts[here] + row[here].width
        return max(stop - width, 0), starts

    # -- pressing

    def _pressable(self, number: int) -> list[int]:
        return [at for at, cell in enumerate(self._rows[number]) if cell.action]

    def action_cell(self, by: int) -> None:
        """The next one that can be pressed, or the one before; on to the next row behind the last.

        Rows are gone round in a circle.
        """
        places = [(row, cell) for row in range(len(self._rows)) for cell in self._pressable(row)]
        if not places:
            return
        if self.at in places:
            self.at = places[(places.index(self.at) + by) % len(places)]
        else:
            self.at = min(places, key=lambda place: (place[0] != self.at[0], place))
        self._tell()

    def action_row(self, by: int) -> None:
        """The row below or above: what stands there at about the same place."""
        row = self.at[0] + by
        if not 0 <= row < len(self._rows) or not self._pressable(row):
            return
        starts = self.spread(self._rows[self.at[0]], self.size.width)
        here = starts[min(self.at[1], len(starts) - 1)]
        there = self.spread(self._rows[row], self.size.width)
        self.at = row, min(self._pressable(row), key=lambda cell: abs(there[cell] - here))
        self._tell()

    def _tell(self) -> None:
        hint = self._rows[self.at[0]][self.at[1]].hint
        if hint:
            self.dbg.say(hint)
            self.dbg.changed()
        self.refresh()

    async def action_press(self) -> None:
        """Do what the cursor's cell is for."""
        row, cell = self.at
        if row < len(self._rows) and cell < len(self._rows[row]):
            await self._press(self._rows[row][cell])

    async def _press(self, cell: Cell) -> None:
        if cell.action:
            await self.dbg.run_action(cell.action)

    def cell_at(self, event: events.MouseEvent) -> tuple[int, int] | None:
        """Row and cell below the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y >= len(self.shown_rows):
            return None
        number = self.shown_rows[offset.y]
        left, starts = self._laid(number)
        for at, (cell, start) in enumerate(zip(self._rows[number], starts, strict=True)):
            if start <= offset.x + left < start + cell.width:
                return number, at
        return None

    async def on_click(self, event: events.Click) -> None:
        """Press what is there."""
        place = self.cell_at(event)
        if place is not None:
            event.stop()
            cell = self._rows[place[0]][place[1]]
            if cell.action:
                self.at = place
                self.refresh()
            await self._press(cell)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say what is there."""
        place = self.cell_at(event)
        hint = self._rows[place[0]][place[1]].hint if place is not None else ""
        if (self.tooltip or "") != hint:
            self.tooltip = hint or None

    def press_texts(self) -> Iterable[str]:
        """All texts that can be pressed now."""
        for row in self._rows:
            for cell in row:
                if cell.action:
                    yield "".join(text for text, _ in cell.pieces)
