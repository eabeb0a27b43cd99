"""A machine as a table: a title, then a row per state, with a port at both ends of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.vis.cells import (
    BREAK,
    EDGE,
    StateLook,
    cell,
    font,
    name_text,
    pill,
    relation_cell,
    relation_text,
    row,
    table,
)
from amctl.vis.text import clean, escape, key, label, shortened, squeezed, width
from amctl.vis.theme import ink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amctl.graph.model import GraphMachine, GraphState
    from amctl.vis.dotgraph import Html
    from amctl.vis.drawing import Mark
    from amctl.vis.rows import Band, Seating

__all__ = [
    "PIPES",
    "TableOptions",
    "block_port",
    "half_table",
    "machine_table",
    "state_port",
    "tag_line",
]

PIPES = "pipes"
"""The port of pipes that have no row."""
COPY = "src-id:"
"""Tag prefix of a network machine: what it is a copy of."""
_EMPTY_TAGS = ("addr:",)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How tables are drawn."""

    look: StateLook = field(default_factory=StateLook)
    relations: bool = True
    after: bool = False
    tags: bool = True


def state_port(state: str, side: str) -> str:
    """The port of a row's end, `w` or `e`, with its compass point."""
    return f"{side}_{key(state)}:{side}"


def block_port(prefix: str) -> str:
    """The port of a block's header."""
    return f"g_{key(prefix)}"


def tag_line(machine: GraphMachine) -> str:
    """A machine's tags, and what it is a copy of, as people read them."""
    tags = [f"#{t}" for t in machine.tags if t not in _EMPTY_TAGS and not t.startswith(COPY)]
    copies = [f"copy of {t[len(COPY) :]}" for t in machine.tags if t.startswith(COPY)]
    return "  ".join([*([" ".join(tags)] if tags else []), *copies])


def half_table(machine_id: str, *, rounded: bool = False) -> Html:
    """A machine of which only the title is drawn."""
    head = cell(
        font(label(machine_id), "text", 13 if rounded else 14) + EDGE,
        port="head",
        cellpadding=3,
        align="LEFT",
    )
    style = "rounded,dashed" if rounded else "dashed"
    return table([row(head)], border=1, color=ink("muted"), bgcolor=ink("page"), style=style)


def machine_table(
    machines: Sequence[GraphMachine],
    seating: Seating,
    options: TableOptions,
    marks: dict[str, Mark],
    *,
    quiet: bool = False,
    mirrors: dict[str, str] | None = None,
    focus: bool = False,
    titled: bool = False,
) -> Html:
    """The table of a machine, or of several that are alike.

    Args:
        machines: One; or more, then each row has a lamp for each.
        seating: The order of rows.
        options: How.
        marks: Gets those of all cells.
        quiet: Leave out relations: they are those of the machine that this is a copy of.
        mirrors: Prefix of a block -> machine whose states it mirrors.
        focus: Whether it was asked for by name.
        titled: Whether pipes end at its title.
    """
    return _Table(machines, seating, options, marks, quiet=quiet, mirrors=mirrors or {}).html(
        focus, titled
    )


class _Table:
    def __init__(
        self,
        machines: Sequence[GraphMachine],
        seating: Seating,
        options: TableOptions,
        marks: dict[str, Mark],
        *,
        quiet: bool,
        mirrors: dict[str, str],
    ) -> None:
        self.machines = machines
        self.seating = seating
        self.options = options
        self.marks = marks
        self.quiet = quiet
        self.mirrors = mirrors
        self.known = {s.name for s in machines[0].states}
        self.missing = self._missing()

    @property
    def per_column(self) -> int:
        """Cells of a row: bar, lamps (the only one with the name), name, relations."""
        many = len(self.machines) > 1
        return 2 + len(self.machines) + many

    @property
    def span(self) -> int:
        return self.per_column * self.seating.columns

    def html(self, focus: bool, titled: bool) -> Html:
        rows = [row(self.head())]
        if titled:
            fill = ink("head")
            rows.append(row(cell(port=PIPES, bgcolor=fill, colspan=self.span, height=5)))
        for band in self.seating.bands:
            if band.has_header:
                rows.append(row(self.block_head(band.prefix)))
            rows += [self.line(band, i) for i in range(max(map(len, band.columns)))]
        return table(
            rows,
            border=3 if focus else 1,
            color=ink("focus" if focus else "line"),
            bgcolor=ink("box"),
        )

    def title(self) -> str:
        return " ".join(squeezed([m.id for m in self.machines]))

    def sub_title(self) -> str:
        return tag_line(self.machines[0]) if self.options.tags else ""

    def head(self) -> str:
        title = font(label(self.title(), 64), "text", 14, bold=True) + EDGE
        below = self.sub_title()
        if below:
            title += BREAK + font(label(below, 80), "muted", 10) + EDGE + BREAK
        return cell(
            title,
            port="head",
            colspan=self.span,
            bgcolor=ink("head"),
            align="LEFT",
            cellpadding=3,
        )

    def block_head(self, prefix: str) -> str:
        text = f"{shortened(clean(prefix))}…"
        if prefix in self.mirrors:
            text += f" ← all states of {shortened(clean(self.mirrors[prefix]))}"
        return cell(
            font(escape(text), "muted", 10, bold=True),
            port=block_port(prefix),
            colspan=self.span,
            sides="T",
            border=1,
            color=ink("line"),
            align="LEFT",
        )

    def line(self, band: Band, index: int) -> str:
        cells = []
        for number, column in enumerate(band.columns):
            is_last = number == len(band.columns) - 1
            # the last cell reaches the table's border, for its port to lie there
            spare = self.span - len(band.columns) * self.per_column if is_last else 0
            if index < len(column):
                cells.append(self.state(column[index], band.prefix, 1 + spare))
            else:
                cells.append(cell(colspan=self.per_column + spare))
        return row(*cells)

    def state(self, state: GraphState, prefix: str, tail: int) -> str:
        name, look = state.name, self.options.look
        group = self.seating.groups.get(name, ())
        bar: dict[str, str | int] = {"border": 0}
        if group:
            bar = {"sides": "L", "border": 4, "color": ink("remove")}
        cells = [cell(port=f"w_{key(name)}", cellpadding=0, width=7, **bar)]
        short = name[len(prefix) :] or name
        if len(self.machines) == 1:
            cells.append(pill(self.machines[0].id, state, look, self.marks, short))
        else:
            for machine in self.machines:
                own = machine.state(name) or state
                cells.append(pill(machine.id, own, look, self.marks))
            cells.append(cell(name_text(state, look, short, lit=False), align="LEFT"))
        attrs: dict[str, str | int] = {"colspan": tail} if tail > 1 else {}
        if self.missing > 0:
            attrs["width"] = self.missing
        said = self.relations(state, prefix, group)
        cells.append(cell(said, port=f"e_{key(name)}", align="LEFT", cellpadding=1, **attrs))
        return "".join(cells)

    def relations(self, state: GraphState, prefix: str, group: Sequence[str]) -> str:
        if self.quiet or prefix in self.mirrors or not self.options.relations:
            return ""
        said = relation_text(
            state, self.known, after=self.options.after, apart_from=group, prefix=prefix
        )
        return relation_cell(said)

    def _missing(self) -> int:
        """Width that a long title needs beyond a single column of rows: else dot widens the
        bars."""
        if self.seating.columns > 1:
            return 0
        title = max(width(self.title(), 14, bold=True), width(self.sub_title(), 10))
        names = [s.name for band in self.seating.bands for c in band.columns for s in c]
        return title - max((width(name, 12) + 34 for name in names), default=0)
