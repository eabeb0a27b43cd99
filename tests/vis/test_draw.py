from __future__ import annotations

import pytest

from amctl.graph.model import Graph
from amctl.vis.draw import draw
from amctl.vis.errors import NothingToDrawError
from amctl.vis.select import select
from tests.vis.workflow import BIRD, MAP, SINGLE, view_of, workflow


def test_the_view_decides_the_style() -> None:
    graph = workflow()
    assert draw(view_of(graph)).kind == "bird"
    assert draw(view_of(graph, MAP)).kind == "map"
    assert draw(view_of(graph, MAP, ["browser1"])).kind == "map"
    assert draw(view_of(graph, SINGLE, ["browser1"])).kind == "single"
    assert draw(view_of(graph, SINGLE, ["browser1"], half=["rs-browser1"])).kind == "bird"
    assert draw(view_of(graph, SINGLE, [], half=["browser1"])).kind == "bird"


def test_nothing_is_an_error() -> None:
    with pytest.raises(NothingToDrawError, match="no machine is chosen"):
        draw(view_of(workflow(), BIRD, []))
    with pytest.raises(NothingToDrawError, match="the recording holds no machine") as caught:
        draw(select(Graph({}), BIRD))
    assert caught.value.hint == ""
