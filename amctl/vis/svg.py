"""The last touch on Graphviz's SVG: ids, classes and data that scripts and styles hold on to.

Graphviz writes a link where a table's cell has an id; links become groups, the two paths of a
rounded cell become one rect, points become px, sentinel colours become `var(--token)`. What each
element stands for comes from the drawing's marks, by id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from amctl.vis.errors import RenderError
from amctl.vis.text import clean
from amctl.vis.theme import STYLE, css_vars, painted, themed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.vis.drawing import Drawing, Mark
    from amctl.vis.theme import Choice

__all__ = ["finish"]

_SVG = "http://www.w3.org/2000/svg"
_LINK = "a_"
"""What Graphviz puts before the id of a cell."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SPECIAL = re.compile('[&<>"\n]')
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;"})
_COLOURED = ("fill", "stroke")
_CAP_HEIGHT = 0.716
"""Of Helvetica's capitals, by font size. Graphviz writes texts a little above the middle."""
_TITLE_SIZES = ("13.00", "14.00", "15.00")
_PARTS = ("gl", "nm", "fl")
"""Classes of a row's texts: lamp, name, flags."""

Element = ElementTree.Element


def finish(svg: bytes, drawing: Drawing, theme: Choice) -> str:
    """The SVG as it is delivered.

    Args:
        svg: As Graphviz wrote it, with sentinel colours.
        drawing: What it shows.
        theme: Which colours hold at first, `auto` those of the viewer's system; the file has both,
            chosen by `data-theme` of its root.

    Raises:
        RenderError: It isn't XML.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise RenderError("Graphviz wrote an SVG that isn't XML", str(error)) from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.tail = None
    _group(root, drawing.marks)
    _paint(root)
    _head(root, drawing, theme)
    out: list[str] = []
    _write(root, out)
    return "".join(out)


def _head(root: Element, drawing: Drawing, theme: Choice) -> None:
    """Size in px, styles, and words for those who can't see it."""
    width, height = (root.get(name, "0").removesuffix("pt") for name in ("width", "height"))
    view = root.get("viewBox", "")
    style = Element("style")
    style.text = "".join(f"svg.amvis[data-theme={t}]{{{css_vars(t)}}}" for t in ("dark", "light"))
    style.text += themed("svg.amvis[data-theme=auto]") + STYLE
    title, description = Element("title", {"id": "amvis-title"}), Element("desc")
    title.text, description.text = clean(drawing.title), clean(drawing.description)
    description.set("id", "amvis-desc")
    root.attrib.clear()
    root.attrib.update(
        {
            "xmlns": _SVG,
            "width": width,
            "height": height,
            "viewBox": view,
            "class": f"amvis {drawing.kind}",
            "data-theme": theme,
            "role": "img",
            "aria-labelledby": "amvis-title amvis-desc",
        }
    )
    root[:0] = [title, description, style]


def _group(root: Element, marks: Mapping[str, Mark]) -> None:
    """Gives every group its mark."""
    for group in list(root.iter("g")):
        name = group.get("id", "")
        if name.startswith(_LINK) and name[len(_LINK) :] in marks:
            _cell(group, name[len(_LINK) :], marks)
        elif name in marks:
            _mark(group, name, marks[name])
        elif group.get("class") == "graph":
            _drop(group, "title")


def _cell(group: Element, name: str, marks: Mapping[str, Mark]) -> None:
    """A state's cell: a rect and up to three texts."""
    link = group.find("a")
    inner = list(group if link is None else link)
    if not marks[name].classes.startswith(("row", "lamp")):
        group[:] = inner
        _mark(group, name, marks[name])
        return
    texts = [e for e in inner if e.tag == "text" and (e.text or "").strip()]
    shapes = [e.get("d", "") or e.get("points", "") for e in inner]
    numbers = [float(n) for n in _NUMBER.findall(next(filter(None, shapes), ""))]
    group[:] = []
    if numbers:
        left, top = min(numbers[0::2]) + 0.5, min(numbers[1::2]) + 0.5
        size = max(numbers[0::2]) - left - 0.5, max(numbers[1::2]) - top - 0.5
        rect = {"class": "bg", "x": f"{left:g}", "y": f"{top:g}"}
        rect |= {"width": f"{size[0]:g}", "height": f"{size[1]:g}", "rx": "4"}
        group.append(Element("rect", rect))
        middle = top + size[1] / 2
        base = middle + _CAP_HEIGHT / 2 * max(
            (float(t.get("font-size", 0)) for t in texts), default=0
        )
        for text in texts:
            text.set("y", f"{base:.2f}".rstrip("0").rstrip("."))
    for i, text in enumerate(texts):
        for attr in ("fill", "font-weight"):
            text.attrib.pop(attr, None)
        text.attrib = {"class": _PARTS[min(i, 2)], **text.attrib}
        group.append(text)
    _mark(group, name, marks[name])


def _mark(group: Element, name: str, mark: Mark) -> None:
    _drop(group, "title")
    attributes = {"id": name, "class": mark.classes, **mark.data}
    group.attrib.clear()
    group.attrib.update(
        {k: clean(v) if k.startswith("data-") else v for k, v in attributes.items()}
    )
    title = Element("title")
    title.text = "\n".join(map(clean, mark.title.split("\n")))
    group.insert(0, title)
    if "mach" in mark.classes.split():
        for text in group.findall("text"):
            if text.get("font-size") in _TITLE_SIZES:
                text.attrib = {"class": "ttl", **text.attrib}


def _drop(group: Element, tag: str) -> None:
    for child in group.findall(tag):
        group.remove(child)


def _paint(root: Element) -> None:
    """Sentinels become variables; they hold in a style only. The font is in the style sheet."""
    for element in root.iter():
        element.attrib.pop("font-family", None)
        styles = []
        for attr in _COLOURED:
            value = element.get(attr, "")
            if value.startswith("#"):
                colour = painted(value, None)
                if colour != value:
                    del element.attrib[attr]
                    styles.append(f"{attr}:{colour}")
            elif value == "transparent":
                element.set(attr, "none")
        if styles:
            element.set("style", ";".join(styles))


def _write(element: Element, out: list[str]) -> None:
    """Adds an element as text, one a line."""
    attributes = "".join([f' {name}="{_escaped(v)}"' for name, v in element.attrib.items()])
    text = element.text
    if text is None or not text.strip():
        text = ""
    if len(element):
        out.append(f"<{element.tag}{attributes}>{_escaped(text)}\n")
        for child in element:
            _write(child, out)
        out.append(f"</{element.tag}>\n")
    elif text:
        out.append(f"<{element.tag}{attributes}>{_escaped(text)}</{element.tag}>\n")
    else:
        out.append(f"<{element.tag}{attributes}/>\n")


def _escaped(text: str) -> str:
    return text.translate(_ENTITIES) if _SPECIAL.search(text) else text
