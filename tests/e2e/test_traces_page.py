"""The one-file page of a trace in a real Chromium: search, zoom, fold, follow causes."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest

from amctl.traces.page import page as page_of
from tests.traces.made import HOSTILE, Maker, recorded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

    from amctl.traces.model import Trace

playwright = pytest.importorskip("playwright.async_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup"),
]

LABELS = "() => shown.map(row => '  '.repeat(row.depth) + row.label)"
WIDE = "() => view.to - view.from"
PICKED = "() => picked.span && DATA.services[picked.span.service] + ' ' + picked.span.name"
RETRY = "spans.find(span => span.name === '0: [add] Retrying')"
SEEN = """() => { const row = rows[picked.span.row], top = place[row.at] * HIGH - tree.scrollTop;
    return top >= 0 && top < tree.clientHeight
        && picked.span.to > view.from && picked.span.from < view.to }"""


@contextlib.asynccontextmanager
async def opened(
    tmp_path: Path,
    trace: Trace | None = None,
    *,
    title: str = "run",
    width: int = 1280,
    height: int = 800,
    theme: str = "dark",
    address: str = "",
) -> AsyncIterator[Page]:
    """The page from a file; writing to the console or asking the network fails the test."""
    path = tmp_path / "trace.html"
    path.write_text(page_of(trace or recorded(), title), encoding="utf-8")
    complaints: list[str] = []
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        size = {"width": width, "height": height}
        context = await browser.new_context(viewport=size, color_scheme=theme)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: complaints.append(request.url))
        await page.goto(path.as_uri() + address)
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    assert [text for text in complaints if not text.startswith(("file:", "data:"))] == []


async def frame(page: Page) -> None:
    """Waits until what was changed is drawn."""
    await page.evaluate(
        "async () => { for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame) }"
    )


async def colour(page: Page, span: str) -> list[int]:
    """The colour in the middle of a span's bar."""
    found: list[int] = await page.evaluate(
        f"""() => {{ const span = {span}, row = rows[span.row], scale = devicePixelRatio;
            const x = (Math.max(xOf(span.from), 0) + 1) * scale;
            const y = (place[row.at] * HIGH - tree.scrollTop + HIGH / 2) * scale;
            return [...lanes.getContext('2d').getImageData(x, y, 1, 1).data] }}"""
    )
    return found


class TestRows:
    async def test_rows_are_services_machines_states_and_transitions(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            rows = await page.evaluate(LABELS)
            tops = [row for row in rows if not row.startswith(" ")]
            assert tops == list(recorded().services)
            at = rows.index("browser3")
            assert rows[at + 1] == "  states"
            assert "    Retrying" in rows[at:]
            assert "    [add] Retrying" in rows[at:]
            first = page.locator("#labels .row").first
            assert await first.get_attribute("aria-level") == "1"
            assert await first.inner_text() != ""

    async def test_rows_fold_by_mouse_and_keys(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            all_rows = await page.evaluate("() => shown.length")
            await page.locator("#labels .row .twist").first.click()
            await frame(page)
            folded = await page.evaluate("() => shown.length")
            assert folded < all_rows
            row = page.locator("#labels .row").first
            assert await row.get_attribute("aria-expanded") == "false"
            await page.locator("#tree").focus()
            await page.keyboard.press("ArrowDown")
            await page.keyboard.press("Enter")
            assert await page.evaluate("() => shown.length") == all_rows
            await page.keyboard.press("e")
            assert await page.evaluate(LABELS) == list(recorded().services)
            await page.keyboard.press("e")
            assert await page.evaluate("() => shown.length") == all_rows

    async def test_refused_autos_are_shown_on_demand(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.evaluate("() => { for (const row of rows) row.open = true; unfold() }")
            before = await page.evaluate("() => shown.length")
            await page.click("#b-autos")
            idle = await page.evaluate("() => rows.filter(isIdle).length")
            assert idle > 0
            assert await page.evaluate("() => shown.length") == before + idle


class TestSearch:
    async def test_hits_are_counted_marked_and_walked(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.keyboard.press("/")
            await page.keyboard.type("[add] retrying")
            count = await page.evaluate("() => hits.list.length")
            assert count > 1
            assert await page.locator("#hits").inner_text() == str(count)
            seen = []
            for number in range(1, count + 1):
                await page.keyboard.press("Enter")
                assert await page.locator("#hits").inner_text() == f"{number} of {count}"
                assert await page.evaluate(SEEN)
                seen.append(await page.evaluate("() => picked.span.id"))
            assert len(set(seen)) == count
            await page.evaluate(f"() => go({RETRY})")
            await frame(page)
            marks = page.locator("#labels mark")
            assert "[add] Retrying" in await marks.all_inner_texts()
            await page.locator("#tree").focus()
            await page.keyboard.press("n")
            assert await page.evaluate("() => picked.span.id") == seen[0]
            await page.keyboard.press("N")
            assert await page.evaluate("() => picked.span.id") == seen[-1]

    async def test_attributes_are_searched_and_folded_rows_opened(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.keyboard.press("e")
            tx = await page.evaluate(f"() => pairs({RETRY}.attributes)[0][1]")
            await page.fill("#find", f"am.tx_id={tx}")
            await page.keyboard.press("Enter")
            assert await page.evaluate(SEEN)
            assert await page.locator("#info mark").count() >= 1
            await page.keyboard.press("Escape")
            assert await page.locator("#hits").inner_text() == ""

    async def test_nothing_found_is_told(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.fill("#find", "no such thing")
            await page.keyboard.press("Enter")
            assert await page.locator("#hits").inner_text() == "none"


class TestTime:
    async def test_keys_zoom_pan_and_fit(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            assert await page.evaluate(WIDE) == 1
            await page.keyboard.press("+")
            await page.keyboard.press("+")
            wide = await page.evaluate(WIDE)
            assert wide == pytest.approx(1 / 2.25)
            start = await page.evaluate("() => view.from")
            await page.keyboard.press("ArrowRight")
            assert await page.evaluate("() => view.from") > start
            for _ in range(30):
                await page.keyboard.press("ArrowLeft")
            assert await page.evaluate("() => view.from") == 0
            assert await page.evaluate(WIDE) == pytest.approx(wide)
            await page.keyboard.press("-")
            assert await page.evaluate(WIDE) > wide
            await page.keyboard.press("0")
            assert await page.evaluate(WIDE) == 1
            await page.click("#b-in")
            assert await page.evaluate(WIDE) < 1
            await page.click("#b-fit")
            assert await page.evaluate(WIDE) == 1

    async def test_the_wheel_zooms_around_the_pointer_and_a_drag_pans(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.mouse.move(900, 400)
            before = await page.evaluate("() => whereAt(900 - lanes.getBoundingClientRect().left)")
            await page.keyboard.down("Control")
            await page.mouse.wheel(0, -600)
            await page.keyboard.up("Control")
            await frame(page)
            assert await page.evaluate(WIDE) < 0.5
            after = await page.evaluate("() => whereAt(900 - lanes.getBoundingClientRect().left)")
            assert after == pytest.approx(before)
            start = await page.evaluate("() => view.from")
            await page.mouse.down()
            await page.mouse.move(700, 400, steps=4)
            await page.mouse.up()
            assert await page.evaluate("() => view.from") > start

    async def test_a_drag_over_the_times_zooms_into_them(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            box = await page.locator("#axis").bounding_box()
            assert box
            y = box["y"] + 10
            await page.mouse.move(box["x"] + box["width"] / 2, y)
            await page.mouse.down()
            await page.mouse.move(box["x"] + box["width"] * 3 / 4, y, steps=4)
            await page.mouse.up()
            assert await page.evaluate(WIDE) == pytest.approx(0.25, abs=0.01)
            assert await page.evaluate("() => view.from") == pytest.approx(0.5, abs=0.01)

    async def test_the_map_moves_what_is_shown(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.evaluate("() => { look(0, 0.2); draw() }")
            box = await page.locator("#map").bounding_box()
            assert box
            await page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + 10)
            assert await page.evaluate("() => view.from") == pytest.approx(0.6, abs=0.01)
            assert await page.evaluate(WIDE) == pytest.approx(0.2)

    async def test_idle_time_is_pressed_together_or_not(self, tmp_path: Path) -> None:
        gap = "() => { const [a, b] = DATA.gaps[0]; return placeOf(b) - placeOf(a) }"
        async with opened(tmp_path) as page:
            assert await page.evaluate(gap) < 0.05
            await page.keyboard.press("g")
            assert await page.evaluate(gap) > 0.5
            assert await page.locator("#b-gaps").get_attribute("aria-pressed") == "false"
            await page.click("#b-gaps")
            assert await page.evaluate(gap) < 0.05

    async def test_bars_are_drawn_where_their_time_is(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.evaluate(f"() => {{ go({RETRY}); zoomTo({RETRY}); pick(null) }}")
            await frame(page)
            red, green, blue, alpha = await colour(page, RETRY)
            ink = await page.evaluate(f"() => ink.services[{RETRY}.service]")
            assert (f"#{red:02x}{green:02x}{blue:02x}", alpha) == (ink, 255)


class TestLinks:
    async def test_a_retry_leads_to_the_decision_of_another_service_and_back(
        self, tmp_path: Path
    ) -> None:
        async with opened(tmp_path) as page:
            await page.evaluate(f"() => {{ go({RETRY}); zoomTo({RETRY}) }}")
            heads = await page.locator("#info h3").all_inner_texts()
            assert "CAUSED BY" in heads
            cause = page.locator("#info h3:text-is('Caused by') + ul .jump")
            assert await cause.inner_text() == "browser2 0: [add] Browser3Retry"
            await cause.click()
            assert await page.evaluate(PICKED) == "browser2 0: [add] Browser3Retry"
            await frame(page)
            assert await page.evaluate(SEEN)
            effects = page.locator("#info h3:text-is('Causes') + ul .jump")
            assert "browser3 0: [add] Retrying" in await effects.all_inner_texts()
            await page.locator("#tree").focus()
            await page.keyboard.press("b")
            assert await page.evaluate(PICKED) == "browser3 0: [add] Retrying"
            await page.keyboard.press("c")
            assert await page.evaluate(PICKED) == "browser2 0: [add] Browser3Retry"

    async def test_a_state_leads_to_what_activated_it(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            state = "spans.find(span => span.name === '0:Retrying' && span.took > 0)"
            await page.evaluate(f"() => go({state})")
            await page.click("#info h3:text-is('Activated by') + ul .jump")
            assert await page.evaluate(PICKED) == "browser3 0: [add] Retrying"

    async def test_a_click_on_a_bar_tells_all_about_it(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.evaluate(f"() => {{ go({RETRY}); zoomTo({RETRY}); pick(null); draw() }}")
            x, y = await page.evaluate(
                f"""() => {{ const span = {RETRY}, box = lanes.getBoundingClientRect();
                    return [box.left + (xOf(span.from) + xOf(span.to)) / 2,
                        box.top + place[span.row] * HIGH - tree.scrollTop + HIGH / 2] }}"""
            )
            await page.mouse.move(x, y)
            assert "0: [add] Retrying" in await page.locator("#tip").inner_text()
            await page.mouse.click(x, y)
            text = await page.locator("#info").inner_text()
            for part in ("0: [add] Retrying", "am.accepted", "+Retrying -Failed", "RetryingEnter"):
                assert part in text
            await page.keyboard.press("Escape")
            assert await page.locator("#info").is_hidden()

    async def test_arrows_are_those_between_services(self, tmp_path: Path) -> None:
        by_id = {span.span_id: span for span in recorded().spans}
        wanted = {
            (link.span_id, span.span_id)
            for span in recorded().spans
            for link in span.links
            if link.kind == "source" and by_id[link.span_id].service is not span.service
        }
        async with opened(tmp_path) as page:
            found = await page.evaluate("() => arrows.map(a => [a.cause.id, a.effect.id])")
            assert {tuple(pair) for pair in found} == wanted

    async def test_the_address_leads_to_a_span(self, tmp_path: Path) -> None:
        span = next(s for s in recorded().spans if s.name == "0: [add] Retrying")
        async with opened(tmp_path, address=f"#{span.span_id}") as page:
            assert await page.evaluate("() => picked.span.id") == span.span_id
            assert await page.evaluate(SEEN)


class TestLook:
    async def test_dark_and_light(self, tmp_path: Path) -> None:
        paper = "() => getComputedStyle(document.documentElement).backgroundColor"
        for theme, first, other in (
            ("dark", "rgb(20, 22, 26)", "rgb(255, 255, 255)"),
            ("light", "rgb(255, 255, 255)", "rgb(20, 22, 26)"),
        ):
            async with opened(tmp_path, theme=theme) as page:
                assert await page.evaluate(paper) == first
                await page.keyboard.press("t")
                assert await page.evaluate(paper) == other

    async def test_help_lists_the_keys(self, tmp_path: Path) -> None:
        async with opened(tmp_path) as page:
            await page.keyboard.press("?")
            assert await page.locator("#help").is_visible()
            await page.keyboard.press("Escape")
            assert await page.locator("#help").is_hidden()

    @pytest.mark.parametrize("width", [380, 800, 1280])
    async def test_nothing_sticks_out(self, tmp_path: Path, width: int) -> None:
        async with opened(tmp_path, width=width) as page:
            await page.evaluate(f"() => go({RETRY})")
            await frame(page)
            assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
            sizes = await page.evaluate(
                "() => [lanes.clientWidth, axis.clientWidth, tree.clientHeight]"
            )
            assert min(sizes) > 80
            assert sizes[0] == sizes[1]


class TestAnything:
    async def test_hostile_names_are_only_texts(self, tmp_path: Path) -> None:
        made = Maker()
        for name in HOSTILE:
            first = made.add(name, 0, 1, service=name, error=name, **{name: name})
            made.add(name, 1, 1, service=f"{name}2", links=((first, name),), events=((name, 1.5),))
        async with opened(tmp_path, made.trace(), title=HOSTILE[0]) as page:
            await page.fill("#find", "alert")
            for _ in range(4):
                await page.keyboard.press("Enter")
            await page.evaluate(
                "() => spans.forEach(span => { go(span); draw(); tipAt(9, 9, span) })"
            )
            assert await page.locator("img, iframe, body script ~ script ~ script").count() == 0
            assert await page.locator("script").count() == 2
            assert await page.title() == HOSTILE[0]
            assert await page.locator("h1").inner_text() == HOSTILE[0]

    async def test_many_spans_make_few_elements(self, tmp_path: Path) -> None:
        made = Maker()
        for number in range(20):
            _, states, transitions = made.machine(f"machine{number}")
            name = made.add("0:On", parent=states)
            for turn in range(250):
                made.add("0:On", turn * 4, 3, parent=name)
                made.add(f"0: [add] On{turn}", turn * 4, 1, parent=transitions)
        async with opened(tmp_path, made.trace()) as page:
            assert await page.evaluate("() => spans.length") > 10_000
            await page.evaluate(
                "() => { for (const row of rows) row.open = true; unfold(); draw() }"
            )
            assert await page.evaluate("() => shown.length") > 10_000
            for key in ("End", "Home", "PageDown", "+", "ArrowRight"):
                await page.keyboard.press(key)
                await frame(page)
                assert 10 < await page.locator("#labels .row").count() < 60
            await page.keyboard.press("End")
            await frame(page)
            last = await page.locator("#labels .row").last.inner_text()
            assert "[add] On249" in last

    async def test_one_span_alone_is_a_page(self, tmp_path: Path) -> None:
        made = Maker()
        made.add("alone")
        async with opened(tmp_path, made.trace()) as page:
            for key in "+-0geezcbnNat?":
                await page.keyboard.press(key)
            await page.keyboard.press("ArrowDown")
            await page.keyboard.press("ArrowDown")
            assert await page.evaluate(PICKED) == "lamp alone"


def test_the_page_of_the_real_run_is_small(tmp_path: Path) -> None:
    assert len(page_of(recorded(), "run")) < 200_000
