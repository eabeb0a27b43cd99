"""Paths of tunnels, plain, encoded and damaged, from peers that have the token.

Only loopback is listened on and dialled; an address file is written for REPLs alone, inside its
folder, with a name that says whose it is; nothing is logged as an error, and no tunnel is left.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from amctl.relay import security
from amctl.relay.errors import TargetError
from amctl.relay.static import clean_path
from tests.fuzz.doors import TOKEN, Front, nowhere
from tests.fuzz.fuzzer import Fuzzer, damaged

if TYPE_CHECKING:
    from amctl.relay.security import Target

__all__ = ["UrlFuzzer"]

AT_ONCE = 8
_IDS = (
    "repl-a", "repl-b", "b-x", "x", "repl-../../x", "repl-..", "..", ".", "", "/", "a/b", "repl-\n",
    "repl-\x00", "repl-é", "repl-" + "x" * 60, "%2e%2e", "repl-%2f..%2fx", "repl-x ", "REPL-a",
)  # fmt: skip
_HOSTS = (
    "localhost", "127.0.0.1", "[::1]", "127.1", "0", "0.0.0.0", "[::]", "10.0.0.1", "evil.example",
    "localhost.evil.example", "[::ffff:10.0.0.1]", "2130706433", "0x7f.1", "127.0.0.1.", "::1", "",
    "[fe80::1%25lo]", "localhost@evil.example", "LOCALHOST", "[::ffff:127.0.0.1]", "\u0661",
)  # fmt: skip
_PORTS = ("0", "1", "80", "65535", "65536", "-1", "", "99999999", "08", "1e3", "\u0661", "0x50")
_PARTS = (_IDS, _HOSTS, _PORTS)
"""The first two of each are good."""
_FILE = re.compile(r"repl-[A-Za-z0-9_.-]{0,59}\.addr", re.ASCII)


class UrlFuzzer(Fuzzer):
    """Has a relay of its own, in a loop of its own."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._folder = tempfile.TemporaryDirectory(prefix="amctl-fuzz-")
        self._runner = asyncio.Runner()
        self._outside: list[str] = []
        self._paths = nowhere(self.seen)
        self._paths.__enter__()
        self.front = self._runner.run(self._open())
        self._before = self.files()

    async def _open(self) -> Front:
        return await Front(Path(self._folder.name)).__aenter__()

    def close(self) -> None:
        """Stop the relay, and see that nothing of it is left."""
        self._runner.run(self._shut())
        self._runner.close()
        self._paths.__exit__(None, None, None)
        self._folder.cleanup()

    async def _shut(self) -> None:
        async with asyncio.timeout(10):
            while len(self.front.relay):  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)  # connections that were cut are told so
        await self.front.__aexit__(None, None, None)
        left = [name for name in self.files() if name not in self._before]
        if left:
            self.problem(f"files are left: {left}")

    def files(self) -> list[str]:
        """All there is below the folder."""
        root = Path(self._folder.name)
        return sorted(str(one.relative_to(root)) for one in root.rglob("*") if one.is_file())

    def seen(self, kind: str, target: Target) -> None:
        """A tunnel came as far as binding or dialling."""
        self.counts[kind] += 1
        if not security.is_loopback(target.host):
            self._outside.append(f"{kind} {target}")

    def case(self) -> None:
        """Some paths, to the functions that take them apart and to the relay."""
        paths = [self.rest() for _ in range(AT_ONCE)]
        for rest in paths:
            self.parts(rest)
        self._runner.run(self._visits(paths))

    async def _visits(self, paths: list[str]) -> None:
        await asyncio.gather(*map(self._visit, paths))
        for said in (*self.front.ear.take(), *self._outside):
            self.problem(said, " | ".join(paths).encode())
        self._outside.clear()
        self.look(paths)

    def rest(self) -> str:
        """What stands behind `/listen/` or `/dial/`."""
        rng = self.rng
        parts = [rng.choice(some[: 2 if rng.random() < 0.5 else None]) for some in _PARTS]
        text = f"{parts[0]}/{parts[1]}:{parts[2]}"
        if rng.random() < 0.5:
            return text
        return damaged(rng, text.encode())[:500].decode("utf-8", "replace")

    def parts(self, rest: str) -> None:
        """The same functions without a relay: what they let through is harmless."""
        machine_id, address = security.split_tunnel_path(rest)
        if security.valid_id(machine_id) and not re.fullmatch(r"[\w.-]{1,64}", machine_id, re.A):
            self.problem(f"id {machine_id!r} is no id")
        try:
            target = security.parse_target(address)
        except TargetError:
            pass
        else:
            if security.parse_target(str(target)) != target or not 0 <= target.port <= 65535:
                self.problem(f"target {target} is read in two ways")
        for part in clean_path(rest) or ():
            if part in ("", ".", "..") or {"/", "\\", "\x00"} & set(part):
                self.problem(f"{rest!r} is no path to serve")

    async def _visit(self, rest: str) -> None:
        rng, port = self.rng, self.front.relay.port
        path = quote(rest, safe="/:[]%" if rng.random() < 0.3 else rng.choice(("", "/:[]")))
        where = rng.choice(("/listen/", "/dial/", "/listen//", "/dial/../listen/"))
        channels = rng.choice(("", "", "Sec-WebSocket-Protocol: arpc-tunnel.1\r\n"))
        tab = rng.choice(("", "", "?tab=t", "?tab=../x"))
        head = (
            f"GET {where}{path}{tab} HTTP/1.1\r\nHost: localhost:{port}\r\n"
            f"Authorization: Bearer {TOKEN}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"{channels}\r\n"
        )
        data = head.encode()
        try:
            answer = await self.front.ask(data)
        except TimeoutError:
            self.problem("it does not hang up", data)
            return
        self.counts[answer[9:12].decode("latin-1") or "nothing"] += 1
        if answer[9:10] == b"5" and answer[9:12] != b"503":
            self.problem(f"answered {answer[:30]!r}", data)

    def look(self, paths: list[str]) -> None:
        """Which files there are now."""
        for path in [Path(one) for one in self.files() if one not in self._before]:
            if path.parent != Path("repl") or not _FILE.fullmatch(path.name):
                self.problem(f"file {path} was written", " | ".join(paths).encode())
