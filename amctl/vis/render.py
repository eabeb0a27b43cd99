"""Drawings as files, by Graphviz.

Graphviz is asked twice: `dot` finds places, we push the parts together, and `neato -n2`, which only
draws what is placed already, paints all formats alike.
"""

from __future__ import annotations

from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Literal

import graphviz  # type: ignore[import-untyped]

from amctl.vis.drawing import for_people, for_styles
from amctl.vis.errors import NoGraphvizError, RenderError
from amctl.vis.layout import Layout, read_layout
from amctl.vis.placing import placed
from amctl.vis.svg import finish

if TYPE_CHECKING:
    from amctl.vis.dotgraph import DotGraph
    from amctl.vis.drawing import Drawing
    from amctl.vis.theme import Choice, Theme

__all__ = ["FORMATS", "Format", "render"]

Format = Literal["svg", "png", "pdf", "dot"]
FORMATS: tuple[Format, ...] = ("svg", "png", "pdf", "dot")


def render(drawing: Drawing, fmt: Format = "svg", theme: Choice = "auto") -> bytes:
    """A drawing as a file's content; equal drawings give equal bytes.

    Args:
        drawing: What to draw.
        fmt: `dot` needs no Graphviz: it is the source, in the theme's colours.
        theme: Colours. An SVG holds those of both, and `auto` follows who looks at it; the other
            formats can't, and are light then, as paper and pages are.

    Raises:
        NoGraphvizError: Graphviz isn't installed.
        RenderError: It failed.
    """
    fixed: Theme = "light" if theme == "auto" else theme
    if fmt == "dot":
        return for_people(drawing.graph.write(), fixed).encode()
    graph = drawing.graph

    def readied(source: str) -> str:
        return for_styles(source) if fmt == "svg" else for_people(source, fixed)

    def lay_out(part: DotGraph) -> Layout:
        found = _run("dot", "json0", readied(part.write(notes=False)))
        try:
            return read_layout(found)
        except ValueError as error:
            raise RenderError("dot wrote a layout that can't be read", str(error)) from error

    layout = placed(graph, lay_out)
    painted = _run("neato", fmt, readied(graph.write(layout.places())), no_op=2)
    return finish(painted, drawing, theme).encode() if fmt == "svg" else painted


def _run(engine: str, fmt: str, source: str, no_op: int | None = None) -> bytes:
    """Runs a program of Graphviz. What it warns of isn't an error."""
    try:
        done = graphviz.pipe(engine, fmt, source.encode(), neato_no_op=no_op, quiet=True)
    except graphviz.ExecutableNotFound as error:
        raise NoGraphvizError(engine) from error
    except CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip().splitlines()
        raise RenderError(f"{engine} failed", said[0] if said else str(error.returncode)) from error
    if not isinstance(done, bytes) or not done:
        raise RenderError(f"{engine} wrote nothing")
    return done
