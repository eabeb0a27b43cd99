"""Threads wake up from the memory image, alike but for what must differ; they start without it."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from amctl.bundle.manifest import Manifest, read_manifest
from amctl.bundle.sparse import pack, unpack
from tests.e2e.test_threads import RESULT, ready, result, worker
from tests.support.browser_threads import in_chromium, lay_project, open_page, thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.async_api import Page, Route

pytestmark = [*in_chromium, pytest.mark.timeout(300)]
NAMES = ("browser1", "browser2", "browser3", "browser4")
LABELS = """globalThis.labels = [];
    addEventListener("amctl:boot", ({ detail }) => labels.push(detail.label));"""


@pytest.fixture
def built(threads_project: Path) -> Path:
    return threads_project


@pytest.fixture
def project(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    (tmp_path / "p").mkdir()
    shutil.copytree(built / "web", tmp_path / "p" / "web", symlinks=True)
    return tmp_path / "p"


def four(do: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """All four threads, which do the same."""
    two = thread("browser2", thread("browser3", do=do), thread("browser4", do=do), do=do)
    return thread("browser1", do=do), [two]


def two() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A page and a worker; each start from bytecode costs a second of CPU."""
    return thread("browser1", do="ids"), [thread("browser2", do="ids")]


async def told(page: Page, name: str) -> dict[str, Any]:
    """What a thread tells, the page's own or a worker."""
    if name == "browser1":
        found: dict[str, Any] = await page.evaluate(RESULT)
        return found
    return await result(page, name)


async def logged(caplog: pytest.LogCaptureFixture, page: Page, text: str) -> None:
    """Wait until the server's log says it."""
    async with asyncio.timeout(10):
        while text not in caplog.text:
            await page.evaluate("new Promise(requestAnimationFrame)")


async def woken(page: Page) -> dict[str, bool]:
    return {name: each["woken"] for name, each in (await ready(page)).items()}


async def test_four_threads_wake_up_and_draw_numbers_of_their_own_in_every_start(
    built: Path, caplog: pytest.LogCaptureFixture
) -> None:
    starts, seen, kinds = 3, set(), 0
    with caplog.at_level("INFO", "amctl.browser"):
        async with open_page(built, *four("ids")) as page:
            for _ in range(starts):
                assert await woken(page) == dict.fromkeys(NAMES, True)
                for name in NAMES:
                    got = await told(page, name)
                    assert got["restored"] is True
                    assert got["late"] == "/lib/python314.zip/colorsys.pyc"
                    assert got["clock"] < 1
                    kinds = len(got["ids"])
                    assert kinds == 9
                    seen |= set(got["ids"])
                await page.reload()
            await ready(page)
            await logged(caplog, page, "[page] all 4 threads woke up from the memory image")
    assert len(seen) == starts * len(NAMES) * kinds


async def test_a_thread_that_is_started_again_wakes_up_again(built: Path) -> None:
    async with open_page(built, None, [thread("browser2", do="ids")]) as page:
        assert await woken(page) == {"browser2": True}
        first = await result(page, "browser2")
        born = await page.evaluate("amctl.threads.browser2.started")
        await (await worker(page, "browser2")).evaluate("self.close()")
        await page.wait_for_function(
            "born => amctl.threads.browser2.started > born && amctl.threads.browser2.up", arg=born
        )
        assert await page.evaluate("amctl.threads.browser2.woken") is True
        second = await result(page, "browser2")
    assert not set(first["ids"]) & set(second["ids"])


def _missing(root: Path, manifest: Manifest) -> None:
    assert manifest.snapshot is not None
    (root / "web" / "dist" / manifest.snapshot.path).unlink()


def _corrupt(root: Path, manifest: Manifest) -> None:
    assert manifest.snapshot is not None
    path = root / "web" / "dist" / manifest.snapshot.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(root: Path, manifest: Manifest) -> None:
    assert manifest.snapshot is not None
    path = root / "web" / "dist" / manifest.snapshot.path
    path.write_bytes(path.read_bytes()[:-4096])


def _other_version(root: Path, manifest: Manifest) -> None:
    _spoil(root, manifest, lambda data: pack(replace(unpack(data), pyodide="0.0.1")))


def _other_build(root: Path, manifest: Manifest) -> None:
    _spoil(root, manifest, lambda data: pack(replace(unpack(data), key="another")))


def _no_python(root: Path, manifest: Manifest) -> None:
    """The page can't know that before it falls over."""
    _spoil(root, manifest, lambda data: pack(replace(unpack(data), heap=bytes(32 << 20))))


def _spoil(root: Path, manifest: Manifest, change: Callable[[bytes], bytes]) -> None:
    """Put another image in the old one's place, its hash included."""
    assert manifest.snapshot is not None
    dist = root / "web" / "dist"
    data = change((dist / manifest.snapshot.path).read_bytes())
    raw = json.loads((dist / "manifest.json").read_bytes())
    raw["snapshot"]["integrity"] = ""
    for file in raw["files"]:
        if file["path"] == manifest.snapshot.path:
            file["size"] = len(data)
    (dist / manifest.snapshot.path).write_bytes(data)
    (dist / "manifest.json").write_text(json.dumps(raw), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_missing, "starting without the memory image: dist/snapshot-"),
        (_corrupt, "starting without the memory image: dist/snapshot-"),
        (_cut, "starting without the memory image: dist/snapshot-"),
        (_other_version, "of Pyodide 0.0.1"),
        (_other_build, "of another build: another"),
        (_no_python, "the memory image can't be used"),
    ],
)
async def test_without_a_good_image_threads_start_from_bytecode(
    project: Path,
    spoil: Callable[[Path, Manifest], None],
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil(project, read_manifest(project))
    with caplog.at_level("INFO", "amctl.browser"):
        async with open_page(project, *two(), script=LABELS) as page:
            assert await woken(page) == dict.fromkeys(NAMES[:2], False)
            for name in NAMES[:2]:
                got = await told(page, name)
                assert got["late"] == "/lib/python314.zip/colorsys.pyc"
            assert "Starting Python (no memory image)" in await page.evaluate("labels")
            await logged(caplog, page, why)
            await logged(caplog, page, "[page] started from bytecode: browser1, browser2")


async def test_a_page_that_is_not_isolated_starts_from_bytecode(
    built: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def bare(route: Route) -> None:
        answer = await route.fetch()
        headers = {k: v for k, v in answer.headers.items() if not k.startswith("cross-origin")}
        await route.fulfill(response=answer, headers=headers)

    async with open_page(built, *two()) as page:
        await ready(page)
        await page.context.route("**/", bare)
        await page.reload()
        assert await page.evaluate("crossOriginIsolated") is False
        assert await woken(page) == dict.fromkeys(NAMES[:2], False)
        for name in NAMES[:2]:
            assert (await told(page, name))["late"]
        await logged(caplog, page, "the page is not cross-origin isolated")


@pytest.mark.parametrize("hook", ["restoreSnapshot", "createPyodideModule"])
async def test_without_pyodides_hooks_threads_start_from_bytecode(
    project: Path, hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As another Pyodide might have it, under the same version."""
    manifest = read_manifest(project)
    for name in ("pyodide.mjs", "pyodide.asm.mjs"):
        path = project / "web" / "dist" / manifest.runtime / name
        path.write_text(path.read_text(encoding="utf-8").replace(hook, "renamed"), encoding="utf-8")
    async with open_page(project, *two()) as page:
        assert await woken(page) == dict.fromkeys(NAMES[:2], False)
        for name in NAMES[:2]:
            assert (await told(page, name))["late"]
        await logged(caplog, page, "the memory image can't be used")


async def test_an_entry_that_needs_a_page_has_no_image_and_starts(tmp_path: Path) -> None:
    """Node has no document: the bundle is built without an image, and says why."""
    needs = "from js import document\nassert document\n"
    root = lay_project(tmp_path / "p", needs)
    manifest = read_manifest(root)
    assert manifest.snapshot is None
    assert "document" in manifest.snapshot_problem
    async with open_page(root, thread("browser1")) as page:
        assert await woken(page) == {"browser1": False}
        assert await page.evaluate(RESULT) == {"ok": True}
