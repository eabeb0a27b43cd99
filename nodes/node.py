"""One node at work, wherever it runs: machine, server, REPL and, for a dispatcher, its leaves."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from amctl.machine import Machine, TaskSet
from amctl.rpc.endpoints import AttachEndpoint, DialEndpoint
from amctl.rpc.repl import repl_server
from amctl.rpc.server import Server
from amctl.rpc.wire.limits import DEFAULT_LIMITS
from amctl.rpc.wire.tunnel import SUBPROTOCOL
from amctl.states.pipes import bind
from nodes.dispatcher import PORT_LIMITS, DispatcherHandlers, Leaf
from nodes.jobs import drawn_faults
from nodes.recording import finish, record
from nodes.states import (
    DISPATCHER_ARGS,
    WORKER_ARGS,
    WorkerStates,
    dispatcher_schema,
    worker_schema,
)
from nodes.tracing import trace
from nodes.worker import WorkerHandlers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from amctl.rpc.transports.base import Connection, RelayDial
    from nodes.jobs import Faults
    from nodes.plan import NodePlan

__all__ = ["PUSH_INTERVAL", "Node", "run_node"]

PUSH_INTERVAL = 0.001
"""Seconds for which a server collects changes before it tells its client."""
STOP_GRACE = 1.8
WORK = (WorkerStates.Working, WorkerStates.Retrying)
"""While one of these is active, somebody waits for the node: spans can wait."""

_log = logging.getLogger("amctl.nodes.node")


class Node:
    """A node that runs; made by `run_node`."""

    def __init__(
        self,
        plan: NodePlan,
        dial: RelayDial,
        faults: Faults | None = None,
        post: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self.plan, self.tasks = plan, TaskSet(plan.id)
        leads = plan.role == "dispatcher"
        schema = dispatcher_schema(plan.leaves) if leads else worker_schema()
        self.machine = machine = Machine(plan.id, schema)
        machine.accept_args(*(DISPATCHER_ARGS if leads else WORKER_ARGS))
        self.stream = record(plan.debug, machine, dial)
        self.trace = trace(plan.trace, machine, post, is_busy=lambda: machine.any_(*WORK))
        endpoint = DialEndpoint(partial(dial, plan.listen)) if plan.listen else AttachEndpoint()
        self.server = server = Server(
            machine,
            plan.id,
            endpoint,
            token=plan.token,
            parent=machine,
            push_interval=PUSH_INTERVAL,
            limits=replace(DEFAULT_LIMITS if plan.listen else PORT_LIMITS, sessions=1),
        )
        self.repl = repl_server(machine, partial(dial, plan.repl, SUBPROTOCOL), plan.repl_token)
        self.leaves = {id: Leaf(id, machine, plan.leaf_token) for id in plan.leaves}
        draw = faults or drawn_faults(plan.fault_seed, plan.success_rate)
        # Handlers know all they need before anybody can reach the machine.
        if leads:
            leading = DispatcherHandlers(machine, plan, server, draw, self.tasks, self.leaves)
            self.handlers: WorkerHandlers = leading
            machine.bind(leading, id="dispatcher")
            machine.bind(leading.triggers(), id="triggers")
        else:
            self.handlers = WorkerHandlers(machine, plan, server, draw)
            machine.bind(self.handlers, id="worker")
        bind(server.machine, machine, [("Ready", WorkerStates.RpcReady)])
        machine.on_dispose(lambda _: self._gone())

    async def start(self, ports: Mapping[str, Connection], uplink: Connection | None) -> None:
        """Become reachable: leaves first, so that nothing is asked of one that isn't there yet."""
        if self.stream is not None:
            self.stream.start()
        for id, leaf in self.leaves.items():
            leaf.client.start()
            self.tasks.spawn(leaf.follow(), name=f"follow {id}")
            if id in ports:
                self.attach(id, ports[id])
        self.server.start()
        await self.repl.start()
        if uplink is not None:
            await self.server.machine.when("RpcReady")
            self.server.accept(uplink)

    def attach(self, leaf: str, port: Connection) -> None:
        """Use a port to a leaf; it replaces the present one."""
        self.leaves[leaf].client.attach(port)

    async def stop(self) -> None:
        """Dispose of the node, and through it of its leaves. Safe to call again."""
        if not self.machine.is_disposed:
            self.machine.add(WorkerStates.Disposing)
            try:
                async with asyncio.timeout(STOP_GRACE):
                    await self.machine.when_disposed()
            except TimeoutError:
                _log.warning("%s: not disposed of within %g s", self.plan.id, STOP_GRACE)
        await self.server.stop()
        await self.repl.stop()
        for leaf in self.leaves.values():
            await leaf.client.stop()
        self.machine.dispose()
        await self._last_words()
        await self.tasks.close()

    def _gone(self) -> None:
        if self.stream is not None or self.trace is not None:
            self.tasks.spawn(self._last_words(), name=f"{self.plan.id} says its last words")

    async def _last_words(self) -> None:
        """Send what was recorded and traced last."""
        words = [finish(self.stream)] if self.stream is not None else []
        await asyncio.gather(*words, *([self.trace.finish()] if self.trace is not None else ()))


async def run_node(
    plan: NodePlan,
    *,
    dial: RelayDial,
    ports: Mapping[str, Connection],
    uplink: Connection | None,
    faults: Faults | None = None,
    post: Callable[[str], Awaitable[None]] | None = None,
) -> Node:
    """Run one node in this loop until its machine is disposed of, or `Node.stop`.

    Args:
        plan: Which node, and all about it.
        dial: Connects to a path of the relay.
        ports: For a dispatcher: a connection to each leaf.
        uplink: For a leaf: the connection to its dispatcher.
        faults: What goes wrong when, in place of what the plan's seed says.
        post: Delivers spans, if the plan says that the node is traced.
    """
    node = Node(plan, dial, faults, post)
    await node.start(ports, uplink)
    return node
