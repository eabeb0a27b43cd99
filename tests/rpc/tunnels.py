"""A relay's end of tunnels over memory streams: what a mux behind a relay dials."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.rpc.client import Client
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.rpc.transports.tunnel import Tunnel
from tests.rpc.world import TOKEN, Plain

if TYPE_CHECKING:
    from amctl.rpc.transports.base import Connection

__all__ = ["MemoryRelay"]


class MemoryRelay:
    """Clients dial it, and get a channel of the newest tunnel."""

    def __init__(self) -> None:
        self.dials: list[float] = []
        """When the mux dialled."""
        self.refusing = 0
        """So many dials fail."""
        self.tunnel: Tunnel | None = None
        self.ends: list[MemoryConnection] = []
        self.clients: list[Client] = []

    async def dial(self) -> Connection:
        """What the mux dials with."""
        self.dials.append(asyncio.get_running_loop().time())
        if self.refusing:
            self.refusing -= 1
            raise ConnectionRefusedError("no relay")
        near, far = memory_pair()
        self.ends.append(far)
        self.tunnel = Tunnel(far, even=True)
        self.tunnel.start()
        return near

    async def open(self) -> Connection:
        """What clients dial with."""
        if self.tunnel is None or self.tunnel.is_closed:
            raise ConnectionRefusedError("no tunnel")
        return self.tunnel.open("127.0.0.1:5")

    def cut(self) -> None:
        """Break the newest tunnel."""
        self.ends[-1].cut()

    async def client(self, name: str) -> Client:
        """A client whose mirror is live."""
        client = Client(name, Plain, token=TOKEN, dial=self.open)
        self.clients.append(client)
        client.start()
        await client.machine.when("Ready", timeout=20)
        return client

    async def stop(self) -> None:
        """Stop all clients."""
        for client in self.clients:
            await client.stop()
