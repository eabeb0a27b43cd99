"""The one-file page: what stands in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from amctl.graph.model import Pipe
from amctl.vis.draw import draw
from amctl.vis.history import History, history
from amctl.vis.page import page
from tests.support.house import ROOT
from tests.support.recordings import HOSTILE
from tests.vis.paged import page_of, recorded, ticked, workflow_page
from tests.vis.pictures import needs_dot
from tests.vis.workflow import BIRD, machine, network, view_of, workflow

if TYPE_CHECKING:
    from amctl.graph.model import Graph

pytestmark = [needs_dot, pytest.mark.slow]
ASSETS = ROOT / "amctl" / "vis" / "assets"


class Parsed(HTMLParser):
    """Tags and attributes of a page, and the texts of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data


def data_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Parsed(text).scripts[0])
    return found


def small(**active: str) -> Graph:
    """Two machines, one of which has a pipe and an RPC copy of the other."""
    kinds = {"A": {"auto": True, "require": ["B"]}, "B": {"multi": True, "remove": ["A"]}}
    pipes = [
        Pipe("one", kind, a, "two", b)  # type: ignore[arg-type]
        for kind, a, b in (("add", "A", "B"), ("remove", "A", "B"), ("add", "B", ""))
    ]
    return network(
        machine("one", kinds, active=active.get("one", "A").split()),
        machine("two", kinds, parent="one", active=active.get("two", "").split()),
        machine("rc-c", kinds, active=()),
        machine("rnm-c", kinds, parent="two", tags=["src-id:one"], active=()),
        pipes=[*pipes, Pipe("one", "add", "A", "away", "X")],
        rpc=(("rc-c", "one"),),
    )


def test_it_loads_nothing_and_runs_only_its_own_script() -> None:
    text = workflow_page()
    parsed = Parsed(text)
    policy = next(a["content"] for tag, a in parsed.tags if a.get("http-equiv"))
    digest = base64.b64encode(hashlib.sha256(parsed.scripts[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}'" in policy
    loaded = [
        (tag, name, value)
        for tag, attrs in parsed.tags
        for name, value in attrs.items()
        if name in ("src", "href", "xlink:href", "srcset", "action") or name.startswith("on")
    ]
    assert loaded == [("link", "href", "data:,")]
    assert set(re.findall(r"https?://[\w./]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "url(" not in text


def test_it_holds_the_finished_picture() -> None:
    text = workflow_page()
    assert text.count('class="row ') == 344
    assert "data-theme=" not in text[text.index("<svg") : text.index("<style", text.index("<svg"))]
    ids = [attrs["id"] for _, attrs in Parsed(text).tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_a_theme_that_was_asked_for_holds_at_first() -> None:
    assert '<html lang="en">' in page_of(small())
    assert '<html lang="en" data-theme="light">' in page_of(small(), theme="light")


def test_equal_arguments_give_equal_text() -> None:
    assert page_of(small()) == page_of(small())


def test_the_title_is_escaped() -> None:
    assert "<title>a &lt;b&gt; &amp; c</title>" in page_of(small(), title="a <b> & c")


@pytest.mark.parametrize("name", [HOSTILE, "</script><script>alert(1)//", "<!--<script>"])
def test_hostile_names_stay_data(name: str) -> None:
    graph = network(
        machine(name, {name: {"require": ["X"]}, "X": {}}, tags=[name], active=[name]),
        machine("b", {"B": {}}, parent=name),
        pipes=[Pipe("b", "add", "B", name, name)],
    )
    text = page_of(graph, title=name)
    parsed = Parsed(text)
    assert len(parsed.scripts) == 2
    assert "<script>alert" not in text
    assert [tag for tag, _ in parsed.tags].count("body") == 1
    assert len(data_of(text)["machines"]) == 2


def test_the_data_are_the_network_by_index() -> None:
    data = data_of(page_of(small()))
    assert data["machines"][:2] == [
        [
            "one",
            -1,
            [],
            2,
            [["A", "plain", 1, [1], [], [], []], ["B", "plain", 2, [], [], [0], []]],
        ],
        ["two", 0, [], 2, [["A", "plain", 1, [1], [], [], []], ["B", "plain", 2, [], [], [0], []]]],
    ]
    assert data["pipes"] == [[0, 0, 1, 1, 3], [0, 1, 1, -1, 1]]
    assert data["rpc"] == [[2, 0]]
    assert data["copies"] == [[0, 3, 2, 0]]
    assert data["ticks"] == [[1, 0], [0, 0], [0, 0], [0, 0]]
    assert data["glyphs"]["ready"] == ["♦", "◊"]


def test_the_drawn_moment_is_the_last_one_of_the_history() -> None:
    data = data_of(workflow_page())
    moments = len(data["history"]["t"])
    assert (data["at"], data["exact"]) == (moments, True)
    assert len(data["history"]["known"]) == 27
    assert all(
        len(column) == moments for key, column in data["history"].items() if key in "tmdcyfj"
    )


def test_a_graph_of_an_earlier_moment_finds_its_place() -> None:
    last = ticked(small(one="A", two="A B"))
    dump = recorded(last)
    moments = history(dump)
    for wanted, (_, clocks) in enumerate(moments.clocks(), start=1):
        earlier = replace(
            last,
            machines={
                name: replace(
                    m,
                    states=tuple(
                        replace(s, tick=tick)
                        for s, tick in zip(m.states, clocks[name], strict=True)
                    ),
                )
                for name, m in last.machines.items()
            },
        )
        view = view_of(earlier, BIRD)
        data = data_of(page(view, draw(view), moments, ""))
        assert (data["at"], data["exact"]) == (wanted, True)
        if wanted > 3:
            break
    nothing = small(one="", two="")
    view = view_of(nothing, BIRD)
    data = data_of(page(view, draw(view), moments, ""))
    assert (data["at"], data["exact"]) == (0, True)


def test_a_moment_that_was_joined_with_others_is_only_near() -> None:
    last = ticked(small())
    between = replace(
        last,
        machines={
            name: replace(m, time_ns=10**30, states=tuple(replace(s, tick=77) for s in m.states))
            for name, m in last.machines.items()
        },
    )
    view = view_of(between, BIRD)
    moments = history(recorded(last), limit=3)
    data = data_of(page(view, draw(view), moments, ""))
    assert (data["at"], data["exact"]) == (len(moments.moments), False)
    assert data["note"].startswith(f"Showing {len(moments.moments)} of 17 changes")


def test_without_moments_there_is_no_time() -> None:
    view = view_of(small(), BIRD)
    assert data_of(page(view, draw(view), History(), ""))["history"] is None
    view = view_of(small(), BIRD, active=False)
    assert data_of(page(view, draw(view), history(recorded(small())), ""))["history"] is None


def test_lost_messages_are_told() -> None:
    view = view_of(small(), BIRD)
    data = data_of(page(view, draw(view), replace(history(recorded(small())), lost=1234), ""))
    assert data["note"] == "1,234 messages of this recording are missing."


def test_the_schema_of_the_history_may_differ_from_that_of_the_graph() -> None:
    graph = small()
    other = recorded(network(*(replace(m, states=m.states[::-1]) for m in graph.machines.values())))
    view = view_of(graph, BIRD)
    data = data_of(page(view, draw(view), history(other), ""))
    assert data["history"]["d"] == [[0, 0, 1]]
    assert data["history"]["c"] == [[0]]


def test_assets_stay_small() -> None:
    sizes = {p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in ASSETS.iterdir()}
    assert set(sizes) == {"panels.js", "vis.css", "vis.html", "vis.js"}
    assert max(sizes.values()) < 500


def test_the_workflow_page_is_small() -> None:
    assert len(workflow_page()) < 400 * 1024
    assert len(workflow().machines) == 27
