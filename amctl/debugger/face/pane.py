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

    Whoever subclasses it gives `line` and sets `virtual_size`.
    """

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """Line `at` from 0 on, in pieces; nothing behind the last one."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """One line of the screen, see `ScrollView`."""
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        strip = strip_of(self.line(top + y, width))
        base = self.rich_style
        return strip.crop_extend(left, left + width, None).apply_style(base)


def safe(text: str) -> str:
    """A text in one line, with nothing that a terminal would obey: `·` stands for that."""
    return _UNSAFE.sub("·", text)


def strip_of(pieces: Iterable[Piece]) -> Strip:
    """A line of the screen; control characters are taken out."""
    return Strip([Segment(safe(text), style) for text, style in pieces if text])
