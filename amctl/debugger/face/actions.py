"""What keys and tools do, but for those that open dialogs or write files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from textual.app import App

from amctl.debugger.face.clients import ClientList
from amctl.debugger.face.log import LogPane
from amctl.debugger.face.pane import Pane
from amctl.debugger.face.reader import ReaderPane
from amctl.debugger.face.rows import RowsPane
from amctl.debugger.face.states import SchemaTree
from amctl.debugger.face.toolbar import Toolbar
from amctl.debugger.face.viewstate import MAX_LEVEL, TIMELINES
from amctl.debugger.jumps import Jump
from amctl.debugger.session import Moved
from amctl.debugger.views import machines

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.widget import Widget

    from amctl.debugger.face.viewstate import Content, ViewState
    from amctl.debugger.session import Session

__all__ = ["PLAY_EVERY", "Actions"]

PLAY_EVERY: Final = 0.5
"""Seconds."""
_VIEWS: Final[tuple[tuple[Content, bool], ...]] = (
    ("tree-log", False),
    ("tree-matrix", False),
    ("tree-matrix", True),
    ("matrix", False),
    ("matrix", True),
)
"""What alt+m goes through: content, and whether rain is in it."""


class Actions(App[int]):
    """Actions by the ids of tools (debugger_ui.md 2.8), `-` written as `_`."""

    session: Session
    view: ViewState
    _player: Timer | None = None

    def act(self, moved: Moved) -> None:
        """Say why a move led nowhere, if so; and bring the screen up to date."""
        raise NotImplementedError

    def changed(self) -> None:
        """Have all parts show the present, once for however many changes there are by then."""
        raise NotImplementedError

    # -- moving

    def action_prev(self) -> None:
        """The transition before."""
        self.act(self.session.move(-1))

    def action_next(self) -> None:
        """The transition behind."""
        self.act(self.session.move(1))

    def action_prev_step(self) -> None:
        """The step before."""
        self.act(self.session.move_step(-1))

    def action_next_step(self) -> None:
        """The step behind."""
        self.act(self.session.move_step(1))

    def action_jump_prev(self) -> None:
        """Far back: 50, or to where the selected state was touched or called."""
        self.act(self.session.fast(False))

    def action_jump_next(self) -> None:
        """Far on."""
        self.act(self.session.fast(True))

    def action_first(self) -> None:
        """Before everything."""
        self.act(self.session.first())

    def action_last(self) -> None:
        """To the end."""
        self.act(self.session.last())

    def action_jump(self, kind: str, forward: bool = True) -> None:
        """To the next error, canceled one, cause: see `Jump`."""
        self.act(self.session.jump(Jump(kind), forward))

    def action_left(self) -> None:
        """Back, by what the timeline in focus counts."""
        self.action_prev_step() if self._is_stepwise else self.action_prev()

    def action_right(self) -> None:
        """On, by what the timeline in focus counts."""
        self.action_next_step() if self._is_stepwise else self.action_next()

    @property
    def _is_stepwise(self) -> bool:
        return self.view.focus_timeline == "step"

    def action_prev_client(self) -> None:
        """The machine above in the list."""
        self._neighbour(-1)

    def action_next_client(self) -> None:
        """The machine below in the list."""
        self._neighbour(1)

    def _neighbour(self, by: int) -> None:
        ids = [row.id for row in machines(self.session).rows]
        here = self.session.machine
        at = ids.index(here) + by if here in ids else 0
        if 0 <= at < len(ids):
            self.act(self.session.select_machine(ids[at]))
        else:
            self.act(Moved(False, "there is no machine further on"))

    def action_history_back(self) -> None:
        """To where one was before."""
        self.act(self.session.back())

    def action_history_forward(self) -> None:
        """Undo that."""
        self.act(self.session.forward())

    def action_tail(self) -> None:
        """Stay at the newest, or stop that."""
        self.session.set_follow(not self.session.follow)
        self.changed()

    def action_play(self) -> None:
        """A transition or a step each half second, until the end."""
        self.view.playing = not self.view.playing
        if self.view.playing:
            if self._player is None:
                self._player = self.set_interval(PLAY_EVERY, self.play_on)
            self._player.reset()
            self._player.resume()
        elif self._player is not None:
            self._player.pause()
        self.changed()

    def play_on(self) -> None:
        """One more."""
        if not self.view.playing:
            return
        moved = self.session.move_step(1) if self._is_stepwise else self.session.move(1)
        if not moved.ok:
            self.action_play()
        self.changed()

    # -- machines

    def action_remove_client(self) -> None:
        """Take the machine out of the list: the cursor's if the list is in focus."""
        if isinstance(self.focused, ClientList):
            self.focused.action_remove()
        else:
            self.act(self.session.remove_machine(self.session.machine))

    # -- what is hidden

    def action_skip(self, name: str) -> None:
        """Hide or show one kind of transitions or machines: see `filters.NAMES`."""
        self.session.set_filters(self.session.filters.toggled(name))
        self.changed()

    def action_skip_canceled(self) -> None:
        """Canceled ones."""
        self.action_skip("canceled")

    def action_skip_queued(self) -> None:
        """Queued ones."""
        self.action_skip("queued")

    def action_skip_auto(self) -> None:
        """Auto ones, in three steps."""
        self.action_skip("auto")

    def action_skip_empty(self) -> None:
        """Those that moved nothing."""
        self.action_skip("empty")

    def action_skip_health(self) -> None:
        """Heartbeats."""
        self.action_skip("health")

    def action_skip_outgroup(self) -> None:
        """Those outside of the selected group."""
        self.action_skip("outgroup")

    def action_skip_disconn(self) -> None:
        """Machines that are gone."""
        self.action_skip("disconn")

    def action_skip_checks(self) -> None:
        """Dry runs."""
        self.action_skip("checks")

    def action_skip_rpc_machs(self) -> None:
        """Machines of connections."""
        self.action_skip("rpc")

    # -- how it is shown

    def action_log(self) -> None:
        """The next level of the log."""
        self.view.log_level = (self.view.log_level + 1) % (MAX_LEVEL + 1)
        self.changed()

    def action_hide_traces(self) -> None:
        """Stack traces in the log."""
        self.view.traces = not self.view.traces
        self.changed()

    def action_hide_timestamps(self) -> None:
        """Lines of time in the log."""
        self.view.times = not self.view.times
        self.changed()

    def action_log_wrap(self) -> None:
        """Long lines of the log."""
        self.view.wrap = not self.view.wrap
        self.changed()

    def action_reader(self) -> None:
        """The reader."""
        self.view.reader = not self.view.reader
        self.changed()

    def action_timelines(self) -> None:
        """0, 1, 2 of them."""
        self.view.timelines = (self.view.timelines + 1) % (TIMELINES + 1)
        self.changed()

    def action_narrow_layout(self) -> None:
        """Without the list of machines, or with it."""
        self.view.narrow = not self.view.is_narrow(self.size.width)
        self.changed()

    def action_rain(self) -> None:
        """Rain beside the tree, or the log again."""
        is_on = self.view.rain and self.view.content != "tree-log"
        self._look_at(("tree-log", False) if is_on else ("tree-matrix", True))

    def action_matrix(self) -> None:
        """The matrix beside the tree, or the log again."""
        is_on = not self.view.rain and self.view.content != "tree-log"
        self._look_at(("tree-log", False) if is_on else ("tree-matrix", False))

    def action_cycle_view(self) -> None:
        """Through all views."""
        here = self.view.content, self.view.rain
        at = _VIEWS.index(here) + 1 if here in _VIEWS else 0
        self._look_at(_VIEWS[at % len(_VIEWS)])

    def _look_at(self, wanted: tuple[Content, bool]) -> None:
        self.view = replace(self.view, content=wanted[0], rain=wanted[1])
        self.changed()

    def action_expand(self) -> None:
        """Open or close the tree; or the reader, if it is in focus."""
        if isinstance(self.focused, ReaderPane):
            self.focused.toggle_all()
        else:
            for tree in self.screen.walk_children(SchemaTree):
                tree.toggle_all()
        self.changed()

    # -- panes

    @property
    def panes(self) -> list[Widget]:
        """Parts that can be in focus, in their order."""
        return [one for one in self.screen.focus_chain if isinstance(one, Pane)]

    def action_pane(self, by: int) -> None:
        """The next part, or the one before."""
        if by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()
        self.changed()

    def action_focus_toolbar(self) -> None:
        """To the toolbar, and from it to the list of machines."""
        bar = self.query_one(Toolbar)
        if self.focused is bar:
            self.view.toolbar = False
            self.action_escape()
            return
        self.view.toolbar = bar.display = True
        bar.focus()
        self.changed()

    def action_page(self, by: int) -> None:
        """So many screens down in the list in focus."""
        if isinstance(self.focused, (RowsPane, LogPane)):
            self.focused.page(by)

    def action_escape(self) -> None:
        """To the list of machines; without it to the tree."""
        for kind in (ClientList, SchemaTree):
            found = next((p for p in self.screen.walk_children(kind) if p.display), None)
            if found is not None and found.focusable:
                found.focus()
                break
        self.changed()
