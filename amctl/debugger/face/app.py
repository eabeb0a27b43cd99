"""The debugger's app: the parts of its screen, and how they come to show the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from amctl.debugger.face.addressbar import AddressBar, TagsBar
from amctl.debugger.face.bars import TxBar
from amctl.debugger.face.clients import ClientList
from amctl.debugger.face.doings import Doings
from amctl.debugger.face.files import Outputs
from amctl.debugger.face.keys import KEYS
from amctl.debugger.face.live import LOOK_EVERY, Follower
from amctl.debugger.face.log import LogPane
from amctl.debugger.face.matrix import MatrixPane
from amctl.debugger.face.pane import Pane
from amctl.debugger.face.rain import RainPane
from amctl.debugger.face.reader import ReaderPane
from amctl.debugger.face.states import GroupLine, SchemaTree
from amctl.debugger.face.status import StatusBar
from amctl.debugger.face.themes import DARK, LIGHT, themes
from amctl.debugger.face.timelines import StepLine, TxLine
from amctl.debugger.face.toolbar import Toolbar
from amctl.debugger.face.viewstate import ViewState

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from amctl.debugger.face.files import Artist
    from amctl.debugger.session import Moved, Session

__all__ = ["Debugger"]

LOW: Final = 26
"""Rows below which lines have no frames."""
LOWEST: Final = 19
"""Rows below which there is no toolbar."""


class Debugger(Doings):
    """The debugger in a terminal.

    Args:
        session: Where one stands in a recording; the app closes it.
        view: How the screen is set up at first.
        theme: `dark` or `light`.
        every: Seconds between looks at the recording; 0 is none, when nothing can come.
        outputs: Files that are kept up to date.
        artist: Draws those that are pictures.
        clipboard: Texts may go to the terminal's clipboard.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = "face.tcss"
    TITLE = "amctl dbg"
    BINDINGS: ClassVar = [
        Binding(key, each.action, each.text, show=False)
        for each in KEYS
        for key in each.keys.split(",")
    ]

    def __init__(
        self,
        session: Session,
        view: ViewState | None = None,
        *,
        theme: str = "dark",
        every: float = LOOK_EVERY,
        outputs: Outputs | None = None,
        artist: Artist | None = None,
        clipboard: bool = True,
    ) -> None:
        super().__init__()
        self.outputs, self.artist = outputs or Outputs(), artist
        self.clipboard_on = clipboard
        self.session = session
        self.view = view or ViewState()
        self.follower = Follower(session, self.changed, every)
        self.animation_level = "none"
        self._is_due = False
        for one in themes():
            self.register_theme(one)
        self.theme = LIGHT if theme == "light" else DARK

    def compose(self) -> ComposeResult:
        """The parts, from the top."""
        yield AddressBar(id="address")
        yield TagsBar(id="tags")
        with Horizontal(id="main"):
            yield ClientList(id="clients")
            with Vertical(id="schema"):
                yield GroupLine(id="group")
                yield SchemaTree(id="states")
            yield LogPane(id="log")
            yield ReaderPane(id="reader")
            yield MatrixPane(id="matrix")
            yield RainPane(id="rain")
        yield TxBar(id="current-bar")
        yield TxLine(id="tx-line")
        yield TxBar(ahead=True, id="next-bar")
        yield StepLine(id="step-line")
        yield Toolbar(id="toolbar")
        yield StatusBar(id="status")

    def on_mount(self) -> None:
        """Show what is there, and read on."""
        self._arrange()
        self._show()
        self.query_one(SchemaTree).focus()
        self.run_worker(self._follow(), exclusive=True, group="follow")

    async def _follow(self) -> None:
        follower = self.follower
        await (follower.run() if follower.every else follower.catch_up())

    async def on_event(self, event: events.Event) -> None:
        """Keys and clicks go before the index."""
        if isinstance(event, events.InputEvent):
            self.follower.touched()
        await super().on_event(event)

    @property
    def is_live(self) -> bool:
        """Whether a run writes to the recording."""
        return self.follower.is_live

    def on_unmount(self) -> None:
        """Let go of the recording."""
        self.session.close()

    def on_resize(self, event: events.Resize) -> None:
        """What has room depends on it."""
        self.changed()

    # -- the present

    def act(self, moved: Moved) -> None:
        """Say why a move led nowhere, if so; and bring the screen up to date."""
        text = f"{moved.text}; {moved.hint}" if moved.hint else moved.text
        self.say("" if moved.ok else text)
        self.changed()

    def say(self, text: str) -> None:
        """Tell a person something, in the status bar, until they go on."""
        for bar in self.screen_stack[0].walk_children(StatusBar):
            bar.say(text)

    def changed(self) -> None:
        """Have all parts show the present, once for however many changes there are by then."""
        if not self._is_due:
            self._is_due = True
            self.call_later(self._show)

    def _show(self) -> None:
        self._is_due = False
        if not self.is_running or not self.screen_stack:
            return
        self._arrange()
        for screen in self.screen_stack:
            for widget in screen.walk_children(Pane):
                if widget.is_mounted and widget.display:
                    widget.show()
        self.write_files()

    def _arrange(self) -> None:
        """Which parts there are, and their shares of the room (debugger_ui.md 1).

        On a low screen lines lose their frames, then the toolbar goes, until it is asked for.
        """
        view, main = self.view, self.screen_stack[0]
        low = self.size.height
        main.set_class(low < LOW, "-low")
        has_log = view.content == "tree-log" and view.log_level > 0
        has_reader = view.content == "tree-log" and view.reader
        shares = (
            (3, 2, 1) if self.session.step and has_log and has_reader
            else (2, 2, 2) if has_log and has_reader
            else (2, 4, 0) if has_log
            else (3, 0, 3)
        )  # fmt: skip
        has_matrix = view.content != "tree-log"
        for id, is_shown, share in (
            ("tags", low >= LOW, 0),
            ("clients", not view.is_narrow(self.size.width), 0),
            ("schema", view.content != "matrix", shares[0]),
            ("log", has_log, shares[1]),
            ("reader", has_reader, shares[2]),
            ("matrix", has_matrix and not view.rain, 4),
            ("rain", has_matrix and view.rain, 4),
            ("tx-line", view.timelines > 0, 0),
            ("next-bar", view.timelines > 1 or self.session.step > 0, 0),
            ("step-line", view.timelines > 1, 0),
            ("toolbar", low >= LOWEST or self.view.toolbar, 0),
        ):
            for part in main.query(f"#{id}"):
                if part.display != is_shown:
                    part.display = is_shown
                if share and (part.styles.width is None or part.styles.width.value != share):
                    part.styles.width = f"{share}fr"
