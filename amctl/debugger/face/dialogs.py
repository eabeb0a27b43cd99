"""What opens above the rest: prompts, choices, texts. All are modal, and keep Tab inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Label, Static

from amctl.debugger.exporting import ENDINGS, NAME
from amctl.debugger.face.pane import LinePane, safe
from amctl.debugger.face.rows import RowsPane

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style
    from textual import events
    from textual.app import ComposeResult

    from amctl.debugger.face.pane import Piece

__all__ = ["Choice", "ExportAsk", "ExportWish", "Page", "Prompt", "Reply", "TextDialog"]

T = TypeVar("T")
_SHADE: Final = 0.5
_CSS: Final = """
Dialog {
    align: center middle;
}

Dialog .dialog {
    width: 76;
    max-width: 96%;
    height: auto;
    max-height: 96%;
    border: solid $primary;
    background: $panel;
    padding: 0 1;
}

Dialog .dialog-text {
    width: 96%;
    max-width: 150;
    height: 96%;
}

Dialog .dialog-title {
    width: 1fr;
    text-align: center;
    text-style: bold;
}

Dialog .dialog-hint {
    color: $foreground 60%;
}

Dialog .dialog-trouble {
    color: $error;
}

Dialog .dialog-buttons {
    height: 1;
    align-horizontal: right;
}

Dialog .dialog-buttons Button {
    margin-left: 2;
    min-width: 11;
}

Dialog Input {
    background: $background;
}

Dialog Checkbox, Dialog Checkbox:focus {
    background: $panel;
}

Dialog Checkbox > .toggle--button {
    color: $background;
    background: $background;
}

Dialog Checkbox.-on > .toggle--button {
    color: $success;
    background: $background;
}

Dialog #choices, Dialog #page {
    background: $panel;
    scrollbar-size: 1 1;
}

Dialog #page {
    height: 1fr;
}
"""


class Dialog(ModalScreen[T], Generic[T]):
    """One of them: esc and a click beside it close it."""

    DEFAULT_CSS = _CSS
    SCOPED_CSS = False
    BINDINGS = [Binding("escape", "leave", show=False)]  # noqa: RUF012  # as Textual has it

    def _on_mount(self, event: events.Mount) -> None:
        """What is below shines through, whatever an app says of its screens."""
        super()._on_mount(event)
        self.styles.background = self.background_colors[1].with_alpha(_SHADE)

    def action_leave(self) -> None:
        """Close it, with nothing chosen."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """Beside it."""
        if event.widget is self:
            self.dismiss(None)


@dataclass(frozen=True, slots=True)
class Reply:
    """What was typed, and which button it was sent by."""

    text: str
    button: str = ""


class Prompt(Dialog[Reply]):
    """A line to type.

    Args:
        title: What it is about.
        hint: What can be typed.
        value: What stands there at first.
        buttons: What to do with it; enter takes the first.
    """

    def __init__(
        self, title: str, hint: str = "", value: str = "", buttons: Sequence[str] = ("Go",)
    ) -> None:
        super().__init__()
        self._title, self._hint, self._value, self._buttons = title, hint, value, buttons

    def compose(self) -> ComposeResult:
        """Its parts."""
        with Vertical(classes="dialog"):
            yield Label(Text(self._title), classes="dialog-title")
            yield Input(self._value, id="typed", compact=True)
            yield Static(Text(self._hint), classes="dialog-hint")
            yield Static("", id="trouble", classes="dialog-trouble")
            with Horizontal(classes="dialog-buttons"):
                for at, label in enumerate(self._buttons):
                    yield Button(label, id=f"button-{at}", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def say(self, text: str) -> None:
        """Tell what is wrong with it."""
        self.query_one("#trouble", Static).update(Text(safe(text)))

    def check(self, reply: Reply) -> str:
        """What is wrong with it; empty takes it. An app may replace this."""
        return "" if reply.text.strip() else "nothing is typed"

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self._take(self._buttons[0])

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """One of them."""
        event.stop()
        if event.button.id == "cancel":
            self.dismiss(None)
        else:
            self._take(self._buttons[int((event.button.id or "-0").rpartition("-")[2])])

    def _take(self, button: str) -> None:
        reply = Reply(self.query_one(Input).value, button)
        trouble = self.check(reply)
        if trouble:
            self.say(trouble)
        else:
            self.dismiss(reply)


@dataclass(frozen=True, slots=True)
class ExportWish:
    """What is to be written where."""

    name: str
    single: bool = False
    """Only the moment that is looked at."""
    alone: bool = False
    """Only the selected machine."""
    force: bool = False
    """Replace what is there."""


class ExportAsk(Dialog[ExportWish]):
    """Where to, and what of it."""

    def compose(self) -> ComposeResult:
        """Its parts."""
        with Vertical(classes="dialog"):
            yield Label("Export", classes="dialog-title")
            yield Input(NAME, id="name", compact=True)
            endings = ", ".join(ENDINGS)
            yield Static(Text(f"formats by ending: {endings}"), classes="dialog-hint")
            yield Checkbox("Single Frame: the moment alone", id="single", compact=True)
            yield Checkbox("Only this machine", id="alone", compact=True)
            yield Checkbox("Replace what is there", id="force", compact=True)
            yield Static("", id="trouble", classes="dialog-trouble")
            with Horizontal(classes="dialog-buttons"):
                yield Button("Save", id="save", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one("#name", Input).focus()

    def check(self, wish: ExportWish) -> str:
        """What is wrong with it; empty takes it. An app may replace this."""
        return ""

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter saves."""
        event.stop()
        self._take()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Save, or not."""
        event.stop()
        if event.button.id == "cancel":
            self.dismiss(None)
        else:
            self._take()

    def _take(self) -> None:
        boxes = {box.id: box.value for box in self.query(Checkbox)}
        name = self.query_one("#name", Input).value.strip()
        wish = ExportWish(name, boxes["single"], boxes["alone"], boxes["force"])
        trouble = self.check(wish) if name else "the file has no name"
        if trouble:
            self.query_one("#trouble", Static).update(Text(safe(trouble)))
        else:
            self.dismiss(wish)


class _Choices(RowsPane):
    """Rows to choose one of."""

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        super().__init__(id="choices")
        self.rows = rows
        """Name, and what stands behind it."""

    @property
    def count(self) -> int:
        """Rows."""
        return len(self.rows)

    def pieces(self, at: int) -> Iterable[Piece]:
        """One of them."""
        name, more = self.rows[at]
        return [(f" {safe(name)} ", None), (more, self.ink("dim"))]

    def words(self) -> Sequence[str]:
        """Names."""
        return [name for name, _ in self.rows]

    def choose(self) -> None:
        """This one."""
        self.screen.dismiss(self.rows[self.at][0])

    def show(self) -> None:
        """Nothing of it changes."""


class Choice(Dialog[str]):
    """One of several rows.

    Args:
        title: What it is about.
        rows: Name, and what stands behind it.
        current: Name of the one that holds now.
    """

    def __init__(self, title: str, rows: Sequence[tuple[str, str]], current: str = "") -> None:
        super().__init__()
        self._title, self._rows, self._current = title, rows, current

    def compose(self) -> ComposeResult:
        """Its parts."""
        with Vertical(classes="dialog"):
            yield Label(Text(self._title), classes="dialog-title")
            yield _Choices(self._rows)

    def on_mount(self) -> None:
        """On the current one."""
        rows = self.query_one(_Choices)
        rows.styles.height = min(len(self._rows), 16)
        names = [name for name, _ in self._rows]
        rows.at = names.index(self._current) if self._current in names else 0
        rows.fit()
        rows.focus()
        self.call_after_refresh(rows.reveal)


Page = list[list[tuple[str, str]]]
"""Lines of words with their roles, see `themes`."""


class _Lines(LinePane, can_focus=True):
    """A text to scroll."""

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("up,k", "by(-1)", show=False),
        Binding("down,j", "by(1)", show=False),
        Binding("left", "aside(-4)", show=False),
        Binding("right", "aside(4)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("home", "by(-1000000)", show=False),
        Binding("end", "by(1000000)", show=False),
    ]

    def __init__(self, page: Page) -> None:
        super().__init__(id="page")
        self.lines = page

    def on_mount(self) -> None:
        """As long and wide as it is."""
        width = max((sum(cell_len(word) for word, _ in line) for line in self.lines), default=0)
        self.virtual_size = Size(width, len(self.lines))

    def show(self) -> None:
        """Nothing of it changes."""

    def line(self, at: int, width: int) -> Iterable[Piece]:
        """See `LinePane`."""
        if 0 <= at < len(self.lines):
            for word, role in self.lines[at]:
                style: Style | None = self.ink(role) if role else None
                yield word, style

    def action_by(self, by: int) -> None:
        """So many lines down."""
        self.scroll_to(y=self.scroll_y + by, animate=False, force=True, immediate=True)

    def action_aside(self, by: int) -> None:
        """So many letters to the right."""
        self.scroll_to(x=self.scroll_x + by, animate=False, force=True, immediate=True)

    def action_page(self, by: int) -> None:
        """So many screens down."""
        self.action_by(by * max(self.size.height - 1, 1))


class TextDialog(Dialog[Any]):
    """A text of many lines; `c` copies it.

    Args:
        title: What it is.
        page: Its lines.
    """

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("question_mark,enter,q", "leave", show=False),
        Binding("c", "copy", show=False),
    ]

    def __init__(self, title: str, page: Page) -> None:
        super().__init__()
        self._title, self._page = title, page

    def compose(self) -> ComposeResult:
        """Its parts."""
        with Vertical(classes="dialog dialog-text"):
            yield Label(Text(safe(self._title)), classes="dialog-title")
            yield _Lines(self._page)
            yield Static(Text("esc closes, c copies"), classes="dialog-hint")

    def on_mount(self) -> None:
        """To be scrolled at once."""
        self.query_one(_Lines).focus()

    async def action_copy(self) -> None:
        """Its text into the clipboard."""
        lines = ("".join(safe(word) for word, _ in line).rstrip() for line in self._page)
        copy = getattr(self.app, "copy", self.app.copy_to_clipboard)
        copy("\n".join(lines))
