"""The whole debugger, driven by keys and mouse; and screens as golden pictures."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from amctl.debugger.face.app import Debugger
from amctl.debugger.face.viewstate import ViewState
from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from tests.debugger.face.stage import text_of
from tests.debugger.histories import recorded
from tests.debugger.panes import at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

    from amctl.debugger.face.pane import Pane

__all__ = ["Driver", "drive", "pane_text", "picture", "run"]

_IDS = re.compile(r"terminal-\d+")


class Driver:
    """An app and what drives it."""

    def __init__(self, app: Debugger, pilot: Pilot[Any]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def session(self) -> Session:
        """Of the app."""
        return self.app.session

    async def press(self, *keys: str) -> None:
        """Keys, until nothing is left to do."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def click(self, id: str, x: int = 0, y: int = 0) -> None:
        """A place of a pane's content."""
        pane = self.app.query_one(f"#{id}")
        offset = (pane.gutter.left + x, pane.gutter.top + y)
        assert await self.pilot.click(f"#{id}", offset=offset)
        await self.pilot.pause()

    async def settle(self) -> None:
        """Until nothing is left to do."""
        await self.pilot.pause()

    def text(self, id: str) -> str:
        """What a pane shows."""
        return text_of(self.app.query_one(f"#{id}", expect_type=None))  # type: ignore[arg-type]

    def focus(self, id: str) -> None:
        """Put a pane in focus."""
        self.app.query_one(f"#{id}").focus()


@asynccontextmanager
async def drive(
    session: Session | None = None,
    size: tuple[int, int] = (140, 40),
    view: ViewState | None = None,
    **more: Any,
) -> AsyncIterator[Driver]:
    """Run the debugger without a terminal; by default on the lamp."""
    more.setdefault("every", 0)
    app = Debugger(session or at(3), view or ViewState(), **more)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Driver(app, pilot)


def run(machine: str = "orchestrator", cursor: int = 111) -> Session:
    """Looking at the run that is recorded in the tree."""
    session = Session(Store(recorded()), Filters(), follow=False)
    session.work_all()
    session.go(Place(machine, cursor))
    return session


def pane_text(pane: Pane) -> str:
    """What a pane shows."""
    return text_of(pane)


def picture(app: Debugger) -> str:
    """The screen as SVG, whose ids are always the same."""
    svg = _IDS.sub("terminal", app.export_screenshot(title="amctl dbg"))
    return re.sub(r"[ \t]+\n", "\n", svg)
