"""A recording from the web, into a file: bounded in size and time, and nowhere but to http(s)."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

from amctl.dump.errors import DumpError, DumpFormatError, DumpFullError, DumpNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fetch", "is_url"]

_SCHEMES: Final = ("http", "https")
_CHUNK = 1 << 18
_MARK = 10_000_000
"""Bytes between two words about the progress."""


def is_url(source: str) -> bool:
    """Whether a source is fetched, rather than opened."""
    return source.lower().startswith(("http://", "https://"))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, and none to anywhere but the web."""

    max_redirections = 5

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        if urlsplit(newurl).scheme.lower() not in _SCHEMES:
            fp.close()
            raise DumpNotFoundError(req.full_url, f"it leads to {newurl[:200]}, not to the web")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Cutter:
    """Ends all connections at a time: a server that goes on dripping can't go on for ever.

    The library's own timeout is one for each piece of a line.
    """

    def __init__(self, seconds: float) -> None:
        self.is_done = False
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> _Cutter:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, connection: http.client.HTTPConnection) -> http.client.HTTPConnection:
        """Keep its socket as soon as there is one; the answer may outlive the connection."""
        connect = connection.connect

        def connected() -> None:
            connect()
            self._sockets.append(connection.sock)
            if self.is_done:
                self._cut()

        connection.connect = connected  # type: ignore[method-assign]  # of this one only
        return connection

    def _cut(self) -> None:
        self.is_done = True
        for each in self._sockets:
            with contextlib.suppress(OSError):  # it has ended by itself
                each.shutdown(socket.SHUT_RDWR)


def _opener(cutter: _Cutter) -> urllib.request.OpenerDirector:
    """One without files, FTP and data URLs, which the library's own would open too."""

    class Watched(urllib.request.AbstractHTTPHandler):
        def do_open(self, http_class: Any, req: Any, **args: Any) -> Any:
            return super().do_open(lambda *a, **k: cutter.watch(http_class(*a, **k)), req, **args)

    class Http(Watched, urllib.request.HTTPHandler):
        pass

    class Https(Watched, urllib.request.HTTPSHandler):
        pass

    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        Http(),
        Https(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def fetch(
    url: str,
    into: BinaryIO,
    *,
    max_bytes: int,
    timeout: float = 20.0,
    deadline: float = 900.0,
    say: Callable[[str], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Write what stands at `url` into a file.

    Args:
        url: http or https.
        into: Open for writing.
        max_bytes: More than that is refused.
        timeout: Seconds in which the server must say something.
        deadline: Seconds for all of it.
        say: Told of the progress of large ones.
        clock: Seconds that pass.

    Raises:
        DumpNotFoundError: The server can't be reached, or hasn't got it.
        DumpFormatError: It is too large, too slow, or ended early.
        DumpFullError: There is no room for it.
    """
    end = clock() + deadline
    with _Cutter(deadline) as cutter:
        try:
            _read(
                url, into, cutter, timeout, max_bytes, say, lambda: cutter.is_done or clock() > end
            )
        except _Late as late:
            raise DumpFormatError(url, f"took more than {deadline:g} s", late.args[0]) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, DumpError):
                raise
            if cutter.is_done:
                raise DumpFormatError(url, f"took more than {deadline:g} s") from None
            raise DumpNotFoundError(url, _answer(error)) from None


class _Late(Exception):
    """Time is up; with the bytes that came."""


def _read(
    url: str,
    into: BinaryIO,
    cutter: _Cutter,
    timeout: float,
    max_bytes: int,
    say: Callable[[str], None] | None,
    is_late: Callable[[], bool],
) -> None:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    with _opener(cutter).open(request, timeout=timeout) as answer:
        declared = _length(answer.headers.get("Content-Length"))
        if declared is not None and declared > max_bytes:
            raise DumpFormatError(url, f"has {declared} bytes, at most {max_bytes}")
        got = 0
        while chunk := answer.read1(_CHUNK):
            got += len(chunk)
            if got > max_bytes:
                raise DumpFormatError(url, f"has more than {max_bytes} bytes")
            if is_late():
                raise _Late(got)
            _write(into, chunk)
            if say is not None and got // _MARK != (got - len(chunk)) // _MARK:
                say(f"{got / 1e6:.0f} MB of {url}")
        if cutter.is_done:
            raise _Late(got)
        if declared is not None and got < declared:
            raise DumpFormatError(url, f"ended early, it has {declared} bytes", got)


def _answer(error: Exception) -> str:
    """What to say where nothing was fetched."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the server answers {error.code} {error.reason}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return f"can't be fetched, {_reason(reason)}"


def _write(into: BinaryIO, chunk: bytes) -> None:
    try:
        into.write(chunk)
    except OSError as error:
        raise DumpFullError("(fetched)", error.strerror or str(error)) from None


def _length(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 20 else None


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
