"""A MessageChannel and a WebSocket in Python, with JavaScript's rules: order, transfer, timing."""

from __future__ import annotations

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

from amctl.rpc.transports._js import Js
from amctl.rpc.transports._js_ports import ROOM

__all__ = ["FakeJs", "FakePort", "FakeSocket", "channel"]


class FakeBuffer:
    """An ArrayBuffer; who transfers it has it no more."""

    def __init__(self, data: bytes) -> None:
        self.data: bytes | None = data

    def to_bytes(self) -> bytes:
        assert self.data is not None, "the buffer was transferred"
        return self.data


class FakeProxy:
    def __init__(self, function: Any) -> None:
        self.function, self.is_destroyed = function, False

    def __call__(self, event: Any) -> Any:
        assert not self.is_destroyed, "a destroyed proxy was called"
        return self.function(event)

    def destroy(self) -> None:
        assert not self.is_destroyed
        self.is_destroyed = True


class FakeJs(Js):
    """Remembers proxies and sockets."""

    def __init__(self) -> None:
        self.proxies: list[FakeProxy] = []
        self.sockets: list[FakeSocket] = []

    def proxy(self, function: Any) -> FakeProxy:
        self.proxies.append(FakeProxy(function))
        return self.proxies[-1]

    def bytes_of(self, data: bytes | memoryview) -> Any:
        return SimpleNamespace(buffer=FakeBuffer(bytes(data)))

    def ports(self) -> Any:
        if not hasattr(self, "_fake"):
            self._fake = FakePorts()
        return self._fake

    def socket(self, url: str, subprotocol: str = "") -> Any:
        self.sockets.append(FakeSocket(url, subprotocol))
        return self.sockets[-1]

    @property
    def leaks(self) -> int:
        return sum(not proxy.is_destroyed for proxy in self.proxies)


class FakePorts:
    """What `_js_ports` has in JavaScript."""

    def __init__(self) -> None:
        self.memory = memoryview(bytearray(ROOM))

    def wrap(self, port: FakePort) -> Any:
        def post(size: int) -> None:
            buffer = FakeBuffer(bytes(self.memory[:size]))
            port.postMessage(buffer, [buffer])

        def hear(take: Any, tell: Any) -> None:
            def heard(event: Any) -> None:
                if not isinstance(event.data, FakeBuffer):
                    tell(event)
                    return
                data, at = event.data.to_bytes(), 0
                while at < len(data) and port.onmessage:
                    piece = data[at : at + ROOM]
                    at += ROOM
                    self.memory[: len(piece)] = piece
                    if answer := take(len(piece)):
                        post(answer)

            port.onclose, port.onmessage = tell, heard

        return SimpleNamespace(post=post, hear=hear)


class FakePort:
    """One end; messages wait until `onmessage` is set."""

    def __init__(self) -> None:
        self.other = self
        self.waiting: deque[Any] = deque()
        self.is_closed = False
        self.posted: list[Any] = []
        self._onmessage: Any = None
        self.onclose: Any = None

    @property
    def onmessage(self) -> Any:
        return self._onmessage

    @onmessage.setter
    def onmessage(self, handler: Any) -> None:
        self._onmessage = handler
        self._schedule()

    def postMessage(self, message: Any, transfer: Any = ()) -> None:
        if self.is_closed:
            return
        if isinstance(message, FakeBuffer):
            assert list(transfer) == [message]
            moved = FakeBuffer(message.to_bytes())
            message.data = None
            message = moved
        self.posted.append(message)
        self.other.waiting.append(message)
        self.other._schedule()

    def close(self) -> None:
        self.is_closed = True

    def die(self) -> None:
        """The other thread is gone, without a word."""
        if self.onclose is not None:
            self.onclose(SimpleNamespace(type="close"))

    def _schedule(self) -> None:
        asyncio.get_running_loop().call_soon(self._deliver)

    def _deliver(self) -> None:
        while self.waiting and self._onmessage is not None and not self.is_closed:
            self._onmessage(SimpleNamespace(type="message", data=self.waiting.popleft()))


def channel() -> tuple[FakePort, FakePort]:
    """Both ends of a channel."""
    a, b = FakePort(), FakePort()
    a.other, b.other = b, a
    return a, b


class FakeSocket:
    """A WebSocket whose server is the test."""

    def __init__(self, url: str, subprotocol: str = "") -> None:
        self.url, self.subprotocol = url, subprotocol
        self.binaryType = "blob"
        self.bufferedAmount = 0
        self.sent: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.onopen = self.onmessage = self.onclose = self.onerror = None

    def send(self, data: Any) -> None:
        self.sent.append(data.buffer.to_bytes())
        self.bufferedAmount += len(self.sent[-1])

    def close(self, code: int = 1000, reason: str = "") -> None:
        assert code == 1000 or 3000 <= code <= 4999, "browsers refuse other codes"
        self.closed = (code, reason)

    def happens(self, kind: str, **event: Any) -> None:
        handler = getattr(self, f"on{kind}")
        if handler is not None:
            handler(SimpleNamespace(type=kind, **event))
