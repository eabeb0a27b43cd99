"""A relay on loopback for fuzzers: files, REPLs, matchers and routes, and an ear for its errors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from typing import TYPE_CHECKING, Any, Self

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from amctl.relay import Matcher, Relay, listener, peers, tunnels
from amctl.relay.limits import Limits
from amctl.relay.security import Target, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from starlette.requests import Request

    from amctl.rpc.transports.base import Connection

__all__ = ["MARK", "TOKEN", "Ear", "Front", "nowhere"]

TOKEN = "the-fuzzers-token"
MARK = b"only-for-those-who-know"
"""Stands in every answer that needs the token."""
_LOST = re.compile(r"Connection(Refused|Reset|Aborted)Error|BrokenPipeError|TimeoutError")
LIMITS = Limits(body=4096, headers=4096, message=8192, head_timeout=1.0, comeback=0.2,
                dial_timeout=0.5, flush_timeout=0.2)  # fmt: skip


class Ear(logging.Handler):
    """Hears of errors that nobody answers for."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, unless a machine tells what became of a peer's connection."""
        if record.name == "amctl.machine" and _LOST.search(record.getMessage()):
            return
        what = f": {record.exc_info[1]!r}" if record.exc_info else ""
        self.heard.append(f"{record.name}: {record.getMessage()}{what}")

    def take(self) -> list[str]:
        """What was heard since it was asked last."""
        heard, self.heard = self.heard, []
        return heard


async def _body(request: Request) -> PlainTextResponse:
    return PlainTextResponse(MARK.decode() + str(len(await request.body())))


async def _echo(_id: str, connection: Connection) -> None:
    over = asyncio.Event()
    connection.start(connection.write, lambda _: over.set(), lambda: None)
    await over.wait()


class Front:
    """The relay, and raw bytes to and from it."""

    def __init__(self, folder: Path) -> None:
        static = folder / "static"
        (static / "sub").mkdir(parents=True)
        for name in ("index.html", "a.js", "sub/b.wasm"):
            (static / name).write_bytes(MARK)
        (folder / "secret.txt").write_bytes(b"outside of what is served")
        self.repl = folder / "repl"
        self.ear = Ear()
        matcher = Matcher(re.compile("^b-"), _echo)
        self.relay = Relay(
            "fuzz",
            token=TOKEN,
            static=[static],
            repl_dir=self.repl,
            matchers=[matcher],
            dial_matchers=[matcher],
            routes=[Route("/log", _body, methods=["POST"])],
            limits=LIMITS,
        )

    async def __aenter__(self) -> Self:
        logging.getLogger().addHandler(self.ear)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.ear.heard.append(str(context)))
        await self.relay.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self.relay.stop()
        logging.getLogger().removeHandler(self.ear)

    async def ask(self, data: bytes, wait: float = 0.05, patience: float = 5.0) -> bytes:
        """Say something and nothing more, and return all that comes back before it hangs up.

        Args:
            data: What to say.
            wait: Seconds for a first answer; then we say that nothing more will come.
            patience: Seconds that it may take to hang up then.

        Raises:
            TimeoutError: It does not hang up.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.relay.port)
        answer = b""
        try:
            with contextlib.suppress(OSError):
                writer.write(data)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        answer = await reader.read(1 << 16)
                writer.write_eof()
            async with asyncio.timeout(patience):
                with contextlib.suppress(OSError):
                    answer += await reader.read(-1)
            return answer
        finally:
            writer.transport.abort()

    async def is_well(self) -> bool:
        """Whether a good request is answered well."""
        head = f"GET / HTTP/1.1\r\nHost: localhost:{self.relay.port}\r\nConnection: close\r\n"
        answer = await self.ask(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode())
        return answer.startswith(b"HTTP/1.1 200") and answer.endswith(MARK)


@contextlib.contextmanager
def nowhere(seen: Callable[[str, Target], None]) -> Iterator[None]:
    """Let tunnels bind a free port instead of the one that is asked for, and dial nobody.

    Args:
        seen: Told of each target that came as far as that.
    """

    async def dial(target: Target, patience: float) -> Any:
        seen("dial", target)
        raise ConnectionRefusedError("nobody is dialled by a fuzzer")

    def free(bind: Callable[..., Any]) -> Callable[..., Any]:
        async def anywhere(self: Any, target: Target, *more: Any) -> Target:
            seen("listen", target)
            here = Target("127.0.0.1" if is_loopback(target.host) else target.host, 0)
            bound: Target = await bind(self, here, *more)
            return bound

        return anywhere

    kinds: Any = (listener.OnePeerListener, peers.PeerListener)
    kept = tunnels._open, *(kind.bind for kind in kinds)
    try:
        tunnels._open = dial
        for kind in kinds:
            kind.bind = free(kind.bind)
        yield
    finally:
        tunnels._open = kept[0]
        for kind, bind in zip(kinds, kept[1:], strict=True):
            kind.bind = bind
