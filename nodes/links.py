"""The orchestrator's side of the nodes that dial the relay: client, mirror and pipes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.rpc.client import Client
from amctl.states.pipes import bind, sync
from nodes.states import (
    MIRRORED,
    Names,
    OrchestratorStates,
    dispatcher_schema,
    worker_schema,
)

if TYPE_CHECKING:
    from amctl.machine import Machine
    from amctl.rpc.transports.base import Connection
    from nodes.dag import Dag

__all__ = ["RootLink"]


class RootLink:
    """One node that dials the relay, and the leaves behind it.

    Args:
        dag: Where it stands.
        id: Of the node.
        machine: The orchestrator's.
        token: What the node's server wants to hear.
    """

    def __init__(self, dag: Dag, id: str, machine: Machine, token: str) -> None:
        self.id, self._machine = id, machine
        leaves = dag.leaves_of(id)
        states = dispatcher_schema(leaves, dag.where) if leaves else worker_schema()
        self.client = Client(f"srv-{id}", states, token=token, parent=machine, consumer=machine)
        own = Names.of(id)
        self._pairs = [("Exception", own.err), *((state, own.mirror(state)) for state in MIRRORED)]
        for leaf in map(Names.of, leaves):
            self._pairs.append((leaf.mirror("Exception"), leaf.err))
            self._pairs += [(leaf.mirror(state), leaf.mirror(state)) for state in MIRRORED]
        connection = [("Exception", OrchestratorStates.ErrRpc), ("Ready", own.conn)]
        bind(self.client.machine, machine, connection)
        bind(self.client.net, machine, self._pairs)

    async def serve(self, connection: Connection) -> None:
        """Use a connection that the node made to the relay, until it is over."""
        self.client.attach(connection)
        await self.client.wait_closed(connection)

    async def sync(self) -> None:
        """Bring over what the mirror shows: pipes tell only what moves while they can deliver."""
        await sync(self.client.net, self._machine, self._pairs)
