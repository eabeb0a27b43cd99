"""Machines behind made-up addresses, and address files that exist in a map only."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, State
from amctl.repl.addresses import parse_address
from amctl.repl.errors import UsageError
from amctl.repl.finding import Found, Place, Target
from amctl.repl.fleet import LiveFleet, Outside, open_fleet
from amctl.rpc.endpoints import AttachEndpoint
from amctl.rpc.mux import Mux
from amctl.rpc.states import SourceStates
from amctl.rpc.transports.memory import MemoryConnection, memory_pair
from amctl.states.basic import BasicStates
from tests.support.fake_debugger import FakeDebugger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from amctl.repl.addresses import Address
    from amctl.rpc.transports.base import Connection

__all__ = ["DEBUGGER", "TOKEN", "Net", "Worker", "net", "settle"]

TOKEN = "secret"
DEBUGGER = "localhost:6831"
FOLDER = Path("/run")


class Worker(BasicStates, SourceStates):
    """What machines of tests are like."""

    A = State()
    B = State(multi=True)
    C = State()


@dataclass
class Net:
    """Who listens where, what stands in which file, and who was told."""

    muxes: dict[str, Mux] = field(default_factory=dict)
    """By address."""
    files: dict[str, str] = field(default_factory=dict)
    """Key -> text."""
    tokens: dict[str, str] = field(default_factory=lambda: {"/run/token": TOKEN})
    dials: list[tuple[str, str]] = field(default_factory=list)
    """Address and token of each try."""
    ends: dict[str, list[MemoryConnection]] = field(default_factory=dict)
    """By address: the dialling ends."""
    unreadable: bool = False
    """The folder can't be read."""
    silent: set[str] = field(default_factory=set)
    """Addresses where dialling never ends."""
    debugger: FakeDebugger = field(default_factory=FakeDebugger)
    """Listens at DEBUGGER."""
    events: asyncio.Queue[frozenset[str]] = field(default_factory=asyncio.Queue)

    # -- machines

    async def listen(self, addr: str, id: str, *, token: str = TOKEN, **options: Any) -> Machine:
        """A new machine behind an address."""
        machine = Machine(id, Worker, **options)
        mux = Mux(machine, f"repl-{id}", AttachEndpoint(), token=token, parent=machine)
        await mux.start()
        self.muxes[addr] = mux
        return machine

    async def stop(self, addr: str) -> None:
        """Its program ends in good order."""
        await self.muxes.pop(addr).stop()

    def kill(self, addr: str) -> None:
        """Its program is killed: no goodbye."""
        self.muxes.pop(addr)
        self.cut(addr)

    def cut(self, addr: str) -> None:
        """Break all connections to it."""
        for end in self.ends.pop(addr, []):
            end.cut()

    async def dial(self, address: Address, token: str) -> Connection:
        """See Outside."""
        addr = str(address)
        self.dials.append((addr, token))
        if addr == DEBUGGER:
            return await self.debugger.dial()
        if addr in self.silent:
            await asyncio.Event().wait()
        if addr not in self.muxes:
            raise ConnectionRefusedError("nobody there")
        near, far = memory_pair()
        self.ends.setdefault(addr, []).append(near)
        self.muxes[addr].accept(far)
        return near

    # -- files

    async def find(self, target: Target) -> list[Found]:
        """See Outside."""
        if self.unreadable:
            raise PermissionError(13, "Permission denied", str(target))
        if target.place is Place.ADDRESS:
            return target.find()
        return [_found(key, text) for key, text in self.files.items()]

    async def watch(self, target: Target) -> AsyncGenerator[frozenset[str], None]:
        """See Outside."""
        while True:
            yield await self.events.get()

    async def write(self, **files: str) -> None:
        """Write or remove (empty) files `<key>.addr`, or the `token`; the watcher tells."""
        paths = set()
        for name, text in files.items():
            key = name if name == "token" else f"{name}.addr"
            paths.add(f"/run/{key}")
            if key == "token":
                self.tokens["/run/token"] = text
            elif text:
                self.files[key] = text
            else:
                del self.files[key]
        await self.tell(*paths)

    async def tell(self, *paths: str) -> None:
        """Something changed; returns when the fleet has looked."""
        self.events.put_nowait(frozenset(paths))
        await settle()

    def read_token(self, paths: list[Path]) -> str:
        """See Outside."""
        return next((self.tokens[str(path)] for path in paths if str(path) in self.tokens), "")

    # -- fleets

    @contextlib.asynccontextmanager
    async def fleet(self, target: Target | None = None, **options: Any) -> AsyncIterator[LiveFleet]:
        """A fleet on these files, or another target."""
        target = target or Target(Place.FOLDER, path=FOLDER, default_dir=FOLDER)
        outside = Outside(self.dial, self.find, self.watch, self.read_token)
        async with open_fleet(target, outside=outside, **options) as fleet:
            yield fleet


def _found(key: str, text: str) -> Found:
    path = FOLDER / key
    try:
        return Found(key, str(parse_address(text)), path)
    except UsageError as error:
        return Found(key, text, path, str(error))


async def settle(turns: int = 60) -> None:
    """Let everything that needs no time happen."""
    for _ in range(turns):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def net(*ids: str) -> AsyncIterator[Net]:
    """Machines with these ids at localhost:1, :2, ... and their files; all end with the context."""
    there = Net()
    for number, id in enumerate(ids, 1):
        await there.listen(f"localhost:{number}", id)
        there.files[f"{id}-repl.addr"] = f"localhost:{number}"
    try:
        yield there
    finally:
        for mux in there.muxes.values():
            source = mux.source
            await mux.stop()
            source.dispose()
        await settle()
