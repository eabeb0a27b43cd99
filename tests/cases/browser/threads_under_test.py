"""The entry that tests run in browser threads: a plan's "do" says what, `result` how it went."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
import os
import random
import secrets
import sys
import time
import uuid
from typing import Any

import js
from pyodide.ffi import to_js

from amctl.machine import Machine
from amctl.machine.tasks import TaskSet
from amctl.rpc.transports.browser_websocket import RefusedError, dial_browser_websocket
from amctl.rpc.transports.message_port import MessagePortConnection
from amctl.telemetry.browser_log import report_errors
from amctl.telemetry.otellight import LightSink

tasks = TaskSet("threads under test")
kept: list[Any] = []


def tell(**result: Any) -> None:
    js.result = to_js(result, dict_converter=js.Object.fromEntries)


async def start(plan: str, host: Any) -> None:
    report_errors(host.report, asyncio.get_running_loop())
    asked = json.loads(plan)
    await globals()["do_" + asked.pop("do")](host, **asked)


async def do_nothing(host: Any, **_: Any) -> None:
    tell(ok=True)


async def do_ids(host: Any, **_: Any) -> None:
    """Tell all kinds of numbers that no other thread may draw too, and a module not yet loaded."""
    fresh = "colorsys" not in sys.modules
    colors = importlib.import_module("colorsys")
    lamp = Machine("", {"On": {}})
    seen: list[str] = []
    lamp.bind(type("Seeing", (), {"OnState": lambda _, e: seen.append(e.transition.id)})())
    lamp.add("On")
    span = LightSink("test").start("a span", None, 1)
    tell(
        ids=[
            lamp.id,
            *seen,
            span.ref.trace_id,
            span.ref.span_id,
            str(random.random()),
            str(random.Random().random()),
            os.urandom(16).hex(),
            secrets.token_hex(16),
            str(uuid.uuid4()),
        ],
        late=fresh and colors.__file__,
        restored="amctl_image" in sys.modules,
        clock=abs(time.time() - js.Date.now() / 1000),
    )


async def do_echo(host: Any, **_: Any) -> None:
    """Send back what comes over the uplink, and tell when its end came."""
    port = MessagePortConnection(host.uplink)
    kept.append(port)
    port.start(port.write, lambda error: tell(ended=str(error)), lambda: None)


class Stream:
    """Sends pseudo-random bytes and hashes what comes back."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.size = 0
        self.hash = hashlib.sha256()
        self.room = asyncio.Event()
        self.more = asyncio.Event()
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.stalls = 0
        connection.start(self.on_data, self.lost.set_result, self.room.set)

    def on_data(self, data: bytes) -> None:
        self.size += len(data)
        self.hash.update(data)
        self.more.set()

    async def round_trip(self, size: int) -> bool:
        sent, block, left, number = hashlib.sha256(), b"seed", size, 0
        while left:
            block = hashlib.sha512(block).digest() * (1 + number % 97)
            number += 1
            piece, left = block[:left], left - len(block[:left])
            while not self.connection.writable:
                self.stalls += 1
                self.room.clear()
                await self.room.wait()
            sent.update(piece)
            self.connection.write(piece)
        while self.size < size:
            self.more.clear()
            await self.more.wait()
        return self.size == size and self.hash.digest() == sent.digest()


async def do_send(host: Any, size: int, leaves: list[str], close: bool = True) -> None:
    """Send `size` bytes to each leaf at once, and compare what comes back."""
    streams = [Stream(MessagePortConnection(host.ports.get(leaf))) for leaf in leaves]
    ok = await asyncio.gather(*(stream.round_trip(size) for stream in streams))
    if close:
        for stream in streams:
            stream.connection.close()
    tell(ok=all(ok), stalls=min(stream.stalls for stream in streams))
    kept.extend(streams)

    def replaced(leaf: str, port: Any) -> None:
        stream = Stream(MessagePortConnection(port))
        kept.append(stream)
        tasks.spawn(again(leaf, stream))

    async def again(leaf: str, stream: Stream) -> None:
        tell(again=leaf, ok=await stream.round_trip(size))

    from pyodide.ffi import create_proxy

    host.onReplaced(create_proxy(replaced))


async def do_dial(host: Any, path: str, size: int) -> None:
    """Send `size` bytes over a WebSocket that echoes."""
    stream = Stream(await dial_browser_websocket(f"{host.base}{path}?tab={host.tab}"))
    trip = tasks.spawn(stream.round_trip(size))
    await asyncio.wait([trip, stream.lost], return_when=asyncio.FIRST_COMPLETED)
    if stream.lost.done() and isinstance(error := stream.lost.result(), RefusedError):
        trip.cancel()
        tell(ok=False, code=error.code, reason=error.reason)
        return
    stream.connection.write(b"bye")
    tell(ok=trip.result(), lost=str(await stream.lost), stalls=stream.stalls)


async def do_fail(host: Any, how: str) -> None:
    """Go wrong in a way that somebody must hear of."""

    async def raise_it() -> None:
        raise RuntimeError(f"{how} in Python")

    loop = asyncio.get_running_loop()
    if how == "start":
        await raise_it()
    elif how == "task":
        tasks.spawn(raise_it(), name="a failing task")
    elif how == "bare-task":
        loop.create_task(raise_it())  # noqa: RUF006 - what this is about
    elif how == "callback":
        loop.call_soon(lambda: 1 / 0)
    elif how == "javascript":
        js.setTimeout(js.eval("() => { throw new Error('javascript in a timer') }"), 0)
    elif how == "promise":
        js.eval("Promise.reject(new Error('promise left alone')); 0")
    tell(ok=True)
