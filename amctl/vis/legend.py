"""What the signs of a picture mean: only of those that are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from amctl.vis.cells import EDGE, RELATIONS, SPACE, cell, font, row, table
from amctl.vis.drawing import Mark
from amctl.vis.text import escape, label
from amctl.vis.theme import Kind, fill_of, glyph, ink

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from amctl.vis.dotgraph import Html

__all__ = ["legend", "seen_in"]

_NAMES: dict[Kind, tuple[str, str]] = {
    "plain": ("active state", "inactive state"),
    "ready": ("Ready", "Ready, inactive"),
    "start": ("Start", "Start, inactive"),
    "error": ("Exception, Err…", "Exception, Err…, inactive"),
}
_VERBS = {
    "require": "requires X",
    "add": "adds X",
    "remove": "removes X",
    "after": "comes after X",
}
_LINES = (
    ("pipe both", "- - - ►", "pipe0", "pipe: add and remove"),
    ("pipe add", "- - - ▷", "add", "pipe: add only"),
    ("pipe remove", "- - - ◊", "remove", "pipe: remove only"),
    ("pipe bundle", "━━━►", "pipe0", "pipes of all states, mirrored"),
    ("pipe group", "- 4 - ►", "pipe0", "pipes, with their number"),
    ("pipe count", "- 4 - ►", "pipe", "pipes, with their number"),
    ("rpc", "━━━►", "rpc", "RPC client to server"),
    ("parent", "━━━○", "parent", "child to parent"),
    ("rel require", "●━━", "require", "requires the state at the dot"),
    ("rel add", "━━►", "add", "adds"),
    ("rel remove", "- - ♦", "remove", "removes"),
    ("rel after", "- - >", "after", "comes after"),
)
_OTHERS = (
    ("nest", "box in box", "child in its parent"),
    ("half", "dashed box", "a machine of which only the name is drawn"),
    ("focus", "thick border", "asked for by name"),
    ("copy", "copy of M", "a network machine; its relations are M's"),
    ("fold", "○○", "a lamp for each of several machines that are alike"),
    ("counts", "19/45", "active states of all"),
)


def seen_in(marks: Iterable[Mark]) -> set[str]:
    """What elements with these marks show, in the legend's words."""
    seen = set()
    for mark in marks:
        words = mark.classes.split()
        if words[:1] == ["row"]:
            seen.add(f"{words[1]} {words[2]}")
            seen.update(words[3:])
        elif words[:1] == ["edge"]:
            kinds = words[2:] or [""]
            seen.update(f"{words[1]} {kind}".strip() for kind in kinds)
        else:
            seen.update(words)
    return seen


def legend(
    seen: Collection[str],
    caption: str,
    facts: str,
    marks: dict[str, Mark],
    head: Iterable[str] = (),
) -> Html:
    """The legend's table.

    Args:
        seen: What there is to explain: `seen_in`, and marks of text (`flags`, `require`...).
        caption: What the picture shows.
        facts: Counts, below.
        marks: Gets those of its lamps.
        head: Rows that come first.
    """
    rows = [*head, _wide(font(label(caption, 72), "text", 12, bold=True))]
    rows.append(_wide(font(escape(facts), "muted", 10)))
    rows += _lamps(seen, marks)
    rows += _texts(seen)
    for name, sign, token, words in _LINES:
        if name in seen:
            rows.append(_line(font(sign, token, 11, bold="━" in sign), words))
    for name, sign, words in _OTHERS:
        if name in seen:
            rows.append(_line(font(sign, "focus" if name == "focus" else "text", 11), words))
    return table(rows, border=1, color=ink("line"), bgcolor=ink("page"), cellspacing=1)


def _wide(content: str) -> str:
    return row(cell(content + EDGE, colspan=3, align="LEFT"))


def _line(sign: str, words: str) -> str:
    meaning = font(words, "muted", 10) + EDGE
    return row(cell(width=7), cell(sign + EDGE, align="LEFT"), cell(meaning, align="LEFT"))


def _lamps(seen: Collection[str], marks: dict[str, Mark]) -> list[str]:
    """Both looks of states, but one of each special kind."""
    rows = []
    for kind in get_args(Kind):
        shown = [lit for lit in (True, False) if f"{kind} {'on' if lit else 'off'}" in seen]
        rows += [_lamp(kind, lit, marks) for lit in (shown if kind == "plain" else shown[:1])]
    if "inh" in seen:
        rows.append(_line(font("Name", "muted", 12, italic=True), "of a standard set"))
    return rows


def _lamp(kind: Kind, lit: bool, marks: dict[str, Mark]) -> str:
    token = "ontext" if lit else "muted"
    words = _NAMES[kind][not lit]
    text = font(glyph(kind, lit), token, 9) + SPACE
    text += font(words, "ontext" if lit else "text", 12, bold=lit)
    element = f"lamp-{kind}-{'on' if lit else 'off'}"
    marks[element] = Mark(f"lamp {kind} {'on' if lit else 'off'}", {}, words)
    attrs = {"bgcolor": ink(fill_of(kind) if lit else "box"), "color": ink("box")}
    attrs |= {"href": "#", "id": element, "title": "x", "style": "rounded", "align": "LEFT"}
    lamp = cell(text, border=1, colspan=2, **attrs)
    return row(cell(width=7), lamp)


def _texts(seen: Collection[str]) -> list[str]:
    rows = []
    if "flags" in seen:
        rows.append(_line(font("A  M", "text", 9), "auto, multi"))
    for relation, mark in RELATIONS:
        if relation in seen:
            rows.append(_line(font(f"{mark} X", relation, 11), _VERBS[relation]))
    if "one of" in seen:
        bar = cell(sides="L", border=4, color=ink("remove"), width=7)
        words = cell(font("states that remove each other", "muted", 10), align="LEFT")
        rows.append(row(bar, cell(font("one of", "text", 11), align="LEFT"), words))
    return rows
