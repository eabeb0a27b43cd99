"""The flame page in a real Chromium: search, zoom, keys, time, and names that want out."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from amctl.insight.profiles.flame import flame_page
from amctl.insight.profiles.model import HANDLER, from_answer
from tests.insight.profiles.test_model import ANSWER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

playwright = pytest.importorskip("playwright.async_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup"),
]
HOSTILE = '</script><img src=x onerror="document.title=1">'
# four outer frames that all share, then two branches
PROFILE: dict[str, Any] = {
    **ANSWER,
    "frames": [
        *(["outer", "lib.py", line] for line in range(4)),
        ["m AState", HANDLER, 0],
        ["burn", "nodes/jobs.py", 2],
        [HOSTILE, HOSTILE, 3],
    ],
    "stacks": [[[0, 1, 2, 3, 4, 5], 600_000, 6], [[0, 1, 2, 3, 6], 400_000, 4]],
}


@contextlib.asynccontextmanager
async def opened(
    tmp_path: Path, answer: dict[str, Any], *, width: int = 1280, theme: str = "dark"
) -> AsyncIterator[Page]:
    """The page from a file; writing to the console or asking the network fails the test."""
    path = tmp_path / "page.html"
    path.write_text(flame_page(from_answer(HOSTILE, answer)), encoding="utf-8")
    complaints: list[str] = []
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        size = {"width": width, "height": 800}
        context = await browser.new_context(viewport=size, color_scheme=theme)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("request", lambda request: complaints.append(request.url))
        await page.goto(path.as_uri())
        await page.wait_for_selector("body[data-ready]")
        yield page
        await browser.close()
    assert [text for text in complaints if not text.startswith("file:")] == []


async def told(page: Page) -> str:
    """What is said of the box under the pointer."""
    return await page.locator("#tip").inner_text()


async def test_names_stay_names(tmp_path: Path) -> None:
    async with opened(tmp_path, PROFILE) as page:
        assert await page.locator("img").count() == 0
        assert await page.locator("h1").inner_text() == f"{HOSTILE}: where the time went"
        assert HOSTILE in await page.locator("#functions").inner_text()
        assert await page.title() == f"{HOSTILE}: where the time went"


async def test_search_tells_the_share_and_a_name_in_a_table_searches(tmp_path: Path) -> None:
    async with opened(tmp_path, PROFILE) as page:
        await page.keyboard.press("/")
        await page.keyboard.type("BURN")
        assert await page.locator("#hits").inner_text() == "60.0 %"
        await page.fill("#find", "lib.py")
        assert await page.locator("#hits").inner_text() == "100.0 %", "nothing counts twice"
        await page.click("#handlers button")
        assert await page.input_value("#find") == "m AState"
        await page.click("#handlers button")
        assert await page.input_value("#find") == ""


async def test_the_trunk_is_folded_until_the_whole_is_asked_for(tmp_path: Path) -> None:
    async with opened(tmp_path, PROFILE) as page:
        folded = (await page.locator("#flames").bounding_box() or {})["height"]
        assert await page.locator("#way").inner_text() == "2 outer frames are folded"
        await page.click("#whole")
        assert await page.locator("#way").inner_text() == ""
        assert (await page.locator("#flames").bounding_box() or {})["height"] > folded
        assert await page.locator("#whole").is_disabled()


async def test_a_box_tells_of_itself_and_zooms(tmp_path: Path) -> None:
    async with opened(tmp_path, PROFILE) as page:
        await page.hover("#flames", position={"x": 1100, "y": 65})
        assert "600.0 ms, 60.0 %" in await told(page)
        await page.click("#flames", position={"x": 1100, "y": 65})
        await page.hover("#flames", position={"x": 20, "y": 65})
        assert (await told(page)).startswith("burn"), "it fills the width now"


async def test_keys_move_and_zoom(tmp_path: Path) -> None:
    async with opened(tmp_path, PROFILE) as page:
        await page.focus("#flames")
        await page.keyboard.press("ArrowDown")
        assert "m AState" in await told(page)
        await page.keyboard.press("ArrowLeft")
        assert HOSTILE in await told(page)
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("Enter")
        await page.keyboard.press("ArrowUp")
        assert (await told(page)).startswith("outer")
        await page.keyboard.press("Escape")
        assert await page.locator("#whole").is_disabled()


async def test_handlers_show_over_time(tmp_path: Path) -> None:
    async with opened(tmp_path, PROFILE) as page:
        await page.focus("#strip")
        said = []
        for _ in range(4):
            await page.keyboard.press("ArrowRight")
            said.append(await told(page))
        assert said[0] == "m AState   500.0 ms, from 0 µs on"
        assert said[1] == "m WorkState   900.0 ms, from 50.0 ms on   (coroutine)"
        assert said[2] == said[3] == "m BState   200.0 ms, from 100.0 ms on", "it is the last one"
        await page.keyboard.press("Enter")
        await page.hover("#strip", position={"x": 640, "y": 42})
        assert (await told(page)).startswith("m BState")
        assert await page.locator("#more").inner_text() == "3 shorter ones are left out"


@pytest.mark.parametrize("width", [380, 1280])
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_nothing_overflows(tmp_path: Path, width: int, theme: str) -> None:
    async with opened(tmp_path, PROFILE, width=width, theme=theme) as page:
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_profile_of_nothing_says_so(tmp_path: Path) -> None:
    nothing = {**PROFILE, "frames": [], "stacks": [], "spans": {}}
    async with opened(tmp_path, nothing) as page:
        assert await page.locator("#none").is_visible()
        assert await page.locator("#time").is_hidden()
        await page.focus("#flames")
        for key in ("ArrowDown", "ArrowLeft", "Enter", "Escape"):
            await page.keyboard.press(key)
