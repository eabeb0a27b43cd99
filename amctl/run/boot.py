"""What the page asks of the server before any of its threads has joined: GET /boot.json, POST /log.

The log takes what the threads report, JavaScript or Python, with the node's name. It trusts none
of it: sizes and rates are capped, names must be known, and a line stays one line.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.requests import Request

__all__ = ["BrowserLog", "boot_routes"]

_LEVELS = {
    "debug": logging.DEBUG,
    "log": logging.INFO,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_FRESH = {"Cache-Control": "no-store"}
MAX_BODY = 16 * 1024
MAX_TEXT = 4000
MAX_GIST = 160
BURST = 200
PER_SECOND = 20.0


OnError: TypeAlias = "Callable[[str, str], object]"


class BrowserLog:
    """Writes what browser threads report to the server's log, `amctl.browser`.

    Args:
        nodes: The names that may report; others are logged as `unknown`.
        on_error: Told the name and the gist of each error: its last line, cut.
        clock: Seconds, never going back.
    """

    def __init__(
        self,
        nodes: Iterable[str],
        on_error: OnError = lambda node, gist: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_error = on_error
        self._nodes = frozenset(nodes) | {"page"}
        self._clock = clock
        self._tokens = float(BURST)
        self._since = clock()
        self._dropped = 0
        self._log = logging.getLogger("amctl.browser")

    def report(self, body: bytes) -> int:
        """Log one report; the HTTP status that answers it (204, 400, 413 or 429)."""
        if len(body) > MAX_BODY:
            return 413
        if not self._has_room():
            self._dropped += 1
            return 429
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            return 400
        if not isinstance(said, dict) or not isinstance(said.get("text"), str):
            return 400
        if self._dropped:
            self._log.warning("%d reports dropped: too many at once", self._dropped)
            self._dropped = 0
        node = said.get("node")
        name = node if isinstance(node, str) and node in self._nodes else "unknown"
        level = _LEVELS.get(str(said.get("level")).lower(), logging.INFO)
        self._log.log(level, "[%s] %s", name, _one_line(said["text"], MAX_TEXT))
        if level >= logging.ERROR:
            self._on_error(name, _gist(said["text"]))
        return 204

    def _has_room(self) -> bool:
        now = self._clock()
        self._tokens = min(BURST, self._tokens + (now - self._since) * PER_SECOND)
        self._since = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _gist(text: str) -> str:
    """The last line, which is where a traceback says what happened."""
    lines = text.strip().splitlines()
    return _one_line(lines[-1] if lines else "", MAX_GIST)


def _one_line(text: str, longest: int) -> str:
    """The text with line ends and control characters spelled out, cut to a bearable length."""
    cut = text[:longest] + ("…" if len(text) > longest else "")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in cut)


def boot_routes(
    plan: Callable[[], dict[str, Any] | None],
    manifest: Callable[[], dict[str, Any]],
    nodes: Iterable[str],
    on_error: OnError = lambda node, gist: None,
) -> list[Route]:
    """The two routes; whoever mounts them puts the authorisation around them.

    Args:
        plan: The workflow's `boot_plan`; None for a page that only shows the run.
        manifest: What the bundle holds; OSError or ValueError if it isn't built.
        nodes: Names that may report.
        on_error: Told the name and the gist of each error that is reported.
    """
    browser_log = BrowserLog(nodes, on_error)

    async def boot(_: Request) -> Response:
        try:
            bundle = manifest()
        except (OSError, ValueError):
            reason = "the browser bundle is not built: amctl build"
            return PlainTextResponse(reason, status_code=503, headers=_FRESH)
        return JSONResponse({"plan": plan(), "bundle": bundle}, headers=_FRESH)

    async def log(request: Request) -> Response:
        return Response(status_code=browser_log.report(await request.body()))

    return [
        Route("/boot.json", boot, methods=["GET"]),
        Route("/log", log, methods=["POST"]),
    ]
