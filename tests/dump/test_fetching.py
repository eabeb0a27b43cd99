"""Recordings from the web: a real server on loopback, and its lies."""

from __future__ import annotations

import contextlib
import http.server
import io
import threading
from typing import TYPE_CHECKING, Any

import pytest

from amctl.dump.errors import DumpFormatError, DumpFullError, DumpNotFoundError
from amctl.dump.fetching import fetch, is_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.realtime
BODY = b"x" * 5000


@contextlib.contextmanager
def served(answer: Callable[[Any], None]) -> Iterator[str]:
    """A server that answers each request so."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/x"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def says(
    code: int = 200, body: bytes = BODY, **headers: str
) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        with contextlib.suppress(OSError):  # it may have heard enough
            handler.wfile.write(body)

    return answer


def fetched(url: str, max_bytes: int = 10_000, **how: Any) -> bytes:
    into = io.BytesIO()
    fetch(url, into, max_bytes=max_bytes, **how)
    return into.getvalue()


@pytest.mark.parametrize("headers", [{}, {"Content_Length": "5000"}])
def test_the_body_is_what_is_written(headers: dict[str, str]) -> None:
    with served(says(**headers)) as url:
        assert fetched(url) == BODY


def test_redirects_within_the_web_are_followed() -> None:
    with served(says()) as there, served(says(302, Location=there)) as url:
        assert fetched(url) == BODY


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
def test_redirects_to_elsewhere_are_not(target: str) -> None:
    with served(says(302, Location=target)) as url, pytest.raises(DumpNotFoundError) as caught:
        fetched(url)
    assert "not to the web" in str(caught.value) or "is not allowed" in str(caught.value)


def test_redirects_in_a_circle_end() -> None:
    circle = says(302, Location="/x")
    with served(circle) as url, pytest.raises(DumpNotFoundError, match="302"):
        fetched(url)


def test_what_says_it_is_too_large_is_not_read() -> None:
    with (
        served(says(Content_Length="99999", body=b"")) as url,
        pytest.raises(DumpFormatError, match="has 99999 bytes, at most 10000"),
    ):
        fetched(url)


def test_what_is_too_large_without_saying_so_is_cut() -> None:
    with served(says()) as url, pytest.raises(DumpFormatError, match="has more than 100 bytes"):
        fetched(url, max_bytes=100)


def test_an_early_end_is_told() -> None:
    with (
        served(says(Content_Length="6000")) as url,
        pytest.raises(DumpFormatError, match="ended early, it has 6000 bytes at byte 5000"),
    ):
        fetched(url)


def test_a_slow_one_is_given_up() -> None:
    times = iter([0.0, 1000.0])
    with served(says()) as url, pytest.raises(DumpFormatError, match="took more than 900 s"):
        fetched(url, clock=lambda: next(times))


def test_an_answer_that_never_comes_is_given_up() -> None:
    done = threading.Event()
    with served(lambda _: done.wait(10) and None) as url:
        try:
            with pytest.raises(DumpNotFoundError, match="no answer in time"):
                fetched(url, timeout=0.05)
        finally:
            done.set()


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b""], ids=["head", "body", "line"]
)
def test_one_that_drips_is_cut_off(head: bytes) -> None:
    """Each byte comes in time, the whole never does."""
    done = threading.Event()

    def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            handler.wfile.write(head)
            while not done.wait(0.01):
                handler.wfile.write(b"x")

    with served(drip) as url:
        try:
            with pytest.raises(DumpFormatError, match=r"took more than 0\.1 s"):
                fetched(url, deadline=0.1, timeout=5)
        finally:
            done.set()


def test_what_the_server_hasnt_got_is_told() -> None:
    with (
        served(says(404)) as url,
        pytest.raises(DumpNotFoundError, match=r"/x: the server answers 404 Not Found"),
    ):
        fetched(url)


def test_nobody_there_is_told() -> None:
    with served(says()) as url:
        pass
    with pytest.raises(DumpNotFoundError, match="can't be fetched, connection refused"):
        fetched(url)


@pytest.mark.parametrize("url", ["http://", "http://[::1", "http://127.0.0.1:x/", "http:///a b"])
def test_what_is_no_url_is_told(url: str) -> None:
    with pytest.raises(DumpNotFoundError, match="can't be fetched"):
        fetched(url)


def test_noise_in_place_of_an_answer_is_told() -> None:
    def noise(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"\x00\x01nonsense\r\n")

    with served(noise) as url, pytest.raises(DumpNotFoundError, match="can't be fetched"):
        fetched(url)


def test_no_room_is_told() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(28, "No space left on device")

    with served(says()) as url, pytest.raises(DumpFullError, match="No space left"):
        fetch(url, Full(), max_bytes=10_000)


def test_progress_is_told_of_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amctl.dump.fetching._MARK", 2000)
    said: list[str] = []
    with served(says()) as url:
        fetched(url, say=said.append)
    assert said
    assert all(line.endswith(f" MB of {url}") for line in said)


def test_only_the_web_is_fetched() -> None:
    assert [is_url(s) for s in ("http://x", "HTTPS://x", "file:///x", "ftp://x", "a/http://x")] == [
        True, True, False, False, False,
    ]  # fmt: skip
