"""What all parts of the screen are: they show the session's present, and ask the app to act."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from amctl.debugger.face.themes import ink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.style import Style
    from textual.selection import Selection

    from amctl.debugger.face.viewstate import ViewState
    from amctl.debugger.session import Moved, Session

__all__ = ["Host", "LinePane", "Pane", "Piece", "clipped", "safe", "strip_of"]

Piece = tuple[str, "Style | None"]
"""A part of a line."""
KEPT: Final = 512
"""Lines that a pane doesn't draw again."""
_UNSAFE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


class Host(Protocol):
    """What a pane needs of its app; a small app of a test can be one, too."""

    session: Session
    view: ViewState

    def act(self, moved: Moved) -> None:
        """Say why a move led nowhere, if so; and bring the screen up to date."""

    def changed(self) -> None:
        """Bring the screen up to date, soon and once."""

    def say(self, text: str) -> None:
        """Tell a person something, in the status bar."""

    async def show_text(self, title: str, text: str) -> None:
        """A text of many lines above the rest, until a person closes it."""

    async def run_action(self, action: str, *args: Any, **more: Any) -> bool:
        """Do what a key or a tool does."""


class Pane(Widget):
    """A part of the screen."""

    @property
    def dbg(self) -> Host:
        """The app."""
        return cast("Host", self.app)

    @property
    def session(self) -> Session:
        """Where one stands in the recording."""
        return self.dbg.session

    @property
    def view(self) -> ViewState:
        """How the screen is set up."""
        return self.dbg.view

    def show(self) -> None:
        """Bring what is on the screen up to date: called after any change, once per frame.

        It is cheap when nothing of its own changed, and leaves scrolling, focus and what is open.
        """
        self.refresh()

    def ink(self, role: str) -> Style:
        """The style of a role, see `themes.ROLES`."""
        return ink(role, self.app.current_theme.dark)


class LinePane(ScrollView, Pane, inherit_bindings=False):  # arrows and home are for moving
    """A pane of many lines, drawn one by one as they are needed.

    Whoever subclasses it gives `line` and sets `virtual_size`. Its text can be selected by mouse.
    """

    ALLOW_SELECT = True
    _base: Style | None = None
    _kept: OrderedDict[object, Strip] | None = None

    def sized(self, width: int, height: int) -> None:
        """Set how much can be scrolled to.

        A new `virtual_size` alone has the whole screen laid out anew, which is slow. That is needed
        only where it shows or hides a scrollbar.
        """
        size = Size(width, height)
        if size == self.virtual_size:
            return
        if "auto" in (self.styles.overflow_x, self.styles.overflow_y) or not self.size:
            self.virtual_size = size
            return
        self.set_reactive(Widget.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = height
            self.vertical_scrollbar.window_size = self.size.height
        self.scroll_x = self.validate_scroll_x(self.scroll_x)
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def entitle(self, title: str) -> None:
        """Set the title on its frame; it is text, no markup."""
        if title != self._entitled:
            self._entitled = title
            # its own setter has the whole pane drawn again
            self._border_title = Content(title)
            self.refresh(Region(-1, -1, self.outer_size.width, 1))

    _entitled = ""

    def redraw(self) -> None:
        """Draw those lines again that have changed."""
        width, top = self.scrollable_content_region.width, self.scroll_offset.y
        drawn = self._drawn
        if drawn is None or self.text_selection is not None:
            self.refresh()
            return
        for y in range(self.scrollable_content_region.height):
            if drawn.get(y) != (top, tuple(self.line(top + y, width))):
                self.refresh(Region(0, y, width, 1))

    _drawn: dict[int, object] | None = None

    @property
    def allow_select(self) -> bool:
        """Whether its text can be selected by mouse."""
        return True

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """Line `at` from 0 on, in pieces; nothing behind the last one."""
        raise NotImplementedError

    def render_lines(self, crop: Region) -> list[Strip]:
        """See `Widget`."""
        self._base = self.rich_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the screen, see `ScrollView`."""
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        pieces = tuple(self.line(top + y, width))
        if self._drawn is None:
            self._drawn = {}
        self._drawn[y] = top, pieces
        selection = self.text_selection
        span = selection.get_span(top + y) if selection is not None else None
        if span is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            pieces = tuple(_selected(pieces, *span, style))
        base = self._base or self.rich_style
        if self._kept is None:
            self._kept = OrderedDict()
        key = pieces, left, width, top + y, base
        strip = self._kept.get(key)
        if strip is None:
            strip = strip_of(pieces).crop_extend(left, left + width, None)
            strip = strip.apply_style(base).apply_offsets(left, top + y)
            self._kept[key] = strip
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return strip

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that is selected, and what stands behind each line."""
        width = self.scrollable_content_region.width
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else self.virtual_size.height - 1
        lines = ["" for _ in range(first)]
        lines += [
            "".join(safe(text) for text, _ in self.line(at, width)).rstrip()
            for at in range(first, min(last, self.virtual_size.height - 1) + 1)
        ]
        return selection.extract("\n".join(lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected."""
        self.refresh()


def _selected(pieces: Iterable[Piece], start: int, end: int, style: Style) -> list[Piece]:
    """Pieces with a style on some letters; -1 is the end of the line."""
    found: list[Piece] = []
    at = 0
    for text, own in pieces:
        stop = at + len(text)
        first = min(max(start, at), stop) - at
        last = (stop if end < 0 else min(max(end, at), stop)) - at
        marked = own + style if own is not None else style
        found += [(text[:first], own), (text[first:last], marked), (text[last:], own)]
        at = stop
    return found


def safe(text: str) -> str:
    """A text in one line, with nothing that a terminal would obey: `·` stands for that."""
    return _UNSAFE.sub("·", text)


def clipped(text: str, width: int) -> str:
    """A text as wide as that, with `…` where it is cut, blanks where it is short."""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + "…"
    return text + " " * (width - cells)


def strip_of(pieces: Iterable[Piece]) -> Strip:
    """A line of the screen; control characters are taken out."""
    return Strip([Segment(safe(text), style) for text, style in pieces if text])
