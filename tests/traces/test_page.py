"""The page's file: complete, deterministic, and safe whatever spans are called."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from amctl.traces import _page_data
from amctl.traces._page_data import page_data
from amctl.traces.page import page
from tests.traces.made import HOSTILE, Maker, recorded


class Elements(HTMLParser):
    """Tags and attributes of a page, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def data_of(text: str) -> Any:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found)


def hostile() -> Maker:
    made = Maker()
    for name in HOSTILE:
        made.add(name, 0, 1, service=name, error=name, events=((name, 0.5),), **{name: name})
    return made


def test_all_spans_and_rows_are_in_it() -> None:
    trace = recorded()
    data = data_of(page(trace, "run"))
    assert [span[6] for span in data["spans"]] == [span.span_id for span in trace.spans]
    drawn = {i for row in data["rows"] for i in (*row[4], *row[5])}
    assert drawn == set(range(len(trace.spans)))
    assert data["services"] == list(trace.services)
    assert len(data["gaps"]) > 0
    causes = [link for span in data["spans"] for link in span[10]]
    assert all(to >= 0 for to, _, _ in causes)


def test_equal_traces_give_equal_pages_without_the_network() -> None:
    text = page(recorded(), "run")
    assert text == page(recorded(), "run")
    seen = Elements(text)
    for name, value in seen.attributes:
        assert name not in ("src", "action", "onclick")
        assert name != "href" or value == "data:,"
    assert any(value and value.startswith("default-src 'none'") for _, value in seen.attributes)
    assert not re.search(r"https?://", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_data(name: str) -> None:
    plain, bad = Elements(page(recorded(), "run")), Elements(page(hostile().trace(), name))
    assert bad.tags == plain.tags
    assert sum(key.startswith("on") for key, _ in bad.attributes) == 0


def test_no_text_of_the_data_becomes_markup() -> None:
    text = page(hostile().trace(), "x")
    data = data_of(text)
    assert "\u2028" not in text
    assert "</script><script>alert(1)</script>" in data["strings"]
    assert text.isascii()


def test_scripts_never_turn_text_into_markup() -> None:
    text = page(recorded(), "run")
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in text


def test_long_values_are_cut_and_lines_kept() -> None:
    made = Maker()
    made.add("a", x="y" * 9000, trace="one\ntwo\x1b")
    strings = page_data(made.trace())["strings"]
    assert "one\ntwo\\x1b" in strings
    (long,) = [text for text in strings if text.startswith("yyy")]
    assert long.endswith("… 5,000 more")


def test_of_a_trace_that_is_too_large_the_least_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_page_data, "MOST", 4)
    made = Maker()
    _, _, transitions = made.machine("lamp")
    made.add("0: long", 0, 9, parent=transitions)
    made.add("0: idle", 0, 99, parent=transitions, accepted=False, auto=True)
    made.add("0: bad", 0, 0, parent=transitions, error="e")
    data = page_data(made.trace())
    names = {data["strings"][span[0]] for span in data["spans"]}
    assert names == {"mach:0:lamp", "0:transitions", "0: bad", "0: long"}
    assert data["left_out"] == 2
