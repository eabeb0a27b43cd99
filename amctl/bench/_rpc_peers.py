"""The peers of `amctl bench rpc`: one process each, told by lines of JSON what to do.

    python -m amctl.bench._rpc_peers serve|call arpc|grpc [ADDRESS]   with AMCTL_TOKEN set

Both kinds of server run the same machine: a call adds one multi state of 45 states. gRPC's messages
are as long as ours and pass unparsed, which costs it less than protobuf would.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from amctl.bench._rpc_bytes import Proxy
from amctl.bench._rpc_source import STATE, source
from amctl.rpc.client import Client
from amctl.rpc.endpoints import TcpEndpoint
from amctl.rpc.server import Server
from amctl.rpc.transports.tcp import dial_tcp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

_METHOD = "/amctl.Bench/Add"
_REQUEST, _REPLY = b"7 bytes", b"17 bytes, as ours"


class Caller(Protocol):
    """One way to call."""

    async def call(self) -> object: ...
    async def close(self) -> None: ...


class ArpcCaller:
    """A client of a machine."""

    def __init__(self, host: str, port: int) -> None:
        self._client = Client(
            "bench", token=os.environ["AMCTL_TOKEN"], dial=lambda: dial_tcp(host, port)
        )

    async def ready(self) -> ArpcCaller:
        self._client.start()
        await self._client.machine.when("Ready", timeout=10)
        return self

    async def call(self) -> object:
        return await self._client.net.add(STATE)

    async def close(self) -> None:
        await self._client.stop()


class GrpcCaller:
    """A channel of grpc.aio."""

    def __init__(self, host: str, port: int) -> None:
        from grpc import aio  # type: ignore[import-untyped]  # no stubs

        self._channel = aio.insecure_channel(f"{host}:{port}")
        self._method: Any = self._channel.unary_unary(_METHOD)

    async def ready(self) -> GrpcCaller:
        await self._channel.channel_ready()
        return self

    async def call(self) -> object:
        return await self._method(_REQUEST)

    async def close(self) -> None:
        await self._channel.close()


async def _serve_arpc() -> tuple[int, Callable[[], Coroutine[Any, Any, None]]]:
    # nothing is pushed: whoever calls gets its clock with the reply
    server = Server(
        source(), "bench", TcpEndpoint(), token=os.environ["AMCTL_TOKEN"], push_interval=None
    )
    server.start()
    await server.machine.when("RpcReady", timeout=10)
    return int(server.addr.rpartition(":")[2]), server.stop


async def _serve_grpc() -> tuple[int, Callable[[], Coroutine[Any, Any, None]]]:
    import grpc
    from grpc import aio

    machine = source()

    async def add(request: bytes, context: object) -> bytes:
        machine.add(STATE)
        return _REPLY

    server = aio.server()
    handler = grpc.unary_unary_rpc_method_handler(add)
    generic = grpc.method_handlers_generic_handler("amctl.Bench", {"Add": handler})
    server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async def stop() -> None:
        await server.stop(None)

    return port, stop


async def _orders() -> AsyncIterator[dict[str, Any]]:
    """What the bench wants, until it closes the pipe."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def _tell(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def _serve(kind: str) -> None:
    port, stop = await (_serve_arpc() if kind == "arpc" else _serve_grpc())
    _tell(addr=f"127.0.0.1:{port}")
    async for _ in _orders():
        _tell(cpu=time.process_time())
    await stop()


async def _connect(kind: str, host: str, port: int) -> Caller:
    return await (GrpcCaller(host, port) if kind == "grpc" else ArpcCaller(host, port)).ready()


async def _call(kind: str, addr: str) -> None:
    host, _, port = addr.rpartition(":")
    async with Proxy(host, int(port)) as proxy:
        caller: Caller | None = None
        _tell(ready=True)
        async for order in _orders():
            if order["do"] == "open":
                to = (proxy.host, proxy.port) if order["counted"] else (host, int(port))
                caller = await _connect(kind, *to)
                _tell(open=True)
            elif caller is not None and order["do"] == "run":
                before = time.perf_counter(), time.process_time(), proxy.bytes
                await _run(caller, order["calls"], order["flight"])
                after = time.perf_counter(), time.process_time(), proxy.bytes
                spent = [new - old for new, old in zip(after, before, strict=True)]
                _tell(seconds=spent[0], cpu=spent[1], bytes=spent[2])
            elif caller is not None:
                await caller.close()
                _tell(open=False)


async def _run(caller: Caller, count: int, flight: int) -> None:
    async def some() -> None:
        for _ in range(count // flight):
            await caller.call()

    async with asyncio.TaskGroup() as group:
        for _ in range(flight):
            group.create_task(some())


if __name__ == "__main__":
    role, which, *rest = sys.argv[1:]
    asyncio.run(_serve(which) if role == "serve" else _call(which, rest[0]))
