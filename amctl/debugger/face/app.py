"""The debugger's app: the parts of its screen, its keys, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from amctl.debugger.face.keys import KEYS
from amctl.debugger.face.pane import Pane
from amctl.debugger.face.themes import DARK, LIGHT, themes
from amctl.debugger.face.viewstate import ViewState

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from amctl.debugger.session import Moved, Session

__all__ = ["Debugger"]


class Debugger(App[int]):
    """The debugger in a terminal.

    Args:
        session: Where one stands in a recording; the app closes it.
        view: How the screen is set up at first.
        theme: `dark` or `light`.
    """

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding(key, each.action, each.text, show=False)
        for each in KEYS
        for key in each.keys.split(",")
    ]

    def __init__(
        self, session: Session, view: ViewState | None = None, *, theme: str = "dark"
    ) -> None:
        super().__init__()
        self.session = session
        self.view = view or ViewState()
        self._is_due = False
        for one in themes():
            self.register_theme(one)
        self.theme = LIGHT if theme == "light" else DARK

    def compose(self) -> ComposeResult:
        """The parts, from the top."""
        yield Static("address", id="address")
        yield Static("tags", id="tags")
        with Horizontal(id="main"):
            yield Static("clients", id="clients")
            with Vertical(id="schema"):
                yield Static("group", id="group")
                yield Static("states", id="states")
            yield Static("log", id="log")
            yield Static("reader", id="reader")
        yield Static("current", id="current-bar")
        yield Static("timeline", id="timeline")
        yield Static("next", id="next-bar")
        yield Static("steps", id="step-timeline")
        yield Static("toolbar", id="toolbar")
        yield Static("status", id="status")

    def act(self, moved: Moved) -> None:
        """Say why a move led nowhere, if so; and bring the screen up to date."""
        if not moved.ok and moved.text:
            self.say(f"{moved.text}; {moved.hint}" if moved.hint else moved.text)
        self.changed()

    def say(self, text: str) -> None:
        """Tell a person something, in the status bar."""

    def changed(self) -> None:
        """Have all parts show the present, once for however many changes there are by then."""
        if not self._is_due:
            self._is_due = True
            self.call_later(self._show)

    def _show(self) -> None:
        self._is_due = False
        for screen in self.screen_stack:
            for widget in screen.walk_children(Pane):
                if widget.is_mounted and widget.display:
                    widget.show()
