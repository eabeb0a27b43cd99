"""Readiness by reconciliation: what a mirror shows is compared with what it should, until it does.

A Start that comes too early (before the worker's server is ready, before pipes are bound, before a
leaf is there) is refused, and nobody would send it again. So it is sent again here: when something
changes at the worker, or after a while that doubles, until the mirror shows it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.rpc.errors import RpcError
from nodes.states import WorkerStates

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import Args, Result, Signal, Source
    from amctl.rpc.client import Client
    from amctl.rpc.network_machine import NetworkMachine

__all__ = ["any_of", "ask", "dispose_remote", "keep_started"]

FIRST_WAIT = 0.05
LONGEST_WAIT = 2.0

_log = logging.getLogger("amctl.nodes.readiness")


async def any_of(*signals: Signal, within: float | None = None) -> bool:
    """Wait for the first of several signals; False if `within` seconds went by before."""
    happened = asyncio.get_running_loop().create_future()

    def wake(_: Signal) -> None:
        if not happened.done():
            happened.set_result(None)

    for signal in signals:
        signal.add_done_callback(wake)
    try:
        async with asyncio.timeout(within):
            await happened
        return True
    except TimeoutError:
        return False
    finally:
        for signal in signals:
            signal.remove_done_callback(wake)


async def ask(
    net: NetworkMachine, state: str, args: Args | None = None, *, source: Source | None = None
) -> Result | None:
    """Add a state remotely; None if it can't be known to have arrived, which is logged."""
    try:
        return await net.add(state, args, source=source)
    except RpcError as error:
        _log.info("%s: %s", net.id, error)
        return None


async def keep_started(client: Client, args: Callable[[], Args]) -> None:
    """Have a worker in Start whenever its connection stands. Runs until the client is disposed of.

    Args:
        client: Of the worker.
        args: Makes what Start comes with.
    """
    connection, net, wait = client.machine, client.net, FIRST_WAIT
    while True:
        await connection.when("Ready")
        if connection.is_disposed:
            return
        if net.is_(WorkerStates.Start):
            wait = FIRST_WAIT
            await any_of(net.when_not(WorkerStates.Start), connection.when_not("Ready"))
            continue
        result = await ask(net, WorkerStates.Start, args())
        if result is not None and result.executed and net.is_(WorkerStates.Start):
            continue
        changes = (
            connection.when_not("Ready"),
            net.when(WorkerStates.Start),
            net.when_ticks(WorkerStates.RpcReady, 1),
        )
        if not await any_of(*changes, within=wait):
            wait = min(wait * 2, LONGEST_WAIT)


async def dispose_remote(client: Client) -> bool:
    """Have a worker dispose itself, and wait until its mirror shows that it has.

    Returns:
        Whether it is disposed of; False if its connection was lost before it said so.
    """
    connection, net = client.machine, client.net
    if net.is_(WorkerStates.Disposed):
        return True
    if connection.not_("Ready"):
        return False
    disposed, gone = net.when(WorkerStates.Disposed), connection.when_not("Ready")
    await ask(net, WorkerStates.Disposing)
    await any_of(disposed, gone)
    return net.is_(WorkerStates.Disposed)
