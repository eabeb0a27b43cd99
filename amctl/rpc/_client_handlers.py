"""What a client does in its states: dial, wait, dial again, hand payloads over."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from amctl.rpc.payload import APayload
from amctl.rpc.states import ClientStates
from amctl.rpc.wire.backoff import Backoff
from amctl.rpc.wire.codes import Code

if TYPE_CHECKING:
    from amctl.machine import Event
    from amctl.rpc.client import Client
    from amctl.rpc.wire.events import Closed

__all__ = ["ClientHandlers"]

_log = logging.getLogger("amctl.rpc.client")


class ClientHandlers:
    """Handlers of ClientStates."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._backoff = Backoff(random.Random())
        self._delay: float | None = 0.0
        self._lost_at: float | None = None

    # -- told by the client

    def opened(self) -> None:
        """The handshake is done."""
        self._backoff.reset()
        self._lost_at = None

    def lost(self, closed: Closed | None) -> None:
        """The connection is gone; work out how long to wait."""
        self._delay = self._backoff.delay(
            closed.code if closed else Code.INTERNAL, closed.after if closed else 0.0
        )
        if self._lost_at is None:
            self._lost_at = asyncio.get_running_loop().time()

    # -- handlers

    def StartEnd(self, e: Event) -> None:
        """Whoever dropped Start: close in good order."""
        self._client.shut(Code.OK)

    async def ConnectingState(self, e: Event) -> None:
        """Dial once. Without a way to dial, wait here for `attach`."""
        client, machine = self._client, e.machine
        if client.dial is None:
            return
        try:
            async with asyncio.timeout(client.times.connect):
                conn = await client.dial()
        except (OSError, EOFError) as error:
            _log.info("%s: can't connect: %s", machine.id, error)
            self.lost(None)
            machine.add(ClientStates.Disconnected, source=e)
            machine.add_err_state(ClientStates.ErrNetwork, error, source=e)
            machine.add(ClientStates.RetryingConn, source=e)
        else:
            client.use(conn)

    async def RetryingConnState(self, e: Event) -> None:
        """Wait, dial, and again, until Connected ends this state or time is up."""
        client, machine = self._client, e.machine
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._delay or 0.0)
            since = self._lost_at if self._lost_at is not None else loop.time()
            if loop.time() - since >= client.times.give_up:
                client.calls.fail_all()
                machine.add(ClientStates.ConnRetryFailed, source=e)
                return
            machine.add(ClientStates.Connecting, source=e)
            await machine.when_not(ClientStates.Connecting)

    def ServerPayloadState(self, e: Event) -> None:
        """Hand the payload to the consumer."""
        machine, consumer = e.machine, self._client.consumer
        machine.remove(ClientStates.ServerPayload)
        args = e.args(APayload)
        if consumer is None:
            _log.warning("%s: payload %r has no consumer", machine.id, args.name)
            return
        result = consumer.add("ServerPayload", args, source=e)
        if result.canceled:
            _log.warning("%s: %s refused payload %r", machine.id, consumer.id, args.name)

    def CallRetryFailedState(self, e: Event) -> None:
        """An event: its ticks count the calls given up."""
        e.machine.remove(ClientStates.CallRetryFailed)

    def ExceptionState(self, e: Event) -> None:
        """Errors are events here: observe them by ticks (CL7)."""
        e.machine.remove(ClientStates.Exception)
