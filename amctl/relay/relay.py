"""The relay: one front door over HTTP and WebSockets for pages, tunnels, and routes that others
mount.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute

from amctl.relay.claims import Claims
from amctl.relay.guard import FrontDoor, Guard
from amctl.relay.ledger import Ledger
from amctl.relay.limits import Limits, Policy
from amctl.relay.server import HttpServer, bind
from amctl.relay.static import StaticFiles
from amctl.relay.tunnels import Doors, Tunnels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.routing import BaseRoute

    from amctl.relay.matcher import Matcher

__all__ = ["Relay"]


class Relay:
    """One relay in the running loop. Its machine only shows what happens."""

    def __init__(
        self,
        name: str,
        *,
        token: str,
        host: str = "127.0.0.1",
        port: int = 0,
        static: Sequence[Path] = (),
        repl_dir: Path | None = None,
        matchers: Sequence[Matcher] = (),
        dial_matchers: Sequence[Matcher] = (),
        routes: Sequence[BaseRoute] = (),
        limits: Limits | None = None,
        policy: Policy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host, self._asked_port, self._token = host, port, token
        self._limits, self._clock = limits or Limits(), clock
        policy = policy or Policy()
        patience = self._limits.ping_interval + self._limits.ping_timeout
        self.auth = Guard(token, host, policy, Claims(patience=patience, clock=clock))
        doors = Doors(self._limits, policy, tuple(matchers), tuple(dial_matchers), repl_dir)
        self._tunnels = Tunnels(doors, self.auth, Ledger())
        app = Starlette(
            routes=[
                *routes,
                WebSocketRoute("/listen/{rest:path}", self._tunnels.listen),
                WebSocketRoute("/dial/{rest:path}", self._tunnels.dial),
                Mount("/", app=StaticFiles(static)),
            ],
            max_body_size=self._limits.body,
        )
        self._app = FrontDoor(app, self.auth)
        self._server: HttpServer | None = None
        self._port = 0

    def __len__(self) -> int:
        """How many tunnels and dials are open."""
        return len(self._tunnels)

    def __bool__(self) -> bool:
        """A relay is true even while nobody uses it."""
        return True

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def page_url(self) -> str:
        return f"{self.url}/?token={quote(self._token, safe='')}"

    async def start(self) -> None:
        listener = bind(self._host, self._asked_port)
        self._port = listener.getsockname()[1]
        self.auth.listens_on(self._port)
        self._server = HttpServer(self._app, listener, self._limits, self._clock)
        await self._server.start()

    async def stop(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close_listener()
        await self._tunnels.close(self._limits.stop_timeout / 2)
        await server.stop(self._limits.stop_timeout / 2)
