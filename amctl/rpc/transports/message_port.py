"""A MessagePort between two browser threads as a `Connection`.

A port carries whole messages in order and tells nothing else: not that the other side is slow,
not (in older browsers) that it is gone. So besides the data, which travels as transferred
ArrayBuffers, each side posts two kinds of control messages:

    number    so many bytes were taken by the reader: the writer's window opens again
    "close"   the last message; what came before it was the whole stream

A thread that dies says nothing. Its port's `close` event tells in browsers that have it, the
protocol's heartbeat in all others.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from amctl.rpc.transports import _js
from amctl.rpc.transports._callbacks import Callbacks
from amctl.rpc.transports._js_ports import ROOM

if TYPE_CHECKING:
    from amctl.rpc.transports.base import OnData, OnLost, OnWritable

__all__ = ["MessagePortConnection"]

WINDOW = 256 << 10
"""Bytes under way from which on the writer should wait."""
_RECEIPT = WINDOW // 2
_CLOSE = "close"
_log = logging.getLogger("amctl.rpc.transports")


class MessagePortConnection:
    """One end of a channel. Make it inside the thread that uses it.

    Messages stay in the browser until `start`.

    Args:
        port: The MessagePort; it belongs to the connection from now on.
        peer: What to call the other end in logs.
        js: For tests; JavaScript by default.
    """

    def __init__(self, port: _js.JsPort, peer: str = "port:?", *, js: _js.Js | None = None) -> None:
        self._port, self._peer = port, peer
        self._js = js or _js.load()
        ports = self._js.ports()
        self._memory, self._bytes = ports.memory, ports.wrap(port)
        self._post = self._bytes.post
        self._callbacks = Callbacks()
        self._on_data: OnData = self._callbacks.data
        self._proxies: tuple[_js.Proxy, ...] = ()
        self._answer: list[bytes] = []
        """What was written while the reader runs: it goes out when that returns."""
        self._under_way = 0
        self._taken = 0
        self._full = self._closed = self._reads = False

    @property
    def peer(self) -> str:
        """The name of the other end."""
        return self._peer

    @property
    def writable(self) -> bool:
        """False while `WINDOW` bytes or more wait for the other end's reader."""
        return not self._full and not self._closed

    @property
    def is_closed(self) -> bool:
        """True from `close` or the loss on."""
        return self._closed

    def start(self, on_data: OnData, on_lost: OnLost, on_writable: OnWritable) -> None:
        """See `Connection.start`."""
        self._callbacks.start(on_data, on_lost, on_writable)
        if not self._closed:
            self._on_data = on_data
            # Proxies for the port's whole life: making one per message costs more than the
            # message, and each that is forgotten leaks.
            self._proxies = (self._js.proxy(self._take), self._js.proxy(self._on_event))
            self._bytes.hear(*self._proxies)

    def write(self, data: bytes) -> None:
        """See `Connection.write`. What the reader writes goes out when it returns."""
        if not data or self._closed:
            return
        if self._reads:
            self._answer.append(data)
        else:
            self._send(data)
        self._under_way += len(data)
        self._full = self._under_way >= WINDOW

    def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Connection.close`; what was written still arrives, and then the end of it."""
        if not self._closed:
            self._say(_CLOSE)
            self._end(None)

    # -- out

    def _send(self, data: bytes) -> None:
        """Post bytes, in several messages if they are many."""
        view = memoryview(data)
        for at in range(0, len(data), ROOM):
            self._post(self._place(view[at : at + ROOM]))

    def _place(self, data: bytes | memoryview) -> int:
        size = len(data)
        self._memory[:size] = data
        return size

    def _say(self, message: int | str) -> None:
        """Post what is no data, after all data."""
        if self._answer:
            self._send(self._take_answer())
        self._port.postMessage(message)

    def _take_answer(self) -> bytes:
        answer = b"".join(self._answer)
        self._answer.clear()
        return answer

    # -- in

    def _take(self, size: int) -> int:
        """Bytes came; how many bytes are there to be sent back."""
        if self._closed:
            return 0
        data = self._memory[:size].tobytes()
        self._reads = True
        try:
            self._on_data(data)
        except Exception as error:
            _log.exception("a reader failed")
            if not self._closed:
                self._say(_CLOSE)
                self._end(error)
            return 0
        finally:
            self._reads = False
        self._taken += size
        if self._taken >= _RECEIPT and not self._closed:
            self._say(self._taken)
            self._taken = 0
        if not self._answer:
            return 0
        parts = self._answer
        answer = parts.pop() if len(parts) == 1 else self._take_answer()
        if (size := len(answer)) > ROOM:
            self._send(answer)
            return 0
        self._memory[:size] = answer
        return size

    def _on_event(self, event: _js.JsEvent) -> None:
        if self._closed:
            return
        if event.type == "close":
            self._end(ConnectionResetError(f"{self._peer} is gone"))
            return
        data = event.data
        if isinstance(data, int | float):
            self._receipt(int(data))
        elif data == _CLOSE:
            self._end(None)
        # Anything else is not ours: the port is this page's own, so nobody means harm.

    def _receipt(self, size: int) -> None:
        self._under_way = max(0, self._under_way - size)
        if self._full and self._under_way < WINDOW:
            self._full = False
            self._callbacks.writable()

    def _end(self, error: Exception | None) -> None:
        self._closed = True
        self._port.onmessage = self._port.onclose = None
        self._port.close()
        # Later, for this may be a call from the very port.
        asyncio.get_running_loop().call_soon(self._bury, error)

    def _bury(self, error: Exception | None) -> None:
        for proxy in self._proxies:
            proxy.destroy()
        self._proxies = ()
        self._callbacks.lost(error)
