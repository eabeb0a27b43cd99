"""JavaScript as this house's Python sees it: the one place that imports `js` and `pyodide`.

Both modules exist only inside Pyodide, so they are imported when a browser transport is made and
not before: the browser's entry can be imported, checked and listed by any Python.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from amctl.rpc.transports._js_ports import Ports

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Js", "JsEvent", "JsPort", "JsSocket", "Proxy", "is_bytes", "load"]


class JsEvent(Protocol):
    """A message, close or error event."""

    type: str
    data: Any
    code: int
    reason: str


class JsPort(Protocol):
    """A MessagePort. Setting `onmessage` starts it; what came before is delivered then."""

    onmessage: Any
    onclose: Any

    def postMessage(self, message: Any, transfer: Any = ...) -> None: ...

    def close(self) -> None: ...


class JsSocket(Protocol):
    """A WebSocket."""

    binaryType: str
    bufferedAmount: int
    onopen: Any
    onmessage: Any
    onclose: Any
    onerror: Any

    def send(self, data: Any) -> None: ...

    def close(self, code: int = ..., reason: str = ...) -> None: ...


class Proxy(Protocol):
    """A Python function that JavaScript holds. It leaks unless it is destroyed."""

    def destroy(self) -> None: ...


class Js:
    """The few things of JavaScript that transports use, looked up once."""

    def __init__(self, js: Any, ffi: Any) -> None:
        self._u8 = js.Uint8Array
        self._websocket = js.WebSocket
        self._proxy = ffi.create_proxy
        self._fetch = js.fetch
        self._map = ffi.to_js
        self._from_entries = js.Object.fromEntries
        self._js, self._ports = js, cast("Ports | None", None)

    def proxy(self, function: Callable[..., object]) -> Proxy:
        """Let JavaScript keep a function; destroy it when nobody calls it any more."""
        return cast("Proxy", self._proxy(function))

    def bytes_of(self, data: bytes | memoryview) -> Any:
        """Copy bytes into a Uint8Array of its own buffer."""
        array = self._u8.new(len(data))
        array.assign(data)
        return array

    def ports(self) -> Ports:
        """What carries bytes through this thread's MessagePorts."""
        if self._ports is None:
            self._ports = Ports(self._js, self._proxy)
        return self._ports

    def socket(self, url: str, subprotocol: str = "") -> JsSocket:
        """Begin to open a WebSocket; it fails if the server doesn't agree to a subprotocol."""
        words = (url, subprotocol) if subprotocol else (url,)
        return cast("JsSocket", self._websocket.new(*words))

    async def post(self, url: str, text: str, kind: str) -> int:
        """POST a text, also while the page is left; the answer's status, 0 if there was none."""
        options = {
            "method": "POST",
            "body": text,
            "headers": {"content-type": kind},
            "credentials": "same-origin",
            "keepalive": len(text) < _KEEPALIVE,
        }
        made = self._map(options, dict_converter=self._from_entries)
        try:
            answer = await self._fetch(url, made)
        except Exception:  # JavaScript's TypeError: no connection
            return 0
        return int(answer.status)


_KEEPALIVE = 60_000
"""Characters; browsers carry 64 KiB for a page that is gone."""
_loaded: Js | None = None


def load() -> Js:
    """Return JavaScript.

    Raises:
        ImportError: Outside Pyodide.
    """
    global _loaded
    if _loaded is None:
        # By name: no other Python has these modules, and type checkers no stubs.
        _loaded = Js(import_module("js"), import_module("pyodide.ffi"))
    return _loaded


def is_bytes(data: Any) -> bool:
    """Whether a message's data is an ArrayBuffer (numbers and strings arrive as Python's own)."""
    return hasattr(data, "to_bytes") and not isinstance(data, int)
