"""What all parts of the screen are: they show the session's present, and ask the app to act."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from rich.segment import Segment
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

__all__ = ["Host", "LinePane", "Pane", "Piece", "safe", "strip_of"]

Piece = tuple[str, "Style | None"]
"""A part of a line."""
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


class LinePane(ScrollView, Pane):
    """A pane of many lines, drawn one by one as they are needed.

    Whoever subclasses it gives `line` and sets `virtual_size`. Its text can be selected by mouse.
    """

    ALLOW_SELECT = True

    @property
    def allow_select(self) -> bool:
        """Whether its text can be selected by mouse."""
        return True

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """Line `at` from 0 on, in pieces; nothing behind the last one."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """One line of the screen, see `ScrollView`."""
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        pieces = self.line(top + y, width)
        selection = self.text_selection
        span = selection.get_span(top + y) if selection is not None else None
        if span is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            pieces = _selected(pieces, *span, style)
        strip = strip_of(pieces).crop_extend(left, left + width, None)
        return strip.apply_style(self.rich_style).apply_offsets(left, top + y)

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


def strip_of(pieces: Iterable[Piece]) -> Strip:
    """A line of the screen; control characters are taken out."""
    return Strip([Segment(safe(text), style) for text, style in pieces if text])
