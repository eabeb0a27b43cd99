"""A machine that keeps account of every call, reached through the same doors as the nodes are."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING

from amctl.machine import Machine, State
from amctl.relay.matcher import Matcher
from amctl.rpc.client import Client, ClientTimes
from amctl.rpc.endpoints import DialEndpoint
from amctl.rpc.payload import APayload
from amctl.rpc.server import Server
from amctl.rpc.states import ConsumerStates, SourceStates
from amctl.states.basic import BasicStates

if TYPE_CHECKING:
    import random

    from amctl.machine import Event
    from amctl.rpc.transports.base import Connection, Dial

__all__ = ["Ledger"]

ID = "ledger"
_IN_FLIGHT = 40
"""Calls at a time."""
_FILLINGS = (1,) * 12 + (300,) * 4 + (5_000, 40_000)
"""Bytes that calls carry, and one more: large ones are in parts, which are cut more often."""


class LedgerStates(BasicStates, SourceStates):
    """One event for calls, one for notes, and one that each call implies."""

    Entered = State(multi=True, add=["Seen"])
    Noted = State(multi=True)
    Seen = State(multi=True)


class Takes(BasicStates, ConsumerStates):
    """Gets the payloads."""


class Ledger:
    """Its two ends: a server that dials the relay as a node does, and a client on the other side.

    Args:
        dial: Of the server, to its place at the relay.
        token: Of both.
    """

    def __init__(self, dial: Dial, token: str) -> None:
        self.calls: list[int] = []
        """Numbers of calls in the order in which they ran."""
        self.notes: list[int] = []
        self.paid: list[int] = []
        """Numbers of payloads in the order in which they came."""
        self.acknowledged: list[int] = []
        self.machine = Machine("ledger", LedgerStates, handlers=_Enters(self))
        self.server = Server(self.machine, ID, DialEndpoint(dial), token=token, push_interval=0.001)
        taker = Machine("ledger-taker", Takes, handlers=_Taker(self))
        patient = ClientTimes(call=1e4, call_deadline=1e4)  # no call may fail for its link
        self.client = Client("ledger", LedgerStates, token=token, consumer=taker, times=patient)
        self._taker = taker
        self._sent = self._noted = 0

    @property
    def matcher(self) -> Matcher:
        """Takes the server's connections at the relay."""
        return Matcher(re.compile(f"^{ID}$"), self._accept)

    async def _accept(self, _id: str, connection: Connection) -> None:
        self.client.attach(connection)
        await self.client.wait_closed(connection)

    def start(self) -> None:
        """Begin to dial, and to wait."""
        self.client.start()
        self.server.start()

    async def work(self, draw: random.Random, over: asyncio.Event) -> None:
        """Call and note, some at a time, until told, once at least; wait for what is left."""
        await self.client.machine.when("Ready")
        async with asyncio.TaskGroup() as group:
            goes_on = True
            while goes_on:
                for _ in range(draw.randrange(1, 6)):
                    # a slow link carries less than one may think of
                    if len(self.acknowledged) > self._sent - _IN_FLIGHT:
                        most = draw.choice(_FILLINGS)
                        group.create_task(self._call(b"x" * draw.randrange(most)))
                if draw.random() < 0.5:
                    self.client.net.add_ns("Noted", {"n": self._noted})
                    self._noted += 1
                await asyncio.sleep(draw.uniform(0.0, 0.2))
                goes_on = not over.is_set()

    async def _call(self, filling: bytes) -> None:
        number, self._sent = self._sent, self._sent + 1
        result = await self.client.net.add("Entered", {"n": number, "filling": filling})
        assert result.executed, result
        self.acknowledged.append(number)
        # the reply promises a moved mirror
        assert self.client.net.tick("Entered") // 2 >= self.calls.index(number)

    def check(self) -> None:
        """Everything ran once, in order; everything sent has arrived once, in order."""
        assert self.calls == list(range(self._sent)), Counter(self.calls).most_common(3)
        assert sorted(self.acknowledged) == self.calls
        assert self.notes == list(range(self._noted)), Counter(self.notes).most_common(3)
        assert self.paid == self.calls, (len(self.paid), len(self.calls))
        assert self.client.net.time() == self.machine.time()
        assert self.client._core.resynced == 0

    async def settle(self) -> None:
        """Wait until all payloads are there, and bring the mirror up to date."""
        while len(self.paid) < self._sent:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
        await self.client.net.sync()

    async def stop(self) -> None:
        """End both."""
        await self.client.stop()
        await self.server.stop()
        for machine in (self.machine, self._taker):
            machine.dispose()


class _Enters:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def EnteredState(self, e: Event) -> None:
        number = e.raw["n"]
        self._ledger.calls.append(number)
        self._ledger.server.send_payload("entered", number, event=e)

    def NotedState(self, e: Event) -> None:
        self._ledger.notes.append(e.raw["n"])


class _Taker:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def ServerPayloadState(self, e: Event) -> None:
        e.machine.remove("ServerPayload")
        self._ledger.paid.append(e.args(APayload).data)
