"""uvicorn in our loop, without the rest of the relay."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.responses import PlainTextResponse

from amctl.relay import BindError, Limits, PortInUseError
from amctl.relay.server import HttpServer, bind

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.realtime


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


async def test_socket_listens_before_the_server_runs() -> None:
    with bind("localhost", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortInUseError):
            bind("127.0.0.1", port)
        async with httpx.AsyncClient() as http:
            early = asyncio.ensure_future(http.get(f"http://127.0.0.1:{port}/"))
            await asyncio.sleep(0)
            server = HttpServer(_hello, listener, Limits(), asyncio.get_running_loop().time)
            await server.start()
            assert (await early).text == "hello"
        await server.stop(0.3)


def test_privileged_or_foreign_address_is_no_port_in_use() -> None:
    with pytest.raises(BindError) as caught:
        bind("192.0.2.1", 0)
    assert not isinstance(caught.value, PortInUseError)
    with pytest.raises(BindError):
        bind("no such host", 0)


async def test_ipv6_is_served() -> None:
    try:
        listener = bind("::1", 0)
    except BindError:
        pytest.skip("no IPv6 here")
    server = HttpServer(_hello, listener, Limits(), asyncio.get_running_loop().time)
    await server.start()
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"http://[::1]:{listener.getsockname()[1]}/")
    assert answer.text == "hello"
    await server.stop(0.3)


async def test_request_that_ignores_its_end_is_named(caplog: pytest.LogCaptureFixture) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    listener = bind("127.0.0.1", 0)
    server = HttpServer(deaf, listener, Limits(), asyncio.get_running_loop().time)
    await server.start()
    async with httpx.AsyncClient() as http:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        asking = asyncio.ensure_future(http.get(url))
        await begun.wait()
        with caplog.at_level(logging.WARNING, "amctl.relay"):
            await server.stop(0.1)
        assert "1 requests ignore that the relay stops" in caplog.text
        with pytest.raises(httpx.TransportError):
            await asking
    release.set()
    await asyncio.sleep(0)
