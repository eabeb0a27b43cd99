"""The log around the cursor (debugger_ui.md 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.binding import Binding

from amctl.debugger.face.pane import LinePane, safe
from amctl.debugger.index import Place
from amctl.debugger.loglines import log_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.style import Style
    from textual import events

    from amctl.debugger.face.pane import Piece
    from amctl.debugger.loglines import LogRow

__all__ = ["LEVELS", "LogPane"]

LEVELS: Final = ("off", "external", "changes", "operations", "decisions", "all")
SCREENS: Final = 3
"""How much is there each way."""
MOST: Final = 3000
"""Lines each way, however far a person scrolls."""

_Part = tuple[int, int, int]
"""A line of the screen: its row, from which letter to which."""


class LogPane(LinePane, can_focus=True):
    """Lines of the transitions around the cursor; more come as one scrolls."""

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("up,k", "scroll(-1)", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("left", "aside(-4)", show=False),
        Binding("right", "aside(4)", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.rows: tuple[LogRow, ...] = ()
        self._parts: list[_Part] = []
        self._asked = 0
        self._seen: tuple[object, ...] = ()
        self._grown: tuple[object, ...] = ()
        self._current = 0
        self._is_extending = False

    # -- what is there

    def show(self) -> None:
        """See `Pane`. Lines are read again only where the cursor leaves those that are there."""
        session, view = self.session, self.view
        seen = (
            session.machine, session.filters, session.group, view.log_level, view.times,
            view.traces, view.wrap and self._room, self.size.height,
        )  # fmt: skip
        grown = (session.store.generation, session.store.count, session.store.index.done)
        current = session.next_cursor if session.step else session.cursor
        moved = (current, session.step > 0) != (self._current, bool(self._was_stepping))
        is_other = seen != self._seen
        if is_other or moved:
            self._asked = SCREENS * max(self.size.height, 10)
        self._current, self._was_stepping = current, session.step > 0
        if is_other or self._is_near_end(grown) or (moved and not self._holds(current)):
            self._seen, self._grown = seen, grown
            self._read(keep=not is_other and not moved)
        self._entitle()
        if is_other or moved:
            self._reveal()
        self.redraw()

    _was_stepping = False

    def on_resize(self) -> None:
        """More room, more lines."""
        self.dbg.changed()

    @property
    def _room(self) -> int:
        return max(self.scrollable_content_region.width - 1, 8)

    def _is_near_end(self, grown: tuple[object, ...]) -> bool:
        """Whether what is new may belong to the lines."""
        if grown == self._grown:
            return False
        last = self.rows[-1].cursor if self.rows else 0
        after = sum(1 for row in self.rows if row.cursor >= self._current)
        return grown[0] != self._grown[:1] or after < self._asked or last < self._current

    def _holds(self, current: int) -> bool:
        """Whether there is a screen of lines each way of a transition."""
        height = max(self.size.height, 1)
        ahead = [n for n, part in enumerate(self._parts) if self.rows[part[0]].cursor == current]
        if not ahead:
            return False
        top = self.rows[0].cursor <= 1 or ahead[0] >= height
        return top and len(self._parts) - ahead[-1] > height

    def _read(self, *, keep: bool) -> None:
        """Read the lines; the one on top stays there if they are to be kept."""
        anchor = self._anchor() if keep else None
        view = self.view
        self.rows = log_rows(
            self.session, self._asked, level=view.log_level, times=view.times, traces=view.traces
        )
        self._parts = list(self._lay())
        width = self._room if view.wrap else max((cell_len(r.text) for r in self.rows), default=0)
        self.sized(width + 1, len(self._parts))
        if anchor is not None:
            self._back_to(anchor)

    def _lay(self) -> Iterator[_Part]:
        room = self._room
        for at, row in enumerate(self.rows):
            if not self.view.wrap or cell_len(row.text) <= room:
                yield at, 0, len(row.text)
                continue
            start = 0
            for stop in _breaks(row.text, room):
                yield at, start, stop
                start = stop

    def _anchor(self) -> tuple[int, int, int]:
        """The line on top: its transition, its number there, its letter."""
        at = round(self.scroll_y)
        if not 0 <= at < len(self._parts):
            return 0, 0, 0
        row, start, _ = self._parts[at]
        cursor = self.rows[row].cursor
        first = row
        while first and self.rows[first - 1].cursor == cursor:
            first -= 1
        return cursor, row - first, start

    def _back_to(self, anchor: tuple[int, int, int]) -> None:
        cursor, number, letter = anchor
        for at, (row, start, _) in enumerate(self._parts):
            if self.rows[row].cursor >= cursor:
                same = self.rows[row].cursor == cursor
                self._jump(at + number if same and not letter else at + (start != letter))
                return

    def _jump(self, y: int) -> None:
        self.scroll_to(y=max(y, 0), animate=False, force=True, immediate=True)

    def _reveal(self) -> None:
        """Have the current transition on the screen, in its middle if it was not."""
        mine = [n for n, part in enumerate(self._parts) if self._is_current(part)]
        height = max(self.size.height, 1)
        if self.session.follow:
            self._jump(len(self._parts) - height)
            return
        if not mine:
            behind = (
                n for n, part in enumerate(self._parts) if self.rows[part[0]].cursor > self._current
            )
            mine = [next(behind, len(self._parts) - 1)]
        top = round(self.scroll_y)
        margin = min(2, height // 4)
        if mine[0] < top + margin or mine[-1] >= top + height - margin:
            self._jump(mine[0] - height // 2)

    def _is_current(self, part: _Part) -> bool:
        return self.rows[part[0]].cursor == self._current

    def _entitle(self) -> None:
        level = LEVELS[min(self.view.log_level, len(LEVELS) - 1)]
        record = self.session.record
        self.entitle(f"Log:{level} t{record.time_sum if record is not None else 0}")

    # -- drawing

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """See `LinePane`."""
        if not 0 <= at < len(self._parts):
            return
        index, start, stop = self._parts[at]
        row = self.rows[index]
        if self._has_gutter:
            yield "▌", self.ink(str(row.gutter))
        else:
            yield " ", None
        mark = self.ink("current") if row.cursor == self._current else None
        base = self._usual(row)
        done = start
        for span in row.spans:
            first, last = max(span.start, start), min(span.stop, stop)
            if first >= last or first < done:
                continue
            yield row.text[done:first], _both(base, mark)
            style = self.ink(span.style)
            if self.session.state and row.text[first:last].lstrip("+-*") == self.session.state:
                style += self.ink("chosen")
            yield row.text[first:last], _both(style, mark)
            done = last
        yield row.text[done:stop], _both(base, mark)

    @property
    def _has_gutter(self) -> bool:
        filters = self.session.filters
        return not (filters.canceled and filters.queued)

    def _usual(self, row: LogRow) -> Style | None:
        if row.kind in ("time", "trace"):
            return self.ink(row.kind)
        return self.ink("external") if row.level == 1 else None

    # -- scrolling

    def page(self, by: int) -> None:
        """So many screens down."""
        self.action_scroll(by * max(self.size.height - 1, 1))

    def action_scroll(self, by: int) -> None:
        """So many lines down. It no longer stays at the newest (debugger_ui.md 19)."""
        self._stop_following()
        self._jump(round(self.scroll_y) + by)

    def action_aside(self, by: int) -> None:
        """So many letters to the right."""
        self._stop_following()
        self.scroll_to(x=self.scroll_x + by, animate=False, force=True, immediate=True)

    def _stop_following(self) -> None:
        if self.session.follow:
            self.session.set_follow(False)
            self.dbg.changed()

    def on_mouse_scroll_up(self) -> None:
        """The wheel is scrolling, too."""
        self._stop_following()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Read more lines at the edges."""
        super().watch_scroll_y(old_value, new_value)
        height = self.size.height
        is_up = new_value < old_value and new_value < height
        is_down = new_value > old_value and new_value > len(self._parts) - 2 * height
        if (is_up or is_down) and self._parts and not self._is_extending:
            self._is_extending = True
            self.call_later(self._extend, is_up)

    def _extend(self, is_up: bool) -> None:
        self._is_extending = False
        side = [row.cursor < self._current for row in self.rows].count(is_up)
        if side < self._asked or self._asked >= MOST:
            return  # there is no more
        self._asked = min(self._asked * 2, MOST)
        self._read(keep=True)
        self.redraw()

    # -- choosing

    def on_click(self, event: events.Click) -> None:
        """To the transition of the line; of one that tells changes, to its first state, too."""
        offset = event.get_content_offset(self)
        at = offset.y + round(self.scroll_y) if offset is not None else -1
        if not 0 <= at < len(self._parts):
            return
        event.stop()
        row = self.rows[self._parts[at][0]]
        if row.state:
            self.session.select_state(row.state)
        session = self.session
        if (session.cursor, session.step) != (row.cursor, 0):
            self._current, self._was_stepping = row.cursor, False  # it stays where it is
            session.go(Place(session.machine, row.cursor))
        self.dbg.changed()

    @property
    def plain_text(self) -> str:
        """All lines that are there."""
        return "\n".join(safe(row.text) for row in self.rows)


def _both(style: Style | None, mark: Style | None) -> Style | None:
    return style + mark if style is not None and mark is not None else style or mark


def _breaks(text: str, room: int) -> Iterator[int]:
    """Where each piece of a text ends that is at most so many cells wide."""
    if text.isascii():
        yield from range(room, len(text), room)
    else:
        width = 0
        for at, letter in enumerate(text):
            cells = cell_len(letter)
            if width + cells > room:
                yield at
                width = 0
            width += cells
    yield len(text)
