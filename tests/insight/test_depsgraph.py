"""What is drawn of a program."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.insight.deps import read_deps
from amctl.insight.depsgraph import Arrow, deps_graph, reduced
from tests.support.small_program import write_project

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.insight.deps import Deps


def test_packages_and_third_parties_without_the_standard_library(small: Deps) -> None:
    graph = deps_graph(small)
    assert [(box.name, box.kind, box.group) for box in graph.boxes] == [
        ("shop", "root", ""),
        ("shop.stock", "ours", ""),
        ("notthere", "outside", ""),
        ("pyodide", "outside", ""),
    ]
    assert graph.boxes[0].lines == ("shop", f"4 modules, {small.packages[0].size} B")
    assert graph.boxes[2].lines == ("notthere", "not in the bundle")
    assert graph.arrows == (
        Arrow("shop", "shop.stock"),
        Arrow("shop.stock", "notthere"),
        Arrow("shop.stock", "pyodide", deferred=True),
    )
    assert not graph.is_reduced


def test_modules_stand_in_frames_of_packages(small: Deps) -> None:
    graph = deps_graph(small, modules=True)
    found = {box.name: (box.lines[0], box.kind, box.group) for box in graph.boxes}
    assert found["shop"] == ("shop/", "ours", "shop")
    assert found["shop.browser"] == ("browser", "root", "shop")
    assert found["shop.stock.shelf"] == ("shelf", "ours", "shop.stock")
    assert Arrow("shop.stock.shelf", "pyodide", deferred=True) in graph.arrows
    assert graph.is_reduced


def test_arrows_that_others_imply_are_left_out_unless_asked_for(small: Deps) -> None:
    implied = Arrow("shop.browser", "shop.stock.shelf")
    every = deps_graph(small, modules=True, reduce=False).arrows
    assert Arrow("shop.browser", "shop.stock") in every
    more = [*every, implied]
    assert implied not in reduced(more)
    assert set(reduced(more)) < set(more)


def test_what_one_looks_for_stays() -> None:
    path = [Arrow("a", "b"), Arrow("b", "c")]
    assert reduced([*path, Arrow("a", "c")]) == path
    for kept in (Arrow("a", "c", deferred=True), Arrow("a", "c", against=True)):
        assert kept in reduced([*path, kept])
    circle = [*path, Arrow("c", "a"), Arrow("a", "c")]
    assert reduced(circle) == sorted(circle)


def test_sizes_as_bundled_are_told(small: Deps) -> None:
    sizes = {name: replace(one, bundled=50) for name, one in small.modules.items()}
    graph = deps_graph(replace(small, modules=sizes))
    assert graph.boxes[0].lines[2] == "200 B bundled"


def test_an_import_against_the_order_is_marked(tmp_path: Path) -> None:
    files = {"a/__init__.py": "import b", "b/__init__.py": "", "b/x.py": "import a"}
    graph = deps_graph(read_deps(write_project(tmp_path, files), "x", ["b.x"]))
    assert graph.arrows == (Arrow("a", "b", against=True), Arrow("b", "a", against=True))


def test_as_data(small: Deps) -> None:
    data = json.loads(json.dumps(deps_graph(small).to_json()))
    assert data["arrows"][0] == {
        "source": "shop",
        "target": "shop.stock",
        "deferred": False,
        "against": False,
    }
