"""Pieces of tables: HTML-like labels, whose cells become groups with an id in the SVG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amctl.vis.dotgraph import Html
from amctl.vis.drawing import OFF, Mark
from amctl.vis.text import clean, escape, key, label, shortened, squeezed
from amctl.vis.theme import fill_of, glyph, ink, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from amctl.graph.model import GraphState

__all__ = [
    "BREAK",
    "EDGE",
    "RELATIONS",
    "SPACE",
    "StateLook",
    "cell",
    "font",
    "pill",
    "relation_text",
    "row",
    "state_id",
    "table",
    "tooltip",
]

RELATIONS = (("require", "◄"), ("add", "+"), ("remove", "\u00d7"), ("after", "»"))
"""Relations, and how a row marks them; also what colours them."""
SPACE = "&#160;"
"""An XML reader would drop a common one at the start of a text."""
EDGE = f'<FONT POINT-SIZE="6">{SPACE}</FONT>'
"""Keeps a text off the border."""
BREAK = '<BR ALIGN="LEFT"/>'
_NAMES = 2
"""Names after a mark; the rest is counted."""


@dataclass(frozen=True, slots=True)
class StateLook:
    """How states are shown, by the options."""

    active: bool = True
    inherited: bool = True
    words: bool = False
    """Flags as words instead of letters."""

    def lit(self, state: GraphState) -> bool:
        """Whether it is shown as active."""
        return self.active and state.is_active

    def muted(self, state: GraphState) -> bool:
        """Whether it is shown as one of a standard set."""
        return self.inherited and state.inherited


def font(
    text: str,
    token: str = "",
    size: float = 0,
    *,
    bold: bool | None = False,
    italic: bool = False,
) -> str:
    """A run of text. `bold=None` is an inactive name: see `drawing.OFF`."""
    if bold or bold is None:
        text = f"<B>{text}</B>" if bold else f"{OFF[0]}<B>{OFF[1]}{text}{OFF[0]}</B>{OFF[1]}"
    if italic:
        text = f"<I>{text}</I>"
    colour = f' COLOR="{ink(token)}"' if token else ""
    points = f' POINT-SIZE="{size:g}"' if size else ""
    return f"<FONT{colour}{points}>{text}</FONT>" if colour or points else text


def cell(content: str = "", /, **attrs: str | int) -> str:
    """A TD; names of attributes in lower case, empty ones left out."""
    given = "".join(f' {k.upper()}="{v}"' for k, v in attrs.items() if v != "")
    return f"<TD{given}>{content}</TD>"


def row(*cells: str) -> str:
    """A TR."""
    return f"<TR>{''.join(cells)}</TR>"


def table(rows: Iterable[str], **attrs: str | int) -> Html:
    """A TABLE without inner borders, a row a line."""
    plain: dict[str, str | int] = {"cellborder": 0, "cellspacing": 0, "cellpadding": 1}
    given = "".join(f' {k.upper()}="{v}"' for k, v in {**plain, **attrs}.items())
    return Html("\n".join([f"<TABLE{given}>", *rows, "</TABLE>"]))


def state_id(machine: str, state: str) -> str:
    """The element id of a state's row."""
    return f"s|{key(machine)}|{key(state)}"


def pill(
    machine: str,
    state: GraphState,
    look: StateLook,
    marks: dict[str, Mark],
    name: str | None = None,
    attrs: Mapping[str, str | int] | None = None,
) -> str:
    """The cell of a state: lamp, name, flags. It is what lights up.

    Args:
        machine: Whose state.
        state: Which.
        look: How.
        marks: Gets the cell's.
        name: What to write; None is a lamp alone.
        attrs: Further attributes of the cell.
    """
    kind, lit, muted = kind_of(state.name), look.lit(state), look.muted(state)
    element = state_id(machine, state.name)
    classes = f"row {kind} {'on' if lit else 'off'}{' inh' if muted else ''}"
    data = {"data-m": machine, "data-s": state.name}
    marks[element] = Mark(classes, data, tooltip(machine, state))
    content = font(glyph(kind, lit), "ontext" if lit else "muted", 9)
    if name is not None:
        content += SPACE + name_text(state, look, name) + EDGE
    base: dict[str, str | int] = {
        "href": "#",
        "id": element,
        "title": "x",
        "bgcolor": ink(fill_of(kind) if lit else "box"),
        "border": 1,
        "color": ink("box"),
        "style": "rounded",
        "align": "LEFT",
    }
    return cell(content, **{**base, **(attrs or {})})


def name_text(state: GraphState, look: StateLook, name: str, *, lit: bool | None = None) -> str:
    """A state's name and flags."""
    on = look.lit(state) if lit is None else lit
    muted = look.muted(state)
    token = "ontext" if on else "muted" if muted else "text"
    text = font(
        label(name), token, 12, bold=True if on else None if lit is None else False, italic=muted
    )
    flags = [flag for flag in ("auto", "multi") if getattr(state, flag)]
    if flags:
        shown = " ".join(flags) if look.words else "".join(flag[0].upper() for flag in flags)
        text += font(f"{SPACE}{shown}", "ontext" if on else "muted", 9)
    return text


def tooltip(machine: str, state: GraphState) -> str:
    """All about a state."""
    flags = [flag for flag in ("auto", "multi", "inherited") if getattr(state, flag)]
    lines = [f"{clean(machine)}:{clean(state.name)}"]
    if flags:
        lines.append(", ".join(flags))
    for relation, _ in RELATIONS:
        names = getattr(state, relation)
        if names:
            lines.append(f"{relation}: {', '.join(map(clean, names))}")
    return "\n".join(lines)


def relation_text(
    state: GraphState,
    known: Collection[str],
    *,
    after: bool = False,
    apart_from: Collection[str] = (),
    prefix: str = "",
) -> Mapping[str, str]:
    """What a row says about a state's relations: relation -> mark and names, not escaped.

    Args:
        state: Whose.
        known: States of the machine.
        after: Tell After relations too.
        apart_from: States whose removal is shown otherwise.
        prefix: What the names in this block begin with; it isn't repeated.
    """
    said = {}
    for relation, mark in RELATIONS:
        names = [x for x in getattr(state, relation) if x in known]
        if relation == "remove":
            names = [x for x in names if x not in apart_from]
        if not names or (relation == "after" and not after):
            continue
        short = [_short(x, prefix) for x in squeezed(names)]
        more = f" +{len(short) - _NAMES}" if len(short) > _NAMES else ""
        said[relation] = mark + " ".join(short[:_NAMES]) + more
    return said


def _short(name: str, prefix: str) -> str:
    if prefix and name.startswith(prefix) and name != prefix:
        name = "…" + name[len(prefix) :]
    return shortened(clean(name), 28)


def relation_cell(said: Mapping[str, str]) -> str:
    """`relation_text` as text of a cell."""
    texts = [font(escape(text), relation, 10) for relation, text in said.items()]
    return f" {SPACE}".join(texts) + EDGE if texts else ""
