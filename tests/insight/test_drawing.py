"""Graphs of dependencies as DOT, Mermaid and SVG."""

from __future__ import annotations

import shutil
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import graphviz  # type: ignore[import-untyped]
import pytest

from amctl.insight.depsgraph import Arrow, Box, DepsGraph, deps_graph
from amctl.insight.drawing import COLOURS, Theme, dot, mermaid, svg
from amctl.insight.errors import NoGraphvizError, RenderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.insight.deps import Deps

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz isn't installed")

WRONG = DepsGraph(
    'a "title"',
    (Box("a", ('a "x"',), "root"), Box("b\\", ("b\\",), "ours")),
    (Arrow("a", "b\\", against=True), Arrow("b\\", "a", deferred=True)),
)


def test_the_sources_of_pictures(small: Deps, golden: Callable[[str, str], None]) -> None:
    golden("insight/small.dot", dot(deps_graph(small)))
    golden("insight/small-modules.dot", dot(deps_graph(small, modules=True), "light"))
    golden("insight/small.mmd", mermaid(deps_graph(small)))
    golden("insight/small-modules.mmd", mermaid(deps_graph(small, modules=True)))


def test_an_import_against_the_order_stands_out() -> None:
    text = dot(WRONG)
    assert f'"a" -> "b\\\\" [tooltip="a imports b\\\\" color="{COLOURS["dark"]["against"]}"' in text
    assert "against the order of rooms (1)" in text
    flow = mermaid(WRONG)
    assert "n0 ==> n1" in flow
    assert "n1 -.-> n0" in flow
    assert "linkStyle 0 stroke" in flow
    assert '(["a #quot;x#quot;"])' in flow


def test_nothing_stands_out_where_nothing_is_wrong(small: Deps) -> None:
    assert COLOURS["dark"]["against"] not in dot(deps_graph(small))
    assert "linkStyle" not in mermaid(deps_graph(small))


@needs_dot
@pytest.mark.realtime
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_picture_is_the_same_each_time(small: Deps, theme: Theme) -> None:
    graph = deps_graph(small)
    picture = svg(graph, theme)
    assert picture == svg(deps_graph(small), theme)
    texts = [e.text for e in ElementTree.fromstring(picture).iter() if e.tag.endswith("text")]
    assert {"shop", "shop.stock", "notthere", "pyodide"} <= set(texts)
    assert COLOURS[theme]["page"].encode() in picture


def test_without_graphviz_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> bytes:
        raise graphviz.ExecutableNotFound(["dot"])

    monkeypatch.setattr(graphviz, "pipe", missing)
    with pytest.raises(NoGraphvizError):
        svg(WRONG)


@pytest.mark.parametrize(
    ("said", "text"), [(b"syntax error\nmore", "dot failed: syntax error"), (b"", "dot failed: 1")]
)
def test_a_failing_graphviz_is_heard(
    monkeypatch: pytest.MonkeyPatch, said: bytes, text: str
) -> None:
    def fails(*_: Any, **__: Any) -> bytes:
        raise CalledProcessError(1, ["dot"], stderr=said)

    monkeypatch.setattr(graphviz, "pipe", fails)
    with pytest.raises(RenderError, match=text):
        svg(WRONG)


def test_an_empty_picture_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphviz, "pipe", lambda *_, **__: b"")
    with pytest.raises(RenderError, match="wrote nothing"):
        svg(WRONG)
