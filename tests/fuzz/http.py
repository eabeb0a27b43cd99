"""Damaged requests and WebSocket frames at the relay's front door, over real sockets.

Whatever comes, the answer is no error of ours, nothing secret reaches who lacks the token or bears
a foreign name, the connection ends, nothing is logged as an error, and a good request still works.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path

from amctl.relay.security import cookie_name, cookie_value
from tests.fuzz.doors import MARK, TOKEN, Front
from tests.fuzz.fuzzer import Fuzzer, damaged

__all__ = ["HttpFuzzer"]

AT_ONCE = 8
_STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)
_PATHS = (
    "/", "/index.html", "/a.js", "/sub/b.wasm", "/log", "/nothing", "/../secret.txt", "//", "/.",
    "/%2e%2e/secret.txt", "/sub/..%2f..%2fsecret.txt", "/a.js%00", "/\\..\\secret.txt", "*",
    "http://localhost/", "/?tab=x", "/?tab=../x", "/?token=wrong", "/?token=", "/a?b#c",
    "/listen/repl-x/localhost:0", "/listen/b-x/localhost:0", "/dial/b-x/localhost:1", "/%ff%fe",
)  # fmt: skip
_METHODS = ("GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE", "get", "G")
_ODD = (
    "Transfer-Encoding: chunked", "Content-Length: 3", "Content-Length: -1", "Content-Length: 9e9",
    "Content-Length: 99999999999999999999", "Expect: 100-continue", "Range: bytes=0-99999",
    "If-None-Match: *", "Accept-Encoding: br, gzip;q=0, identity;q=", "Accept: text/html",
    "Connection: close, Upgrade", "Upgrade: h2c", "Cookie: a=b; ;;=; c", "X-Forwarded-For: 1.2.3.4",
    "Origin: null", "Origin: http://evil.example", "X:", ": x", "X\t: y", " folded", "X: \x00",
    "Authorization: Basic Og==", "Authorization: Bearer", "Sec-WebSocket-Protocol: arpc-tunnel.1",
)  # fmt: skip
_WEBSOCKET = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)


class HttpFuzzer(Fuzzer):
    """Has a relay of its own, in a loop of its own."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._folder = tempfile.TemporaryDirectory(prefix="amctl-fuzz-")
        self._runner = asyncio.Runner()
        self.front = self._runner.run(self._open())
        self._cookie = f"{cookie_name(self.front.relay.port)}={cookie_value(TOKEN)}"

    async def _open(self) -> Front:
        return await Front(Path(self._folder.name)).__aenter__()

    def close(self) -> None:
        """Stop the relay, and see that nothing of it is left."""
        self._runner.run(self._shut())
        self._runner.close()
        self._folder.cleanup()

    async def _shut(self) -> None:
        if len(self.front.relay) > 0:
            async with asyncio.timeout(10):
                while len(self.front.relay):  # noqa: ASYNC110 - nothing tells us
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)  # connections that were cut are told so
        await self.front.__aexit__(None, None, None)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            self.problem(f"tasks are left: {left}")

    def case(self) -> None:
        """Some connections side by side."""
        self._runner.run(self._case())

    async def _case(self) -> None:
        sent = [self.connection() for _ in range(AT_ONCE)]
        await asyncio.gather(*map(self._ask, sent))
        for said in self.front.ear.take():
            self.problem(said, b" | ".join(sent))
        if self.rng.random() < 0.1 and not await self.front.is_well():
            self.problem("a good request is not answered well", b" | ".join(sent))

    async def _ask(self, data: bytes) -> None:
        try:
            answer = await self.front.ask(data)
        except TimeoutError:
            self.problem("it does not hang up", data)
        else:
            self.judge(data, answer)

    def judge(self, data: bytes, answer: bytes) -> None:
        """Look at what came back."""
        found = [int(one) for one in _STATUS.findall(answer)]
        self.counts[str(found[0]) if found else "nothing"] += 1
        if any(status >= 500 and status != 503 for status in found):
            self.problem(f"answered {found}", data)
        knows = TOKEN.encode() in data or self._cookie.encode() in data
        if MARK in answer and not (knows and self._named(data)):
            self.problem("a stranger was served", data)
        if b"outside of what is served" in answer:
            self.problem("a file outside was served", data)

    def _named(self, data: bytes) -> bool:
        port = self.front.relay.port
        names = ("localhost", "127.0.0.1", "[::1]")
        return any(f"{name}:{port}".encode() in data.lower() for name in names)

    # -- what is sent

    def connection(self) -> bytes:
        """All that one connection says: a request or two, mostly damaged."""
        rng = self.rng
        data = self.request()
        if rng.random() < 0.2:
            data += self.request()  # pipelined
        return damaged(rng, data, (0, 0, 0, 1, 1, 2, 4))

    def request(self) -> bytes:
        """A request that is good, or nearly."""
        rng, port = self.rng, self.front.relay.port
        host = rng.choice((f"localhost:{port}",) * 6 + ("evil.example", f"evil.example:{port}", ""))
        method, lines = rng.choice(_METHODS), [f"Host: {host}"]
        lines += rng.choice(([f"Authorization: Bearer {TOKEN}"],) * 4 + (
            [f"Cookie: {self._cookie}"], [f"Cookie: {self._cookie}", f"Origin: http://{host}"],
            ["Authorization: Bearer wrong"], []))  # fmt: skip
        for _ in range(rng.choice((0, 0, 0, 0, 1, 1, 2, 5))):
            lines.append(rng.choice(_ODD))
        is_socket = rng.random() < 0.35
        if is_socket:
            method, lines = "GET", lines + list(_WEBSOCKET)
        if rng.random() < 0.03:
            lines.append("X-Long: " + "x" * rng.choice((3000, 9000, 70_000)))
        version = rng.choice(("HTTP/1.1",) * 8 + ("HTTP/1.0", "HTTP/2.0", "HTTP/9"))
        head = "\r\n".join([f"{method} {rng.choice(_PATHS)} {version}", *lines, "", ""])
        body = self.frames() if is_socket else rng.choice(
            (b"", b"", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"ffffffffff\r\nabc", b"x" * 6000)
        )  # fmt: skip
        return head.encode("latin-1") + body

    def frames(self) -> bytes:
        """A few WebSocket frames, some of them wrong."""
        rng, out = self.rng, b""
        for _ in range(rng.randint(0, 4)):
            opcode = rng.choice((0, 1, 2, 2, 2, 8, 9, 10, 3, 11))
            size = rng.choice((0, 1, 2, 125, 126, 300))
            first = opcode | rng.choice((0x80, 0x80, 0x80, 0, 0xC0, 0xF0))
            length = bytes((size | 128,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
            if rng.random() < 0.05:
                length = b"\xff" + rng.randbytes(8)
            out += bytes((first,)) + length + b"\0\0\0\0" + rng.randbytes(size)
        return out
