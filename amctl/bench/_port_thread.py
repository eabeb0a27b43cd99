"""What the threads of the port's bench run: one sends, the thread below it answers, in turns.

Plans: {"turns": n, "trips": {bytes: n}, "leaf": id} of the thread that measures, {} of the one that
answers. What was measured goes to whoever listens to the `CHANNEL` of the page.
"""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

from amctl.machine.tasks import TaskSet
from amctl.rpc.transports.message_port import MessagePortConnection

__all__ = ["CHANNEL", "start"]

CHANNEL = "amctl-bench-port"
_OWN = """(() => {
  // As from Python, each message is a copy of bytes that stay.
  const post = (port, bytes) => {
    const { buffer } = bytes.slice();
    port.postMessage(buffer, [buffer]);
  };
  return {
  // Two channels to the thread below: one for JavaScript, one for Python.
  open(downlink) {
    const one = new MessageChannel(), two = new MessageChannel();
    downlink.postMessage(null, [one.port2, two.port2]);
    return [one.port1, two.port1];
  },
  // The thread below: sends back what comes over the first, gives the second to Python.
  answer: (uplink) => new Promise((resolve) => {
    uplink.onmessage = ({ ports: [own, python] }) => {
      own.onmessage = ({ data }) => post(own, new Uint8Array(data));
      resolve(python);
    };
  }),
  trips: (port, count, size) => new Promise((resolve) => {
    const bytes = new Uint8Array(size), began = performance.now();
    port.onmessage = () => --count ? post(port, bytes) : resolve(performance.now() - began);
    post(port, bytes);
  }),
  tell(text) { new BroadcastChannel("CHANNEL").postMessage(text); },
};})()""".replace("CHANNEL", CHANNEL)

_tasks = TaskSet("bench of ports")
_kept: list[Any] = []
"""So that nothing collects a connection that only answers."""


async def start(plan: str, host: Any) -> None:
    """See `nodes.browser.start`, whose place this takes."""
    own, told = import_module("js").eval(_OWN), json.loads(plan)
    if leaf := told.get("leaf"):
        # a task, for the thread below may not have begun
        _tasks.spawn(_measure(own, host.ports.get(leaf), told))
        return
    connection = MessagePortConnection(await own.answer(host.uplink))
    connection.start(connection.write, lambda error: None, lambda: None)
    _kept.append(connection)


async def _measure(own: Any, port: Any, told: dict[str, Any]) -> None:
    try:
        javascript, python = own.open(port)
        trips = _Trips(python)
        turns: dict[str, list[list[float]]] = {size: [] for size in told["trips"]}
        for turn in range(-1, told["turns"]):  # the first one warms up
            for size, count in told["trips"].items():
                one = await own.trips(javascript, count, int(size))
                two = await trips.run(count, int(size))
                if turn >= 0:
                    turns[size].append([1e3 * one / count, 1e3 * two / count])
        own.tell(json.dumps(turns))
    except Exception as error:
        own.tell(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        raise


class _Trips:
    """Sends the same bytes again and again, each time when those before are back."""

    def __init__(self, port: Any) -> None:
        self._connection = MessagePortConnection(port)
        self._clock = import_module("js").performance
        self._bytes, self._left, self._missing = b"", 0, 0
        self._done: asyncio.Future[None] | None = None
        self._connection.start(self._on_data, self._on_lost, lambda: None)

    async def run(self, count: int, size: int) -> float:
        """Milliseconds of so many trips."""
        self._bytes, self._left, self._missing = bytes(size), count, size
        self._done = asyncio.get_running_loop().create_future()
        began = self._clock.now()
        self._connection.write(self._bytes)
        await self._done
        return float(self._clock.now() - began)

    def _on_data(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing > 0:
            return
        self._left -= 1
        if self._left:
            self._missing = len(self._bytes)
            self._connection.write(self._bytes)
        elif self._done is not None:
            self._done.set_result(None)

    def _on_lost(self, error: Exception | None) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(error or ConnectionResetError("the port was closed"))
