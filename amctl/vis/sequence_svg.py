"""A sequence as SVG: a fixed row per step, a column per state, no Graphviz.

A lifeline is thick while its state is active. Colours are tokens of the theme, so one file serves
dark and light; what a mark means is told by its shape as well.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from amctl.vis._sequence_steps import lit_after
from amctl.vis.sequence import reason_text, tx_url, utc_text
from amctl.vis.text import clean, shortened, width
from amctl.vis.theme import FAMILY, Theme, css_vars, fill_of, glyph, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Many

    from amctl.vis.sequence import Actor, Sequence, SequenceRow

__all__ = ["render_svg"]

ROW, COLUMN = 20, 27
"""Height of a row and width of a column in px."""
_MARGIN, _WORDS = 14, 34
"""Where numbers and words begin."""
_LONGEST_WORDS = 400
_LONGEST_NAME = 40
_LONGEST_HEADER = 720
_RISE, _RUN = 0.79, 0.62
"""Sine and cosine of the names' angle."""
_LINE = 16
"""Height of a line above the steps."""
_ERROR_INK: dict[Theme, str] = {"dark": "#ff7043", "light": "#a33a12"}
"""Errors as text: the light theme's fill of errors is too pale for it."""
_MINUS, _TIMES = "\u2212", "\u00d7"

_INKS = {
    "called": "text",
    "activate": "add",
    "deactivate": "remove",
    "deactivate-passive": "remove",
    "cancel": "errink",
    "handler": "rpc",
    "require": "require",
    "add": "add",
    "remove": "remove",
    "after": "muted",
}

_STYLE = (
    f"svg.amseq{{background:var(--page)}}svg.amseq text{{font-family:{FAMILY};font-size:12px;"
    "fill:var(--text)}svg.amseq .small{font-size:11px;fill:var(--muted)}"
    "svg.amseq .no{font-size:10px;fill:var(--muted)}svg.amseq .title{font-size:15px;"
    "font-weight:bold}svg.amseq .bad{fill:var(--errink)}.zebra{fill:var(--box)}"
    ".life{fill:var(--line)}.lit{fill:var(--k);stroke:var(--line);stroke-width:.5}"
    "svg.amseq .actor text{fill:var(--muted)}svg.amseq .actor.on text{fill:var(--text);"
    "font-weight:bold}.actor.called text{text-decoration:underline}"
    "svg.amseq .step .words,svg.amseq .key text{fill:var(--k)}.mark{fill:var(--k);"
    "stroke:var(--page)}.ring{fill:none;stroke:var(--k);stroke-width:2}.hollow{fill:var(--page);"
    "stroke:var(--k);stroke-width:1.6}.line{stroke:var(--k);stroke-width:1.6}"
    ".remove .line{stroke-dasharray:5 3}.cross{stroke:var(--k);stroke-width:3}"
    ".end{fill:var(--box);stroke:var(--line)}.end.on{fill:var(--k)}"
    "svg.amseq .lamp{font-size:11px;text-anchor:middle;fill:var(--muted)}"
    "svg.amseq .lamp.on{fill:var(--ontext)}"
    + "".join(f".{kind}{{--k:var(--{ink})}}" for kind, ink in _INKS.items())
    + "".join(
        f".k-{kind}{{--k:var(--{fill_of(kind)})}}" for kind in ("plain", "ready", "start", "error")
    )
)


def render_svg(
    sequence: Sequence,
    *,
    brief: bool = False,
    group: str | None = None,
    theme: Theme | None = None,
) -> str:
    """The picture of a sequence. Equal sequences give equal bytes.

    Args:
        sequence: What to draw.
        brief: Show a repeated row once, with its count.
        group: Only states of this group of the machine's schema.
        theme: Fixed colours; None follows the viewer's setting.

    Raises:
        UnknownGroupError: The machine has no such group.
    """
    return _Picture(sequence, sequence.rows(brief=brief, group=group), group).write(theme)


class _Picture:
    def __init__(self, sequence: Sequence, rows: Many[SequenceRow], group: str | None) -> None:
        self.sequence, self.rows = sequence, rows
        shown = sequence.members(group)
        self.actors = [actor for actor in sequence.actors if actor.name in shown]
        self.header = list(_header(sequence, rows, group))
        self.words = [_words(row) for row in rows]
        longest = max((width(words, 12) for words in self.words), default=0)
        self.left = max(160, _WORDS + min(longest, _LONGEST_WORDS) + 26)
        self.x = {a.name: self.left + i * COLUMN for i, a in enumerate(self.actors)}
        names = [width(_short(a.name), 12, bold=True) + 16 for a in self.actors]
        self.head = 38 + _LINE * len(self.header)
        self.top = self.head + int(max(names, default=0) * _RISE)
        self.y = [self.top + 18 + i * ROW for i in range(len(rows))]
        self.bottom = (self.y[-1] if self.y else self.top) + 24
        ends = [self.x[a.name] + name * _RUN for a, name in zip(self.actors, names, strict=True)]
        head = max(width(text, 11) for _, text in self.header)
        title = width(f"{sequence.machine} {sequence.title}", 15, bold=True)
        wanted = 2 * _MARGIN + min(max(head, title), _LONGEST_HEADER)
        self.width = int(max([*ends, self.left, wanted, 400])) + 8
        self.keys = list(self._keys())
        self.height = self.bottom + 46 + (self.keys[-1][1] if self.keys else 0)

    def write(self, theme: Theme | None) -> str:
        """All of it."""
        size = f'width="{self.width}" height="{self.height}"'
        alt = "; ".join([f"{self.sequence.machine} {self.sequence.title}", *self.sequence.facts])
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="amseq" {size} '
            f'viewBox="0 0 {self.width} {self.height}" role="img">',
            f"<title>{_safe(alt)}</title>",
            f"<style>{_tokens(theme)}{_STYLE}</style>",
            *self._zebra(),
            *self._header(),
            *self._names(),
            *self._lifelines(),
            *(self._row(i, row) for i, row in enumerate(self.rows)),
            *self._ends(),
            *self._legend(),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"

    def _zebra(self) -> Iterator[str]:
        for y in self.y[1::2]:
            size = f'width="{self.width}" height="{ROW}"'
            yield f'<rect class="zebra" x="0" y="{y - ROW // 2}" {size}/>'

    def _header(self) -> Iterator[str]:
        space = self.width - 2 * _MARGIN
        title = _fitted(f"{self.sequence.machine} {self.sequence.title}", space, 15, bold=True)
        yield _text(_MARGIN, 24, title, "title")
        for number, (style, text) in enumerate(self.header):
            yield _text(_MARGIN, 44 + _LINE * number, _fitted(text, space, 11), style)

    def _names(self) -> Iterator[str]:
        for actor in self.actors:
            on = " on" if actor.was_active else " off"
            called = " called" if actor.is_called else ""
            lamp = glyph(kind_of(actor.name), actor.was_active)
            yield (
                f'<g class="actor{on}{called}" data-s="{_safe(actor.name)}" '
                f'transform="translate({self.x[actor.name]},{self.top - 6}) rotate(-52)">'
                f"<title>{_safe(_about(actor))}</title>"
                f"<text>{lamp} {_safe(_short(actor.name))}</text></g>"
            )

    def _lifelines(self) -> Iterator[str]:
        for actor in self.actors:
            for start, end, on in self._spans(actor):
                x, kind = self.x[actor.name], kind_of(actor.name)
                look = f'class="lit k-{kind}"' if on else 'class="life"'
                wide = 7 if on else 1
                yield (
                    f'<rect {look} data-s="{_safe(actor.name)}" x="{x - wide / 2:g}" y="{start}" '
                    f'width="{wide}" height="{end - start}"/>'
                )

    def _spans(self, actor: Actor) -> Iterator[tuple[int, int, bool]]:
        """From where to where its lifeline is thick, or thin."""
        on, start = actor.was_active, self.top
        for y, row in zip(self.y, self.rows, strict=True):
            if actor.name not in row.targets:
                continue
            new = lit_after(row.kind, actor.was_active, on)
            if new != on:
                yield start, y, on
                on, start = new, y
        if on != actor.is_active:  # what a canceled transition had begun falls back
            yield start, self.bottom - 8, on
            on, start = actor.is_active, self.bottom - 8
        yield start, self.bottom, on

    def _row(self, number: int, row: SequenceRow) -> str:
        y, words = self.y[number], self.words[number]
        space = self.left - _WORDS - 18
        parts = [
            f'<g class="step {row.kind}" data-a="{_safe(row.source)}" '
            f'data-b="{_safe(" ".join(row.targets))}">',
            f"<title>{_safe(_whole(row))}</title>",
            f'<text class="no" x="{_MARGIN}" y="{y + 4}">{number + 1}</text>',
            _text(_WORDS, y + 4, _fitted(words, space, 12), "words"),
        ]
        places = [self.x[state] for state in row.states]
        if len(places) > 1:
            ends = f'x1="{min(places)}" x2="{max(places)}"'
            parts.append(f'<line class="line" {ends} y1="{y}" y2="{y}"/>')
        if row.source:
            parts.append(
                f'<rect class="hollow" x="{self.x[row.source] - 4}" y="{y - 4}" '
                'width="8" height="8"/>'
            )
        for state in row.targets:
            back = bool(row.source) and self.x[row.source] > self.x[state]
            parts.append(_mark(row.kind, self.x[state], y, -1 if back else 1))
        return "".join([*parts, "</g>"])

    def _ends(self) -> Iterator[str]:
        yield _text(_MARGIN, self.bottom + 13, "active afterwards", "small")
        for actor in self.actors:
            x, kind, on = self.x[actor.name], kind_of(actor.name), actor.is_active
            lit = " on" if on else ""
            yield (
                f'<rect class="end{lit} k-{kind}" data-s="{_safe(actor.name)}" x="{x - 9}" '
                f'y="{self.bottom}" width="18" height="18" rx="4"/>'
            )
            yield _text(x, self.bottom + 13, glyph(kind, on), f"lamp{lit}")

    def _keys(self) -> Iterator[tuple[int, int, str]]:
        """Kinds of rows that occur, each with its place in the legend."""
        x, y = _MARGIN + 6, 0
        used = {row.kind for row in self.rows}
        for kind in (kind for kind in _INKS if kind in used):
            wide = width(kind, 11) + 34
            if x + wide > self.width and x > _MARGIN + 6:
                x, y = _MARGIN + 6, y + 18
            yield x, y, kind
            x += wide

    def _legend(self) -> Iterator[str]:
        for x, down, kind in self.keys:
            y = self.bottom + 34 + down
            label = f'<text class="small" x="{x + 12}" y="{y + 4}">{kind}</text>'
            yield f'<g class="key {kind}">{_mark(kind, x, y, 1)}{label}</g>'


def _header(
    sequence: Sequence, rows: Many[SequenceRow], group: str | None
) -> Iterator[tuple[str, str]]:
    """Class and text of each line under the title."""
    yield "small", " · ".join(sequence.facts).replace("->", "→").replace(" -", f" {_MINUS}")
    yield "small", f"{utc_text(sequence.time_ns)} · {sequence.url}"
    if sequence.source:
        source = sequence.source
        moment = f" at time {source.time}" if source.time else ""
        yield "small", f"because of {tx_url(source.machine_id, source.tx_id)}{moment}"
    if sequence.reason:
        yield "small bad", f"canceled: {reason_text(sequence.reason)}"
    if sequence.args:
        yield "small", "with " + ", ".join(f"{k}={v}" for k, v in sequence.args.items())
    note = f"only states of group {group} · " if group else ""
    if not sequence.steps:
        yield "small", note + "nothing was called, and nothing moved"
    elif sequence.is_queued:
        yield "small", note + "it has no steps before it runs"
    elif not sequence.is_recorded:
        yield "small", note + "no steps were recorded: these are made from its clocks"
    else:
        count = sum(len(row.targets) * row.times for row in rows)
        yield "small", f"{note}{count} steps in {len(rows)} rows: runs of like steps are joined"


def _mark(kind: str, x: int, y: int, to: int) -> str:
    """The sign of a step; `to` is where a triangle points to, 1 right or -1 left."""
    match kind:
        case "called":
            return f'<circle class="ring" cx="{x}" cy="{y}" r="5"/>'
        case "require":
            return f'<circle class="mark" cx="{x}" cy="{y}" r="4.5"/>'
        case "after":
            return f'<circle class="hollow" cx="{x}" cy="{y}" r="4"/>'
        case "handler":
            return f'<rect class="mark" x="{x - 7}" y="{y - 6}" width="14" height="12" rx="3"/>'
        case "cancel":
            return f'<path class="cross" d="M{x - 5},{y - 5}l10,10m0,-10l-10,10"/>'
        case "activate":
            return f'<path class="mark" d="M{x - 6},{y + 4}h12l-6,-10z"/>'
        case "deactivate":
            return f'<path class="mark" d="M{x - 6},{y - 4}h12l-6,10z"/>'
        case "deactivate-passive":
            return f'<path class="hollow" d="M{x - 5},{y - 3}h10l-5,8z"/>'
        case "add":
            return f'<path class="mark" d="M{x - 5 * to},{y - 5}v10l{9 * to},-5z"/>'
        case _:
            return f'<path class="mark" d="M{x - 6},{y}l6,-6l6,6l-6,6z"/>'


def _words(row: SequenceRow) -> str:
    return row.words + (f"  {_TIMES}{row.times}" if row.times > 1 else "")


def _whole(row: SequenceRow) -> str:
    """A row in full, for its tooltip."""
    targets = ", ".join(row.targets)
    said = f"{row.handler} of {targets}" if row.handler else f"{row.source} {row.kind} {targets}"
    return said.strip() + (f", {row.times} times" if row.times > 1 else "")


def _about(actor: Actor) -> str:
    """A state in full, for its tooltip."""
    called = ", called" if actor.is_called else ""
    return f"{actor.name}: tick {actor.before} → {actor.after}{called}"


def _short(name: str) -> str:
    return shortened(clean(name), _LONGEST_NAME)


def _fitted(text: str, space: float, size: float, *, bold: bool = False) -> str:
    """The text, its middle left out until it fits."""
    text = clean(text)
    while width(text, size, bold=bold) > space and len(text) > 8:
        text = shortened(text, min(len(text) - 1, int(len(text) * 0.97)))
    return text


def _text(x: int, y: int, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return html.escape(clean(text), quote=True)


def _tokens(theme: Theme | None) -> str:
    if theme:
        return f"svg.amseq{{{_colours(theme)}}}"
    light = f"svg.amseq{{{_colours('light')}}}"
    return (
        f"svg.amseq{{{_colours('dark')}}}@media(prefers-color-scheme:light){{{light}}}"
        f"@media print{{{light}}}"
    )


def _colours(theme: Theme) -> str:
    return f"{css_vars(theme)}--errink:{_ERROR_INK[theme]};"
