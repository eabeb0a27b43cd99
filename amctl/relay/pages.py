"""The few plain pages the relay writes itself: refusals, and the page without a bundle."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, PlainTextResponse

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from amctl.relay.errors import RefusedError

__all__ = ["no_bundle", "refusal"]

_PAGE = """<!doctype html> <html lang="en"> <meta charset="utf-8"> <meta name="viewport"
content="width=device-width"> <title>{title}</title> <style> body {{ font: 1rem/1.5 system-ui, sans-
serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }} :root {{ color-scheme: light dark }}
</style> <h1>{title}</h1> <p>{text}</p> </html>
"""

_TITLES = {
    400: "That request makes no sense here",
    401: "This page needs the key of its run",
    403: "Not from there",
    404: "Nothing here",
    409: "Another tab is at work",
    421: "Not under that name",
    429: "Too many tries",
    503: "Not now",
}


def _render(title: str, text: str, status: int) -> Response:
    page = _PAGE.format(title=html.escape(title), text=html.escape(text))
    return HTMLResponse(page, status, headers={"Cache-Control": "no-store"})


def refusal(conn: HTTPConnection, refused: RefusedError) -> Response:
    """Answer a peer that is turned away: a page for browsers, one line for programs."""
    text = f"{refused.reason}: {refused.hint}" if refused.hint else refused.reason
    if "text/html" in conn.headers.get("accept", ""):
        text = text[:1].upper() + text[1:] + "."
        return _render(_TITLES.get(refused.status, "Refused"), text, refused.status)
    headers = {"Cache-Control": "no-store"}
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return PlainTextResponse(text + "\n", refused.status, headers=headers)


def no_bundle() -> Response:
    """Answer for the start page while what it loads isn't built."""
    text = "The browser bundle isn't built yet. Run `amctl build`, then reload this page."
    return _render("Nothing to run yet", text, 503)
