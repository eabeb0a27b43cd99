"""The menu of candidates below the prompt: all of them at once, under headings, with help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.buffer import CompletionState
from prompt_toolkit.completion import Completion
from prompt_toolkit.data_structures import Point
from prompt_toolkit.filters import Condition, has_completions, is_done
from prompt_toolkit.layout import (
    ConditionalContainer,
    ConditionalMargin,
    Dimension,
    FormattedTextControl,
    ScrollbarMargin,
    ScrollOffsets,
    Window,
)
from prompt_toolkit.utils import get_cwidth

from amctl.repl._shell_style import clipped, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.layout import Container

    from amctl.repl._shell_values import Candidate
    from amctl.repl.completing import Offer

__all__ = ["Entry", "Menu", "accept", "apply"]

_ROOM_ABOVE = 6
"""Rows of the screen that the menu leaves to what stands above it, and to prompt and toolbar."""
_SMALL = 10
"""So many rows are worth more than what stands above."""


class Entry(Completion):
    """A candidate in a buffer."""

    def __init__(self, candidate: Candidate, start: int) -> None:
        super().__init__(candidate.text, start_position=start)
        self.candidate = candidate


class Menu:
    """Draws a buffer's candidates.

    Args:
        buffer: Where the line is typed.
        size: Columns and rows of the screen.
    """

    def __init__(self, buffer: Buffer, size: Callable[[], tuple[int, int]]) -> None:
        self._buffer, self._size = buffer, size
        self.usage = ""
        """Stands above the candidates, if there is any."""

    def open(self, offer: Offer) -> None:
        """Show what there is; none is selected yet."""
        document = self._buffer.document
        start = offer.start - document.cursor_position
        entries: list[Completion] = [Entry(one, start) for one in offer.candidates]
        self.usage = offer.usage
        self._buffer.complete_state = CompletionState(document, entries)
        self._buffer.on_completions_changed.fire()

    def container(self) -> Container:
        """The part of the layout that it fills while there are candidates."""
        control = FormattedTextControl(
            self.rows, show_cursor=False, get_cursor_position=self._cursor, focusable=False
        )
        window = Window(
            control,
            height=self._height,
            dont_extend_height=True,
            scroll_offsets=ScrollOffsets(top=1, bottom=1),
            right_margins=[ConditionalMargin(ScrollbarMargin(), Condition(self._is_long))],
        )
        return ConditionalContainer(window, has_completions & ~is_done)

    def _most(self) -> int:
        rows = self._size()[1]
        return max(1, rows - _ROOM_ABOVE, min(rows - 3, _SMALL))

    def _is_long(self) -> bool:
        return len(self._layout()) > self._most()

    def _height(self) -> Dimension:
        most = self._most()
        return Dimension(min=1, max=most, preferred=min(len(self._layout()), most))

    def _entries(self) -> Sequence[Entry]:
        state = self._buffer.complete_state
        return [e for e in state.completions if isinstance(e, Entry)] if state else []

    def _layout(self) -> list[int | str]:
        """What each row is: the number of a candidate, or a heading."""
        rows: list[int | str] = [self.usage] if self.usage else []
        group = ""
        for number, entry in enumerate(self._entries()):
            if entry.candidate.group != group:
                group = entry.candidate.group
                rows.append(group)
            rows.append(number)
        return rows

    def _cursor(self) -> Point:
        state = self._buffer.complete_state
        rows = self._layout()
        at = state.complete_index if state else None
        # With the first one selected its heading shall be seen, too.
        return Point(0, rows.index(at) if at else 0)

    def rows(self) -> StyleAndTextTuples:
        """The menu's text."""
        state, entries = self._buffer.complete_state, self._entries()
        selected = state.complete_index if state else None
        room = self._size()[0] - 1
        widest = max((get_cwidth(e.candidate.shown) for e in entries), default=0)
        width = min(widest, max(8, room * 2 // 3))
        out: StyleAndTextTuples = []
        for number, row in enumerate(self._layout()):
            if out:
                out.append(("", "\n"))
            if isinstance(row, str):
                style = "class:offer.usage" if number == 0 and self.usage else "class:offer.heading"
                out.append((style, clipped(plain(row), room)))
            else:
                out += _row(entries[row].candidate, width, room, is_selected=row == selected)
        return out


def _row(candidate: Candidate, width: int, room: int, *, is_selected: bool) -> StyleAndTextTuples:
    name = clipped(plain(candidate.shown), width)
    text = name + " " * (width - get_cwidth(name))
    help = clipped(f" -- {plain(candidate.help)}", room - width) if candidate.help else ""
    if is_selected:
        return [("class:offer.selected", text + help)]
    return [("", text), ("class:offer.help", help)]


def apply(buffer: Buffer, offer: Offer, *, menu: Menu) -> None:
    """What Tab does: a single candidate is typed; of several what they share, and all are shown."""
    document = buffer.document
    typed = document.text_before_cursor[offer.start :]
    if not offer.candidates:
        return
    if len(offer.candidates) == 1:
        only = offer.candidates[0]
        _replace(buffer, len(typed), only.text)
        _end_word(buffer, only)
        return
    shared = _shared([one.text for one in offer.candidates])
    if len(shared) > len(typed):
        _replace(buffer, len(typed), shared)
    menu.open(offer)


def accept(buffer: Buffer) -> None:
    """Take the selected candidate, and close the menu."""
    state = buffer.complete_state
    entry = state.current_completion if state else None
    buffer.complete_state = None
    if isinstance(entry, Entry):
        _end_word(buffer, entry.candidate)


def _end_word(buffer: Buffer, candidate: Candidate) -> None:
    """A blank behind a whole word, unless there is one."""
    if not candidate.is_open:
        if buffer.document.current_char == " ":
            buffer.cursor_position += 1
        else:
            buffer.insert_text(" ")


def _replace(buffer: Buffer, length: int, text: str) -> None:
    buffer.delete_before_cursor(length)
    buffer.insert_text(text)


def _shared(texts: Sequence[str]) -> str:
    """What all begin with, whatever the case; spelled as in the first one."""
    first = texts[0]
    for at, char in enumerate(first):
        if any(at >= len(text) or text[at].lower() != char.lower() for text in texts):
            return first[:at]
    return first
