"""The relay: one front door over HTTP and WebSockets for pages, tunnels and mounted routes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute

from amctl.machine import Machine
from amctl.machine.tasks import TaskSet
from amctl.relay.claims import Claims
from amctl.relay.guard import FrontDoor, Guard
from amctl.relay.ledger import Ledger, dispose
from amctl.relay.limits import Limits, Policy
from amctl.relay.server import HttpServer, bind
from amctl.relay.states import RelayStates
from amctl.relay.static import StaticFiles
from amctl.relay.tunnels import Doors, Tunnels
from amctl.rpc.exposure import check_exposure
from amctl.states.disposed import ARegisterDisposal, DisposedHandlers

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.routing import BaseRoute

    from amctl.machine import Event, MachineView
    from amctl.relay.matcher import Matcher

__all__ = ["Relay"]


class _Handlers(DisposedHandlers):
    """Stops the server when the machine loses HttpReady, whoever took it."""

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self._relay = relay

    def HttpReadyEnd(self, _e: Event) -> None:
        self._relay._begin_shutdown()


class Relay:
    """One relay in the running loop: no thread, no signal handler, no subprocess.

    Every route stands behind `auth`: Host, Origin, token and tab are judged before it runs, the
    headers of cross-origin isolation are set on what it answers.
    """

    def __init__(
        self,
        name: str,
        *,
        token: str,
        host: str = "127.0.0.1",
        port: int = 0,
        parent: MachineView | None = None,
        static: Sequence[Path] = (),
        repl_dir: Path | None = None,
        matchers: Sequence[Matcher] = (),
        dial_matchers: Sequence[Matcher] = (),
        routes: Sequence[BaseRoute] = (),
        limits: Limits | None = None,
        policy: Policy | None = None,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a relay that serves nobody yet.

        Args:
            name: Its machine is `relay-<name>`.
            token: The run's secret; never empty.
            host: Name or address to listen on. What isn't loopback is reachable from outside.
            port: 0 takes a free one.
            parent: Parent of the machine; its disposal stops the relay.
            static: Directories of files, the first that has a file wins. A missing one makes the
                start page say that the bundle isn't built.
            repl_dir: Where the address files of `repl-*` tunnels go; None writes none.
            matchers: Take `/listen/` connections into this process.
            dial_matchers: Take `/dial/` connections into this process.
            routes: Starlette routes of others; they come before our own.
            limits: Caps and times.
            policy: Exceptions to whom peers may reach and from where they may come.
            tls: Speak HTTPS; `amctl.rpc.exposure.server_tls` makes this.
            clock: Dates signs of life; tests bring their own.
        """
        self._host, self._asked_port, self._token = host, port, token
        self._limits, self._clock = limits or Limits(), clock
        self._tls, self._policy = tls, policy or Policy()
        policy = self._policy
        patience = self._limits.ping_interval + self._limits.ping_timeout
        claims = Claims(patience=patience, clock=clock)
        self.auth = Guard(token, host, policy, claims, encrypted=tls is not None)
        """Judges requests; mounted routes may ask it about tabs."""
        self.machine = Machine(
            f"relay-{name}" if name else "relay",
            RelayStates,
            handlers=_Handlers(self),
            parent=parent,
            tags=("relay",),
        )
        """Shows what happens here."""
        doors = Doors(self._limits, policy, tuple(matchers), tuple(dial_matchers), repl_dir)
        self._tunnels = Tunnels(doors, self.auth, Ledger(self.machine))
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
        self._tasks = TaskSet("relay")
        self._server: HttpServer | None = None
        self._shutdown: asyncio.Task[None] | None = None
        self._port = 0

    def __len__(self) -> int:
        """How many tunnels and dials are open."""
        return len(self._tunnels)

    def __bool__(self) -> bool:
        """A relay is true even while nobody uses it."""
        return True

    @property
    def port(self) -> int:
        """The port that was bound, 0 before `start`."""
        return self._port

    @property
    def url(self) -> str:
        """Where the relay is, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{host}:{self._port}"

    @property
    def page_url(self) -> str:
        """What a browser opens: it carries the token, which the first answer takes out again."""
        return f"{self.url}/?token={quote(self._token, safe='')}"

    async def start(self) -> None:
        """Bind, register the routes, then tell HttpReady.

        Raises:
            ExposedError: If the address is not of loopback, and there is neither TLS nor force.
            PortInUseError: If somebody else listens there; the relay is of no more use then.
            BindError: If the address can't be bound for another reason.
        """
        self.machine.add([RelayStates.Start, RelayStates.HttpStarting])
        try:
            is_encrypted, forced = self._tls is not None, self._policy.forced
            check_exposure(self._host, self._asked_port, encrypted=is_encrypted, forced=forced)
            listener = bind(self._host, self._asked_port)
        except OSError as error:
            self.machine.add_err_state(RelayStates.ErrNetwork, error)
            self.machine.remove([RelayStates.HttpStarting, RelayStates.Start])
            raise
        self._port = listener.getsockname()[1]
        self.auth.listens_on(self._port)
        self._server = HttpServer(self._app, listener, self._limits, self._clock, self._tls)
        await self._server.start()
        args = ARegisterDisposal(self._until_down)
        self.machine.add(RelayStates.RegisterDisposal, args)
        self.machine.add(RelayStates.HttpReady)

    async def stop(self) -> None:
        """Close everything within a second and dispose of the machine; a second call waits too.

        Peers get a close frame with code 1001. Tunnels end before HttpReady does, so that their
        counters are balanced.
        """
        await self._until_down()
        await dispose(self.machine)

    async def _until_down(self) -> None:
        self._begin_shutdown()
        if self._shutdown is not None:
            await self._shutdown

    def _begin_shutdown(self) -> None:
        if self._shutdown is None and self._server is not None:
            self._shutdown = self._tasks.spawn(self._close(self._server), name="shutdown")

    async def _close(self, server: HttpServer) -> None:
        server.close_listener()
        await self._tunnels.close(self._limits.stop_timeout / 2)
        await server.stop(self._limits.stop_timeout / 2)
