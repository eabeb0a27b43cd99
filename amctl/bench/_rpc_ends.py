"""What a call costs at each end without loop and sockets: the protocol and the engine alone.

The bench carries the bytes by hand and looks at the clock on both sides of each end's turn: the
caller's is everything from `add` to the result, its mirror moved; the server's is everything from
bytes to bytes, the mutation included.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from amctl.bench._rpc_source import PUSHED, STATE, source
from amctl.rpc.client import Client
from amctl.rpc.server import Server

if TYPE_CHECKING:
    from amctl.rpc.transports.base import OnData, OnLost, OnWritable

__all__ = ["Costs", "call_costs", "push_bytes"]

_TOKEN = "bench"
_TURNS = 50
"""Of calls, between turns of the loop."""


class Costs(NamedTuple):
    """Microseconds of one call."""

    client: float
    server: float


class _HandConnection:
    """What is written stays until somebody carries it."""

    peer = "by hand"
    writable = True
    is_closed = False

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self._on_data: OnData | None = None

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        self._on_data = on_data

    def write(self, data: bytes) -> None:
        self.out.append(data)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.is_closed = True

    def take(self) -> bytes:
        """What waits."""
        out, self.out = b"".join(self.out), []
        return out

    def data(self, data: bytes) -> None:
        """Something for the reader."""
        if data and self._on_data is not None:
            self._on_data(data)


class _Bench:
    """A server and a client with a live mirror, joined by hand."""

    def __init__(self) -> None:
        self.machine = source()
        self.near, self.far = _HandConnection(), _HandConnection()
        self.server = Server(self.machine, "bench", token=_TOKEN, push_interval=None)
        self.client = Client("bench", token=_TOKEN, dial=self._dial)

    async def _dial(self) -> Any:
        return self.near

    async def open(self) -> None:
        self.server.start()
        await self.server.machine.when("RpcReady", timeout=10)
        self.server.accept(self.far)
        self.client.start()
        while not self.client.is_connected:
            await asyncio.sleep(0)
            self.carry()
        await self.settle()

    def carry(self) -> int:
        """Everything that waits, both ways, until nothing does; how many bytes it was."""
        total = 0
        while up := self.near.take():
            self.far.data(up)
            down = self.far.take()
            self.near.data(down)
            total += len(up) + len(down)
        down = self.far.take()
        self.near.data(down)
        return total + len(down)

    def flush(self) -> None:
        """Write now what a kick would have written in the loop's next turn."""
        pump = self.client._pump
        assert pump is not None
        pump.flush()

    async def settle(self) -> int:
        """Let tasks and callbacks run, and carry what comes of them."""
        total = 0
        for _ in range(5):
            await asyncio.sleep(0)
            total += self.carry()
        return total

    async def close(self) -> None:
        await self.client.stop()
        self.carry()
        await self.server.stop()


async def call_costs(count: int, flight: int) -> Costs:
    """Make `count` calls, `flight` of them at a time.

    Returns:
        The mean of the cheaper half of the turns: what others did to the machine meanwhile is in
        the rest.
    """
    bench = _Bench()
    await bench.open()
    client: list[int] = []
    server: list[int] = []
    clock, net, near, far = time.perf_counter_ns, bench.client.net, bench.near, bench.far
    for turn in range(max(1, count // flight)):
        calls = [net.add(STATE) for _ in range(flight)]
        began = clock()
        for call in calls:
            call.send(None)
        bench.flush()
        sent = clock()
        up = near.take()
        received = clock()
        far.data(up)
        answered = clock()
        down = far.take()
        back = clock()
        near.data(down)
        for call in calls:
            try:
                call.send(None)
            except StopIteration:
                continue
            raise AssertionError("a call without its reply")
        done = clock()
        client.append(done - back + sent - began)
        server.append(answered - received)
        if turn % _TURNS == 0:
            await bench.settle()  # a loop's turn is no part of the figure, nor are cold caches
    await bench.close()
    return Costs(_low(client) / 1e3 / flight, _low(server) / 1e3 / flight)


def _low(turns: list[int]) -> float:
    half = sorted(turns)[: max(1, len(turns) // 2)]
    return sum(half) / len(half)


async def push_bytes(count: int) -> float:
    """Bytes of one clock that nobody asked for, three states changed, acknowledgements included."""
    bench = _Bench()
    bench.server.push_interval = 0.0
    await bench.open()
    total = 0
    for _ in range(count):
        bench.machine.add(PUSHED)
        total += await bench.settle()
        if bench.client.net.time(PUSHED) != bench.machine.time(PUSHED):
            raise AssertionError("a push that did not arrive")
    await bench.close()
    return total / count
