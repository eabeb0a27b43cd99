"""Static files of one or more directories: right media types, caching, precompressed variants,
nothing else.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response

from amctl.relay import pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

__all__ = ["Found", "StaticFiles", "accepted_encodings", "clean_path", "is_versioned", "media_type"]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/plain; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".whl": "application/zip",
    ".woff2": "font/woff2",
    ".zip": "application/zip",
}
_VARIANTS = (("br", ".br"), ("gzip", ".gz"))
_VERSION = re.compile(r"(?:^|[.-])[0-9a-f]{8,64}(?=[.-]|$)")
_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Found:
    """One file, or one compressed variant of it."""

    path: Path
    size: int
    etag: str
    encoding: str = ""


def media_type(name: str) -> str:
    """Return the Content-Type of a file name; the platform's own table is never asked."""
    return _TYPES.get(os.path.splitext(name)[1].lower(), "application/octet-stream")


def is_versioned(path: str) -> bool:
    """Whether a part of the path carries a hash, so that what it names never changes."""
    return any(_VERSION.search(part) for part in path.split("/"))


def clean_path(path: str) -> tuple[str, ...] | None:
    """Split a decoded URL path into safe parts; None if it isn't one.

    Hidden files, `..`, backslashes, control characters and installed packages are no part of a
    page.
    """
    parts = tuple(path.strip("/").split("/")) if path.strip("/") else ()
    for part in parts:
        if not part or part.startswith(".") or part == "node_modules":
            return None
        if "\\" in part or not part.isprintable() or len(part) > 255:
            return None
    return parts


def accepted_encodings(header: str) -> frozenset[str]:
    """Return what an Accept-Encoding header allows, `q=0` left out."""
    found = set()
    for item in header.split(","):
        name, _, rest = item.strip().partition(";")
        quality = re.fullmatch(r"\s*q\s*=\s*([0-9.]+)\s*", rest)
        if name.strip() and not (quality and quality[1].strip("0.") == ""):
            found.add(name.strip().lower())
    return frozenset(found)


class StaticFiles:
    """ASGI application over directories; the first one that has the file wins.

    Files are read on the loop in pieces: they come from a local disk's cache, and no thread is
    worth that.
    """

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(Path(root) for root in roots)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD; a WebSocket that no route wanted ends here too."""
        if scope["type"] == "websocket":
            response: Response = PlainTextResponse("no such WebSocket\n", 404)
        elif scope["method"] not in ("GET", "HEAD"):
            response = PlainTextResponse(
                "method not allowed\n", 405, headers={"Allow": "GET, HEAD"}
            )
        elif scope["path"] in ("/", "/index.html") and self._roots and not self.is_complete():
            response = pages.no_bundle()
        else:
            path = "/index.html" if scope["path"] == "/" else scope["path"]
            headers = Headers(scope=scope)
            found = self.find(path, accepted_encodings(headers.get("accept-encoding", "")))
            if found is not None:
                await _answer(path, found, headers, scope, send)
                return
            response = PlainTextResponse("not found\n", 404)
        await response(scope, receive, send)

    def is_complete(self) -> bool:
        """Whether every directory is there and one of them has a start page."""
        return all(root.is_dir() for root in self._roots) and self.find("/index.html") is not None

    def find(self, path: str, encodings: frozenset[str] = frozenset()) -> Found | None:
        """Find a file by decoded URL path, in the best variant that `encodings` allows."""
        parts = clean_path(path)
        if not parts or path.endswith("/"):
            return None
        for root in self._roots:
            plain = _inside(root, parts)
            if plain is None:
                continue
            for name, suffix in _VARIANTS:
                packed = (
                    _inside(root, (*parts[:-1], parts[-1] + suffix)) if name in encodings else None
                )
                if packed is not None and packed[1].st_mtime_ns >= plain[1].st_mtime_ns:
                    return _found(*packed, name)
            return _found(*plain)
        return None


def _inside(root: Path, parts: tuple[str, ...]) -> tuple[Path, os.stat_result] | None:
    """Return a regular file below `root`; links that lead out of it don't count."""
    try:
        base = root.resolve()
        path = base.joinpath(*parts).resolve()
        info = path.stat()
    except (OSError, ValueError, RuntimeError):
        return None
    if not stat.S_ISREG(info.st_mode) or not path.is_relative_to(base):
        return None
    return path, info


def _found(path: Path, info: os.stat_result, encoding: str = "") -> Found:
    suffix = f"-{encoding}" if encoding else ""
    return Found(path, info.st_size, f'"{info.st_mtime_ns:x}-{info.st_size:x}{suffix}"', encoding)


def _matches(header: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or "*" in tags


async def _answer(path: str, found: Found, asked: Headers, scope: Scope, send: Send) -> None:
    headers = {
        "content-type": media_type(path),
        "etag": found.etag,
        "vary": "Accept-Encoding",
        # private: what is behind a cookie belongs into no shared cache
        "cache-control": "private, max-age=31536000, immutable"
        if is_versioned(path)
        else "no-cache",
    }
    if found.encoding:
        headers["content-encoding"] = found.encoding
    unchanged = _matches(asked.get("if-none-match", ""), found.etag)
    if not unchanged:
        headers["content-length"] = str(found.size)
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 304 if unchanged else 200, "headers": raw})
    if not unchanged and scope["method"] == "GET":
        await _send_file(found, send)
    else:
        await send({"type": "http.response.body", "body": b""})


async def _send_file(found: Found, send: Send) -> None:
    left = found.size
    with found.path.open("rb") as file:
        while left > 0:
            data = file.read(min(_CHUNK, left))
            if not data:
                raise OSError(f"file {found.path} shrank while it was sent")
            left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": left > 0})
    if found.size == 0:
        await send({"type": "http.response.body", "body": b""})
