"""Python in the threads of a real Chromium: they come up, talk, fail aloud and are replaced."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from amctl.relay import Matcher
from tests.support.browser_threads import in_chromium, open_page, thread

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page, Worker

    from amctl.rpc.transports.base import Connection

pytestmark = [*in_chromium, pytest.mark.timeout(300)]
RESULT = """async () => { while (!globalThis.result) await new Promise(r => setTimeout(r, 10));
    const found = globalThis.result; globalThis.result = undefined; return found }"""


@pytest.fixture
def project(threads_project: Path) -> Path:
    return threads_project


async def ready(page: Page) -> dict[str, Any]:
    """Wait until all threads run Python; when each of them did, in ms since navigation."""
    found: dict[str, Any] = await page.evaluate("amctl.ready")
    return found


async def worker(page: Page, name: str) -> Worker:
    """The living thread of that name."""
    for found in page.workers:
        if await found.evaluate("self.name") == name:
            return found
    raise LookupError(name)


async def result(page: Page, name: str) -> dict[str, Any]:
    found: dict[str, Any] = await (await worker(page, name)).evaluate(RESULT)
    return found


async def test_four_threads_run_python(project: Path) -> None:
    two = thread("browser2", thread("browser3"), thread("browser4"))
    async with open_page(project, thread("browser1"), [two]) as page:
        assert (await ready(page)).keys() == {"browser1", "browser2", "browser3", "browser4"}
        assert await page.evaluate(RESULT) == {"ok": True}
        for name in ("browser2", "browser3", "browser4"):
            assert await result(page, name) == {"ok": True}


async def test_ports_carry_a_mebibyte_in_order_both_ways(project: Path) -> None:
    leaves = ["browser3", "browser4"]
    two = thread(
        "browser2",
        *(thread(leaf, do="echo") for leaf in leaves),
        do="send",
        size=(1 << 20) + 7,
        leaves=leaves,
    )
    async with open_page(project, thread("browser1"), [two]) as page:
        await ready(page)
        got = await result(page, "browser2")
        assert got["ok"] is True
        assert got["stalls"] > 0  # the window was used
        for leaf in leaves:
            assert await result(page, leaf) == {"ended": "None"}


async def test_a_thread_that_dies_is_started_again_with_a_new_port(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    two = thread(
        "browser2",
        thread("browser3", do="echo"),
        do="send",
        size=3000,
        leaves=["browser3"],
        close=False,
    )
    async with open_page(project, None, [two]) as page:
        await ready(page)
        assert (await result(page, "browser2"))["ok"] is True
        await (await worker(page, "browser3")).evaluate("self.close()")
        assert await result(page, "browser2") == {"again": "browser3", "ok": True}
    assert "[browser2] thread browser3 died: starting it again" in caplog.text


async def test_a_dispatcher_that_dies_is_started_again_with_its_leaves(project: Path) -> None:
    two = thread(
        "browser2", thread("browser3", do="echo"), do="send", size=3000, leaves=["browser3"]
    )
    async with open_page(project, None, [two]) as page:
        await ready(page)
        assert (await result(page, "browser2"))["ok"] is True
        await (await worker(page, "browser2")).evaluate("self.close()")
        async with page.expect_event("worker", lambda w: "worker.js" in w.url):
            pass
        await page.wait_for_function("amctl.threads.browser2.up === undefined")
        await page.wait_for_function("amctl.threads.browser2.up > 0")
        assert (await result(page, "browser2"))["ok"] is True


class Echo:
    """A matcher that sends back what comes, and closes when the peer says bye."""

    def __init__(self) -> None:
        self.matcher = Matcher(re.compile("^browser1$"), self.accept)

    async def accept(self, _id: str, connection: Connection) -> None:
        over = asyncio.Event()

        def on_data(data: bytes) -> None:
            if data == b"bye":
                connection.close(1000, "bye")
            else:
                connection.write(data)

        connection.start(on_data, lambda _error: over.set(), lambda: None)
        await over.wait()


async def test_a_websocket_carries_a_mebibyte_both_ways(project: Path) -> None:
    path = "/listen/browser1/localhost:14010"
    dialler = thread("browser1", do="dial", path=path, size=1 << 20)
    async with open_page(project, dialler, matchers=[Echo().matcher]) as page:
        await ready(page)
        got = await page.evaluate(RESULT)
        assert (got["ok"], got["lost"]) == (True, "None")


async def test_a_refused_websocket_tells_code_and_reason(project: Path) -> None:
    dialler = thread("browser1", do="dial", path="/listen/nobody/localhost:14010", size=1)
    async with open_page(project, dialler, matchers=[Echo().matcher]) as page:
        await ready(page)
        got = await page.evaluate(RESULT)
        assert got["ok"] is False
        assert got["code"] == 4404
        assert "nobody" in got["reason"]


FAILURES = {
    "start": "RuntimeError: start in Python",
    "task": "RuntimeError: task in Python",
    "bare-task": "RuntimeError: bare-task in Python",
    "callback": "ZeroDivisionError",
    "javascript": "javascript in a timer",
    "promise": "promise left alone",
}


@pytest.mark.parametrize("where", ["page", "worker"])
async def test_errors_of_every_kind_reach_the_servers_log(
    project: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    ui = thread("browser1", do="fail", how="callback") if where == "page" else None
    workers = [thread(f"browser-{how}", do="fail", how=how) for how in FAILURES]
    async with open_page(project, ui, workers if where == "worker" else ()) as page:
        await ready(page)
        wanted = {f"browser-{how}": text for how, text in FAILURES.items()}
        if where == "page":
            wanted = {"browser1": FAILURES["callback"], "page": "lost in the page"}
            await page.evaluate(
                "() => { setTimeout(() => { throw new Error('lost in the page') }) }"
            )
        async with asyncio.timeout(10):
            while not all(_told(caplog, node, text) for node, text in wanted.items()):
                await page.evaluate("new Promise(requestAnimationFrame)")


def _told(caplog: pytest.LogCaptureFixture, node: str, text: str) -> bool:
    return any(
        record.levelno == logging.ERROR and f"[{node}]" in line and text in line
        for record in caplog.records
        if (line := record.getMessage())
    )


async def test_a_thread_whose_start_fails_shows_its_error(project: Path) -> None:
    record = """globalThis.failures = [];
        addEventListener("amctl:boot", ({ detail }) => detail.error && failures.push(detail));"""
    failing = thread("browser1", do="fail", how="start")
    async with open_page(project, None, [failing], script=record) as page:
        await page.wait_for_function("failures.length > 0")
        (told,) = await page.evaluate("failures")
        assert (told["node"], told["step"]) == ("browser1", 5)
        assert told["error"] == "RuntimeError: start in Python"


async def test_progress_is_told_step_by_step(project: Path) -> None:
    record = """globalThis.steps = [];
        addEventListener("amctl:boot", ({ detail }) => steps.push(detail));"""
    async with open_page(project, thread("browser1"), script=record) as page:
        await ready(page)
        await page.wait_for_function("steps.some(s => s.step === 5)")
        steps = await page.evaluate("steps")
    assert sorted({s["step"] for s in steps}) == [1, 2, 3, 4, 5]
    assert [s["step"] for s in steps] == sorted(s["step"] for s in steps)
    assert {s["node"] for s in steps} == {"browser1"}
    fetched = [s for s in steps if s["step"] == 1]
    assert fetched[-1]["total"] > 20_000_000


async def test_the_tab_keeps_its_name_over_a_reload(project: Path) -> None:
    async with open_page(project, thread("browser1")) as page:
        await ready(page)
        first = await page.evaluate("sessionStorage.getItem('amctl-tab')")
        await page.reload()
        await ready(page)
        assert await page.evaluate("sessionStorage.getItem('amctl-tab')") == first
        # what a duplicated tab does: the same storage in a second page
        other = await page.context.new_page()
        await other.add_init_script(f"sessionStorage.setItem('amctl-tab', '{first}')")
        await other.goto(page.url)
        await ready(other)
        assert await other.evaluate("sessionStorage.getItem('amctl-tab')") != first


@pytest.mark.parametrize("code", [401, 409])
async def test_a_refusal_is_told_to_the_page_and_starts_nothing(project: Path, code: int) -> None:
    record = """globalThis.refusals = [];
        addEventListener("amctl:refused", ({ detail }) => refusals.push(detail.code));"""
    async with open_page(project, thread("browser1"), script=record) as page:
        await ready(page)
        await page.route("**/boot.json*", lambda route: route.fulfill(status=code))
        await page.reload()
        await page.wait_for_function("refusals.length > 0")
        assert await page.evaluate("refusals") == [code]
        assert await page.evaluate("amctl.threads") == {}


async def test_without_the_shared_module_python_still_starts(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The hooks around Pyodide are private: when they break, each thread loads it plainly."""
    broken = """const real = WebAssembly.instantiate;
        WebAssembly.instantiate = async (code, imports) => {
          if (imports?.env) throw new Error("hooks are broken");
          return real(code, imports);
        };"""
    async with open_page(project, thread("browser1"), script=broken) as page:
        await ready(page)
        assert await page.evaluate(RESULT) == {"ok": True}
    assert "loading it plainly" in caplog.text
