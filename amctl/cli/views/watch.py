"""Follow a run on a console: the live view on a terminal, lines elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, Self

from rich.live import Live

from amctl.cli.views.live import live
from amctl.cli.views.plain import plain
from amctl.cli.views.summary import summary

if TYPE_CHECKING:
    from rich.console import Console, Group

    from amctl.telemetry.recorder import Recorder
    from amctl.telemetry.snapshot import Snapshot

__all__ = ["LineView", "ScreenView", "View", "follow", "view_for"]

_FRAME = 0.1
_BREATH = 1.0


class View(Protocol):
    """Shows snapshots, one after the other, while it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def show(self, snap: Snapshot) -> None:
        """The next snapshot; later ones never have a lower `seq`."""


class ScreenView:
    """The live view; it goes away at the end, and the summary takes its place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Snapshot | None = None
        self._size = console.size
        self._live = Live(
            console=console, auto_refresh=False, transient=True, get_renderable=self._render
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()
        if self._last is not None:
            self._console.print(summary(self._last, self._console.width))

    def show(self, snap: Snapshot) -> None:
        """Draw it at once."""
        self._last = snap
        if self._console.size != self._size:
            # The terminal has broken the old frame's lines anew: nobody knows where it begins now.
            self._size = self._console.size
            self._console.clear()
        self._live.refresh()

    def _render(self) -> Group | str:
        if self._last is None:
            return ""
        # one line less than the terminal has, or it would scroll
        return live(self._last, self._console.width, self._console.height - 1)


class LineView:
    """A line for whatever is worth one, and the summary at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Snapshot | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._last is not None:
            self._console.print(summary(self._last), soft_wrap=True)

    def show(self, snap: Snapshot) -> None:
        """Print what is new in it."""
        for line in plain(self._last, snap):
            self._console.print(line, soft_wrap=True, markup=False, highlight=False)
        self._last = snap


def view_for(console: Console, *, lines: bool = False) -> View:
    """The view that suits a console; `lines` if others write to the terminal too, as a log does."""
    return ScreenView(console) if console.is_interactive and not lines else LineView(console)


async def follow(recorder: Recorder, view: View) -> None:
    """Show a run until its recorder is closed; at most ten times a second, at least once in one.

    Cancelling is safe: the view shows the last moment before it lets go.
    """
    changed = asyncio.Event()
    unsubscribe = recorder.subscribe(changed.set)
    try:
        while not recorder.is_closed:
            changed.clear()
            view.show(recorder.snapshot())
            await asyncio.sleep(_FRAME)
            try:
                async with asyncio.timeout(_BREATH - _FRAME):
                    await changed.wait()
            except TimeoutError:
                pass  # the clocks have moved
    finally:
        unsubscribe()
        view.show(recorder.snapshot())
