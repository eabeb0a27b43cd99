"""The one-file page of a picture in a real Chromium: pan, search, light up, move through time."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from amctl.vis.draw import draw
from amctl.vis.history import history
from amctl.vis.page import page
from tests.vis.paged import copied, page_of, recorded, ticked, workflow_page
from tests.vis.pictures import needs_dot
from tests.vis.workflow import SINGLE, view_of, workflow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

playwright = pytest.importorskip("playwright.async_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.e2e,
    needs_dot,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup"),
]

LOOK = """() => [...document.querySelectorAll('#base .row')].map(row =>
    [row.id, row.getAttribute('class'), row.querySelector('.gl').textContent])"""
ON = "() => document.querySelectorAll('#base .row.on').length"
PLACE = (
    "() => JSON.stringify([...document.querySelectorAll('#base .row')].slice(0, 40)"
    ".map(row => row.getBoundingClientRect()))"
)


@contextlib.asynccontextmanager
async def opened(
    tmp_path: Path,
    text: str = "",
    *,
    width: int = 1600,
    height: int = 900,
    theme: str = "dark",
    address: str = "",
    **options: Any,
) -> AsyncIterator[Page]:
    """The page from a file; writing to the console or asking the network fails the test."""
    path = tmp_path / "page.html"
    path.write_text(text or workflow_page(), encoding="utf-8")
    complaints: list[str] = []
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        size = {"width": width, "height": height}
        context = await browser.new_context(viewport=size, color_scheme=theme, **options)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: complaints.append(request.url))
        await page.goto(path.as_uri() + address)
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    extra = [text for text in complaints if not text.startswith(("file:", "data:"))]
    assert extra == []


async def until(page: Page, condition: str) -> None:
    """Waits for an expression of the page. (Its policy forbids what `wait_for_function` does.)"""
    frame = "new Promise(done => requestAnimationFrame(done))"
    await page.evaluate(f"async () => {{ while (!({condition})) await {frame}; }}")


def row(page: Page, machine: str, state: str) -> Any:
    return page.locator(f'#base .row[data-m="{machine}"][data-s="{state}"]')


async def lit(page: Page) -> list[str]:
    """What is lit: states by name, lines by their ends."""
    return sorted(
        await page.evaluate(
            """() => [...document.querySelectorAll('#base .hl')].map(({dataset: d}) =>
                d.s ? d.m + ':' + d.s : d.a + ' > ' + d.b)"""
        )
    )


class TestTime:
    async def test_the_end_state_is_the_first_paint(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            first, places = await page.evaluate(LOOK), await page.evaluate(PLACE)
            last = await page.locator("#slider").get_attribute("max")
            assert await page.locator("#slider").input_value() == last
            await page.locator("#slider").fill("0")
            assert await page.evaluate(ON) == 0
            assert await page.locator("#w-time").inner_text() == "before the first change"
            await page.locator("#slider").fill("300")
            middle = await page.evaluate(ON)
            assert middle > 0
            assert await page.locator("#base .row.flash").count() <= 1
            assert await page.evaluate(PLACE) == places
            await page.locator("#slider").fill(str(last))
            assert await page.evaluate(LOOK) == first

    async def test_keys_and_buttons_step_and_play_ends_at_the_end(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            slider, last = (
                page.locator("#slider"),
                int(await page.locator("#slider").get_attribute("max") or 0),
            )
            await page.locator("#view").focus()
            await page.keyboard.press(",")
            await page.keyboard.press(",")
            assert await slider.input_value() == str(last - 2)
            await page.click("#b-on")
            assert await slider.input_value() == str(last - 1)
            await page.click("#b-back")
            await page.keyboard.press("Escape")
            await page.locator("#view").focus()
            await page.keyboard.press("Space")
            assert await page.locator("#b-play").get_attribute("aria-pressed") == "true"
            await page.wait_for_selector("#b-play[aria-pressed=false]")
            assert await slider.input_value() == str(last)

    async def test_the_address_leads_to_a_moment_and_a_state(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.locator("#slider").fill("200")
            await row(page, "browser3", "Completed").click()
            await until(page, "location.hash.includes('s=browser3')")
            address = await page.evaluate("location.hash")
            wanted = await page.evaluate(LOOK)
        async with opened(tmp_path, address=address) as page:
            assert await page.locator("#slider").input_value() == "200"
            strip = "([id, classes, text]) => [id, classes.replace(' hl', ''), text]"
            same = f"([a, b]) => JSON.stringify(a.map({strip})) === JSON.stringify(b.map({strip}))"
            assert await page.evaluate(same, [await page.evaluate(LOOK), wanted])
            assert "Completed" in await page.locator("#info.pinned h2").inner_text()
        async with opened(tmp_path, address="#t=abc&s=%E0%A4%A&m=nope") as page:
            assert await page.locator("#info").is_hidden()

    async def test_map_cards_count_what_is_active(self, tmp_path: Path) -> None:
        cards = "() => [...document.querySelectorAll('.mach text')].map(t => t.textContent)"
        async with opened(tmp_path, workflow_page("map")) as page:
            first = await page.evaluate(cards)
            await page.locator("#slider").fill("0")
            counts = [text for text in await page.evaluate(cards) if "/" in text]
            assert len(counts) == 27
            assert {text.split("/")[0] for text in counts} == {"0"}
            await page.keyboard.press("End")
            assert await page.evaluate(cards) == first


class TestLight:
    async def test_a_state_lights_its_whole_path_across_rpc_copies(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await row(page, "browser3", "Completed").hover()
            await page.wait_for_selector("#base.dim")
            assert await lit(page) == [
                "browser2:Browser3Completed",
                "browser3:Completed",
                "orchestrator:Browser3Completed",
                "rc-bro-browser3 > rs-browser3",
                "rc-srv-browser2 > rs-browser2",
                "rnm-bro-browser3 > browser2",
                "rnm-bro-browser3 > rc-bro-browser3",
                "rnm-bro-browser3:Completed",
                "rnm-srv-browser2 > orchestrator",
                "rnm-srv-browser2 > rc-srv-browser2",
                "rnm-srv-browser2:Browser3Completed",
                "rs-browser2 > browser2",
                "rs-browser3 > browser3",
            ]
            copies = await page.locator(".over .row").count()
            assert copies == 5
            assert "4 more states in 5 machines" in await page.locator("#info").inner_text()
            await page.mouse.move(5, 5)
            await page.wait_for_selector("#base:not(.dim)")
            assert await lit(page) == []
            assert await page.locator("#info").is_hidden()

    async def test_a_bundle_lists_its_members(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.locator(".edge.bundle .hit").first.dispatch_event(
                "pointerover", {"bubbles": True, "pointerType": "mouse"}
            )
            await page.wait_for_selector("#base.dim")
            assert await page.locator("#info li").count() == 16
            heading = await page.locator("#info h3").inner_text()
            assert heading.lower() == "16 pairs of states, add and remove"
            assert await page.locator(".over .row").count() == 32

    async def test_a_click_keeps_it_and_details_lead_on(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await row(page, "orchestrator", "WorkersReady").click()
            details = await page.locator("#info").inner_text()
            assert "tick 3" in details
            assert "auto" in details
            await page.mouse.move(5, 5)
            assert await page.locator("#info.pinned").is_visible()
            await page.locator("#info .link", has_text="Browser1Ready").click()
            assert "Browser1Ready" in await page.locator("#info h2").inner_text()
            await page.locator("#info .link", has_text="rnm-srv-browser1:Ready").click()
            await page.locator("#info p .link").click()
            assert await page.locator("#info h2").inner_text() == "rnm-srv-browser1"
            assert "#src-id:browser1" in await page.locator("#info").inner_text()
            await page.locator("#info .close").click()
            assert await page.locator("#info.pinned").count() == 0

    async def test_keys_walk_along_a_pipe(self, tmp_path: Path) -> None:
        async with opened(tmp_path, address="#s=browser3:Completed") as page:
            await page.locator("#view").focus()
            await page.keyboard.press("Enter")
            focused = "() => document.activeElement.getAttribute('aria-label')"
            assert await page.evaluate(focused) == "browser3, Completed, active"
            for _ in range(2):
                await page.keyboard.press("ArrowRight")
            assert await page.evaluate(focused) == "browser2, Browser3Completed, active"
            await page.keyboard.press("ArrowLeft")
            assert (await page.evaluate(focused)).startswith("rnm-bro-browser3, Completed")
            await page.keyboard.press("ArrowDown")
            assert (await page.evaluate(focused)).startswith("rnm-bro-browser3, ")
            await page.keyboard.press("Escape")
            assert await page.evaluate("document.activeElement.id") == "view"

    async def test_a_machine_alone_lights_relations(self, tmp_path: Path) -> None:
        graph = ticked(workflow())
        view = view_of(graph, SINGLE, ["orchestrator"], requested=["orchestrator"])
        text = page(view, draw(view), history(recorded(graph), view.full), "orchestrator")
        async with opened(tmp_path, text) as found:
            assert await found.locator("nav li").all_inner_texts() == [
                await found.locator("nav button").inner_text(),
                "26 more machines not drawn",
            ]
            await row(found, "orchestrator", "WorkersReady").hover()
            await found.wait_for_selector("#base.dim")
            states = [name for name in await lit(found) if " > " not in name]
            assert "orchestrator:Browser1Ready" in states
            assert "orchestrator:NetworkReady" in states
            await found.keyboard.press("Escape")
            await found.evaluate("seek(0); pick({ m: byId.get('browser1') })")
            assert "its clock at the drawn moment" in await found.locator("#info").inner_text()


class TestSearch:
    async def test_it_finds_states_and_machines_and_those_that_are_not_drawn(
        self, tmp_path: Path
    ) -> None:
        async with opened(tmp_path) as page:
            await page.keyboard.press("/")
            await page.keyboard.type("browser3:ready")
            assert await page.locator("#hits").inner_text() == "5 hits"
            assert await page.locator("#base .row.found").count() == 5
            await page.keyboard.press("Enter")
            assert await page.locator("#hits").inner_text() == "1 of 5"
            box = await page.locator(".over .row.at").bounding_box()
            assert box is not None
            assert 250 < box["x"] < 1600
            assert box["height"] > 12
            await page.keyboard.press("Shift+Enter")
            assert await page.locator("#hits").inner_text() == "5 of 5"
            await page.fill("#find", "rc-srv-browser1:HandshakeDone")
            assert await page.locator("#hits").inner_text() == "1 hit, 1 not drawn"
            await page.keyboard.press("Enter")
            assert await page.locator("#hits").inner_text() == "1 of 1, not drawn"
            assert "not drawn" in await page.locator("#info").inner_text()
            await page.fill("#find", "nothing like it")
            assert await page.locator("#hits").inner_text() == "0 hits"
            await page.keyboard.press("Escape")
            assert await page.locator(".found").count() == 0


class TestPlace:
    async def test_wheel_buttons_keys_and_hand(self, tmp_path: Path) -> None:
        width = "() => Math.round(document.getElementById('sheet').getBoundingClientRect().width)"
        left = "() => Math.round(document.getElementById('sheet').getBoundingClientRect().left)"
        async with opened(tmp_path) as page:
            whole = await page.evaluate(width)
            await page.mouse.move(900, 400)
            await page.mouse.wheel(0, -300)
            await until(page, f"({width})() > {whole * 1.3}")
            await page.click("#b-out")
            await page.locator("#view").focus()
            await page.keyboard.press("+")
            await page.keyboard.press("0")
            await until(page, f"({width})() === {whole}")
            start = await page.evaluate(left)
            await page.keyboard.press("ArrowLeft")
            await until(page, f"({left})() === {start + 80}")
            await page.mouse.move(1500, 800)  # nothing is drawn there
            await page.mouse.down()
            await page.mouse.move(1550, 800, steps=3)
            await page.mouse.up()
            await until(page, f"({left})() === {start + 130}")
            assert await page.locator("#info").is_hidden()
            await page.click("#b-one")
            full = await page.evaluate("full.w")
            await until(page, f"Math.abs(({width})() - {full}) < 2")

    async def test_two_fingers_pinch(self, tmp_path: Path) -> None:
        async with opened(tmp_path, width=380, height=760, has_touch=True) as page:
            before = await page.evaluate("place.k")
            session = await page.context.new_cdp_session(page)
            for kind, spread in (("touchStart", 40), ("touchMove", 70), ("touchMove", 120)):
                points = [{"x": 190 - spread, "y": 300}, {"x": 190 + spread, "y": 300}]
                await session.send(
                    "Input.dispatchTouchEvent", {"type": kind, "touchPoints": points}
                )
            await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
            assert await page.evaluate("place.k") > before * 1.4

    async def test_the_list_of_machines_leads_to_them(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            assert await page.locator("nav li").count() == 27
            button = page.locator('nav button[data-m="rs-browser4"]')
            assert "Ready" in await button.inner_text()
            await button.click()
            box = await page.locator('#base .mach[data-m="rs-browser4"]').bounding_box()
            assert box is not None
            assert 250 < box["x"] < 1600 - box["width"]
            assert await page.locator("#info h2").inner_text() == "rs-browser4"
            await page.locator("#slider").fill("0")
            assert "0/19" in await button.inner_text()
            await page.keyboard.press("m")
            assert await page.locator("nav").is_hidden()

    async def test_a_phone_shows_all_of_it(self, tmp_path: Path) -> None:
        async with opened(tmp_path, width=380, height=760, has_touch=True) as page:
            assert await page.evaluate("document.documentElement.scrollWidth") == 380
            assert await page.locator("nav").is_hidden()
            for name in ("#b-list", "#find", "#b-fit", "#slider", "#when"):
                box = await page.locator(name).bounding_box()
                assert box is not None, name
                assert box["x"] >= 0, name
                assert box["x"] + box["width"] <= 380, name
            await page.tap("#b-list")
            await page.tap('nav button[data-m="orchestrator"]')
            assert await page.locator("nav").is_hidden()
            assert await page.locator("#info h2").inner_text() == "orchestrator"


class TestLooks:
    async def test_dark_and_light_follow_the_system_until_somebody_chooses(
        self, tmp_path: Path
    ) -> None:
        page_colour = "() => getComputedStyle(document.documentElement).backgroundColor"
        async with opened(tmp_path, theme="light") as page:
            assert await page.evaluate(page_colour) == "rgb(255, 255, 255)"
            await page.click("#b-theme")
            assert await page.evaluate(page_colour) == "rgb(20, 22, 26)"
            await page.keyboard.press("t")
            assert await page.evaluate(page_colour) == "rgb(255, 255, 255)"
            await page.emulate_media(color_scheme="dark")
            assert await page.evaluate(page_colour) == "rgb(20, 22, 26)"

    async def test_the_legend_and_the_keys_are_told(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.keyboard.press("?")
            assert "RPC, client to server" in await page.locator("#help").inner_text()
            await page.keyboard.press("Escape")
            assert await page.locator("#help").is_hidden()

    async def test_it_prints_as_one_sheet(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.emulate_media(media="print")
            assert await page.locator("#slider").is_hidden()
            paper = await page.pdf(prefer_css_page_size=True)
            assert paper.count(b"/Type /Page\n") == 1

    async def test_without_scripts_the_picture_stands(self, tmp_path: Path) -> None:
        path = tmp_path / "page.html"
        path.write_text(workflow_page(), encoding="utf-8")
        async with playwright.async_playwright() as started:
            browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            context = await browser.new_context(java_script_enabled=False)
            page = await context.new_page()
            await page.goto(path.as_uri())
            assert await page.locator("#base svg").is_visible()
            await browser.close()


async def test_270_machines_are_stepped_through_in_a_page_that_stays_whole(tmp_path: Path) -> None:
    text = await asyncio.to_thread(page_of, ticked(copied(workflow(), 10)))
    async with opened(tmp_path, text) as page:
        before = await page.evaluate("() => sheet.querySelectorAll('.row.on').length")
        seen = await page.evaluate(
            """() => {
                const last = Number(document.querySelector("input[type=range]").max);
                const counts = new Set();
                for (let at = 0; at <= last; at += 4) {
                    seek(at);
                    counts.add(sheet.querySelectorAll(".row.on").length);
                }
                seek(last);
                return [counts.size, sheet.querySelectorAll(".row.on").length];
            }"""
        )
        assert await page.locator("nav li").count() == 270
    assert seen[0] > 1, "steps recolour"
    assert seen[1] == before > 0
