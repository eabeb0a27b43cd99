"""The page in a real Chromium, with a made-up run behind it."""

from __future__ import annotations

import contextlib
import re
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support.fake_page import WEB, FakePage
from tests.support.fake_run import FakeRun
from tests.support.web_server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

playwright = pytest.importorskip("playwright.async_api")
CHROMIUM = shutil.which("chromium")
in_chromium = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup"),
]
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
TELL = "([what, detail]) => dispatchEvent(new CustomEvent('amctl:' + what, { detail }))"
FILES = ("index.html", "style.css", "app.js")


def test_the_page_is_smaller_than_32_kb() -> None:
    sizes = {name: (WEB / name).stat().st_size for name in FILES}
    assert sum(sizes.values()) < 32 * 1024, sizes


def test_the_page_has_neither_inline_script_nor_inline_style() -> None:
    html = (WEB / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", html) == []
    assert 'setAttribute("style"' not in (WEB / "app.js").read_text(encoding="utf-8")


@contextlib.asynccontextmanager
async def opened(
    fake: FakePage, *, width: int = 1280, height: int = 860, theme: str = "dark", port: int = 0
) -> AsyncIterator[Page]:
    """The page of `fake`; what it writes to the console fails the test."""
    complaints: list[str] = []
    async with playwright.async_playwright() as started, serve(fake.app, port) as url:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        view = {"width": width, "height": height}
        page = await browser.new_page(viewport=view, color_scheme=theme)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Failed to load resource" not in message.text
                else None
            ),
        )
        await page.goto(url)
        yield page
        fake.run.recorder.close()
        await browser.close()
    assert complaints == []


async def shown(page: Page) -> None:
    await page.wait_for_selector("body[data-on]")


async def texts(page: Page, selector: str) -> list[str]:
    found = await page.locator(selector).all_inner_texts()
    return [re.sub(r"\s+", " ", text).strip() for text in found]


async def cards(page: Page) -> list[str]:
    return await page.locator(".card").evaluate_all("all => all.map(e => e.ariaLabel)")


def at(name: str, moment: int, **options: Any) -> FakePage:
    run = FakeRun(name, **options)
    run.advance(moment)
    return FakePage(run)


class TestTexts:
    pytestmark = in_chromium

    async def test_mid_run(self) -> None:
        async with opened(at("four", 9150)) as page:
            await shown(page)
            assert await page.title() == "Running, round 2 - amctl"
            assert await texts(page, "#banner h1, #banner p") == [
                "Running, round 2",
                "Round 2 of at most 50",
            ]
            assert (await texts(page, "#facts > div"))[:4] == [
                "round 2",
                "executions 9",
                "failed 1",
                "lied 1",
            ]
            assert await cards(page) == [
                "browser1, UI thread: delivered; failed 0, lied 1 times",
                "browser2, dispatcher: delivered; failed 0, lied 0 times",
                "browser3, WebWorker: working; failed 0, lied 0 times",
                "browser4, WebWorker: working; failed 1, lied 0 times",
            ]
            assert (await texts(page, ".strip"))[0].startswith(
                "Round 1 browser1 lied 2.4 s, 5 jobs"
            )
            assert await page.locator(".a.working:not(.key *)").count() == 2
            assert [text[-8:] for text in await texts(page, "#results li")] == ["expected"] * 2
            assert (await texts(page, "#events li"))[0] == "9.1 browser4 begins"
            assert len(await texts(page, "#lights li")) == 8

    async def test_after_a_lie_everything_starts_over(self) -> None:
        async with opened(at("four", 7400), theme="light") as page:
            await shown(page)
            assert await texts(page, "#banner h1, #banner p") == [
                "Starting over",
                "browser1 lied in round 1, so everything starts over",
            ]
            labels = await cards(page)
            assert "browser1, UI thread: lied;" in labels[0]
            assert "browser3, WebWorker: wrong input;" in labels[2]
            results = await texts(page, "#results li")
            assert results[0].endswith("wrong")
            assert results[1].endswith("equal")

    async def test_the_end(self) -> None:
        fake = at("four", 10**9)
        async with opened(fake, theme="light") as page:
            await shown(page)
            assert await page.title() == "● Verified in round 2 - amctl"
            assert await texts(page, "#banner h1, #banner p") == [
                "Verified in round 2",
                "2 results equal their known hashes",
            ]
            hashes = [fake.run.honest(leaf).hex() for leaf in fake.run.leaves]
            assert await texts(page, "#results code") == hashes
            assert [text[-5:] for text in await texts(page, "#results li")] == ["equal"] * 2
            assert await texts(page, "#links *") == ["tmp/amctl.log", "Diagram"]
            assert "Verified in round 2" in (await texts(page, "[role=status]"))[0]
            await page.locator(".card").first.focus()
            await page.wait_for_function("detail.textContent.startsWith('browser1: ')")
            assert (await texts(page, "#detail"))[
                0
            ] == f"browser1: {fake.run.honest('browser1').hex()}"

    async def test_a_run_that_failed_is_an_alert(self) -> None:
        async with opened(at("four", 10**9, fails=True)) as page:
            await shown(page)
            assert await page.title() == "▲ Not verified - amctl"
            assert (await texts(page, "[role=alert]"))[0] == (
                "Not verified. No verified result in 2 rounds; browser1 lied in the last one"
            )

    async def test_a_lost_node_and_an_interrupted_round(self) -> None:
        fake = at("four", 5800)
        fake.run.recorder.lost("browser3")
        async with opened(fake) as page:
            await shown(page)
            assert "browser3, WebWorker: connection lost;" in (await cards(page))[2]
            assert (await texts(page, ".strip"))[0].startswith("Round 1 interrupted")
            assert (await texts(page, "#events li"))[0] == "5.8 browser3 connection lost"

    async def test_only_the_counts_of_old_rounds_are_left(self) -> None:
        fake = at("four", 900, boots=False)
        for _ in range(14):
            fake.run.recorder.begin_round()
        async with opened(fake) as page:
            await shown(page)
            assert await page.locator(".strip").count() == 15
            assert await page.locator(".strip.old").count() == 1


class TestLayout:
    pytestmark = in_chromium

    @pytest.mark.parametrize("name", ["four", "seven", "thirty"])
    async def test_cards_never_overlap_and_the_page_never_scrolls_sideways(self, name: str) -> None:
        async with opened(at(name, 8600)) as page:
            await shown(page)
            for width in (1280, 900, 700, 380):
                await page.set_viewport_size({"width": width, "height": 800})
                await page.evaluate(PAINTED)
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                boxes = await page.locator(".card .b").evaluate_all(
                    "all => all.map(e => e.getBoundingClientRect()).map(r => [r.x, r.y, r.width])"
                )
                assert len({tuple(box) for box in boxes}) == len(boxes) == len(fake_ids(name))
                assert overlaps(boxes) == 0

    async def test_no_section_moves_in_a_whole_run_and_deltas_end_like_a_snapshot(self) -> None:
        fake = at("four", 0)
        where = (
            "[...document.querySelectorAll('section, h2, #results li, .card')]"
            ".map(e => e.getBoundingClientRect()).map(r => [r.x, r.y, r.width, r.height] + '')"
        )
        async with opened(fake) as page:
            await shown(page)
            before = await page.evaluate(where)
            await fake.run.live(speed=8)
            await page.wait_for_selector("#links a")
            assert await page.evaluate(where) == before
            live = await texts(page, "header, #banner, main")
            await page.reload()
            await shown(page)
            assert await texts(page, "header, #banner, main") == live
            assert await page.evaluate(where) == before


def fake_ids(name: str) -> list[str]:
    return FakeRun(name).ids


def overlaps(boxes: list[list[float]]) -> int:
    """Cards on one line that come closer than they are wide."""
    lines: dict[float, list[float]] = {}
    for x, y, _ in boxes:
        lines.setdefault(round(y), []).append(x)
    width = boxes[0][2]
    return sum(
        b - a < width
        for xs in lines.values()
        for a, b in zip(sorted(xs), sorted(xs)[1:], strict=False)
    )


class TestStream:
    pytestmark = in_chromium

    @pytest.mark.parametrize(
        ("status", "title"),
        [
            (401, "This page needs the address with its token"),
            (409, "The workflow already runs in another tab"),
        ],
    )
    async def test_a_refusal_says_what_to_do(self, status: int, title: str) -> None:
        fake = at("four", 0)
        fake.status = status
        async with opened(fake) as page:
            await page.wait_for_selector(f"body[data-gate='{status}']")
            assert await texts(page, "#gate h1") == [title]
            assert await texts(page, "[role=alert]") == [title]
            assert await page.locator("main").is_hidden()

    async def test_the_loader_can_refuse_and_tell_how_far_its_threads_are(self) -> None:
        fake = at("four", 0)
        boot = {"node": "browser2", "step": 2, "of": 5, "label": "Compiling it"}
        async with opened(fake) as page:
            await shown(page)
            await page.evaluate(TELL, ["boot", {**boot, "done": 0, "total": 1}])
            await page.locator("#b-text", has_text="Compiling it; 0 of 4 threads up").wait_for()
            assert "browser2, dispatcher: Compiling it;" in (await cards(page))[1]
            fake.run.recorder.joined("browser2")
            await page.wait_for_selector(".card.ready")
            bad = {**boot, "node": "browser1", "error": "no WebAssembly here"}
            await page.evaluate(TELL, ["boot", bad])
            await page.wait_for_selector(".card.failed")
            assert await texts(page, "#b-text") == ["browser1: no WebAssembly here"]
            await page.evaluate(TELL, ["refused", {"code": 409}])
            await page.wait_for_selector("body[data-gate='409']")

    async def test_a_lost_server_is_told_at_once_and_the_stream_resumes(self) -> None:
        fake = at("four", 9150)
        async with playwright.async_playwright() as started, contextlib.AsyncExitStack() as first:
            url = await first.enter_async_context(serve(fake.app))
            browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = await browser.new_page()
            await page.goto(url)
            await shown(page)
            await first.aclose()
            await page.wait_for_selector("body[data-cut]")
            assert await texts(page, "#b-title") == ["Connection to the server lost"]
            assert await texts(page, "[role=alert]") == ["Connection to the server lost"]
            fake.run.advance()
            async with serve(fake.app, urlsplit(url).port or 0):
                await page.wait_for_selector("body:not([data-cut])")
                await page.locator("#b-title", has_text="Verified in round 2").wait_for()
                fake.run.recorder.close()
            await browser.close()

    async def test_bye_ends_the_dialling(self) -> None:
        fake = at("four", 10**9)
        async with opened(fake) as page:
            await shown(page)
            streams = fake.streams
            fake.run.recorder.close()
            await page.wait_for_timeout(1500)  # a page that dials again does so after a second
            assert fake.streams == streams
            assert await texts(page, "#b-title") == ["Verified in round 2"]

    async def test_another_run_on_the_same_address_reloads_the_page(self) -> None:
        async with playwright.async_playwright() as started, contextlib.AsyncExitStack() as first:
            url = await first.enter_async_context(serve(at("four", 9150).app))
            browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = await browser.new_page()
            await page.goto(url)
            await shown(page)
            await first.aclose()
            fake = at("seven", 0, id="r-0002")
            async with serve(fake.app, urlsplit(url).port or 0):
                await page.locator(".card").nth(6).wait_for()
                fake.run.recorder.close()
            await browser.close()
