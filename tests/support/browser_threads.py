"""A project of one entry module, built and served by a real relay, in a real Chromium."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amctl.bundle import build, page_manifest
from amctl.relay import Relay
from amctl.run.boot import boot_routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from playwright.async_api import Page

    from amctl.relay import Matcher

__all__ = [
    "CHROMIUM",
    "CHROMIUM_ARGS",
    "ENTRY",
    "chromium",
    "in_chromium",
    "lay_project",
    "needs_runtime",
    "open_page",
    "thread",
]

HOME = Path(__file__).parents[2]
WEB = HOME / "web"
ENTRY = "threads_under_test"
TOKEN = "the-token-of-this-test"
PATIENCE_MS = 90_000
"""Four runtimes may load on a machine that has other work."""
SCRIPTS = ("loader.js", "worker.js", "runtime.js", "snapshot.js", "package.json")
PAGE = '<!doctype html><meta charset="utf-8"><script type="module" src="loader.js"></script>\n'
CHROMIUM = shutil.which("chromium")
CHROMIUM_ARGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
needs_runtime = pytest.mark.skipif(
    not (WEB / "node_modules" / "pyodide" / "package.json").is_file(),
    reason="needs Node's pyodide package: run amctl setup",
)
in_chromium = [
    pytest.mark.e2e,
    pytest.mark.slow,
    needs_runtime,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: run amctl setup"),
]


def lay_project(root: Path, more: str = "") -> Path:
    """Make a project whose only node is the entry under test, and build it.

    Args:
        root: Its folder.
        more: Lines at the end of the entry's module, run when it is imported.
    """
    web = root / "web"
    web.mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copyfile(WEB / name, web / name)
    (web / "index.html").write_text(PAGE, encoding="utf-8")
    (web / "node_modules").symlink_to(WEB / "node_modules")
    source = (HOME / "tests" / "cases" / "browser" / f"{ENTRY}.py").read_text(encoding="utf-8")
    (root / f"{ENTRY}.py").write_text(source + more, encoding="utf-8")
    _give_runtime(web / "dist")
    build(root, prod=False, entry=ENTRY)
    return root


def _give_runtime(dist: Path) -> None:
    """What this project has built already: compiling the standard library takes long."""
    build(HOME)
    shutil.copytree(WEB / "dist", dist)


def thread(id: str, *workers: dict[str, Any], **plan: Any) -> dict[str, Any]:
    """A thread of a plan; by default it does nothing."""
    return {"id": id, "plan": {"do": "nothing", **plan}, "workers": list(workers)}


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Any]:
    """Playwright's browser object for this machine's Chromium."""
    tools = pytest.importorskip("playwright.async_api")
    async with tools.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGS))
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def open_page(
    root: Path,
    ui: dict[str, Any] | None,
    workers: Sequence[dict[str, Any]] = (),
    matchers: Sequence[Matcher] = (),
    script: str = "",
    bundle: Callable[[], dict[str, Any]] | None = None,
) -> AsyncIterator[Page]:
    """A page that runs these threads; `amctl.ready` may still be pending.

    Args:
        root: The project.
        ui: The page's own thread, if it has one.
        workers: The others.
        matchers: Of the relay.
        script: Run in the page before its own.
        bundle: What the page is told to start from, if it isn't the project's bundle.
    """
    plan = {"entry": ENTRY, "workflow": "test", "ui": ui, "workers": list(workers)}
    names = [*_names([ui] if ui else []), *_names(workers)]
    routes = boot_routes(lambda: plan, bundle or (lambda: page_manifest(root)), names)
    relay = Relay(
        "test",
        host="127.0.0.1",
        port=0,
        token=TOKEN,
        static=[root / "web"],
        routes=routes,
        matchers=matchers,
    )
    await relay.start()
    try:
        async with chromium() as browser:
            page = await (await browser.new_context()).new_page()
            page.set_default_timeout(PATIENCE_MS)
            if script:
                await page.add_init_script(script)
            await page.goto(relay.page_url)
            yield page
    finally:
        await relay.stop()


def _names(threads: Sequence[dict[str, Any]]) -> list[str]:
    return [name for t in threads for name in (t["id"], *_names(t["workers"]))]
