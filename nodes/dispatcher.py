"""A node that also forwards for others, its leaves, over their ports: its handlers.

It mirrors all states of a leaf under the leaf's name, and passes Start, Work and Retry on to it.
Between them stand pipes; what pipes can't do is here: a leaf that comes later than Start, one that
is lost, payloads, disposal.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from amctl.rpc.client import Client
from amctl.rpc.payload import APayload
from amctl.rpc.wire.limits import DEFAULT_LIMITS
from amctl.states.pipes import bind, sync
from nodes.readiness import dispose_remote, keep_started
from nodes.states import Names, WorkerStates, worker_schema
from nodes.worker import WorkerHandlers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amctl.machine import Event, Machine, TaskSet
    from amctl.rpc.server import Server
    from nodes.jobs import Faults
    from nodes.plan import NodePlan

__all__ = ["PORT_LIMITS", "DispatcherHandlers", "Leaf"]

LEAF_GRACE = 1.2
"""Seconds for all leaves to dispose themselves; the orchestrator waits for 2."""

PORT_LIMITS = replace(DEFAULT_LIMITS, hello_timeout=120.0)
"""For a port's two ends: each is used as soon as its own Python runs, however long the other's
takes; and nobody dials a port again. A thread's death is told by other means.
"""

_log = logging.getLogger("amctl.nodes.dispatcher")


class Leaf:
    """The dispatcher's side of one leaf: client, mirror, pipes.

    Args:
        id: Of the leaf.
        machine: The dispatcher's.
        token: What the leaf's server wants to hear.
    """

    def __init__(self, id: str, machine: Machine, token: str) -> None:
        self.id, self.names, self._machine = id, Names.of(id), machine
        states = worker_schema()
        self._pairs = [(state, self.names.mirror(state)) for state in states.names]
        self.client = Client(
            f"bro-{id}",
            states,
            token=token,
            parent=machine,
            consumer=machine,
            limits=PORT_LIMITS,
        )
        net = self.client.net
        bind(net, machine, self._pairs)
        bind(machine, net, [(WorkerStates.Start, WorkerStates.Start)])
        # The triggers leave at once, and the work that they began must not end with them.
        triggers = [
            (self.names.work, WorkerStates.Working),
            (self.names.retry, WorkerStates.Retrying),
        ]
        bind(machine, net, triggers, remove=False)

    async def follow(self) -> None:
        """Keep the mirror true over losses and returns of the leaf, until one of them ends."""
        connection = self.client.machine
        while True:
            await connection.when("Ready")
            if connection.is_disposed:
                return
            await sync(self.client.net, self._machine, self._pairs)
            await connection.when_not("Ready")
            if self._machine.any_(["Disposing", "Disposed"]) or connection.is_disposed:
                return
            _log.warning("%s: lost its leaf %s", self._machine.id, self.id)
            shown = [mirror for _, mirror in self._pairs if self._machine.is_(mirror)]
            self._machine.remove(shown)


class DispatcherHandlers(WorkerHandlers):
    """Handlers of a dispatcher: those of a worker, and the leaves' affairs."""

    def __init__(
        self,
        machine: Machine,
        plan: NodePlan,
        server: Server,
        faults: Faults,
        tasks: TaskSet,
        leaves: Mapping[str, Leaf],
    ) -> None:
        super().__init__(machine, plan, server, faults)
        self._tasks, self._leaves = tasks, leaves

    def triggers(self) -> dict[str, Any]:
        """Handlers of the states that pass work on: they are events, and leave at once."""
        names = [leaf.names for leaf in self._leaves.values()]
        states = [state for name in names for state in (name.work, name.retry)]
        return {f"{state}State": partial(self._leave, state) for state in states}

    def StartState(self, e: Event) -> None:
        """Keep the leaves started too; those that are there hear it from the pipe."""
        super().StartState(e)
        context = self.machine.state_context(WorkerStates.Start)
        for leaf in self._leaves.values():
            task = self._tasks.spawn(
                keep_started(leaf.client, lambda: self.boot), name=f"start {leaf.id}"
            )
            context.hold(task)

    def ServerPayloadState(self, e: Event) -> None:
        """Pass a leaf's payload on, as the leaf's."""
        self.machine.remove("ServerPayload", source=e)
        payload = e.args(APayload)
        if payload.source not in self._leaves:
            _log.warning("%s: payload of %r refused", self.machine.id, payload.source)
            return
        self.server.send_payload(payload.name, payload.data, source=payload.source, event=e)

    async def DisposingState(self, e: Event) -> None:
        """Dispose of the leaves, all at once, then of oneself."""
        leaves = [dispose_remote(leaf.client) for leaf in self._leaves.values()]
        try:
            async with asyncio.timeout(LEAF_GRACE):
                await asyncio.gather(*leaves)
        except TimeoutError:
            _log.warning("%s: its leaves took more than %g s", self.machine.id, LEAF_GRACE)
        await super().DisposingState(e)

    def _leave(self, state: str, e: Event) -> None:
        self.machine.remove(state, source=e)
