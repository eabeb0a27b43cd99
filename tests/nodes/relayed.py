"""A whole workflow in one process, over the real relay on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from amctl.relay import Relay
from amctl.relay.forward import Forward
from amctl.rpc.transports.tcp import dial_tcp, listen_tcp
from amctl.rpc.transports.websocket import dial_websocket
from nodes.plan import WorkflowSettings
from nodes.run import Workflow
from tests.nodes.system import FOUR, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from amctl.rpc.transports.base import Connection
    from nodes.dag import Dag
    from nodes.local import LocalRunner
    from tests.support.fake_debugger import FakeDebugger

__all__ = ["Relayed", "relayed"]


@dataclass(frozen=True)
class Relayed:
    """What a test works with."""

    workflow: Workflow
    relay: Relay
    runner: LocalRunner
    repl_dir: Path

    async def dial(self, path: str) -> Connection:
        """Connect to a path of the relay."""
        return await _dial(self.relay, path)


@dataclass(frozen=True)
class _Info:
    url: str
    token: str
    repl_dir: Path


@contextlib.asynccontextmanager
async def relayed(
    repl_dir: Path, dag: Dag = FOUR, debugger: FakeDebugger | None = None, **settings: Any
) -> AsyncIterator[Relayed]:
    """Relay, orchestrator and nodes, all up; and all stopped at the end.

    Args:
        repl_dir: Gets the address files.
        dag: What is done.
        debugger: Records all, over TCP.
        settings: Of WorkflowSettings.
    """
    given = WorkflowSettings(iterations=100, success_rate=10**6, fault_seed=1)
    workflow = Workflow(dag, replace(given, **settings), token=TOKEN)
    listener = await listen_tcp("127.0.0.1", 0, debugger.accept) if debugger is not None else None
    routes = []
    if debugger is not None and listener is not None:
        host, port = listener.host, listener.port
        workflow.record_to(lambda: dial_tcp(host, port), debugger.token, debugger.quiet)
        routes = [Forward("/dbg", lambda: asyncio.open_connection(host, port)).route]
    relay = Relay(
        workflow.name,
        host="127.0.0.1",
        token=TOKEN,
        parent=workflow.machine,
        repl_dir=repl_dir,
        matchers=workflow.matchers,
        routes=routes,
    )
    await relay.start()
    runner = workflow.local(lambda path, subprotocol="": _dial(relay, path, subprotocol))
    try:
        await workflow.start(_Info(relay.url, TOKEN, repl_dir))
        await runner.start()
        yield Relayed(workflow, relay, runner, repl_dir)
    finally:
        await workflow.stop()
        await runner.stop()
        await relay.stop()
        if listener is not None:
            listener.close()


async def _dial(relay: Relay, path: str, subprotocol: str = "") -> Connection:
    url = relay.url.replace("http", "ws", 1) + path
    return await dial_websocket(url, subprotocol, headers={"Authorization": f"Bearer {TOKEN}"})
