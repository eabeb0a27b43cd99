"""The plain web (debugger_ui.md 45, 47)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from amctl.debugger.face.toolbar import Toolbar
from amctl.debugger.face.web import Web
from tests.debugger.face.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path


def got(web: Web, path: str, *, method: str = "GET", host: str = "127.0.0.1:80") -> str:
    """The answer to a request."""
    return web.answer(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").decode()


@pytest.fixture
def web(tmp_path: Path) -> Web:
    """A folder with a file of ours, and one that isn't."""
    (tmp_path / "tx.md").write_text("the transition")
    (tmp_path / "secret.md").write_text("no")
    (tmp_path / "diagrams").mkdir()
    (tmp_path / "diagrams" / "mach-<a>.svg").write_text("<svg/>")
    return Web({"screen.txt": ("text/plain", lambda: "the screen")}, str(tmp_path))


def test_s45_index_lists_pages_and_files(web: Web) -> None:
    text = got(web, "/")
    for word in ('href="/screen.txt"', 'href="/tx.md"', "diagrams/mach-&lt;a&gt;.svg"):
        assert word in text
    assert "secret" not in text


def test_s45_files_and_pages(web: Web) -> None:
    assert got(web, "/tx.md").endswith("\r\n\r\nthe transition")
    assert got(web, "/screen.txt?x=1").endswith("\r\n\r\nthe screen")
    assert "image/svg+xml" in got(web, "/diagrams/mach-%3Ca%3E.svg")
    assert got(web, "/tx.md", method="HEAD").endswith("\r\n\r\n")


@pytest.mark.parametrize("path", ["/secret.md", "/../tx.md", "/%2e%2e/x", "/diagrams", "//tx"])
def test_nothing_else_is_given(web: Web, path: str) -> None:
    assert got(web, path).startswith("HTTP/1.1 404 ")


def test_only_this_computer_and_only_to_look(web: Web) -> None:
    assert got(web, "/", host="evil.example:80").startswith("HTTP/1.1 403 ")
    assert got(web, "/", method="POST").startswith("HTTP/1.1 405 ")
    assert web.answer("nonsense").startswith(b"HTTP/1.1 405 ")
    assert got(web, "/", host="localhost").startswith("HTTP/1.1 200 ")


@pytest.mark.realtime
async def test_s45_s47_the_tool_serves_screen_and_reader() -> None:
    app = Stage(Toolbar())
    async with app.run_test(size=(120, 8)):
        await app.run_action("web")
        assert app.is_served
        url = app.said[-1].removeprefix("served at http://").rstrip("/")
        host, port = url.split(":")
        for path, word in (("screen.txt", "[X]web"), ("reader.txt", "## Executed")):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET /{path} HTTP/1.1\r\nHost: {url}\r\n\r\n".encode())
            text = (await reader.read()).decode()
            writer.close()
            await writer.wait_closed()
            assert text.startswith("HTTP/1.1 200 OK")
            assert word in text
        assert "<svg" in app.export_screenshot()
        await app.run_action("web")
        assert not app.is_served
