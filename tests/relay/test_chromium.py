"""What only a real browser shows: the cookie, isolation, close codes, precompressed modules."""

from __future__ import annotations

import gzip
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from amctl.relay import Matcher
from tests.relay.test_protocols import echo

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.conftest import StartRelay

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup"),
]

WORKER = """
import {suffix} from "./part-0123abcd.mjs";
const base = location.origin.replace("http", "ws");
const socket = new WebSocket(base + "/listen/b/localhost:0?tab=t1");
socket.binaryType = "arraybuffer";
socket.onopen = () => socket.send(new Uint8Array([1, 2, 3]));
socket.onmessage = (e) => {
  const second = new WebSocket(base + "/listen/b/localhost:0?tab=t2");
  second.onclose = (closed) => postMessage({
    echo: [...new Uint8Array(e.data)], suffix, isolated: self.crossOriginIsolated,
    code: closed.code, reason: closed.reason,
  });
};
"""


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html><title>door</title>")
    (tmp_path / "worker.mjs").write_text(WORKER)
    (tmp_path / "part-0123abcd.mjs").write_text("export const suffix = 'plain';")
    packed = gzip.compress(b"export const suffix = 'packed';")
    (tmp_path / "part-0123abcd.mjs.gz").write_bytes(packed)
    return tmp_path


async def test_browser_gets_in_by_its_link_and_talks_from_a_worker(
    start_relay: StartRelay, web: Path
) -> None:
    from playwright.async_api import async_playwright

    matcher = Matcher(re.compile("^b$"), echo)
    relay = (await start_relay(static=[web], matchers=[matcher], host="localhost")).relay
    async with async_playwright() as tools:
        browser = await tools.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page()
        answer = await page.goto(relay.url)
        assert answer is not None
        assert answer.status == 401
        assert "amctl start" in await page.inner_text("body")
        await page.goto(relay.page_url)
        assert (page.url, await page.title()) == (f"{relay.url}/", "door")
        assert await page.evaluate("[crossOriginIsolated, document.cookie]") == [True, ""]
        got: dict[str, Any] = await page.evaluate(
            """() => new Promise((resolve) => {
                const worker = new Worker("/worker.mjs", {type: "module"});
                worker.onmessage = (e) => resolve(e.data);
            })"""
        )
        await browser.close()
    assert got == {
        "echo": [1, 2, 3],
        "suffix": "packed",
        "isolated": True,
        "code": 4409,
        "reason": "another tab is running this workflow",
    }
