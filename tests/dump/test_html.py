"""The page of a recording: what stands in it, and how it behaves in a real browser."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from amctl.dump.copying import copy
from amctl.dump.html import HtmlWriter
from amctl.dump.memory import MemoryDump
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.telemetry.messages import GapMsg, GoneMsg, Message, SchemaMsg, SourceRef, TxMsg
from tests.support.browser_threads import CHROMIUM, chromium
from tests.support.recordings import HOSTILE, lamp

if TYPE_CHECKING:
    from pathlib import Path


def page(dump: MemoryDump, limit: int | None = None, **meta: str) -> str:
    stream = io.BytesIO()
    writer = HtmlWriter(stream, meta=meta, limit=limit)
    copy(dump, writer)
    writer.finish()
    return stream.getvalue().decode()


def data_of(text: str) -> Any:
    return json.loads(re.findall(r'id="data">(.*?)</script>', text, re.S)[0])


def run_of(count: int) -> list[Message]:
    txs = [
        TxMsg("m", f"{i:016x}", (i + 1, 0), called=(0,), time_ns=1000 * (i + 1))
        for i in range(count)
    ]
    return [SchemaMsg("m", ("A", "B"), {}), *txs]


def test_the_data_hold_what_the_page_shows() -> None:
    dump = lamp()
    dump.write(GapMsg(3, "outbox full", "lamp"))
    dump.write(GoneMsg("lamp", 1))
    data = data_of(page(dump, name="lamp.sqlite"))
    assert data["name"] == "lamp.sqlite"
    assert data["gaps"] == ["3 messages of lamp: outbox full"]
    machine = {"id": "lamp", "parent": "", "tags": [], "count": 3, "gone": True}
    assert data["machines"] == [machine]
    first, second, third = data["rows"]
    assert first == [0, 0, f"{1:016x}", 8, [0], [0, 6]]
    assert second[:6] == [0, 1000, f"{2:016x}", 8, [1], [3, 9, 7]]
    assert second[6]["args"] == {"hand": "left"}
    assert second[6]["source"] == ["person", "00000000000000aa", 7]
    assert second[6]["steps"][:3] == ["called On", "activate On", "On add Warm"]
    assert third[3:6] == [0, [4], []]


def test_what_only_some_have_is_there_only_then() -> None:
    tx = TxMsg(
        "m",
        "1",
        (1, 0),
        9,
        pre_logs=(LogLine(1, "before"),),
        reason=Reason("require", "A", ("B", "C"), "AEnter", "b1", "why"),
        queue=2,
        mut_queue_tick=7,
        stack="x\ny",
    )
    row = data_of(page(MemoryDump(messages=[*run_of(1), tx])))["rows"][1]
    assert row[1] is None
    assert row[3] == 3 | 8
    assert row[6] == {
        "pre": [[1, "before"]],
        "reason": "require: A: B, C: AEnter of b1: why",
        "queue": [["length", 2], ["will run at tick", 7]],
        "stack": "x\ny",
    }


def test_names_of_every_schema_are_kept() -> None:
    messages = [*run_of(1), SchemaMsg("m", ("B", "A"), {}), TxMsg("m", "2", (1, 1))]
    data = data_of(page(MemoryDump(messages=messages)))
    assert data["schemas"] == [{"m": 0, "names": ["A", "B"]}, {"m": 0, "names": ["B", "A"]}]
    assert [row[0] for row in data["rows"]] == [0, 1]


def test_nothing_recorded_becomes_markup() -> None:
    bad = HOSTILE + "{{script}}</title><!--"
    tx = TxMsg(bad, bad, (1,), called=(0,), args={bad: bad}, source=SourceRef(bad, bad))
    schema = SchemaMsg(bad, (bad,), {}, parent=bad, tags=(bad,))
    clean = page(lamp(), name="x")
    text = page(MemoryDump(messages=[schema, tx, GapMsg(1, bad, bad)]), name=bad)
    for mark in ("<script", "</script", "<!--", "</title"):
        assert text.count(mark) == clean.count(mark)
    assert data_of(text)["name"] == bad
    assert unescape(re.findall("<title>(.*?)</title>", text, re.S)[0]) == bad


def test_texts_that_are_no_unicode_are_written_too() -> None:
    dump = MemoryDump(messages=[SchemaMsg("\ud800", (), {})])
    assert data_of(page(dump, name="\ud800"))["machines"][0]["id"] == "\ud800"


def test_nothing_is_loaded_from_anywhere() -> None:
    text = page(lamp())
    policy = unescape(re.findall('Policy" content="(.*?)"', text)[0])
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"""(src|href|url\(|import)\s*=?\s*["'(]?(https?:)?//""", text)


def test_many_gaps_are_counted() -> None:
    gaps = [GapMsg(0, f"gap {i}") for i in range(25)]
    told = data_of(page(MemoryDump(messages=gaps)))["gaps"]
    assert told[0] == "an unknown number of messages: gap 0"
    assert told[-1] == "and 5 more gaps"


# -- in a browser

SEARCH = """() => {
    const box = document.getElementById("search");
    box.value = "1869f";
    box.dispatchEvent(new Event("input"));
}"""
in_browser = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup"),
]


class TestInChromium:
    """The page opened as a file, as whoever is sent one does."""

    pytestmark = in_browser

    async def test_it_lists_searches_and_tells_all_about_one(self, tmp_path: Path) -> None:
        dump = lamp()
        source = SourceRef("lamp", f"{2:016x}", 3)
        dump.write(SchemaMsg("other", ("A",), {}))
        dump.write(TxMsg("other", "ff", (1,), called=(0,), source=source, time_ns=1))
        path = tmp_path / "x.html"
        path.write_text(page(dump, name="lamp"), encoding="utf-8")
        async with chromium() as browser:
            tab = await browser.new_page(color_scheme="dark")
            wrong: list[str] = []
            tab.on("console", lambda message: wrong.append(message.text))
            tab.on("pageerror", lambda error: wrong.append(str(error)))
            await tab.goto(path.as_uri())
            assert await tab.inner_text("#shown") == "showing 4 of 4"
            assert await tab.get_attribute("html", "data-theme") == "dark"
            await tab.click("#theme")
            assert await tab.get_attribute("html", "data-theme") == "light"
            await tab.fill("#search", "errbulb")
            assert await tab.inner_text("#shown") == "showing 1 of 4"
            assert "canceled" in await tab.inner_text("#rows")
            await tab.click("#clear")
            await tab.click("#machines button >> text=other")
            assert await tab.inner_text("#shown") == "showing 1 of 4"
            await tab.click("#rows .row")
            await tab.click("#detail .link")  # to where it came from
            assert await tab.inner_text("#shown") == "showing 4 of 4"
            assert "+On" in await tab.inner_text("[aria-selected=true]")
            detail = await tab.inner_text("#detail")
            assert "hand = left" in detail
            assert "On require Plugged" in detail
            chips = await tab.locator("#detail .chips li").all_inner_texts()
            assert chips == ["Plugged", "On", "Warm"]
            await tab.press("#list", "ArrowDown")
            assert "+ErrBulb" in await tab.inner_text("[aria-selected=true]")
            await tab.select_option("#kind", "canceled")
            assert await tab.inner_text("#shown") == "showing 1 of 4"
            assert wrong == []

    async def test_a_link_leads_to_its_transition(self, tmp_path: Path) -> None:
        path = tmp_path / "x.html"
        path.write_text(page(lamp()), encoding="utf-8")
        async with chromium() as browser:
            tab = await browser.new_page()
            await tab.goto(f"{path.as_uri()}#lamp/{2:016x}")
            assert "+On" in await tab.inner_text("#detail h3")

    async def test_only_rows_in_sight_are_made_of_a_hundred_thousand(self, tmp_path: Path) -> None:
        path = tmp_path / "x.html"
        path.write_text(page(MemoryDump(messages=run_of(100_001))), encoding="utf-8")
        async with chromium() as browser:
            tab = await browser.new_page()
            await tab.goto(path.as_uri())
            shown = await tab.inner_text("#shown")
            assert shown == "showing 100000 of 100000 (the recording has 100001)"
            assert await tab.locator("#rows .row").count() < 100
            await tab.press("#list", "End")
            assert await tab.inner_text("[aria-selected=true] .time") == "0.099999"
            await tab.evaluate(SEARCH)
            assert await tab.inner_text("#shown") == (
                "showing 1 of 100000 (the recording has 100001)"
            )
