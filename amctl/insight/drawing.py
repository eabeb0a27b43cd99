"""Draws a graph of dependencies: DOT and Mermaid as text, SVG by Graphviz. No clock, no chance:
equal graphs give equal bytes."""

from __future__ import annotations

import re
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Literal

import graphviz  # type: ignore[import-untyped]

from amctl.insight.errors import NoGraphvizError, RenderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.insight.depsgraph import Arrow, Box, DepsGraph

__all__ = ["COLOURS", "Theme", "dot", "mermaid", "svg"]

Theme = Literal["dark", "light"]

COLOURS: dict[Theme, dict[str, str]] = {
    "dark": {
        "page": "#14161a",
        "frame": "#191d23",
        "ours": "#1f232a",
        "root": "#2fbf8f",
        "outside": "#343c4a",
        "line": "#8a97aa",
        "text": "#e8ebf0",
        "onroot": "#000000",
        "against": "#ff7043",
    },
    "light": {
        "page": "#ffffff",
        "frame": "#f2f4f7",
        "ours": "#ffffff",
        "root": "#6fd9b4",
        "outside": "#d5dce6",
        "line": "#5f6b7c",
        "text": "#14181f",
        "onroot": "#000000",
        "against": "#c2330a",
    },
}
"""What each thing looks like; those of the pictures of `amctl vis`."""
_FONT = "Arial"


def dot(graph: DepsGraph, theme: Theme = "dark") -> str:
    """The graph in Graphviz's language."""
    ink = COLOURS[theme]
    lines = [
        "digraph deps {",
        f"  graph [rankdir=TB bgcolor={_q(ink['page'])} fontcolor={_q(ink['text'])} "
        f"fontname={_q(_FONT)} fontsize=15 labelloc=t pad=0.3 nodesep=0.3 ranksep=0.6 "
        f"label={_q(_caption(graph))}]",
        f"  node [shape=box style={_q('filled,rounded')} fontname={_q(_FONT)} fontsize=12 "
        f'margin="0.14,0.07" height=0.3 color={_q(ink["line"])} fontcolor={_q(ink["text"])}]',
        f"  edge [color={_q(ink['line'])} arrowsize=0.7]",
    ]
    for group, boxes in _groups(graph.boxes):
        if not group:
            lines += [f"  {_node(box, theme)}" for box in boxes]
            continue
        lines.append(f"  subgraph {_q('cluster_' + group)} {{")
        lines.append(f"    graph [label={_q(group)} fontsize=14 style=filled")
        lines.append(f"      fillcolor={_q(ink['frame'])} color={_q(ink['line'])}]")
        lines += [f"    {_node(box, theme)}" for box in boxes]
        lines.append("  }")
    lines += [f"  {_edge(arrow, theme)}" for arrow in graph.arrows]
    return "\n".join([*lines, "}", ""])


def _caption(graph: DepsGraph) -> str:
    wrong = sum(arrow.against for arrow in graph.arrows)
    notes = ["arrows that others imply are left out"] if graph.is_reduced else []
    if any(arrow.deferred for arrow in graph.arrows):
        notes.append("dashed: imported in functions only")
    notes += [f"thick and red: against the order of rooms ({wrong})"] if wrong else []
    return "\n".join(filter(None, (graph.title, "; ".join(notes))))


def _groups(boxes: Iterable[Box]) -> Iterator[tuple[str, list[Box]]]:
    found: dict[str, list[Box]] = {}
    for box in boxes:
        found.setdefault(box.group, []).append(box)
    yield from sorted(found.items())


def _node(box: Box, theme: Theme) -> str:
    ink = COLOURS[theme]
    attributes = [f"label={_q(chr(10).join(box.lines))}", f"fillcolor={_q(ink[box.kind])}"]
    if box.kind == "root":
        attributes.append(f"fontcolor={_q(ink['onroot'])}")
    if box.kind == "outside":
        attributes.append("shape=box style=filled")
    return f"{_q(box.name)} [{' '.join([*attributes, f'tooltip={_q(box.name)}'])}]"


def _edge(arrow: Arrow, theme: Theme) -> str:
    attributes = [f"tooltip={_q(f'{arrow.source} imports {arrow.target}')}"]
    if arrow.deferred:
        attributes.append("style=dashed")
    if arrow.against:
        attributes.append(f"color={_q(COLOURS[theme]['against'])} penwidth=3")
    return f"{_q(arrow.source)} -> {_q(arrow.target)} [{' '.join(attributes)}]"


def _q(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def mermaid(graph: DepsGraph) -> str:
    """The graph as a flow chart, for Markdown pages that draw it themselves."""
    ids = {box.name: f"n{number}" for number, box in enumerate(graph.boxes)}
    lines = ["---", f"title: {graph.title!r}", "---", "flowchart TB"]
    for group, boxes in _groups(graph.boxes):
        nodes = [f"  {ids[box.name]}{_shape(box)}" for box in boxes]
        if group:
            name = "g_" + re.sub(r"\W", "_", group)
            nodes = [f'  subgraph {name}["{group}"]', *(f"  {node}" for node in nodes), "  end"]
        lines += nodes
    for arrow in graph.arrows:
        line = "==>" if arrow.against else "-.->" if arrow.deferred else "-->"
        lines.append(f"  {ids[arrow.source]} {line} {ids[arrow.target]}")
    wrong = [str(number) for number, arrow in enumerate(graph.arrows) if arrow.against]
    if wrong:
        lines.append(f"  linkStyle {','.join(wrong)} stroke:#ff7043,stroke-width:4px")
    return "\n".join([*lines, ""])


def _shape(box: Box) -> str:
    text = '"' + "<br/>".join(line.replace('"', "#quot;") for line in box.lines) + '"'
    return {"ours": f"({text})", "root": f"([{text}])", "outside": f"[{text}]"}[box.kind]


def svg(graph: DepsGraph, theme: Theme = "dark") -> bytes:
    """The graph as a picture.

    Raises:
        NoGraphvizError: Graphviz isn't installed.
        RenderError: It failed.
    """
    try:
        done = graphviz.pipe("dot", "svg", dot(graph, theme).encode(), quiet=True)
    except graphviz.ExecutableNotFound as error:
        raise NoGraphvizError from error
    except CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        raise RenderError("dot failed", said[0] if said else str(error.returncode)) from error
    if not isinstance(done, bytes) or not done:
        raise RenderError("dot wrote nothing")
    return done
