"""The status bar: how much is shown, how the recording is, the selected state, the step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from amctl.debugger.face.pane import Pane, safe
from amctl.debugger.steps import step_rows
from amctl.debugger.store import Condition
from amctl.debugger.views import time_now

if TYPE_CHECKING:
    from textual import events

__all__ = ["StatusBar"]

_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class StatusBar(Pane):
    """One line."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._seen: tuple[object, ...] = ()
        self._text: tuple[Text, Text] = Text(), Text()
        self.said = ""
        """What a person was told last; the next act takes it away."""

    def say(self, text: str) -> None:
        """Tell a person something until they go on."""
        self.said = text

    def show(self) -> None:
        """See `Pane`."""
        session, store = self.session, self.session.store
        seen = (
            session.spot, session.state, session.filters, session.group, store.count,
            store.generation, store.index.done, store.health, self.said,
        )  # fmt: skip
        if seen != self._seen:
            self._seen = seen
            self._text = self._left(), self._right()
            self.refresh()

    def _left(self) -> Text:
        session, store = self.session, self.session.store
        text = Text(no_wrap=True, end="")
        if self.said:
            text.append(safe(self.said), self.ink("heading")).append(" | ", self.ink("dim"))
        if store.index.share < 1:
            frame = store.index.done // 512 % len(_SPINNER)
            text.append(f"{_SPINNER[frame]} ", self.ink("active"))
        if store.health.condition is not Condition.WHOLE:
            text.append(safe(store.health.text), self.ink("error")).append(" | ", self.ink("dim"))
        if session.state:
            text.append(safe(session.state), self.ink("bold"))
            schema = store.schema(session.machine, session.cursor)
            names = schema.names if schema is not None else ()
            at = names.index(session.state) if session.state in names else -1
            record = session.record
            after = record.after if record is not None else ()
            tick = after[at] if 0 <= at < len(after) else 0
            text.append(" | ", self.ink("dim")).append(f"idx: {at}")
            text.append(" | ", self.ink("dim")).append(f"tick: {tick}")
            text.append(" | ", self.ink("dim"))
        text.append(str(session.shown))
        text.append(" | ", self.ink("dim")).append(f"Graph:t{time_now(session)}")
        return text

    def _right(self) -> Text:
        session = self.session
        ahead = session.next_record if session.step else None
        text = Text(no_wrap=True, end="")
        if ahead is not None and 0 < session.step <= len(ahead.tx.steps):
            text.append(safe(step_rows(ahead)[session.step - 1].text), self.ink("bold"))
        return text

    def render(self) -> Text:
        """One line; the right part gives way."""
        left, right = self._text
        room = self.size.width - cell_len(right.plain)
        if room < 20:
            return left
        line = left.copy()
        line.truncate(max(room - 1, 0), overflow="ellipsis", pad=True)
        return line.append(" ").append_text(right)

    def on_click(self, event: events.Click) -> None:
        """Take away what was said."""
        self.said = ""
        self.dbg.changed()
