from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from amctl.vis.draw import draw
from amctl.vis.map import draw_map
from tests.vis.pictures import Picture, needs_dot, picture_of
from tests.vis.workflow import MAP, view_of, workflow

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def whole() -> Picture:
    return picture_of(view_of(workflow(), MAP))


@needs_dot
@pytest.mark.slow
def test_the_map_shows_all_machines_inside_their_parents() -> None:
    picture = whole()
    assert {e.get("data-m") for e in picture.of_class("mach")} == set(workflow().machines)
    assert len(picture.of_class("cluster", "nest")) == 10
    assert len(picture.of_class("edge", "rpc")) == 4
    pipes = picture.of_class("edge", "pipe")
    assert sum(int(e.get("data-n") or 0) for e in pipes) == 132
    assert [e.findtext("text") for e in pipes] == [e.get("data-n") for e in pipes]
    assert not picture.of_class("edge", "parent")


@needs_dot
@pytest.mark.slow
def test_a_card_has_lamps_and_counts() -> None:
    picture = whole()
    lamps = [r for r in picture.of_class("row") if r.get("data-m") == "orchestrator"]
    assert [r.get("data-s") for r in lamps] == ["Start", "Ready", "Exception"]
    active = sum(s.is_active for s in workflow().machines["orchestrator"].states)
    assert f"{active}/45" in picture.texts()


def test_the_source_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    half = ["rs-browser1"]
    full = [m for m in workflow().machines if m.endswith("browser1") and m not in half]
    view = view_of(workflow(), MAP, ["orchestrator", *full], half=half, requested=["browser1"])
    golden("vis/map.dot", draw(view).dot)


def test_parents_are_lines_where_children_stand_beside_them() -> None:
    drawing = draw_map(view_of(workflow(), MAP, nest_submachines=False))
    classes = [mark.classes for mark in drawing.marks.values()]
    assert classes.count("edge parent") == 22
    assert drawing.graph.boxes == []


def test_a_child_does_not_repeat_its_parents_name_inside_it() -> None:
    graph = workflow()
    name = "relay-wasm-workflow-wt-0"
    assert ">…-wt-0<" in draw_map(view_of(graph, MAP)).graph.nodes[name].attrs["label"]
    beside = draw_map(view_of(graph, MAP, nest_submachines=False))
    assert f">{name}<" in beside.graph.nodes[name].attrs["label"]


def test_tags_and_activity_are_shown_as_asked() -> None:
    graph = workflow()
    assert "#rpc-server" not in draw_map(view_of(graph, MAP)).dot
    assert "#rpc-server" in draw_map(view_of(graph, MAP, tags=True)).dot
    dark = draw_map(view_of(graph, MAP, active=False))
    assert not any(" on" in mark.classes for mark in dark.marks.values())
    assert ">45<" in dark.dot


def test_without_pipes_there_are_none() -> None:
    drawing = draw_map(view_of(workflow(), MAP, pipes=False))
    assert not any("pipe" in mark.classes for mark in drawing.marks.values())
