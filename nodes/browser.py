"""The entry of every browser thread: a plan, ports and a page become a running node."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

from amctl.rpc.transports._js import load
from amctl.rpc.transports.browser_websocket import RefusedError, dial_browser_websocket
from amctl.rpc.transports.message_port import MessagePortConnection
from amctl.telemetry.browser_log import report_errors
from nodes.node import Node, run_node
from nodes.plan import NodePlan
from nodes.profiling import offer_profile
from nodes.timeline import page_timeline

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amctl.rpc.transports.base import Connection

__all__ = ["start"]

_SECOND_TAB, _CONFLICT = 4409, 409
TRACES_PATH = "/v1/traces"
"""Of the relay: takes spans."""
_log = logging.getLogger("amctl.nodes.browser")

running: dict[str, Node] = {}
"""The thread's node by its id; here so that nothing collects it, and for the console."""


async def start(plan: str, host: Any) -> None:
    """Start a thread's node; returns once it can be reached.

    Args:
        plan: A NodePlan as JSON text.
        host: What the thread's JavaScript offers: `base` (ws://host), `tab`, `report(level, text)`,
            `ports` (a Map by leaf), `uplink`, `refused(code)`, `onReplaced(callback)`.
    """
    report_errors(host.report, asyncio.get_running_loop())
    told = NodePlan.from_json(json.loads(plan))

    async def dial(path: str, subprotocol: str = "", /) -> Connection:
        url = f"{host.base}{path}?tab={host.tab}"
        return await dial_browser_websocket(url, refused, subprotocol=subprotocol)

    def refused(error: RefusedError) -> None:
        _log.warning("%s", error)
        if error.code == _SECOND_TAB:
            host.refused(_CONFLICT)

    ports = {
        leaf: MessagePortConnection(host.ports.get(leaf), f"port:{leaf}") for leaf in told.leaves
    }
    uplink = MessagePortConnection(host.uplink, "port:dispatcher") if host.uplink else None
    offer_profile(page_timeline)
    post = _poster(host.base) if told.trace.trace_id else None
    node = await run_node(told, dial=dial, ports=ports, uplink=uplink, post=post)
    running[told.id] = node
    if told.leaves:

        def replaced(leaf: str, port: Any) -> None:
            node.attach(leaf, MessagePortConnection(port, f"port:{leaf}"))

        # for as long as the thread lives, so nobody destroys the proxy
        host.onReplaced(load().proxy(replaced))


def _poster(base: str) -> Callable[[str], Awaitable[None]]:
    """Posts spans to the relay, with the page's cookie."""
    url = f"{base.replace('ws', 'http', 1)}{TRACES_PATH}"
    js = load()

    async def post(text: str) -> None:
        status = await js.post(url, text, "application/json")
        if status in (429, 502, 503, 504) or status == 0:
            raise OSError(f"the relay answers {status}")
        if not 200 <= status < 300:
            raise ValueError(f"the relay answers {status}")

    return post
