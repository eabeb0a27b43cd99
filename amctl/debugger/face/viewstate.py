"""How the debugger's screen is set up: what of it is shown, and how. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CONTENTS", "MAX_LEVEL", "NARROW_BELOW", "TIMELINES", "Content", "ViewState"]

Content = Literal["tree-log", "tree-matrix", "matrix"]
CONTENTS: Final[tuple[Content, ...]] = ("tree-log", "tree-matrix", "matrix")
NARROW_BELOW: Final = 100
"""Columns of a terminal below which the list of machines is left out."""
MAX_LEVEL: Final = 5
TIMELINES: Final = 2


@dataclass
class ViewState:
    """What a person chose to see. As it is made, it is what a debugger starts with."""

    content: Content = "tree-log"
    rain: bool = False
    """Rain in the place of the matrix."""
    log_level: int = 2
    """0 is no log, 5 all of it."""
    reader: bool = True
    narrow: bool | None = None
    """None: by the width of the terminal."""
    toolbar: bool = False
    """Even on a screen that is too low for it."""
    timelines: int = 1
    """0, 1 (of transitions), 2 (of steps, too)."""
    wrap: bool = False
    """Long lines of the log go on below."""
    traces: bool = True
    """Stack traces show in the log."""
    times: bool = False
    """Lines of time show in the log."""
    expanded: bool = False
    """All states of the tree are open."""
    playing: bool = False
    focus_timeline: Literal["tx", "step"] = "tx"
    """What play and the arrows move in."""

    def is_narrow(self, columns: int) -> bool:
        """Whether the list of machines has no room, or isn't wanted."""
        return columns < NARROW_BELOW if self.narrow is None else self.narrow
