"""The toolbar: four rows of tools with their marks (debugger_ui.md 2.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from amctl.debugger.face.cells import Cell, CellsPane
from amctl.debugger.filters import Auto

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.debugger.face.files import Outputs
    from amctl.debugger.face.viewstate import ViewState
    from amctl.debugger.filters import Filters
    from amctl.debugger.session import Session

__all__ = ["FILTER_ROW", "TOOLS", "Tool", "Toolbar", "is_filtering"]


@dataclass(frozen=True, slots=True)
class Now:
    """What the marks tell of."""

    session: Session
    view: ViewState
    outputs: Outputs | None
    columns: int
    is_served: bool

    @property
    def filters(self) -> Filters:
        """What is hidden."""
        return self.session.filters


class Tool(NamedTuple):
    """One tool."""

    id: str
    """As scripts call it; its action is the same with `_` for `-`."""
    label: str
    text: str
    """For people."""
    mark: str | Callable[[Now], str]
    """What stands in its brackets: always the same, or by what is now."""

    @property
    def action(self) -> str:
        """What the app does."""
        return self.id.replace("-", "_")


def _on(value: object) -> str:
    return "X" if value else " "


_AUTO: Final = {Auto.SHOW: "X", Auto.HIDE_CANCELED: "*", Auto.HIDE: " "}


def _outputs(name: str) -> Callable[[Now], str]:
    def mark(now: Now) -> str:
        value = getattr(now.outputs, name, False)
        if isinstance(value, bool):
            return _on(value)
        if isinstance(value, int):
            return str(value) if value else " "
        return str(value)[:1].upper() if value and value != "off" else " "

    return mark


TOOLS: Final[tuple[tuple[Tool, ...], ...]] = (
    (
        Tool("prev-client", "mach", "the machine above in the list", "◀"),
        Tool("next-client", "mach", "the machine below in the list", "▶"),
        Tool("jump-prev", "jump", "back by 50, or by the selected state", "◄"),
        Tool("prev-step", "step", "the step before", "<"),
        Tool("prev", "tx", "the transition before", "◁"),
        Tool("next", "tx", "the next transition", "▷"),
        Tool("next-step", "step", "the next step", ">"),
        Tool("jump-next", "jump", "on by 50, or by the selected state", "►"),
        Tool("play", "play", "one on each half second", lambda now: _on(now.view.playing)),
        Tool("first", "first", "before the first transition", "1"),
        Tool("last", "last", "to the last transition", "N"),
    ),
    (
        Tool("log", "log", "level of the log, 0 to 5", lambda now: str(now.view.log_level)),
        Tool("skip-canceled", "canceled", "X: canceled ones are shown",
             lambda now: _on(not now.filters.canceled)),
        Tool("skip-queued", "queued", "X: queued ones are shown",
             lambda now: _on(not now.filters.queued)),
        Tool("skip-auto", "auto", "X: auto ones are shown; *: but for canceled ones",
             lambda now: _AUTO[now.filters.auto]),
        Tool("skip-empty", "empty", "X: those that moved nothing are shown",
             lambda now: _on(not now.filters.empty)),
        Tool("skip-health", "health", "X: heartbeats are shown",
             lambda now: _on(not now.filters.health)),
        Tool("skip-outgroup", "group", "X: those outside of the selected group are shown",
             lambda now: _on(not now.filters.outgroup)),
        Tool("skip-disconn", "disconn", "X: machines that are gone are shown",
             lambda now: _on(not now.filters.disconn)),
        Tool("skip-checks", "checks", "X: dry runs are shown",
             lambda now: _on(not now.filters.checks)),
        Tool("hide-timestamps", "times", "X: the log has lines of time",
             lambda now: _on(now.view.times)),
        Tool("skip-rpc-machs", "rpc", "X: machines of connections are shown",
             lambda now: _on(not now.filters.rpc)),
    ),
    (
        Tool("export", "export", "write the recording into a file", " "),
        Tool("expand", "expand", "X: all states of the tree are open",
             lambda now: _on(now.view.expanded)),
        Tool("hide-traces", "traces", "X: stack traces are shown in the log",
             lambda now: _on(now.view.traces)),
        Tool("diagrams", "diagrams", "detail of the pictures in the folder, 0 is none, to 3",
             _outputs("diagrams")),
        Tool("diag-tx", "diag-tx", "what of a transition is drawn: off, Called, Mutated, "
             "Touched, Relations", _outputs("diag_tx")),
        Tool("diag-group", "diag-group", "states outside of the group: off, Hide, Skip",
             _outputs("diag_group")),
        Tool("out-tx", "out-tx", "X: tx.md is written", _outputs("tx")),
        Tool("out-log", "out-log", "X: log.md is written", _outputs("log")),
        Tool("call-log", "call-log", "X: calls of handlers are written", _outputs("call_log")),
    ),
    (
        Tool("help", "help", "keys and colours", " "),
        Tool("tail", "tail", "X: it stays at the newest", lambda now: _on(now.session.follow)),
        Tool("reader", "reader", "X: the reader is shown", lambda now: _on(now.view.reader)),
        Tool("web", "web", "X: screen and files are served to browsers of this computer",
             lambda now: _on(now.is_served)),
        Tool("timelines", "timelines", "how many timelines, 0 to 2",
             lambda now: str(now.view.timelines)),
        Tool("log-wrap", "wrap", "X: long lines of the log go on below",
             lambda now: _on(now.view.wrap)),
        Tool("narrow-layout", "narrow", "X: without the list of machines",
             lambda now: _on(now.view.is_narrow(now.columns))),
        Tool("rain", "rain", "X: rain beside the tree",
             lambda now: _on(now.view.rain and now.view.content != "tree-log")),
        Tool("matrix", "matrix", "X: the matrix beside the tree",
             lambda now: _on(not now.view.rain and now.view.content != "tree-log")),
        Tool("find", "find", "where an expression over states became true", "/"),
    ),
)  # fmt: skip
"""By row. The marks of filters tell what is shown, not what is hidden."""
FILTER_ROW: Final = 1
WIDE: Final = 110
"""Columns from which on tools stand apart."""


def is_filtering(session: Session) -> bool:
    """Whether a filter may hide something."""
    held = session.filters
    return (
        held.auto is not Auto.SHOW
        or held.canceled
        or held.queued
        or held.empty
        or held.health
        or held.checks
        or (held.outgroup and bool(session.group))
        or held.disconn
        or held.rpc
    )


class Toolbar(CellsPane):
    """All tools. The row of filters stands on red while one of them may hide something."""

    def rows(self) -> Sequence[Sequence[Cell]]:
        """See `CellsPane`."""
        now = Now(
            self.session,
            self.view,
            getattr(self.app, "outputs", None),
            self.app.size.width,
            bool(getattr(self.app, "is_served", False)),
        )
        return tuple(
            tuple(self._cell(tool, now, at == FILTER_ROW) for tool in row)
            for at, row in enumerate(TOOLS)
        )

    def _cell(self, tool: Tool, now: Now, is_filter: bool) -> Cell:
        mark = tool.mark if isinstance(tool.mark, str) else tool.mark(now)
        ground = self.ink("filter") if is_filter and is_filtering(self.session) else None
        is_on = mark.strip() != "" and not isinstance(tool.mark, str)
        dim, bold = self.ink("dim"), self.ink("bold")
        if ground is not None:
            dim, bold = ground, ground + bold
        label = bold if is_on else dim
        gap = " " if now.columns >= WIDE else ""
        pieces = ((" [", dim), (mark, bold), (f"]{tool.label}", label), (gap, dim))
        return Cell(pieces, tool.action, tool.text)
