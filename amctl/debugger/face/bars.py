"""The bars with the current transition and the next one (debugger_ui.md 30)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from amctl.debugger.face.pane import Pane, safe
from amctl.debugger.session import Spot
from amctl.debugger.views import Bar, bar

if TYPE_CHECKING:
    from textual import events

    from amctl.debugger.face.pane import Piece

__all__ = ["TxBar", "left_pieces", "right_pieces"]


class TxBar(Pane):
    """One line about a transition.

    Args:
        ahead: The next one that is shown, instead of the current one.
    """

    def __init__(self, *, ahead: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self._ahead = ahead
        self._seen: tuple[object, ...] = ()
        self.bar = Bar("Next" if ahead else "Paused", 0)

    def show(self) -> None:
        """See `Pane`."""
        session, store = self.session, self.session.store
        size = store.size(session.machine)
        seen = (
            session.spot, session.follow, session.filters, session.group, size, store.generation,
            store.index.done if store.index.share < 1 else -1, self.view.playing,
        )  # fmt: skip
        if seen != self._seen:
            self._seen = seen
            self.bar = bar(session, ahead=self._ahead)
            self.refresh()

    @property
    def title(self) -> str:
        """`Playing`, `Tail`, `Paused`, `Next`."""
        if self.view.playing and not self._ahead:
            return "Playing"
        return self.bar.title

    def render(self) -> Text:
        """One line; where it has no room the right part gives way."""
        left = self._text(left_pieces(self.bar, self.title))
        right = self._text(right_pieces(self.bar))
        width = self.size.width
        room = width - cell_len(right.plain)
        if cell_len(left.plain) + 2 > room:
            line = left.append("  ").append_text(right)
            line.truncate(width, overflow="ellipsis")
            return line
        line = left
        line.truncate(room, pad=True)
        return line.append_text(right)

    def _text(self, pieces: list[tuple[str, str]]) -> Text:
        text = Text(no_wrap=True, end="")
        for word, role in pieces:
            text.append(safe(word), self.ink(role))
        return text

    def on_click(self, event: events.Click) -> None:
        """Step into the next transition, or out of it."""
        if self.bar.cursor and self._ahead:
            event.stop()
            session = self.session
            step = 0 if session.step else 1
            self.dbg.act(session.go(Spot(session.machine, session.cursor, step)))

    def pieces(self) -> list[Piece]:
        """The line in parts, for those that show it elsewhere."""
        parts = [*left_pieces(self.bar, self.title), ("  ", "text"), *right_pieces(self.bar)]
        return [(word, self.ink(role)) for word, role in parts]


def left_pieces(bar: Bar, title: str) -> list[tuple[str, str]]:
    """Words and roles: title, index, time difference, `q`, type, `multi`, called states."""
    found = [(title, "link" if title not in ("Next", "") else "text")]
    found.append((" " * max(8 - len(title), 1), "text"))
    if not bar.cursor:
        return [*found, ("| ", "dim"), ("no more" if title == "Next" else "schema", "dim")]
    found += [("| ", "dim"), (f"tx: {bar.cursor}", "text"), (" | ", "dim"), ("Time: ", "text")]
    diff = f"{bar.time_diff:+d}" if bar.time_diff else " 0"
    found += [(diff, "text" if bar.time_diff else "dim"), (" | ", "dim")]
    quiet = "dim" if bar.is_canceled or not bar.time_diff else "text"
    if bar.is_queued:
        found.append(("q ", "queued"))
    if bar.is_restart:
        found.append(("restart ", "heading"))
    found.append((f"{bar.type}: ", quiet))
    if bar.is_multi:
        found.append(("multi ", quiet))
    for at, name in enumerate(bar.called):
        found += [(", " if at else "", quiet), (name, "bold" if quiet == "text" else "removed")]
    return found


def right_pieces(bar: Bar) -> list[tuple[str, str]]:
    """Words and roles: auto, check, canceled, counts, wall time with the digit that differs."""
    if not bar.cursor:
        return []
    found: list[tuple[str, str]] = []
    for word, is_on, role in (
        ("auto", bar.is_auto, "text"),
        ("check", bar.is_check, "text"),
        ("canceled", bar.is_canceled, "canceled"),
    ):
        if is_on:
            found += [(word, role), (" | ", "dim")]
    counts = (("add", bar.added), ("rm", bar.removed), ("touch", bar.touched))
    for word, count in counts:
        found += [(f"{word}: {count}", "text"), (" | ", "dim")]
    if not bar.wall:
        return [*found, ("no time", "dim")]
    start = bar.wall.index(" ") + 1
    at = bar.differs_at
    if at < start:  # another day, or nothing differs
        words = [(bar.wall[start:], "dim" if at < 0 else "bold")]
    else:
        words = [(bar.wall[start:at], "dim"), (bar.wall[at], "bold"), (bar.wall[at + 1 :], "dim")]
    return [*found, *words]
