"""A browser's debugging door, spoken to: calls and events of the DevTools protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from amctl.run.errors import DevToolsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from websockets.asyncio.client import ClientConnection

__all__ = ["DevTools", "open_devtools"]

_MAX_MESSAGE = 256 << 20
"""A long CPU profile is one message."""
_PATIENCE = 10.0
"""Seconds for the door to open."""


class DevTools:
    """One connection. Closing it takes back whatever was begun through it.

    Args:
        connection: To the browser.
        on_event: Told method, parameters and session of each event.
    """

    def __init__(
        self, connection: ClientConnection, on_event: Callable[[str, dict[str, Any], str], None]
    ) -> None:
        self._connection, self._on_event = connection, on_event
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last = 0
        self._lost: DevToolsError | None = None

    async def call(
        self, method: str, params: dict[str, Any] | None = None, *, session: str = "",
        patience: float = _PATIENCE,
    ) -> dict[str, Any]:  # fmt: skip
        """Call a method; its result.

        Args:
            method: `Profiler.start`.
            params: Its parameters.
            session: Of an attached target; empty is the browser itself.
            patience: Seconds for the answer.

        Raises:
            DevToolsError: It refused, was lost, or took too long.
        """
        if self._lost is not None:
            raise self._lost
        self._last += 1
        number = self._last
        message: dict[str, Any] = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(patience):
                await self._connection.send(json.dumps(message))
                return await future
        except TimeoutError:
            raise DevToolsError(method, f"no answer within {patience:g} s") from None
        except WebSocketException as error:
            raise DevToolsError(method, f"the browser has gone, {error}") from error
        finally:
            self._waiting.pop(number, None)

    async def read(self) -> None:
        """Take what comes until the connection ends."""
        try:
            async for text in self._connection:
                self._take(json.loads(text))
        except (WebSocketException, ValueError, AttributeError) as error:
            self._lose(DevToolsError("the browser", f"said what nobody understands, {error}"))
        else:
            self._lose(DevToolsError("the browser", "has gone"))

    def _take(self, message: dict[str, Any]) -> None:
        future = self._waiting.get(message.get("id", 0))
        if "method" in message:
            self._on_event(message["method"], message["params"], message.get("sessionId", ""))
        elif future is not None and not future.done():
            error = message.get("error")
            if error is None:
                future.set_result(message.get("result", {}))
            else:
                future.set_exception(DevToolsError("the browser", str(error.get("message"))))

    def _lose(self, error: DevToolsError) -> None:
        self._lost = error
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)


@contextlib.asynccontextmanager
async def open_devtools(
    address: str, on_event: Callable[[str, dict[str, Any], str], None]
) -> AsyncIterator[DevTools]:
    """Connect for as long as the context lasts. See DevTools.

    Raises:
        DevToolsError: Nobody is there.
    """
    # no proxy: it is on this machine; no pings: a busy browser answers late
    asked = connect(
        address, max_size=_MAX_MESSAGE, compression=None, proxy=None,
        open_timeout=_PATIENCE, close_timeout=1, ping_interval=None,
    )  # fmt: skip
    try:
        connection = await asked
    except (OSError, WebSocketException, TimeoutError) as error:
        raise DevToolsError(address, f"nobody answers, {error}") from error
    tools = DevTools(connection, on_event)
    reading = asyncio.get_running_loop().create_task(tools.read())
    try:
        yield tools
    finally:
        await connection.close()
        await reading
