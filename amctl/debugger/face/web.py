"""The screen and the files of the folder, for a browser of this computer: to look at, no more.

It listens on loopback alone, answers GET alone, and only for names of this computer, so that pages
of other sites can't read it. Of the folder it gives only what the debugger writes.
"""

from __future__ import annotations

import asyncio
import html
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from amctl.dump.following import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Page", "Web"]

Page = tuple[str, "Callable[[], str]"]
"""Type of the content, and what makes it now."""
_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_MOST: Final = 16 * 1024
_PATIENCE: Final = 10.0
"""Seconds for a request to come."""
_TYPES: Final = {
    ".md": "text/plain",
    ".txt": "text/plain",
    ".go": "text/plain",
    ".xml": "text/xml",
    ".svg": "image/svg+xml",
}
_PATTERNS: Final = (
    "tx.md", "log.md", "clients.txt", "graph.md", "graph.xml",
    "am-vis-*.svg", "diagrams/*.svg", "call-log/*/*.go",
)  # fmt: skip


@dataclass
class Web:
    """A small server on the loop of the face.

    Args:
        pages: Name -> what it holds, of things that are no files.
        folder: Of the files; empty is none.
        port: 0 is any that is free.
    """

    pages: Mapping[str, Page]
    folder: str = ""
    port: int = 0
    url: str = ""
    """Where it listens; empty while it doesn't."""
    _server: asyncio.Server | None = field(default=None, repr=False)

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The port is taken.
        """
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_MOST)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._server, self.url = None, ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE)
            writer.write(self.answer(head.decode("latin-1")))
            await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked is gone, or is no browser
        finally:
            writer.close()

    def answer(self, head: str) -> bytes:
        """The answer to a request, from its first lines."""
        first, *lines = head.split("\r\n")
        fields = {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in lines)}
        words = first.split(" ")
        if len(words) != 3 or words[0] not in ("GET", "HEAD"):
            return _reply("405 Method Not Allowed", "text/plain", b"only GET\n")
        host = fields.get("host", "").rpartition(":")[0] or fields.get("host", "")
        if host.lower() not in _HOSTS:
            return _reply("403 Forbidden", "text/plain", b"only for browsers of this computer\n")
        status, kind, body = self._content(unquote(words[1].partition("?")[0]).lstrip("/"))
        return _reply(status, kind, body, bare=words[0] == "HEAD")

    def _content(self, name: str) -> tuple[str, str, bytes]:
        if not name:
            return "200 OK", "text/html", self._index().encode("utf-8", "replace")
        if name in self.pages:
            kind, made = self.pages[name]
            return "200 OK", kind, made().encode("utf-8", "replace")
        if name in {found for found, _ in self._files()}:
            path = Path(self.folder) / name
            try:
                return "200 OK", _TYPES.get(path.suffix, "text/plain"), path.read_bytes()
            except OSError:
                pass  # it went in between
        return "404 Not Found", "text/plain", b"there is no such page; see /\n"

    def _files(self) -> Iterator[tuple[str, int]]:
        """Names and sizes of what the debugger wrote."""
        if not self.folder:
            return
        folder = Path(self.folder)
        for pattern in _PATTERNS:
            for path in sorted(folder.glob(pattern)):
                try:
                    yield path.relative_to(folder).as_posix(), path.stat().st_size
                except OSError:
                    continue  # a link that leads nowhere

    def _index(self) -> str:
        rows = [(name, "") for name in self.pages]
        rows += [(name, f"{size} bytes") for name, size in self._files()]
        items = "".join(
            f'<li><a href="/{quote(name)}">{html.escape(plain(name))}</a> {size}</li>\n'
            for name, size in rows
        )
        return (
            '<!doctype html>\n<meta charset="utf-8">\n<title>amctl dbg</title>\n'
            f"<h1>amctl dbg</h1>\n<ul>\n{items}</ul>\n"
        )


def _reply(status: str, kind: str, body: bytes, *, bare: bool = False) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\r\n"
    )
    return head.encode("latin-1") + (b"" if bare else body)
