"""The reader: what is known of the current transition, section by section (debugger_ui.md 2.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.binding import Binding

from amctl.debugger.face.pane import safe
from amctl.debugger.face.rows import RowsPane
from amctl.debugger.index import Place
from amctl.debugger.reader import Item, Section, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events

    from amctl.debugger.face.pane import Piece

__all__ = ["ReaderPane"]


@dataclass(frozen=True, slots=True)
class _Line:
    section: str
    item: Item | None = None
    guide: str = ""
    count: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.section, self.item.text if self.item is not None else ""


class ReaderPane(RowsPane):
    """Sections that open and close; entries lead to where they are about."""

    BINDINGS = [  # noqa: RUF012  # as Textual has it
        Binding("left", "aside(-4)", show=False),
        Binding("right", "aside(4)", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.sections: tuple[Section, ...] = ()
        self._lines: list[_Line] = []
        self._folded: set[str] = set()
        self._seen: tuple[object, ...] = ()
        self.border_title = "Reader"

    @property
    def count(self) -> int:
        """Lines."""
        return len(self._lines)

    def show(self) -> None:
        """See `Pane`."""
        session, store = self.session, self.session.store
        place = Place(session.machine, session.cursor)
        # what comes of a transition is known once it is there
        seen = (place, store.generation, store.count, store.index.done)
        if seen != self._seen:
            self._seen = seen
            self.sections = read(store, place)
            self._lay()
        self.redraw()

    def _lay(self) -> None:
        here = self._lines[self.at].key if self.at < self.count else None
        self._lines = []
        for section in self.sections:
            self._lines.append(_Line(section.title, count=len(section.items)))
            if section.title in self._folded:
                continue
            for at, item in enumerate(section.items, 1):
                guide = "└─" if at == len(section.items) else "├─"
                self._lines.append(_Line(section.title, item, guide))
        keys = [line.key for line in self._lines]
        if here in keys:
            self.at = keys.index(here)
        elif here is not None:
            self.at = next((n for n, key in enumerate(keys) if key[0] == here[0]), 0)
        self.fit()

    def pieces(self, at: int) -> Iterable[Piece]:
        """A heading, or an entry."""
        line = self._lines[at]
        if line.item is None:
            sign = "▸" if line.section in self._folded else ""
            return [
                (f"{line.section}", self.ink("heading")),
                (f" ({line.count}){sign}" if line.count > 1 or sign else "", self.ink("dim")),
            ]
        leads = bool(line.item.more) or line.item.place is not None
        style = self.ink("text" if leads else "external")
        if self.session.state and self.session.state in line.item.states:
            style += self.ink("chosen")
        return [(line.guide, self.ink("dim")), (safe(line.item.text), style)]

    def choose(self) -> None:
        """Open or close a section, go where an entry leads, show its stack trace."""
        line = self._lines[self.at]
        item = line.item
        if item is None:
            self._folded.symmetric_difference_update({line.section})
            self._lay()
        elif item.more:
            self.run_worker(self.dbg.show_text("Stack trace", item.more))
        elif item.place is not None:
            self.dbg.act(self.session.go(item.place))
        elif item.states:
            self.dbg.act(self.session.select_state(item.states[0]))

    def clicked(self, event: events.Click, *, again: bool) -> None:
        """As Enter."""
        self.choose()

    def toggle_all(self) -> None:
        """Close all sections, or open them if any is closed."""
        self._folded = set() if self._folded else {section.title for section in self.sections}
        self._lay()

    def action_aside(self, by: int) -> None:
        """So many letters to the right."""
        self.scroll_to(x=self.scroll_x + by, animate=False, force=True, immediate=True)
