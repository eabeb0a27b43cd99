"""The two timelines: of transitions, and of the steps of the next one (debugger_ui.md 27, 28)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.strip import Strip

from amctl.debugger.face.pane import Pane, strip_of
from amctl.debugger.session import Moved, Spot
from amctl.debugger.views import Bucket, StepTimeline, Timeline, buckets, step_timeline, timeline

if TYPE_CHECKING:
    from rich.style import Style
    from textual import events

    from amctl.debugger.face.pane import Piece

__all__ = ["WHEEL", "StepLine", "TxLine"]

WHEEL: Final = 5
"""Transitions that a notch of the wheel moves by."""
_FULL, _EMPTY = "█", " "


class _Line(Pane, can_focus=True):
    """A bar that is filled up to where one stands; a click or a drag leads elsewhere."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._is_dragged = False

    def to(self, share: float) -> Moved:
        """Go to a part of it, from 0 to 1."""
        raise NotImplementedError

    def turn(self, by: int) -> Moved:
        """The wheel was turned by a notch, down if positive."""
        raise NotImplementedError

    def _share(self, event: events.MouseEvent) -> float:
        width = max(self.content_size.width, 1)
        at = event.x - self.gutter.left
        return min(max(at + 1, 0), width) / width if at >= 0 else 0.0

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Go there; the mouse leads on while its button is down."""
        event.stop()
        self._is_dragged = True
        self.capture_mouse()
        self.dbg.act(self.to(self._share(event)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Go there, while the button is down."""
        if self._is_dragged:
            event.stop()
            self.dbg.act(Moved(True, self.to(self._share(event)).text))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """That was it."""
        self._is_dragged = False
        self.release_mouse()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On."""
        event.stop()
        event.prevent_default()
        self.dbg.act(self.turn(1))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back."""
        event.stop()
        event.prevent_default()
        self.dbg.act(self.turn(-1))

    def strip(self, width: int) -> list[Piece]:
        """The bar."""
        raise NotImplementedError

    def label(self) -> str:
        """What it is, where there is no border to say it."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """The bar; without a border its title stands in it."""
        width = self.content_size.width
        if y:
            return Strip.blank(width, self.rich_style)
        if self.gutter.height:
            pieces = self.strip(width)
        else:
            label = f"{self.label()} "
            pieces = [(label, self.ink("bold" if self.has_focus else "text"))]
            pieces += self.strip(max(width - len(label), 0))
        return strip_of(pieces).crop_extend(0, width, None).apply_style(self.rich_style)


class TxLine(_Line):
    """Where one is among the shown transitions; errors and canceled ones are marked in it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line = Timeline(0, 0, 0, 0, 0)
        self._seen: tuple[object, ...] = ()
        self._parts: tuple[object, tuple[Bucket, ...]] = (None, ())

    def show(self) -> None:
        """See `Pane`."""
        session, store = self.session, self.session.store
        seen = (
            session.spot, session.filters, session.group, store.count, store.index.done,
            store.generation, self.size,
        )  # fmt: skip
        if seen != self._seen:
            self._seen = seen
            self.line = timeline(session)
            self.border_title = self._title()
            self.refresh()

    def _title(self) -> str:
        text = f"Transition {self.line.place} / {self.line.visible}"
        if self.line.visible == self.line.total:
            return text
        return f"{text} [dim]{self.line.cursor} / {self.line.total}[/dim]"

    def label(self) -> str:
        """See `_Line`."""
        return self.line.title

    def to(self, share: float) -> Moved:
        """See `_Line`."""
        return self.session.to_fraction(share)

    def turn(self, by: int) -> Moved:
        """See `_Line`."""
        return self.session.move(by * WHEEL)

    def _buckets(self, width: int) -> tuple[Bucket, ...]:
        session, store = self.session, self.session.store
        key = (
            session.machine, session.filters, session.group, width, store.generation,
            store.size(session.machine), getattr(store.held(session.machine), "size", -1),
        )  # fmt: skip
        if self._parts[0] != key:
            self._parts = key, buckets(session, width)
        return self._parts[1]

    def strip(self, width: int) -> list[Piece]:
        """See `_Line`."""
        full = round(self.line.share * width)
        if self.line.place and not full:
            full = 1
        if not width:
            return []
        marks = self._marks(width)
        found: list[Piece] = []
        filled, empty = self.ink("filled"), self.ink("text")
        for at in range(width):
            mark = marks.get(at)
            back = filled if at < full else empty
            found.append(("▁", back + mark) if mark is not None else (" ", back))
        return found

    def _marks(self, width: int) -> dict[int, Style]:
        parts = self._buckets(width)
        marks: dict[int, Style] = {}
        for at, part in enumerate(parts):
            # a part may be as wide as many cells; its mark is at its end, where a click leads to it
            cell = ((at + 1) * width + len(parts) - 1) // len(parts) - 1
            if part.errors:
                marks[cell] = self.ink("error")
            elif part.canceled:
                marks[cell] = self.ink("queued")
        return marks

    def on_focus(self) -> None:
        """Arrows move by transitions."""
        self.view.focus_timeline = "tx"


class StepLine(_Line):
    """Where one is among the steps of the next transition."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.line = StepTimeline(0, 0, False)
        self._seen: tuple[object, ...] = ()

    def show(self) -> None:
        """See `Pane`."""
        session, store = self.session, self.session.store
        seen = (
            session.spot, session.filters, session.group, session.next_cursor,
            store.generation, self.size,
        )  # fmt: skip
        if seen != self._seen:
            self._seen = seen
            self.line = step_timeline(session)
            self.border_title = self.label()
            self.refresh()

    def label(self) -> str:
        """See `_Line`."""
        return f"Next mutation step {self.line.step} / {self.line.total}"

    def to(self, share: float) -> Moved:
        """See `_Line`."""
        session = self.session
        step = min(int(share * self.line.total + 0.5), self.line.total)
        return session.go(Spot(session.machine, session.cursor, step))

    def turn(self, by: int) -> Moved:
        """See `_Line`: a step."""
        return self.session.move_step(by)

    def strip(self, width: int) -> list[Piece]:
        """See `_Line`: grey for a canceled one, red at its last step."""
        line = self.line
        full = round(line.step / line.total * width) if line.total else 0
        if line.step and not full:
            full = 1
        role = "filled"
        if line.is_canceled:
            role = "error" if line.is_last else "dim"
        style = self.ink(role)
        letter = _EMPTY if role == "filled" else _FULL
        return [(letter * full, style), (_EMPTY * (width - full), None)]

    def on_focus(self) -> None:
        """Arrows and play move by steps."""
        self.view.focus_timeline = "step"
        self.dbg.changed()

    def on_blur(self) -> None:
        """By transitions again."""
        self.view.focus_timeline = "tx"
        self.dbg.changed()
