"""Running machines in a terminal, and as lines where it is none: lists, details, what was done.

Everything is drawn from the plain data that `--json` prints. Ids, states and texts come from other
programs: what would steer a terminal is taken out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from amctl.cli.views.words import INK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.console import RenderableType

__all__ = [
    "Grid",
    "clean",
    "details",
    "done_lines",
    "inner_listing",
    "listing",
    "schemas",
    "summary_line",
    "times",
]

Row = dict[str, Any]
_MUTED: Final = INK["muted"]
_PIPES: Final = 6
"""Pipes that are named of each machine, unless all are asked for."""
_RESULTS: Final = {
    "executed": "green",
    "queued": "yellow",
    "canceled": "red",
    "timed out": "red",
    "unreachable": "red",
    "failed": "red",
}


def clean(text: object) -> str:
    """Text without what would steer a terminal."""
    found = str(text)
    if found.isprintable():
        return found
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in found)


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows under a head; the last column takes what is left of a terminal's width."""

    head: tuple[str, ...]
    rows: list[tuple[Text, ...]] = field(default_factory=list)
    title: Text | None = None
    numbers: tuple[int, ...] = ()
    """Columns that stand at the right."""
    folds: bool = False
    """The last column goes on in the next line, in place of being cut."""

    def drawn(self) -> Iterator[RenderableType]:
        """For a terminal: as wide as it is, at most."""
        if self.title is not None:
            yield self.title
        table = Table(
            box=None,
            pad_edge=False,
            header_style=_MUTED,
            padding=(0, 2, 0, 0),
            show_header=any(self.head),
        )
        for index, name in enumerate(self.head):
            last = index == len(self.head) - 1
            justify: Any = "right" if index in self.numbers else "left"
            table.add_column(
                name, justify=justify, no_wrap=not last, overflow="fold" if last else "ellipsis"
            )
        for row in self.rows:
            *others, end = row
            if not self.folds:
                end = end.copy()
                end.no_wrap, end.overflow = True, "ellipsis"
            table.add_row(*others, end)
        yield table

    def lines(self, *, head: bool = True) -> list[str]:
        """For a file or a pipe: whole, in columns."""
        rows = [tuple(cell.plain for cell in row) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(self.head, *rows, strict=True)]
        shown = [self.head, *rows] if head else rows
        lines = [self.title.plain] if self.title is not None else []
        return [*lines, *(self._line(row, widths) for row in shown)]

    def _line(self, row: tuple[str, ...], widths: list[int]) -> str:
        cells = [
            cell.rjust(width) if index in self.numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()


# -- states


def _is_error(state: str) -> bool:
    return state.startswith("Err") or state == "Exception"


def _states(names: Iterable[str], ticks: Mapping[str, int] | None = None, ink: str = "") -> Text:
    """States with their ticks, errors first."""
    out = Text()
    for name in sorted(names, key=lambda one: not _is_error(one)):
        out.append(" " if out.plain else "")
        out.append(clean(name), INK["error"] if _is_error(name) and not ink else ink)
        if ticks is not None:
            out.append(f":{ticks.get(name, 0)}", _MUTED)
    return out


def _flags(row: Row) -> Text:
    return Text(row["flags"], "" if row["connected"] else INK["error"])


# -- lists


def listing(rows: Sequence[Row], *, states: bool = True, states_all: bool = False) -> Grid:
    """A line for each machine that answered: rows of `list --json`."""
    head = ("machine", "is", "time", "active states")
    # who asks for all states wants to see them all, be the terminal narrow
    grid = Grid(head if states or states_all else head[:3], numbers=(2,), folds=states_all)
    for row in rows:
        cells = [Text(clean(row["id"]), "bold"), _flags(row), Text(f"t{row['time']}")]
        if states or states_all:
            cells.append(_states(row["active"], row["ticks"]))
        if states_all:
            off = [name for name in row["ticks"] if name not in row["active"]]
            if off:
                rest = _states(off, row["ticks"], _MUTED)
                cells[-1].append(" [", _MUTED).append_text(rest).append("]", _MUTED)
        grid.rows.append(tuple(cells))
    return grid


def inner_listing(rows: Sequence[Row], *, states: bool = True) -> Grid:
    """A line for each machine of each process, children below their parents."""
    head = ("machine", "of", "time", "active states")
    grid = Grid(head if states else head[:3], numbers=(2,))
    for depth, row in _tree(rows):
        name = Text("  " * depth + clean(row["id"]), "" if depth else "bold")
        remote = f"mirrors {clean(row['remote_id'])}" if row["remote_id"] else ""
        what = remote or " ".join(map(clean, row["tags"][:2]))
        cells = [name, Text(what, _MUTED), Text(f"t{row['time_sum']}"), _states(row["active"])]
        grid.rows.append(tuple(cells if states else cells[:3]))
    return grid


def _tree(rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
    """Depth first, process by process; who has no parent here stands at the top."""
    seen: set[int] = set()
    for process in dict.fromkeys(row["process"] for row in rows):
        own = [row for row in rows if row["process"] == process]
        known = {row["id"] for row in own}
        children: dict[str, list[Row]] = {}
        for row in own:
            parent = row["parent_id"]
            is_top = parent not in known or parent == row["id"]
            children.setdefault("" if is_top else parent, []).append(row)
        stack = [(0, row) for row in reversed(children.get("", []))]
        while stack or any(id(row) not in seen for row in own):
            if not stack:  # parents may go round in a circle
                stack.append((0, next(row for row in own if id(row) not in seen)))
            depth, row = stack.pop()
            if id(row) in seen:
                continue
            seen.add(id(row))
            yield depth, row
            stack += [(depth + 1, child) for child in reversed(children.get(row["id"], []))]


def times(rows: Sequence[Row], *, sum: bool = False) -> Grid:
    """Machines' time: rows of `time --json`."""
    head = ("machine", "time") if sum else ("machine", "time", "ticks")
    grid = Grid(head, numbers=(1,), folds=True)
    for row in rows:
        cells = [Text(clean(row["id"]), "bold"), Text(f"t{row['sum']}")]
        ticks = {name: tick for name, tick in row["ticks"].items() if tick}
        grid.rows.append(tuple(cells if sum else [*cells, _odd(ticks)]))
    return grid


def _odd(ticks: Mapping[str, int]) -> Text:
    """Ticks in index order; those of active states stand out."""
    out = Text()
    for name, tick in ticks.items():
        out.append(" " if out.plain else "")
        ink = INK["error"] if _is_error(name) and tick % 2 else ("" if tick % 2 else _MUTED)
        out.append(f"{clean(name)}:{tick}", ink)
    return out


def schemas(rows: Sequence[Row]) -> list[Grid]:
    """All states of each machine: rows of `inspect --json`."""
    grids = []
    for row in rows:
        title = Text.assemble((clean(row["id"]), "bold"), (f"  t{row['time']}", _MUTED))
        grid = Grid(("state", "tick", "relations and properties"), [], title, (1,), folds=True)
        for name, state in row["states"].items():
            ink = INK["error"] if _is_error(name) else INK["active"]
            cell = Text(clean(name), ink if state["active"] else "")
            grid.rows.append((cell, Text(str(state["tick"])), _properties(state)))
        grids.append(grid)
    return grids


def _properties(state: Mapping[str, Any]) -> Text:
    out = Text()
    for name, value in state.items():
        if name in ("tick", "active") or not value:
            continue
        out.append(", " if out.plain else "")
        out.append(clean(name), _MUTED)
        if value is not True:
            words = value if isinstance(value, list | tuple) else [value]
            out.append(f" {' '.join(map(clean, words))}")
    return out


# -- details


def details(rows: Sequence[Row], *, all: bool = False) -> list[Grid]:
    """What each machine is: rows of `show --json`."""
    grids = []
    for row in rows:
        title = Text(clean(row["id"]), "bold")
        title.append(f"  t{row['time']}  ", "").append_text(_flags(row))
        title.append(f"  {clean(row['addr'])}", _MUTED)
        if row["key"] != row["addr"]:
            title.append(f" ({clean(row['key'])})", _MUTED)
        grid = Grid(("", ""), [], title, folds=True)
        for name, value in _facts(row, all=all):
            if value.plain:
                grid.rows.append((Text(f"  {name}", _MUTED), value))
        grids.append(grid)
    return grids


def _facts(row: Row, *, all: bool) -> Iterator[tuple[str, Text]]:
    yield "active", _states(row["active"], row["ticks"]) if row["active"] else Text("nothing")
    if all:
        off = [name for name in row["ticks"] if name not in row["active"]]
        yield "inactive", _states(off, row["ticks"], _MUTED)
    yield "parent", Text(clean(row["parent"]))
    yield "tags", Text(" ".join(map(clean, row["tags"])))
    if row["problem"]:
        yield "problem", Text(clean(row["problem"]), INK["error"])
    about = row["about"]
    if about is None:
        return
    yield "children", Text(" ".join(map(clean, about["children"])))
    yield "mirrors", _mirrors(row["mirrors"])
    yield "clients", Text(" ".join(map(clean, row["clients"])))
    yield from _pipes("pipes in", about["into"], "source", all=all)
    yield from _pipes("pipes out", about["out"], "target", all=all)
    for index, kind in enumerate(about["args"]):
        fields = ", ".join(f"{f['name']}: {f['type']} = {f['default']}" for f in kind["fields"])
        yield "" if index else "arguments", Text(clean(f"{kind['name']}({fields})"))
    for index, bound in enumerate(about["bindings"]):
        count = len(bound["handlers"])
        names = f": {' '.join(bound['handlers'])}" if all else f" ({count})"
        yield "" if index else "handlers", Text(clean(bound["id"] + names))
    for index, (name, states) in enumerate(about["groups"]):
        yield "" if index else "groups", Text(clean(f"{name}: {' '.join(states)}"))


def _mirrors(found: Sequence[Mapping[str, Any]]) -> Text:
    out = Text()
    for one in found:
        out.append(" " if out.plain else "").append(clean(one["id"]))
        if not one["connected"]:
            out.append(" (not connected)", INK["error"])
    return out


def _pipes(
    title: str, ends: Sequence[Mapping[str, str]], other: str, *, all: bool
) -> Iterator[tuple[str, Text]]:
    """A line for each machine at the other end; add and remove of a pair are one."""
    groups: dict[str, dict[str, None]] = {}
    for end in ends:
        same = end["source_state"] == end["target_state"]
        pair = end["source_state"] if same else f"{end['source_state']}->{end['target_state']}"
        groups.setdefault(end[f"{other}_id"], {})[pair] = None
    for index, (machine, pairs) in enumerate(groups.items()):
        names = [*pairs]
        shown = names if all else names[:_PIPES]
        text = Text(clean(machine)).append(f": {' '.join(map(clean, shown))}", "")
        if len(shown) < len(names):
            text.append(f" and {len(names) - len(shown)} more", _MUTED)
        yield "" if index else title, text


# -- what was done


def done_lines(
    rows: Sequence[Row],
    word: Callable[[Row], str],
    *,
    diff: bool = False,
    named: bool | None = None,
) -> Iterator[Text]:
    """A line for each report, and below it what moved if `diff`.

    Args:
        rows: Reports as data.
        word: What to say of one.
        diff: With clocks before and after.
        named: Whether ids are told; None: where there are several.
    """
    told = len(rows) > 1 if named is None else named
    width = max((len(clean(row["machine"])) for row in rows), default=0)
    for row in rows:
        line = Text(f"{clean(row['machine']):<{width}}  " if told else "", "bold")
        line.append(clean(word(row)), _RESULTS.get(row["result"], ""))
        yield line
        yield from _moved(row) if diff else ()


def _moved(row: Row) -> Iterator[Text]:
    for name, (old, new) in row["changed"].items():
        line = Text(f"   {clean(name)} ", INK["error"] if _is_error(name) and new % 2 else "")
        yield line.append(f"{old} -> {new}", _MUTED)
    if not row["changed"] and row["after"]:
        yield Text("   no clock moved", _MUTED)


def summary_line(rows: Sequence[Row], words: Mapping[str, str]) -> str:
    """`3 machines: 2 executed, 1 canceled`."""
    counts = Counter(words.get(row["result"], row["result"]) for row in rows)
    told = ", ".join(f"{count} {result}" for result, count in counts.items())
    return f"{len(rows)} machines: {told}"
