from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import graphviz
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amctl.graph.model import GraphMachine, GraphState, Pipe
from amctl.vis import render as module
from amctl.vis.draw import draw
from amctl.vis.errors import NoGraphvizError, RenderError
from amctl.vis.render import FORMATS, Format, render
from tests.support.house import ROOT
from tests.vis.pictures import needs_dot, picture_of
from tests.vis.workflow import BIRD, MAP, SINGLE, network, view_of, workflow

if TYPE_CHECKING:
    from amctl.vis.drawing import Drawing
    from amctl.vis.options import VisOptions

STARTS = {"svg": b"<svg ", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}


def small() -> Drawing:
    return draw(view_of(workflow(), BIRD, ["browser1", "rs-browser1"]))


@needs_dot
@pytest.mark.slow
@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_is_what_it_says(fmt: Format) -> None:
    assert render(small(), fmt).startswith(STARTS[fmt])


@needs_dot
@pytest.mark.slow
def test_a_png_has_the_svgs_size_in_px() -> None:
    """12 px text is 12 px in both; the bytes after IHDR are width and height."""
    drawing = draw(view_of(workflow(), MAP))
    png = render(drawing, "png")
    root = ElementTree.fromstring(render(drawing, "svg"))
    for start, name in ((16, "width"), (20, "height")):
        size = int.from_bytes(png[start : start + 4], "big")
        assert size == pytest.approx(float(root.get(name, 0)), abs=2)


def test_the_source_needs_no_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    drawing = small()
    dark, light = render(drawing, "dot", "dark"), render(drawing, "dot", "light")
    assert render(drawing, "dot") == light
    assert dark.decode() == drawing.dot
    assert b"#14161a" in dark
    assert b"#14161a" not in light


@pytest.mark.parametrize("fmt", ["svg", "png", "pdf"])
def test_without_graphviz_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, fmt: Format
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoGraphvizError) as caught:
        render(small(), fmt)
    assert "amctl setup" in caught.value.hint


def failing(code: int, said: bytes) -> object:
    def pipe(*_: object, **__: object) -> bytes:
        if code:
            raise graphviz.CalledProcessError(code, ["dot"], b"", said)
        return said

    return pipe


@pytest.mark.parametrize(
    ("code", "said", "text"),
    [
        (1, b"syntax error in line 3\nmore", "dot failed: syntax error in line 3"),
        (-11, b"", "dot failed: -11"),
        (0, b"", "dot wrote nothing"),
        (0, b"nonsense", "dot wrote a layout that can't be read"),
    ],
)
def test_a_failure_of_graphviz_is_told(
    monkeypatch: pytest.MonkeyPatch, code: int, said: bytes, text: str
) -> None:
    monkeypatch.setattr(module.graphviz, "pipe", failing(code, said))
    with pytest.raises(RenderError, match=text.replace("(", r"\(")):
        render(small())


@needs_dot
@pytest.mark.slow
@pytest.mark.realtime
def test_equal_input_gives_equal_bytes_whatever_the_hash_seed() -> None:
    program = (
        "import hashlib\n"
        "from amctl.vis.draw import draw\n"
        "from amctl.vis.render import render\n"
        "from tests.vis.workflow import *\n"
        "views = [view_of(workflow()), view_of(workflow(), MAP),\n"
        "         view_of(workflow(), SINGLE, ['orchestrator'])]\n"
        "for view in views:\n"
        "    print(hashlib.sha256(render(draw(view), 'svg')).hexdigest())\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1


@needs_dot
@pytest.mark.slow
def test_pictures_stay_within_their_goals() -> None:
    width, height = picture_of(view_of(workflow())).size
    assert width <= 3000
    assert height <= 1700
    width, height = picture_of(view_of(workflow(), MAP)).size
    assert width <= 1600
    assert height <= 1000


HOSTILE = st.one_of(
    st.text(alphabet=st.characters(), min_size=1, max_size=20),
    st.sampled_from(
        [
            '"',
            "<b>&amp;",
            "a|b",
            "a:b:n",
            "\\N\\G",
            "line\nbreak",
            "]]>",
            "<!--",
            "legend",
            "#legend",
            "cluster_a",
            "x" * 500,
            "\x00\x1b",
            " ",
        ]
    ),
)


@needs_dot
@pytest.mark.slow
@pytest.mark.parametrize("options", [BIRD, MAP, SINGLE], ids=["bird", "map", "single"])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    machines=st.lists(HOSTILE, min_size=2, max_size=2, unique=True),
    names=st.lists(HOSTILE, min_size=1, max_size=4, unique=True),
)
def test_hostile_names_make_sound_pictures(
    options: VisOptions, machines: list[str], names: list[str]
) -> None:
    """The SVG parses, ids are unique (`picture_of` checks both), and data-* tells the names."""
    relations = tuple(names[1:])
    states = tuple(GraphState(x, tick=1, require=relations, remove=relations) for x in names)
    parent, child = machines
    boss = GraphMachine(parent, states, tags=tuple(names))
    kid = GraphMachine(child, states, parent)
    pipes = [Pipe(parent, "add", names[0], child, names[-1]), Pipe(child, "remove", "", parent, "")]
    graph = network(boss, kid, pipes=pipes, rpc=((parent, child),))
    full = machines[:1] if options is SINGLE else machines
    picture = picture_of(view_of(graph, options, full, requested=full[:1], title=names[0]))
    rows = picture.of_class("row")
    assert len(rows) == (0 if options.map else len(names) * len(full)) or options.map
    for row in rows:
        assert any(row.get("data-s") == seen(x) for x in names)


def seen(name: str) -> str:
    from amctl.vis.text import clean

    return clean(name)
