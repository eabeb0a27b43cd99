"""Relays on loopback, and clients of all kinds that speak to them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from amctl.relay import Relay

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "the-secret-of-this-run"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Peers:
    """One relay, and what a test needs to talk to it."""

    token = TOKEN

    def __init__(self, relay: Relay) -> None:
        self.relay = relay

    def http(self, **headers: str) -> httpx.AsyncClient:
        """A client that has the token unless `Authorization` says otherwise."""
        return httpx.AsyncClient(base_url=self.relay.url, headers={**BEARER, **headers})

    def socket(self, path: str, headers: dict[str, str] | None = None, **options: Any) -> connect:
        """A WebSocket by the websockets library."""
        url = f"ws://127.0.0.1:{self.relay.port}{path}"
        given = BEARER if headers is None else headers
        return connect(url, additional_headers=given, proxy=None, **options)

    async def raw(self, data: bytes, then: bytes = b"", *, end: bool = True) -> bytes:
        """Send bytes to the front door and return all that comes back before it hangs up.

        `then` is sent once a first head has come back.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.relay.port)
        head = b""
        try:
            writer.write(data)
            if then:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(then)
            if end:
                writer.write_eof()
            async with asyncio.timeout(5):
                return head + await reader.read(-1)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def tcp(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TCP client that waits for its port and is closed at the end of the block."""
    reader, writer = await _dial(port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _dial(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(5):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.001)


async def closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    """Wait until a WebSocket is closed; return code and reason."""
    async with asyncio.timeout(5):
        await socket.wait_closed()
    return socket.close_code, socket.close_reason


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - nothing tells us
            await asyncio.sleep(0.001)


def free_port() -> int:
    """A port that nobody listens on now."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


StartRelay = Callable[..., Any]


@pytest.fixture
async def start_relay(tmp_path: Path) -> AsyncIterator[StartRelay]:
    """Start relays that are stopped, and must leave no task, at the end of the test."""
    relays: list[Relay] = []

    async def start(**options: Any) -> Peers:
        options.setdefault("repl_dir", tmp_path / "repl")
        relay = Relay("test", token=TOKEN, **options)
        await relay.start()
        relays.append(relay)
        return Peers(relay)

    yield start
    for relay in relays:
        await relay.stop()
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if "amctl/relay" in repr(task.get_coro())]
    assert left == []
