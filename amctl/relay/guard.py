"""Who may come in: one object that judges every request, and the ASGI layer that asks it first."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import RedirectResponse

from amctl.relay import pages, security
from amctl.relay.errors import RefusedError
from amctl.rpc.exposure import Lockout

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from amctl.relay.claims import Claims
    from amctl.relay.limits import Policy

__all__ = ["FrontDoor", "Guard"]

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_HEADERS = {
    # the first two give the page SharedArrayBuffer; every response needs them, worker scripts too
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "frame-ancestors 'none'",
}

_log = logging.getLogger("amctl.relay")


class Guard:
    """Judges requests by Host, Origin, token and tab.

    All routes of a relay stand behind `check` already, those that others mount too; they need this
    object (`relay.auth`) only to ask about tabs.
    """

    def __init__(
        self, token: str, host: str, policy: Policy, claims: Claims, *, encrypted: bool = False
    ) -> None:
        if not token:
            raise ValueError("relay needs a token, an empty one would let everybody in")
        self._token, self._host, self._policy = token, host, policy
        self._cookie = security.cookie_value(token)
        self._any_address = host in ("", "0.0.0.0", "::")
        self._scheme = "https" if encrypted else "http"
        self.lockout = Lockout()
        """Who tried too many wrong tokens."""
        self._port = 0
        self._hosts: frozenset[str] = frozenset()
        self.claims = claims
        """Which tab holds which machine ids."""

    def listens_on(self, port: int) -> None:
        """Tell the port that was bound; before that every Host is wrong."""
        self._port = port
        self._hosts = security.allowed_hosts(self._host, port, self._policy.hosts)

    def check(self, conn: HTTPConnection) -> None:
        """Let a request pass, or raise.

        Raises:
            RefusedError: 421 for a foreign Host, 403 for a foreign Origin, 401 without the token,
                400 for a bad tab id, 409 for a second tab, 429 after too many wrong tokens.
        """
        self.check_host(conn)
        self.check_patience(conn)
        self.check_origin(conn)
        self.check_token(conn)
        if conn.scope["type"] == "http" and (refused := self.claims.refusal(self.tab(conn))):
            raise refused

    def check_host(self, conn: HTTPConnection) -> None:
        """Refuse names that aren't ours: their owner could make a browser take us for his site."""
        host = conn.headers.get("host", "")
        if not security.host_allowed(
            host, self._hosts, any_address=self._any_address, port=self._port
        ):
            raise RefusedError(
                421,
                f"host {host[:100]!r} isn't served here",
                hint=f"use {self._scheme}://localhost:{self._port}/",
            )

    def check_patience(self, conn: HTTPConnection) -> None:
        """Refuse other computers that guess tokens."""
        if conn.client is not None and self.lockout.is_out(conn.client.host):
            raise RefusedError(
                429, "too many wrong tokens came from your address", hint="wait a minute"
            )

    def check_origin(self, conn: HTTPConnection) -> None:
        """Refuse pages of other sites; where something changes a cookie needs an Origin."""
        origin = conn.headers.get("origin")
        if origin is not None:
            host = conn.headers.get("host", "")
            if not security.origin_allowed(origin, host, self._policy.origins):
                raise RefusedError(403, f"pages of {origin[:100]!r} may not talk to this server")
            return
        changes = conn.scope["type"] == "websocket" or conn.scope["method"] not in _SAFE_METHODS
        if changes and not self._bearer(conn):
            if self._cookied(conn):
                raise RefusedError(403, "a cookie counts only together with an Origin header")
            raise self._no_token(conn)

    def check_token(self, conn: HTTPConnection) -> None:
        """Refuse whoever has neither the cookie nor the token in an Authorization header."""
        if not self._bearer(conn) and not self._cookied(conn):
            raise self._no_token(conn)

    def tab(self, conn: HTTPConnection) -> str:
        """Return the tab id of `?tab=`, empty if there is none.

        Raises:
            RefusedError: 400 if it isn't an id.
        """
        tab = conn.query_params.get("tab", "")
        if tab and not security.valid_id(tab):
            raise RefusedError(400, "the tab id is malformed")
        return tab

    def swap(self, conn: HTTPConnection) -> Response | None:
        """Turn the token in a page's URL into a cookie and a URL without it; None without one.

        The token leaves the address bar before any script runs, and the history with it.

        Raises:
            RefusedError: 401 for a wrong token, unless the cookie is there already.
        """
        if conn.scope["method"] != "GET" or "token" not in conn.query_params:
            return None
        self.check_patience(conn)
        right = security.same_secret(conn.query_params["token"], self._token)
        if not right and not self._cookied(conn):
            raise self._no_token(conn)
        url = security.without_token(
            conn.scope["path"], conn.scope["query_string"].decode("latin-1")
        )
        response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
        if right:
            name = security.cookie_name(self._port)
            secure = self._scheme == "https"
            response.set_cookie(
                name, self._cookie, path="/", secure=secure, httponly=True, samesite="strict"
            )
        return response

    def _bearer(self, conn: HTTPConnection) -> bool:
        token = security.token_of_bearer(conn.headers.get("authorization", ""))
        return security.same_secret(token, self._token)

    def _cookied(self, conn: HTTPConnection) -> bool:
        found = conn.cookies.get(security.cookie_name(self._port), "")
        return security.same_secret(found, self._cookie)

    def _no_token(self, conn: HTTPConnection) -> RefusedError:
        if conn.client is not None and self._brings_one(conn):
            self.lockout.failed(conn.client.host)
        return RefusedError(
            401,
            "the token of this run is missing or wrong",
            hint="open the link with ?token=... that `amctl start` printed; "
            "programs send it as `Authorization: Bearer ...`",
        )

    def _brings_one(self, conn: HTTPConnection) -> bool:
        """Whether somebody tries a token, rather than come without."""
        tried = "authorization" in conn.headers or "token" in conn.query_params
        return tried or security.cookie_name(self._port) in conn.cookies


class FrontDoor:
    """Outermost ASGI layer: asks the guard first, and sets the headers of isolation."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            return
        conn = HTTPConnection(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            response = self._judge(conn)
            if response is None:
                await self._app(scope, receive, with_headers)
                return
        except ClientDisconnect:
            _log.debug("%s: the peer left in the middle of its request", scope["path"][:200])
            return
        except RefusedError as refused:
            _log.info("refused %s: %s", scope["path"][:200], refused)
            response = pages.refusal(conn, refused)
        # for a WebSocket this is the denial response: the upgrade fails with our status and text
        await response(scope, receive, with_headers)

    def _judge(self, conn: HTTPConnection) -> Response | None:
        if conn.scope["type"] == "http":
            self._guard.check_host(conn)
            if (response := self._guard.swap(conn)) is not None:
                return response
        self._guard.check(conn)
        return None
