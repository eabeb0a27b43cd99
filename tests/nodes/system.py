"""A whole workflow in one loop, with memory streams in place of the relay and the ports."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

from amctl.machine import TaskSet
from amctl.rpc.transports.memory import memory_pair
from nodes.dag import Dag, load_dag
from nodes.jobs import Fault, Faults, Job, no_faults
from nodes.node import Node, run_node
from nodes.plan import WorkflowSettings
from nodes.run import Workflow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from amctl.rpc.transports.base import Connection
    from nodes.outcome import Outcome
    from tests.support.fake_debugger import FakeDebugger

__all__ = ["FOUR", "SEVEN", "Spans", "System", "faults_at"]

HOME = Path(__file__).resolve().parents[2]
FOUR = load_dag("nodes/four.json", HOME)
SEVEN = load_dag("tests/dags/seven.json", HOME)
TOKEN = "secret"


def faults_at(**faults: dict[tuple[int, int], Fault]) -> Faults:
    """Faults by node and (round, attempt); everything else goes well."""

    def decide(job: Job) -> Fault:
        return faults.get(job.node, {}).get((job.round, job.attempt), Fault.NONE)

    return decide


class Spans(Protocol):
    """Where spans go."""

    async def post(self, text: str) -> None: ...
    async def until_ended(self, names: Sequence[str]) -> None: ...


class _Relay(NamedTuple):
    url: str = "http://nowhere"
    token: str = TOKEN
    repl_dir: Path | None = None


class System:
    """Orchestrator and nodes. `async with` starts all, and stops what is left.

    Args:
        dag: What is done.
        faults: What goes wrong; None draws from the settings.
        start: The nodes that come up at once; None is all.
        debugger: Records all; its token is the usual one.
        store: Gets the spans of all, if there is one.
        settings: Of WorkflowSettings.
    """

    def __init__(
        self,
        dag: Dag = FOUR,
        *,
        faults: Faults | None = no_faults,
        start: tuple[str, ...] | None = None,
        debugger: FakeDebugger | None = None,
        store: Spans | None = None,
        **settings: Any,
    ) -> None:
        given = WorkflowSettings(iterations=10, fault_seed=1, exit_on_completed=True)
        self.dag, self._faults = dag, faults
        self.workflow = Workflow(dag, replace(given, **settings), token=TOKEN)
        self.orchestrator = self.workflow.orchestrator
        self.machine = self.workflow.machine
        self.nodes: dict[str, Node] = {}
        self.accepted: list[str] = []
        """Ids that dialled the relay, in order."""
        self._debugger = debugger
        if debugger is not None:
            self.workflow.record_to(debugger.dial, debugger.token, debugger.quiet)
        self._post = store.post if store is not None else None
        if store is not None:
            self.trace_id = self.workflow.trace_to(store.post, {}, store.until_ended)
        self._start = dag.roots if start is None else start
        self._tasks = TaskSet("relay")
        self._near: dict[str, list[Connection]] = {}

    async def __aenter__(self) -> Self:
        await self.workflow.start(_Relay())
        for root in self._start:
            await self.run(root)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.workflow.stop()
        for node in self.nodes.values():
            await node.stop()
        await self._tasks.close()

    async def finished(self) -> Outcome:
        """Wait for the end of the work."""
        async with asyncio.timeout(600):
            return await self.workflow.finished()

    async def run(self, root: str) -> None:
        """Bring up a node that dials, after its leaves."""
        ports = {}
        for leaf in self.dag.leaves_of(root):
            ports[leaf] = await self._run_leaf(leaf)
        self.nodes[root] = await self._run(root, ports, None)

    async def run_alone(self, root: str) -> Node:
        """Bring up a node that dials, without its leaves."""
        return await self._run(root, {}, None)

    async def run_leaf(self, leaf: str) -> None:
        """Bring up a leaf and give its dispatcher the port."""
        port = await self._run_leaf(leaf)
        self.nodes[self.dag.root_of(leaf)].attach(leaf, port)

    async def dial(self, path: str, subprotocol: str = "") -> Connection:
        """What the relay does: hand the peer's connection to the matcher of its id."""
        if path == "/dbg":
            assert self._debugger is not None
            return await self._debugger.dial()
        id = path.split("/")[2]
        self.accepted.append(id)
        near, far = memory_pair()
        self._near.setdefault(id, []).append(near)
        for matcher in self.workflow.matchers:
            if matcher.pattern.search(id):
                self._tasks.spawn(matcher.accept(id, far), name=f"accept {id}")
        return near

    def cut(self, id: str) -> None:
        """Break a node's connection; the node lives on."""
        for connection in self._near.pop(id, ()):
            connection.close()

    async def kill(self, id: str) -> None:
        """End a node as a dead thread ends, and what it forked with it."""
        for leaf in self.dag.leaves_of(id):
            await self.kill(leaf)
        node = self.nodes.pop(id)
        for name in (id, f"repl-{id}"):
            self.cut(name)
        await node.tasks.close()
        await node.server.stop()
        await node.repl.stop()
        node.machine.dispose()

    async def _run_leaf(self, leaf: str) -> Connection:
        port, uplink = memory_pair()
        self._near.setdefault(leaf, []).append(uplink)
        self.nodes[leaf] = await self._run(leaf, {}, uplink)
        return port

    async def _run(self, id: str, ports: dict[str, Connection], uplink: Connection | None) -> Node:
        return await run_node(
            self.workflow.plan(id),
            dial=self.dial,
            ports=ports,
            uplink=uplink,
            faults=self._faults,
            post=self._post,
        )
