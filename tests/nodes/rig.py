"""One node without a workflow: its machine, reached as the orchestrator would reach it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine
from amctl.rpc.client import Client
from amctl.rpc.payload import APayload
from amctl.rpc.states import ConsumerStates
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from nodes.jobs import Faults, no_faults
from nodes.node import Node, run_node
from nodes.states import AStart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from amctl.rpc.transports.base import Connection
    from nodes.plan import NodePlan

__all__ = ["BOOT", "Rig", "rig"]

BOOT = AStart("0" * 31 + "1", "0" * 15 + "1")


class Rig:
    """A node, a client of it, and what the client got."""

    def __init__(self, node: Node, client: Client, consumer: Machine) -> None:
        self.node, self.client, self.machine = node, client, node.machine
        self.payloads: list[APayload] = []
        self._came = asyncio.Event()
        self._consumer = consumer
        consumer.bind({"ServerPayloadState": self._take})

    def _take(self, e: Any) -> None:
        self.payloads.append(e.args(APayload))
        self._consumer.remove("ServerPayload")
        self._came.set()

    async def payload(self) -> APayload:
        """Wait for the next payload, and take it."""
        while not self.payloads:
            self._came.clear()
            await self._came.wait()
        return self.payloads.pop(0)

    async def started(self) -> None:
        """Start the node."""
        await self.machine.when("RpcReady")
        assert (await self.client.net.add("Start", BOOT)).executed


@contextlib.asynccontextmanager
async def rig(
    plan: NodePlan, faults: Faults = no_faults, ports: dict[str, Connection] | None = None
) -> AsyncIterator[Rig]:
    """Bring a node up as a leaf, whatever it is, and connect."""
    near, far = memory_pair()

    async def dial(path: str, subprotocol: str = "") -> Connection:
        ends: tuple[MemoryConnection, MemoryConnection] = memory_pair()
        tunnels.extend(ends)
        return ends[0]

    tunnels: list[Connection] = []
    consumer = Machine("consumer", ConsumerStates)
    node = await run_node(plan, dial=dial, ports=ports or {}, uplink=far, faults=faults)
    client = Client("rig", token=plan.token, consumer=consumer)
    client.start()
    client.attach(near)
    await client.machine.when("Ready")
    try:
        yield Rig(node, client, consumer)
    finally:
        await client.stop()
        await node.stop()
