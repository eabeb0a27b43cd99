"""The schema tree (debugger_ui.md 2.2): states with clocks, relations, and what steps did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from amctl.debugger.face.pane import Pane, clipped, safe
from amctl.debugger.face.relations import TreeLine, relation_columns
from amctl.debugger.face.rows import RowsPane
from amctl.debugger.steps import links
from amctl.debugger.tree import StatesTree, states_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style
    from rich.text import Text
    from textual import events

    from amctl.debugger.face.pane import Piece
    from amctl.debugger.tree import StateRow

__all__ = ["GroupLine", "SchemaTree"]

_ROOT: Final = "States"


@dataclass(frozen=True, slots=True)
class _Node:
    """One line of the tree."""

    state: int = -1
    """Row of the state it is or belongs to; -1 is the root."""
    text: str = ""
    kind: str = "root"
    """`root`, `state`, `label`, `branch`, `ref`, `tag`."""
    guide: str = ""
    is_active: bool = False
    relation: str = ""
    """Of a reference."""


class GroupLine(Pane):
    """Which group of states is shown."""

    def render(self) -> Text:
        """One line."""
        from rich.text import Text

        group = self.session.group or "all"
        text = Text("Group ", self.ink("heading"))
        return text.append(f"{safe(group)} ▾ ", self.ink("mark"))

    async def on_click(self, event: events.Click) -> None:
        """Choose another one."""
        event.stop()
        await self.dbg.run_action("group")


class SchemaTree(RowsPane):
    """States of the machine, or of the selected group."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.states = StatesTree()
        self.nodes: list[_Node] = []
        self._open: dict[str, set[str]] = {}
        """Machine -> states that are open."""
        self._seen: tuple[object, ...] = ()
        self._width = 0
        self._columns: list[list[Piece]] = []
        self._was_stepping = False

    @property
    def count(self) -> int:
        """Lines."""
        return len(self.nodes)

    # -- what is there

    def show(self) -> None:
        """See `Pane`."""
        session = self.session
        seen = (
            session.spot, session.group, session.state, session.store.generation,
            session.filters, session.store.count, self.view.expanded,
        )  # fmt: skip
        if seen == self._seen:
            return
        was = self._seen
        self._seen = seen
        self.states = states_tree(session)
        shown = f" of {self.states.groups.get('all', 0)}" if self.states.group else ""
        self.entitle(f"Schema:{len(self.states.rows)}{shown}")
        self._lay()
        is_elsewhere = not was or was[0].machine != session.machine  # type: ignore[attr-defined]
        if is_elsewhere or was[2] != session.state or self._was_stepping != self.states.is_stepping:
            self.follow_state()
        self._was_stepping = self.states.is_stepping

    def _lay(self) -> None:
        """The lines of what is open."""
        here = self.nodes[self.at] if self.at < self.count else _Node()
        rows, opened = self.states.rows, self.opened
        nodes = [_Node(text=_ROOT)] if rows else []
        stepping = self.states.is_stepping
        for at, row in enumerate(rows):
            is_last = at == len(rows) - 1
            nodes.append(_Node(at, row.name, "state", "└──" if is_last else "├──", row.is_active))
            is_open = row.mark.is_touched if stepping else row.name in opened
            if is_open:
                nodes += self._below(at, row, "   " if is_last else "│  ")
        self.nodes = nodes
        self._width = max((cell_len(safe(row.name)) for row in rows), default=0)
        self._columns = self._relations()
        same = [n for n, one in enumerate(nodes) if (one.kind, one.text) == (here.kind, here.text)]
        self.at = min(same, key=lambda n: abs(n - self.at), default=self.at)
        self.fit()

    def _below(self, at: int, row: StateRow, stem: str) -> list[_Node]:
        found = [_Node(at, row.label, "label", f"{stem}├──")] if row.label else []
        for branch in row.branches:
            found.append(_Node(at, branch.title, "branch", f"{stem}├──"))
            kind = "tag" if branch.title == "Tags" else "ref"
            active = branch.active or (False,) * len(branch.items)
            for item, is_active in zip(branch.items, active, strict=False):
                relation = branch.title.lower() if kind == "ref" else ""
                found.append(_Node(at, item, kind, f"{stem}│  ├──", is_active, relation))
        return found

    def _relations(self) -> list[list[Piece]]:
        """Columns of the lines that join states, by line of the tree."""
        ahead = self.session.next_record if self.states.is_stepping else None
        if ahead is None:
            return []
        found = links(ahead, self.session.step)
        columns = relation_columns([self._place(node) for node in self.nodes], found)
        return [[(text, self.ink(role)) for text, role in each] for each in columns]

    def _place(self, node: _Node) -> TreeLine:
        if node.state < 0 or node.kind not in ("state", "ref"):
            return TreeLine()
        name = self.states.rows[node.state].name
        return TreeLine(name, node.relation, node.text if node.relation else "")

    @property
    def opened(self) -> set[str]:
        """States of the machine that are open."""
        return self._open.setdefault(self.session.machine, set())

    # -- drawing

    def pieces(self, at: int) -> Iterable[Piece]:
        """A line."""
        found = list(self._pieces(at))
        if at < len(self._columns) and self._columns[at]:
            width = sum(len(text) for text, _ in found)
            found.append((" " * max(self._width + 14 - width, 1), None))
            found += self._columns[at]
        return found

    def _pieces(self, at: int) -> Iterable[Piece]:
        node = self.nodes[at]
        if node.kind == "root":
            return [(_ROOT, self.ink("bold"))]
        row = self.states.rows[node.state]
        dim = self.ink("dim")
        if node.kind == "state":
            return self._state(node, row)
        if node.kind == "ref":
            style = self.ink("active" if node.is_active else "inactive")
            if node.text == self.session.state:
                style += self.ink("chosen")
            return [(node.guide, dim), (safe(node.text), style)]
        if node.kind == "tag":
            return [(node.guide, dim), (f"#{safe(node.text)}", dim)]
        return [(node.guide, dim), (safe(node.text), self.ink("dim"))]

    def _state(self, node: _Node, row: StateRow) -> list[Piece]:
        style = self._plain(row)
        tick = f"{'M' if row.is_multi else ' '}|{row.tick}"
        marks_width = 4 if self.states.is_stepping else 0
        room = self.content_size.width - 8 - marks_width - len(tick)
        room = max(min(self._width, room), 8)
        name = safe(row.name)
        if cell_len(name) > room:
            name = clipped(name, room)
        found: list[Piece] = [(node.guide, self.ink("dim"))]
        if self.states.is_stepping:
            wrong = self.states.is_canceled and "!" in row.mark.signs
            found.append((f"{row.mark.signs:<3}", self.ink("error") if wrong else self.ink("bold")))
        marks = self.ink("called") if row.is_called else None
        if row.mark.is_touched and marks is None:
            marks = self.ink("touched")
        chosen = self.ink("chosen") if row.is_selected else None
        found.append((name, style + marks if marks else style))
        found.append((f"{' ' * max(room - cell_len(name) + 1, 1)}{tick}", self._plain(row)))
        if row.change and not self.states.is_stepping:
            found.append((f" {row.change}", self.ink("dim")))
        if chosen is not None:
            return [(text, (style or chosen) + chosen) for text, style in found]
        return found

    def _plain(self, row: StateRow) -> Style:
        if row.is_error and row.is_active:
            return self.ink("error")
        if row.is_active:
            return self.ink("multi" if row.is_multi else "active")
        return self.ink("inactive")

    # -- moving

    def words(self) -> Sequence[str]:
        """Names of states and of those that they are related to."""
        return [node.text for node in self.nodes]

    def went(self) -> None:
        """Have the state selected that the cursor is on, or in."""
        node = self.nodes[self.at]
        name = self.states.rows[node.state].name if node.state >= 0 else ""
        if name != self.session.state:
            self.dbg.act(self.session.select_state(name))

    def choose(self) -> None:
        """Open or close a state; go to the state that is meant."""
        node = self.nodes[self.at]
        if node.kind == "root":
            self.toggle_all()
        elif node.kind == "ref":
            self.dbg.act(self.session.select_state(node.text))
        elif not self.states.is_stepping:
            self.opened.symmetric_difference_update({self.states.rows[node.state].name})
            self._lay()
            self.put(self._line_of(self.states.rows[node.state].name), told=False)

    def clicked(self, event: events.Click, *, again: bool) -> None:
        """A first click only selects."""
        if again or self.nodes[self.at].kind == "ref":
            self.choose()

    def toggle_all(self) -> None:
        """Open all states, or close them if any is open."""
        names = {row.name for row in self.states.rows if row.branches or row.label}
        opened = self.opened
        if opened:
            opened.clear()
        else:
            opened |= names
        self.view.expanded = bool(opened)
        self._lay()
        self.follow_state()

    def follow_state(self) -> None:
        """Have the cursor on the selected state."""
        if self.session.state:
            at = self._line_of(self.session.state)
            if at >= 0:
                self.put(at, told=False)
                return
        if self.states.is_stepping:
            self.scroll_to(y=0, animate=False)

    def _line_of(self, name: str) -> int:
        return next(
            (n for n, one in enumerate(self.nodes) if one.kind == "state" and one.text == name), -1
        )
