"""A source, its server, and a client on any transport, with connections that can be broken."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine, State
from amctl.rpc.client import Client, ClientTimes
from amctl.rpc.endpoints import AttachEndpoint, Endpoint, ListenEndpoint, TcpEndpoint
from amctl.rpc.server import Server
from amctl.rpc.states import ConsumerStates, SourceStates
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tcp import TcpConnection, dial_tcp
from amctl.rpc.transports.websocket import (
    WebSocketConnection,
    dial_websocket,
    listen_websocket,
)
from amctl.states.basic import BasicStates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from amctl.machine import States
    from amctl.rpc.network_machine import NetworkMachine
    from amctl.rpc.transports.base import Connection

__all__ = ["TOKEN", "TRANSPORTS", "Consumer", "Rel", "World", "turn", "world"]

TOKEN = "secret"

TRANSPORTS = [
    "memory",
    pytest.param("tcp", marks=pytest.mark.realtime),
    pytest.param("websocket", marks=pytest.mark.realtime),
]


class Rel(BasicStates, SourceStates):
    """What the original's tests use."""

    A = State(auto=True, require=["C"])
    B = State(multi=True, add=["C"])
    C = State(after=["D"])
    D = State(add=["C"])


class Plain(BasicStates, SourceStates):
    """No relations."""

    A = State()
    B = State(multi=True)
    C = State()
    D = State()


class Consumer(BasicStates, ConsumerStates):
    """Gets payloads."""


async def turn(turns: int = 20) -> None:
    """Let everything that needs no time happen."""
    for _ in range(turns):
        await asyncio.sleep(0)


@dataclass
class World:
    """One server and any number of clients."""

    source: Machine
    server: Server
    transport: str
    connections: list[Any] = field(default_factory=list)
    """The clients' ends, the newest last."""
    clients: list[Client] = field(default_factory=list)
    refusing: bool = False
    """Dialling fails."""
    dials: int = 0

    async def dial(self) -> Connection:
        """What clients dial with."""
        self.dials += 1
        if self.refusing:
            raise ConnectionRefusedError("nobody there")
        conn: Connection
        if self.transport == "memory":
            conn, far = memory_pair()
            self.server.accept(far)
        else:
            await self.server.machine.when("RpcReady")
            host, port = self.server.addr.split(":")
            if self.transport == "tcp":
                conn = await dial_tcp(host, int(port))
            else:
                conn = await dial_websocket(f"ws://{host}:{port}/")
        self.connections.append(conn)
        return conn

    def client(self, name: str = "c1", states: type[States] | None = Rel, **options: Any) -> Client:
        """A client that dials the server; not started."""
        options.setdefault("token", TOKEN)
        options.setdefault("dial", self.dial)
        client = Client(name, states, **options)
        self.clients.append(client)
        return client

    async def ready(self, *names: str, **options: Any) -> tuple[Client, NetworkMachine]:
        """A client whose mirror is live."""
        client = self.client(*names, **options)
        client.start()
        await client.machine.when("Ready", timeout=5)
        await self.server.machine.when("Ready", timeout=5)
        return client, client.net

    def cut(self) -> None:
        """Break the newest connection without a goodbye."""
        conn = self.connections[-1]
        if isinstance(conn, MemoryConnection):
            conn.cut()
        else:
            assert isinstance(conn, TcpConnection | WebSocketConnection)
            assert conn._transport is not None
            conn._transport.abort()


@contextlib.asynccontextmanager
async def world(
    transport: str = "memory", states: type[States] = Rel, handlers: object = None, **options: Any
) -> AsyncIterator[World]:
    """A started server for a new source `src`; all is stopped in the end."""
    source = Machine("src", states, handlers=handlers)
    endpoint: Endpoint = AttachEndpoint()
    if transport == "tcp":
        endpoint = TcpEndpoint()
    elif transport == "websocket":
        endpoint = ListenEndpoint(lambda accept, port: listen_websocket("127.0.0.1", port, accept))
    server = Server(source, "s1", endpoint, token=TOKEN, parent=source, **options)
    server.start()
    there = World(source, server, transport)
    await server.machine.when("RpcReady", timeout=5)
    try:
        yield there
    finally:
        for client in there.clients:
            await client.stop()
        await there.server.stop()
        await turn()


def quick(**changes: float) -> ClientTimes:
    """Waits for tests that run out of them."""
    return ClientTimes(**changes)
