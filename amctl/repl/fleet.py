"""All machines in reach of one REPL: one client for each address, kept up with what comes and goes.

async with open_fleet(Target.parse("tmp", default_dir=folder), watch=True) as fleet:
    for peer in fleet.peers: ...
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
import os
import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from amctl.machine import Machine
from amctl.repl._dialling import ALIVE, HOW_TO_ENTER, ONLY_HERE, dial_address
from amctl.repl._peer import LivePeer
from amctl.repl._pool import PoolHandlers
from amctl.repl._recording import debugger_address, no_alarms, recorded
from amctl.repl.addresses import parse_address
from amctl.repl.errors import NothingRunsError, UsageError
from amctl.repl.finding import TOKEN_FILE, Place, read_token
from amctl.repl.states import AAddresses, ReplStates
from amctl.repl.watching import find_in_thread, watch_files
from amctl.rpc.client import ClientTimes
from amctl.states.disposed import ARegisterDisposal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from amctl.repl.addresses import Address
    from amctl.repl.finding import Found, Target
    from amctl.repl.watching import Watch
    from amctl.rpc.transports.base import Connection

__all__ = ["FleetCounts", "LiveFleet", "Outside", "open_fleet", "repl_id"]

_log = logging.getLogger("amctl.repl")
_STOP = 2.0
"""Seconds that each client may take for its goodbye (M7)."""
_FEW = 3
"""Machines whose problems are told one by one."""
_TIMES = ClientTimes(give_up=math.inf)
"""A REPL waits for what comes back as long as somebody sits there; a try costs nothing."""


@dataclass(frozen=True, slots=True)
class FleetCounts:
    """See `amctl.repl.peer.Counts`."""

    connected: int
    connecting: int
    disconnected: int
    total: int


@dataclass(frozen=True, slots=True)
class Outside:
    """What a fleet uses of the world; tests bring their own."""

    dial: Callable[[Address, str], Awaitable[Connection]] = dial_address
    find: Callable[[Target], Awaitable[list[Found]]] = find_in_thread
    watch: Watch = watch_files
    read_token: Callable[[list[Path]], str] = read_token
    times: ClientTimes = _TIMES


_REAL = Outside()


def repl_id(cwd: Path | None = None) -> str:
    """Id of the REPL's machine: after the folder that it runs in."""
    text = os.fsencode(cwd or Path.cwd())
    return f"repl-{hashlib.md5(text, usedforsecurity=False).hexdigest()[:6]}"


class LiveFleet:
    """See `amctl.repl.peer.Fleet`. Made and ended by `open_fleet`."""

    def __init__(
        self,
        target: Target,
        token: str | None,
        *,
        may_be_empty: bool = False,
        allow_remote: bool = False,
        cwd: Path | None = None,
        outside: Outside = _REAL,
    ) -> None:
        self.target, self.allow_remote, self.times = target, allow_remote, outside.times
        self._token, self._outside, self._may_be_empty = token, outside, may_be_empty
        self._peers: list[LivePeer] = []
        self._seen: list[Found] = []
        self._made = 0
        self._unique = secrets.token_hex(3)
        self.machine = Machine(repl_id(cwd), ReplStates, tags=["arpc-repl"], handler_timeout=1.0)
        self.machine.bind(PoolHandlers(self), id="repl")
        goodbye = ARegisterDisposal(self._disconnect)
        self.machine.add(ReplStates.RegisterDisposal, goodbye)

    # -- for everybody

    @property
    def peers(self) -> Sequence[LivePeer]:
        """One for each address, in their order."""
        return tuple(self._peers)

    @property
    def counts(self) -> FleetCounts:
        """How many connections there are."""
        ready, dialling, total = self.ready, self.dialling, len(self._peers)
        return FleetCounts(ready, dialling, total - ready - dialling, total)

    def reconnect(self) -> None:
        """Dial at once whatever is not connected."""
        machine = self.machine
        if machine.is_(ReplStates.Connecting):
            self.connect_all()
        else:
            machine.add(ReplStates.Connecting)

    # -- for peers

    def token_files(self, found: Found) -> list[Path] | None:
        """Where to look for a token; None: it was given, or none of ours is that machine's."""
        if self._token is not None:
            return None
        files = self.target.token_files(found)
        # a run of this project has nothing to do with what listens elsewhere
        is_here = found.path is not None or parse_address(found.addr).is_local
        return files if is_here else files[:-1]

    def token(self, found: Found) -> str:
        """What to bring to an address. Read anew, since each run has its own."""
        files = self.token_files(found)
        return self._outside.read_token(files) if files is not None else self._token or ""

    async def dial(self, address: Address, token: str) -> Connection:
        """Connect. Raises OSError."""
        return await self._outside.dial(address, token)

    def client_name(self, number: int | str) -> str:
        """What a client is called.

        # differs from Go: `<folder>-<number>` is the same in every REPL of a folder, and a server
        # tells clients apart by their ids.
        """
        return f"{self.machine.id.removeprefix('repl-')}-{self._unique}-{number}"

    # -- for the machine's handlers, see Pool

    @property
    def may_start(self) -> bool:
        """Whether there is an address, or one may come."""
        return bool(self._peers) or self._may_be_empty

    @property
    def ready(self) -> int:
        """How many clients are ready."""
        return sum(peer.is_ready for peer in self._peers)

    @property
    def usable(self) -> int:
        """How many clients have an address that can be dialled."""
        return sum(peer.is_usable for peer in self._peers)

    @property
    def dialling(self) -> int:
        """How many are making a connection."""
        return sum(peer.is_dialling for peer in self._peers)

    def connect_all(self) -> None:
        """Dial, wherever there is no connection."""
        for peer in self._peers:
            peer.connect()

    def apply(self, change: AAddresses) -> None:
        """Take new addresses: make, move and stop only those clients that they concern."""
        old = {peer.key: peer for peer in self._peers}
        peers = []
        for index, found in enumerate(change.found):
            peer = old.pop(found.key, None)
            if peer is None:
                peer = self._new(found, index)
                peer.connect()
            else:
                touched = change.token_changed or found.key in change.touched
                peer.refresh(found, index, touched)
            peers.append(peer)
        self._peers = peers
        for peer in old.values():
            self.machine.spawn(self._stop(peer), name=f"{peer.key} stop")

    async def stop_all(self) -> None:
        """Stop all clients, all at the same time."""
        await asyncio.gather(*(self._stop(peer) for peer in self._peers))

    # -- life

    async def open(self, patience: float) -> None:
        """Find, dial, and wait until each address answered or failed once, or patience is up.

        Raises:
            NothingRunsError: There is no address, or nothing answered; unless it may be empty.
            UsageError: A plain address is not on this machine, and that isn't allowed.
        """
        if self.target.place is Place.ADDRESS and not self.allow_remote:
            address = parse_address(self.target.addr)
            if not address.is_local:
                raise UsageError(f"{address.host} is not this machine", ONLY_HERE)
        found = self._seen = await self._found()
        self._peers = [self._new(one, index) for index, one in enumerate(found)]
        self.machine.add(ReplStates.Start)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                for peer in self._peers:
                    await peer.settled
        if not self.ready and not self._may_be_empty:
            raise self._nobody(patience)

    async def _found(self) -> list[Found]:
        target = self.target
        try:
            found = await self._outside.find(target)
        except OSError as error:
            raise UsageError(f"{target} can't be read: {error.strerror}") from error
        if not found and not self._may_be_empty:
            is_file = target.place is Place.FILE
            raise NothingRunsError(
                str(target), "there is no such file" if is_file else "there are no .addr files"
            )
        return found

    def watch(self) -> None:
        """Keep up with address files from now on."""
        if self.target.place is not Place.ADDRESS:
            self.machine.spawn(self._watch(), name="address files")

    async def close(self) -> None:
        """Say goodbye to all, and dispose of the machine."""
        self.machine.add(ReplStates.Disposing)
        await self.machine.when_disposed()

    async def _watch(self) -> None:
        async with contextlib.aclosing(self._outside.watch(self.target)) as changes:
            async for paths in changes:
                await self._look_again(paths)

    async def _look_again(self, paths: frozenset[str]) -> None:
        """After a change of files; of which, is known or not."""
        try:
            found = await self._outside.find(self.target)
        except OSError as error:
            # F5: it may be readable again the next time
            _log.warning("%s can't be read: %s", self.target, error.strerror)
            return
        change = _change(found, paths)
        if change.touched or change.token_changed or found != self._seen:
            self._seen = found
            self.machine.add(ReplStates.AddrChanged, change)

    async def _disconnect(self) -> None:
        self.machine.add(ReplStates.Disconnecting)
        await self.machine.when(ReplStates.Disconnected)

    async def _stop(self, peer: LivePeer) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP):
                await peer.stop()

    def _new(self, found: Found, index: int) -> LivePeer:
        self._made += 1
        return LivePeer(self, found, index, self.client_name(self._made - 1))

    def _nobody(self, patience: float) -> NothingRunsError:
        late = f"no answer within {patience:g} s"
        problems = {peer.name: peer.problem or late for peer in self._peers}
        kinds = set(problems.values())
        if len(kinds) == 1:
            told = kinds.pop()
        else:
            told = "; ".join(f"{name}: {what}" for name, what in list(problems.items())[:_FEW])
            if len(problems) > _FEW:
                told += f"; and {len(problems) - _FEW} more"
        if any(what.startswith(ALIVE) for what in problems.values()):
            return NothingRunsError(str(self.target), told, HOW_TO_ENTER)
        return NothingRunsError(str(self.target), told)


def _change(found: list[Found], paths: frozenset[str]) -> AAddresses:
    touched = (one.key for one in found if one.path and os.path.abspath(one.path) in paths)
    token = any(os.path.basename(path) == TOKEN_FILE for path in paths)
    return AAddresses(tuple(found), frozenset(touched), token)


@contextlib.asynccontextmanager
async def open_fleet(
    target: Target,
    *,
    token: str | None = None,
    watch: bool = False,
    patience: float = 1.0,
    dbg_addr: str | None = None,
    allow_empty: bool = False,
    allow_remote: bool = False,
    log_level: int | None = None,
    outside: Outside = _REAL,
) -> AsyncIterator[LiveFleet]:
    """Connect to all machines of a target, for as long as the context lasts.

    Args:
        target: Where to look.
        token: What machines want to hear; None reads it beside the address files.
        watch: Keep up with files that come, go and change.
        patience: Seconds to wait for first answers; an address that failed once is not waited for.
        dbg_addr: A collector or debugger that gets what the REPL's machine and its clients do.
        allow_empty: Nothing needs to be there yet.
        allow_remote: Also dial what is not on this machine.
        log_level: Of lines that the debugger gets, 0 to 3; None is 3.
        outside: What it uses of the world.

    Raises:
        NothingRunsError: There is no address, or nothing answered; not if `allow_empty`.
        UsageError: A plain address or the debugger's is not on this machine, or an address can't
            be read.
    """
    debugger = debugger_address(dbg_addr, allow_remote) if dbg_addr else None
    fleet = LiveFleet(
        target, token, may_be_empty=allow_empty, allow_remote=allow_remote, outside=outside
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(no_alarms(f"rc-{fleet.client_name('')}"))
        if debugger is not None:
            # what listens elsewhere is none of this project's runs, and must not get its token
            places = [place for place in (target.folder, target.default_dir) if place is not None]
            files = [place / TOKEN_FILE for place in places] if debugger.is_local else []
            secret = token or outside.read_token(files)
            dial = partial(outside.dial, debugger, secret)
            await stack.enter_async_context(recorded(fleet.machine, dial, secret, log_level))
        stack.push_async_callback(fleet.close)
        await fleet.open(patience)
        if watch:
            fleet.watch()
        yield fleet
