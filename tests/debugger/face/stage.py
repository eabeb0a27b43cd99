"""A small app around some parts of the screen, to try them by keys and mouse."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amctl.debugger.face.doings import Doings
from amctl.debugger.face.files import Outputs
from amctl.debugger.face.pane import Pane
from amctl.debugger.face.themes import DARK, themes
from amctl.debugger.face.viewstate import ViewState
from amctl.debugger.filters import Filters
from amctl.debugger.index import Place
from amctl.debugger.session import Session
from amctl.debugger.store import Store
from amctl.dump.opening import open_dump
from tests.debugger.panes import at

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from amctl.debugger.session import Moved
    from amctl.dump.model import Dump

__all__ = ["WORKFLOW", "Stage", "lines_of", "needs_workflow", "text_of", "workflow"]

WORKFLOW = Path(__file__).parents[4] / "shared" / "data" / "wasm-workflow.gob.br"
needs_workflow = pytest.mark.skipif(not WORKFLOW.exists(), reason="the recording isn't here")


def workflow(machine: str = "orchestrator", cursor: int = 111) -> Session:
    """Looking at the recorded run of the original."""
    session = Session(Store(_recorded()), Filters.none(), follow=False)
    session.work_all()
    session.go(Place(machine, cursor))
    return session


@lru_cache(maxsize=1)
def _recorded() -> Dump:
    return open_dump(WORKFLOW)


class Stage(Doings):
    """Parts below one another."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    AddressBar, TagsBar, TxBar { height: 1; width: 1fr; }
    TxLine, StepLine { height: 3; border: solid white; }
    Toolbar { height: 4; width: 1fr; }
    RainPane, MatrixPane { height: 1fr; border: solid white; }
    """

    def __init__(self, *parts: Pane, session: Session | None = None, **view: Any) -> None:
        super().__init__()
        self.session = session or at(3)
        self.view = ViewState(**view)
        self.outputs = Outputs()
        self.is_live = False
        self.parts = parts
        self.said: list[str] = []
        for one in themes():
            self.register_theme(one)
        self.theme = DARK

    def compose(self) -> ComposeResult:
        """All of them."""
        yield from self.parts

    def on_mount(self) -> None:
        """Show what is there."""
        self._show()

    def act(self, moved: Moved) -> None:
        """See `Host`."""
        if not moved.ok:
            self.say(f"{moved.text}; {moved.hint}" if moved.hint else moved.text)
        self.changed()

    def say(self, text: str) -> None:
        """See `Host`."""
        self.said.append(text)

    def changed(self) -> None:
        """See `Host`."""
        self.call_later(self._show)

    def _show(self) -> None:
        for screen in self.screen_stack:
            for pane in screen.walk_children(Pane):
                if pane.is_mounted and pane.display:
                    pane.show()


def lines_of(pane: Pane) -> list[str]:
    """What a part shows now, its border left out."""
    content = pane.content_region
    rows = pane.screen._compositor.render_strips(pane.app.size)
    return [
        rows[y].crop(content.x, content.right).text
        for y in range(content.y, min(content.bottom, len(rows)))
    ]


def text_of(pane: Pane) -> str:
    """The same in one text, spaces at the ends of lines left out."""
    return "\n".join(line.rstrip() for line in lines_of(pane))
