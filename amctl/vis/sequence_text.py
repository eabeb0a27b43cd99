"""A sequence as plain text, for terminals: rows are steps, columns are states.

The names stand as stairs above their columns, so that neither long nor many names need room:

              Ready ─┐
        StartWork ─┐ ┃
                   ┊ ┃
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.vis._sequence_steps import lit_after
from amctl.vis.sequence import reason_text, tx_url, utc_text
from amctl.vis.text import clean, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Sequence as Many

    from amctl.vis.sequence import Actor, Sequence, SequenceRow

__all__ = ["render_text"]

_LEAST_WORDS = 24
"""Characters for a row's words below which the columns are left out instead."""
_MOST_WORDS = 48
_GLUE = "\ufffe"
"""A space that no line ends at."""


@dataclass(frozen=True, slots=True)
class _Signs:
    active: str
    inactive: str
    across: str
    across_active: str
    across_inactive: str
    stair: str
    source: str
    times: str
    arrow: str
    ellipsis: str
    marks: dict[str, str]


_UNICODE = _Signs(
    active="┃",
    inactive="┊",
    across="─",
    across_active="╂",
    across_inactive="┼",
    stair="─┐",
    source="□",
    times="\u00d7",
    arrow="→",
    ellipsis="…",
    marks={
        "called": "○",
        "activate": "▲",
        "deactivate": "▼",
        "deactivate-passive": "▽",
        "cancel": "\u00d7",
        "handler": "■",
        "require": "●",
        "add": "►",
        "remove": "♦",
        "after": "◦",
    },
)
_ASCII = _Signs(
    active="|",
    inactive=".",
    across="-",
    across_active="+",
    across_inactive="-",
    stair="-.",
    source="@",
    times="x",
    arrow="->",
    ellipsis="~",
    marks={
        "called": "o",
        "activate": "^",
        "deactivate": "v",
        "deactivate-passive": "u",
        "cancel": "x",
        "handler": "#",
        "require": "*",
        "add": ">",
        "remove": "%",
        "after": "a",
    },
)


def render_text(
    sequence: Sequence,
    *,
    brief: bool = False,
    group: str | None = None,
    width: int = 80,
    ascii: bool = False,
) -> str:
    """The picture of a sequence in lines of text.

    Args:
        sequence: What to draw.
        brief: Show a repeated row once, with its count.
        group: Only states of this group of the machine's schema.
        width: Columns of the terminal. Where the states don't fit, only words are written.
        ascii: Nothing but ASCII.

    Raises:
        UnknownGroupError: The machine has no such group.
    """
    rows = sequence.rows(brief=brief, group=group)
    shown = sequence.members(group)
    actors = [actor for actor in sequence.actors if actor.name in shown]
    signs = _ASCII if ascii else _UNICODE
    lines = [
        *_wrapped(map(clean, _header(sequence, group, signs)), width),
        "",
        *_Grid(rows, actors, signs, width).lines(),
        *_wrapped(["", *_legend(rows, signs)], width),
    ]
    text = "\n".join(line.rstrip() for line in lines).rstrip() + "\n"
    return text.encode("ascii", "replace").decode("ascii") if ascii else text


def _header(sequence: Sequence, group: str | None, signs: _Signs) -> Iterator[str]:
    yield f"{sequence.machine} {sequence.title}"
    yield ", ".join(sequence.facts).replace("->", signs.arrow)
    yield utc_text(sequence.time_ns)
    yield sequence.url
    if sequence.source:
        yield f"because of {tx_url(sequence.source.machine_id, sequence.source.tx_id)}"
    if sequence.reason:
        yield f"canceled: {reason_text(sequence.reason)}"
    if sequence.args:
        yield "with " + ", ".join(f"{key}={value}" for key, value in sequence.args.items())
    if group:
        yield f"only states of group {group}"
    if not sequence.steps:
        yield "nothing was called, and nothing moved"
    elif not sequence.is_recorded and not sequence.is_queued:
        yield "no steps were recorded: these are made from its clocks"


def _legend(rows: Many[SequenceRow], signs: _Signs) -> Iterator[str]:
    used = dict.fromkeys(row.kind for row in rows)
    keys = [f"{signs.marks[kind]} {kind}" for kind in used]
    if any(row.source for row in rows):
        keys.append(f"{signs.source} has the relation")
    yield "  ".join(key.replace(" ", _GLUE) for key in keys)


def _wrapped(lines: Iterable[str], width: int) -> Iterator[str]:
    for line in lines:
        found = textwrap.wrap(line, width, subsequent_indent="  ", break_on_hyphens=False)
        yield from (part.replace(_GLUE, " ") for part in found or [""])


class _Grid:
    """Words on the left, one column of signs for each state on the right."""

    def __init__(
        self, rows: Many[SequenceRow], actors: Many[Actor], signs: _Signs, width: int
    ) -> None:
        self.rows, self.actors, self.signs = rows, actors, signs
        self.words = [self._words(number, row) for number, row in enumerate(rows, start=1)]
        wanted = min(max([_LEAST_WORDS, *map(len, self.words)]), _MOST_WORDS)
        self.pitch = _pitch(len(actors), width - 2 - wanted, width - 2 - _LEAST_WORDS)
        self.left = min(wanted, width - 2 - self.pitch * len(actors)) if self.pitch else width
        self.on = {actor.name: actor.was_active for actor in actors}

    def lines(self) -> Iterator[str]:
        """All of it."""
        if self.pitch:
            yield from self._stairs()
        for words, row in zip(self.words, self.rows, strict=True):
            grid = self._row(row) if self.pitch else ""
            yield f"{_cut(words, self.left, self.signs):<{self.left}}  {grid}"
            self._move(row)
        if not self.pitch and self.actors:
            active = " ".join(actor.name for actor in self.actors if actor.is_active)
            line = f"active afterwards: {active or 'none of the touched'}"
            yield from _wrapped([clean(line)], self.left)
            return
        self.on = {actor.name: actor.is_active for actor in self.actors}
        if self.actors:
            yield f"{'active afterwards':<{self.left}}  {self._still_line()}"

    def _stairs(self) -> Iterator[str]:
        """The names, the last one on top: what stands left of a name has not begun yet."""
        still = self._still()
        for number in range(len(self.actors) - 1, -1, -1):
            actor = self.actors[number]
            called = "called " if actor.is_called else ""
            label = f"{called}{clean(actor.name)} {self.signs.stair[0]}"
            start = self.left + 1 + (number + 1) * self.pitch
            label = _cut(label, start, self.signs)
            tail = [" " * (self.pitch - 1) + cell for cell in still[number + 1 :]]
            yield f"{label:>{start}}{self.signs.stair[1]}{''.join(tail)}"

    def _still(self) -> list[str]:
        """The lifelines between two steps."""
        return [
            self.signs.active if self.on[actor.name] else self.signs.inactive
            for actor in self.actors
        ]

    def _still_line(self) -> str:
        return "".join(" " * (self.pitch - 1) + cell for cell in self._still())

    def _row(self, row: SequenceRow) -> str:
        """One row's part of the grid."""
        cells = self._still()
        places = [i for i, actor in enumerate(self.actors) if actor.name in row.states]
        for i in range(places[0] + 1, places[-1]):
            lit = self.on[self.actors[i].name]
            cells[i] = self.signs.across_active if lit else self.signs.across_inactive
        for i in places:
            is_source = self.actors[i].name == row.source
            cells[i] = self.signs.source if is_source else self.signs.marks[row.kind]
        gaps = [
            (self.signs.across if places[0] < i <= places[-1] else " ") * (self.pitch - 1)
            for i in range(len(cells))
        ]
        return "".join(gap + cell for gap, cell in zip(gaps, cells, strict=True))

    def _move(self, row: SequenceRow) -> None:
        for actor in self.actors:
            if actor.name in row.targets:
                self.on[actor.name] = lit_after(row.kind, actor.was_active, self.on[actor.name])

    def _words(self, number: int, row: SequenceRow) -> str:
        times = f" {self.signs.times}{row.times}" if row.times > 1 else ""
        return f"{number:>2} {clean(row.words)}{times}"


def _pitch(columns: int, room: int, most: int) -> int:
    """Width of a column; 0 if they don't even fit beside the shortest words."""
    wide = [pitch for pitch in (3, 2) if pitch * columns <= room]
    if wide:
        return wide[0]
    narrow = [pitch for pitch in (2, 1) if pitch * columns <= most]
    return narrow[0] if narrow else 0


def _cut(text: str, longest: int, signs: _Signs) -> str:
    if len(text) <= longest:
        return text
    return shortened(text, longest).replace("…", signs.ellipsis)
