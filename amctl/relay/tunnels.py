"""The two kinds of tunnels: `/listen/ID/ADDR` and `/dial/ID/ADDR`.

A listen tunnel carries the bytes of one TCP peer, as the original's does, or channels for many if
its WebSocket speaks `arpc-tunnel.1`.

Each WebSocket is one `Visit`. It is admitted or refused by plain calls without an await between
look and grab, then one coroutine carries it to its end; what a visit holds is given back in that
coroutine's `finally`, whichever way it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amctl.relay import security
from amctl.relay.addrfile import AddressFile
from amctl.relay.bridge import ConnectionEnd, StreamEnd, bridge
from amctl.relay.claims import Claim
from amctl.relay.connection import WebSocketConnection
from amctl.relay.errors import RefusedError, TargetError
from amctl.relay.listener import OnePeerListener, Streams, addresses_of
from amctl.relay.matcher import Matcher, find_matcher
from amctl.relay.shared import REPL, SharedTunnels
from amctl.rpc.wire.tunnel import SUBPROTOCOL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from starlette.websockets import WebSocket

    from amctl.relay.guard import Guard
    from amctl.relay.ledger import Kind, Ledger, TunnelRecord
    from amctl.relay.limits import Limits, Policy
    from amctl.relay.security import Target

__all__ = ["Doors", "Tunnels"]

_FAILED = 1011
_GOING_AWAY = 1001
_TRY_LATER = 1013

_log = logging.getLogger("amctl.relay")


@dataclass(frozen=True, slots=True)
class Doors:
    """Where tunnels may lead to."""

    limits: Limits
    policy: Policy
    listen: Sequence[Matcher] = ()
    dial: Sequence[Matcher] = ()
    repl_dir: Path | None = None


@dataclass(eq=False, slots=True)
class Visit:
    """One admitted WebSocket."""

    kind: Kind
    id: str
    target: Target
    connection: WebSocketConnection
    matcher: Matcher | None
    has_channels: bool = False
    """It speaks `arpc-tunnel.1`."""
    claim: Claim | None = None
    old: Visit | None = None
    """Who held the id before and must be gone first."""
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    """That one is gone, or the relay stops."""
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Tunnels:
    """All tunnels of one relay."""

    def __init__(self, doors: Doors, guard: Guard, ledger: Ledger) -> None:
        self._doors, self._guard, self._ledger = doors, guard, ledger
        self._limits, self._policy = doors.limits, doors.policy
        self._shared = SharedTunnels(doors.limits, doors.repl_dir, ledger.failed)
        self._visits: set[Visit] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._visits)

    async def listen(self, socket: WebSocket) -> None:
        """Serve `/listen/...`: somebody outside gets a TCP port, or our process the connection."""
        await self._serve("listen", socket)

    async def dial(self, socket: WebSocket) -> None:
        """Serve `/dial/...`: the peer gets a TCP connection, or our process the connection."""
        await self._serve("dial", socket)

    async def close(self, patience: float) -> None:
        """Close every tunnel with code 1001 and refuse new ones.

        Args:
            patience: Seconds to wait for them; what is left then is for the caller to cut.
        """
        self._closing = True
        self._shared.close()
        for visit in self._visits:
            visit.connection.close(_GOING_AWAY, "relay stops")
            visit.turn.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                for visit in list(self._visits):
                    await visit.over.wait()

    # -- admission

    async def _serve(self, kind: Kind, socket: WebSocket) -> None:
        try:
            visit = self._admit(kind, socket)
        except RefusedError as refused:
            _log.info("refused %s: %s", socket.scope["path"][:200], refused)
            # a browser that isn't agreed with never gets to see the code
            await socket.accept(SUBPROTOCOL if _has_channels(socket) else None)
            await socket.close(refused.code, refused.reason.encode()[:120].decode(errors="ignore"))
            return
        self._ledger.opened(kind, visit.id, visit.target)
        try:
            await self._carry(visit)
        except asyncio.CancelledError:
            # by a relay that waited long enough for it to end; uvicorn would log a bug of ours
            if not self._closing:
                raise
        finally:
            self._visits.discard(visit)
            if visit.claim is not None:
                self._guard.claims.release(visit.claim)
            visit.over.set()
            for other in self._visits:
                if other.old is visit:
                    other.turn.set()
            self._ledger.closed(kind, visit.id, visit.target)

    def _admit(self, kind: Kind, socket: WebSocket) -> Visit:
        """Judge a WebSocket that has proven its token, and take its id.

        Raises:
            RefusedError: With the close code that the peer gets.
        """
        if self._closing:
            raise RefusedError(503, "relay stops", code=_GOING_AWAY)
        if len(self._visits) >= self._limits.tunnels:
            raise RefusedError(503, "too many tunnels, try again later", code=_TRY_LATER)
        machine_id, target, matcher = self._parse(kind, socket.path_params["rest"])
        tab = self._guard.tab(socket)
        limit, flush = self._limits.buffer, self._limits.flush_timeout
        has_channels = _has_channels(socket)
        if has_channels and (matcher is not None or kind == "dial"):
            raise RefusedError(400, f"nobody takes channels for {machine_id!r} here")
        connection = WebSocketConnection(
            socket,
            limit=limit,
            flush_timeout=flush,
            subprotocol=SUBPROTOCOL if has_channels else None,
        )
        visit = Visit(kind, machine_id, target, connection, matcher, has_channels)
        if kind == "listen":
            visit.claim = Claim(machine_id, tab, connection.evict, connection.heard)
            held = self._guard.claims.take(visit.claim)
            visit.old = next((old for old in self._visits if held and old.claim is held), None)
        elif refused := self._guard.claims.refusal(tab):
            raise refused
        self._visits.add(visit)
        return visit

    def _parse(self, kind: Kind, rest: str) -> tuple[str, Target, Matcher | None]:
        machine_id, address = security.split_tunnel_path(rest)
        if not security.valid_id(machine_id):
            raise RefusedError(400, "machine id is malformed: letters, digits, '_', '.' and '-'")
        try:
            target = security.parse_target(address)
        except TargetError as error:
            raise RefusedError(400, str(error)) from error
        matcher = find_matcher(getattr(self._doors, kind), machine_id)
        if matcher is None and kind == "listen":
            self._check_listen(machine_id, target)
        elif matcher is None and not security.dial_allowed(target, self._policy.dial):
            raise RefusedError(403, f"dialling {target} isn't allowed")
        return machine_id, target, matcher

    def _check_listen(self, machine_id: str, target: Target) -> None:
        pattern = self._policy.tunnel_ids
        known = pattern.search(machine_id) is not None if pattern else not self._doors.listen
        if not known and not (pattern is None and machine_id.startswith(REPL)):
            raise RefusedError(404, f"nobody expects a machine {machine_id!r}")
        if not security.is_loopback(target.host):
            raise RefusedError(403, f"listening on {target} isn't allowed, only on loopback")

    # -- carrying

    async def _carry(self, visit: Visit) -> None:
        """Run a visit's connection and its work side by side until both are over."""
        if visit.old is not None:
            await visit.turn.wait()  # eviction is bounded, and its port is free then
            if self._closing:
                await visit.connection.run()  # which says goodbye
                return
        async with asyncio.TaskGroup() as group:
            group.create_task(visit.connection.run())
            try:
                if visit.matcher is not None:
                    await self._hand_over(visit, visit.matcher)
                elif visit.has_channels:
                    await self._share(visit)
                elif visit.kind == "listen":
                    await self._listen(visit)
                else:
                    await self._dial(visit)
            except Exception:
                _log.exception("%s of %s failed", visit.kind, visit.id)
                visit.connection.close(_FAILED, "internal error")
            finally:
                visit.connection.close()

    async def _hand_over(self, visit: Visit, matcher: Matcher) -> None:
        """Let code of this process have the connection until it is over."""
        connection, grace = visit.connection, self._limits.flush_timeout
        accepting = asyncio.ensure_future(matcher.accept(visit.id, connection))
        gone = asyncio.ensure_future(connection.ended.wait())
        try:
            await asyncio.wait({accepting, gone}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({accepting}, timeout=grace)
            if accepting.done() and not accepting.cancelled():
                accepting.result()
        except Exception as error:
            _log.warning("%s of %s was refused by its matcher: %s", visit.kind, visit.id, error)
            self._ledger.failed(error)
            connection.close(_FAILED, str(error) or type(error).__name__)
        finally:
            if not accepting.done():
                _log.warning("matcher of %s outlived its connection", visit.id)
            accepting.cancel()
            gone.cancel()
            await asyncio.wait({accepting, gone}, timeout=grace)

    async def _share(self, visit: Visit) -> None:
        record = self._ledger.tunnel()
        try:
            await self._shared.carry(visit.id, visit.target, visit.connection, record)
        except OSError as error:
            record.failed(error)
            self._refuse(visit, f"can't listen on {visit.target}", error)
        finally:
            await record.dispose()

    async def _listen(self, visit: Visit) -> None:
        self._shared.make_way(visit.id, visit.target)
        end = ConnectionEnd(visit.connection, self._limits.buffer)
        record = self._ledger.tunnel()
        listener = OnePeerListener()
        try:
            try:
                address = await listener.bind(visit.target)
            except OSError as error:
                record.failed(error)
                self._refuse(visit, f"can't listen on {visit.target}", error)
                return
            record.listening(address)
            with self._address_file(visit, address):
                await self._await_peer(end, listener, record)
        finally:
            listener.close()
            await record.dispose()

    async def _await_peer(
        self, end: ConnectionEnd, listener: OnePeerListener, record: TunnelRecord
    ) -> None:
        either: set[asyncio.Future[Any]] = {end.lost, listener.peer}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not listener.peer.done():
            return
        reader, writer = listener.peer.result()
        name = writer.get_extra_info("peername")
        record.accepted(f"{name[0]}:{name[1]}" if name else "tcp:?")
        record.ended(await bridge(end, StreamEnd(reader, writer, self._limits.flush_timeout)))

    @contextlib.contextmanager
    def _address_file(self, visit: Visit, address: Target) -> Iterator[None]:
        """Keep the address file of a REPL for as long as its port is there."""
        if self._doors.repl_dir is None or not visit.id.startswith(REPL):
            yield
            return
        file = AddressFile(self._doors.repl_dir, visit.id)
        try:
            file.write(address)
        except OSError as error:
            # the port works without the file
            _log.warning("address file of %s: %s", visit.id, error)
            self._ledger.failed(error)
        try:
            yield
        finally:
            file.remove()

    async def _dial(self, visit: Visit) -> None:
        end = ConnectionEnd(visit.connection, self._limits.buffer)
        try:
            streams = await self._connect(visit.target, end)
        except OSError as error:  # TimeoutError is one
            self._refuse(visit, f"dial failed: {visit.target}", error)
            return
        if streams is not None:
            await bridge(end, StreamEnd(*streams, self._limits.flush_timeout))

    async def _connect(self, target: Target, end: ConnectionEnd) -> Streams | None:
        """Connect; None if the peer gave up meanwhile."""
        connecting = asyncio.ensure_future(_open(target, self._limits.dial_timeout))
        either: set[asyncio.Future[Any]] = {end.lost, connecting}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return connecting.result() if connecting.done() else None
        finally:
            connecting.cancel()

    def _refuse(self, visit: Visit, what: str, error: OSError) -> None:
        why = error.strerror or str(error) or type(error).__name__
        _log.warning("%s for %s: %s", what, visit.id, why)
        self._ledger.failed(error)
        visit.connection.close(_FAILED, f"{what}: {why}")


def _has_channels(socket: WebSocket) -> bool:
    """Whether the peer offers to speak `arpc-tunnel.1`."""
    return SUBPROTOCOL in socket.scope.get("subprotocols", ())


async def _open(target: Target, patience: float) -> Streams:
    failure: OSError | None = None
    async with asyncio.timeout(patience):
        for host in addresses_of(target.host):
            try:
                return await asyncio.open_connection(host, target.port)
            except OSError as error:
                failure = failure or error
    raise failure or ConnectionError("no address to try")
