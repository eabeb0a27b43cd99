"""All nodes in this process: the same code as in the browser, without one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.rpc.transports.memory import memory_pair
from nodes.node import Node, run_node

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from amctl.rpc.transports.base import Connection, RelayDial
    from nodes.dag import Dag
    from nodes.jobs import Faults
    from nodes.plan import NodePlan

__all__ = ["LocalRunner"]


class LocalRunner:
    """Runs the nodes of a DAG in this loop; pairs of memory streams stand for their ports.

    Args:
        dag: Which nodes.
        plans: What each is told.
        dial: Connects to a path of the relay.
        faults: What goes wrong when, in place of what the plans' seed says.
        post: Delivers spans.
    """

    def __init__(
        self,
        dag: Dag,
        plans: Mapping[str, NodePlan],
        dial: RelayDial,
        faults: Faults | None = None,
        post: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._dag, self._plans, self._dial, self._faults = dag, plans, dial, faults
        self._post = post
        self.nodes: dict[str, Node] = {}

    async def start(self) -> None:
        """Start every node, leaves before those that forward for them."""
        for root in self._dag.roots:
            ports: dict[str, Connection] = {}
            for leaf in self._dag.leaves_of(root):
                ports[leaf], uplink = memory_pair()
                await self._run(leaf, {}, uplink)
            await self._run(root, ports, None)

    async def stop(self) -> None:
        """Dispose of what is left of them."""
        await asyncio.gather(*(node.stop() for node in self.nodes.values()))

    async def _run(
        self, id: str, ports: Mapping[str, Connection], uplink: Connection | None
    ) -> None:
        self.nodes[id] = await run_node(
            self._plans[id],
            dial=self._dial,
            ports=ports,
            uplink=uplink,
            faults=self._faults,
            post=self._post,
        )
