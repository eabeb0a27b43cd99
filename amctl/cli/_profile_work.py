"""What `amctl profile` does: asks a machine's process to be sampled, or samples it from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.insight.errors import NotPermittedError
from amctl.insight.profiles.flame import flame_page
from amctl.insight.profiles.model import Profile, from_answer
from amctl.insight.profiles.pyspy import record
from amctl.insight.profiles.speedscope import speedscope
from amctl.repl.errors import ReplError, UnreachableError, UsageError
from amctl.repl.selecting import select
from amctl.rpc.errors import CallRefusedError, RpcError
from amctl.rpc.wire.codes import Code
from amctl.run.devtools.door import read_door
from amctl.run.programs import which

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from amctl.repl.command import Context
    from amctl.repl.peer import Peer

__all__ = ["Taken", "Wanted", "take", "write"]

_BEAT = 0.25
_PATIENCE = 10.0
"""Seconds for a machine that is busy to be connected."""
_MARGIN = 5.0
"""Seconds after which a machine that lost us ends its profile by itself."""
_LAST_WORD = 2.0
"""Seconds to undo a profile that was given up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see."""

    target: str
    seconds: float
    hz: int
    how: str
    """`auto`, `py-spy`, `signal`, `thread` or `calls`."""
    door: Path | None = None
    """Where the address of the browser's debugging door is, for Chromium's own profile."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was seen."""

    profile: Profile
    chromium: dict[str, Any] | None = None
    """Chromium's own profile."""


class NoProfileError(ReplError):
    """A machine's process doesn't answer the question `profile`."""

    def __init__(self, mach_id: str) -> None:
        super().__init__(mach_id)
        self.mach_id = mach_id

    def __str__(self) -> str:
        return f"the process of machine {self.mach_id!r} offers no profiles"

    @property
    def hint(self) -> str:
        """How a program offers them."""
        return "call amctl.telemetry.profiling.answering.offer() in it"


class UnwritableError(ReplError, OSError):
    """A profile was taken, but can't be kept."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(str(path), problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path} can't be written: {self.problem}"

    @property
    def hint(self) -> str:
        """Where else."""
        return "name files elsewhere: -o FOLDER/NAME"


async def take(context: Context, wanted: Wanted, progress: Callable[[float], None]) -> Taken:
    """Sample the one machine that is meant. Cancelling it takes back what was begun.

    Args:
        context: With the machines in reach.
        wanted: Which, how, how long.
        progress: Told the share that is over, 0 to 1.

    Raises:
        ReplError: No machine, or several, fit; or its process offers no profiles.
        NotPermittedError: py-spy was asked for, and may not look.
        NoDoorError, DevToolsError: Chromium can't be asked for its own profile.
        RpcError: The machine was lost meanwhile.
    """
    peer = await _the_one(context, wanted.target)
    info = await _ask(peer, do="info")
    pid, how = int(info.get("pid") or 0), wanted.how
    _check(peer, wanted, pid, info.get("how") or [])
    if pid and how in ("auto", "py-spy"):
        try:
            return Taken(await _from_outside(pid, peer, wanted, progress))
        except NotPermittedError as error:
            if how == "py-spy":
                raise
            context.say(f"{error}; sampling inside")
    return await _inside(peer, wanted, str(info.get("thread", "")), progress)


async def _the_one(context: Context, pattern: str) -> Peer:
    """The machine that is meant. One that is at work may take a while to say hello."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _PATIENCE
    while True:
        try:
            peers = select(context.fleet, pattern)
            break
        except UnreachableError:
            if loop.time() >= until:
                raise
            await asyncio.sleep(_BEAT)
    if len(peers) > 1:
        named = ", ".join(peer.id for peer in peers)
        raise UsageError(f"{pattern!r} fits {len(peers)} machines: {named}", "name one")
    return peers[0]


def _check(peer: Peer, wanted: Wanted, pid: int, ways: list[str]) -> None:
    if wanted.door is not None and pid:
        text = f"{peer.id} is in no browser, so Chromium has no profile of it"
        raise UsageError(text, "leave --cpu-profile out")
    if wanted.how in ("signal", "thread", "calls") and wanted.how not in ways:
        text = f"{peer.id} can't be sampled by {wanted.how}"
        raise UsageError(text, f"ways to do it: {', '.join(ways)}")
    if wanted.how == "py-spy" and not pid:
        text = f"{peer.id} is a browser thread, which py-spy can't look into"
        raise UsageError(text, "leave --how out")


async def _from_outside(
    pid: int, peer: Peer, wanted: Wanted, progress: Callable[[float], None]
) -> Profile:
    program = which("py-spy")
    if program is None:
        raise NotPermittedError(peer.id, "it isn't installed")
    ticking = asyncio.get_running_loop().create_task(_pass(wanted.seconds, progress))
    try:
        return await record(program, pid, peer.id, seconds=wanted.seconds, hz=wanted.hz)
    finally:
        ticking.cancel()


async def _inside(
    peer: Peer, wanted: Wanted, thread: str, progress: Callable[[float], None]
) -> Taken:
    how = {} if wanted.how == "auto" else {"how": wanted.how}
    async with contextlib.AsyncExitStack() as stack:
        stop = None if wanted.door is None else await _chromium(stack, wanted.door, thread)
        # its own limit is a net for the case that we are gone before it is over
        await _ask(peer, do="start", hz=wanted.hz, seconds=wanted.seconds + _MARGIN, **how)
        try:
            await _pass(wanted.seconds, progress)
        except BaseException:
            with contextlib.suppress(RpcError, TimeoutError):
                async with asyncio.timeout(_LAST_WORD):
                    await _ask(peer, do="stop")
            raise
        answer = await _ask(peer, do="stop")
        chromium = None if stop is None else await stop()
    return Taken(from_answer(peer.id, answer), chromium)


async def _chromium(
    stack: contextlib.AsyncExitStack, folder: Path, thread: str
) -> Callable[[], Awaitable[dict[str, Any]]]:
    # not at the top: few ask for it
    from amctl.run.devtools.cpu import cpu_profile

    taking = await stack.enter_async_context(cpu_profile(read_door(folder), thread))
    return taking.stop


async def _pass(seconds: float, progress: Callable[[float], None]) -> None:
    """Let time pass."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (passed := loop.time() - began) < seconds:
        progress(passed / seconds)
        await asyncio.sleep(min(_BEAT, seconds - passed))
    progress(1.0)


async def _ask(peer: Peer, **params: Any) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = await peer.ask("profile", **params)
    except CallRefusedError as error:
        if error.code == Code.UNSUPPORTED:
            raise NoProfileError(peer.id) from error
        raise
    return answer


def write(taken: Taken, name: str) -> list[Path]:
    """Write NAME.html and NAME.speedscope.json, with Chromium's own also NAME.cpuprofile.

    Args:
        taken: What was seen.
        name: Of the files, with their folder; empty is the machine's, here.

    Raises:
        UnwritableError: A file can't be written.
    """
    found = taken.profile
    stem = (name or f"profile-{_file_name(found.target)}").removesuffix(".html")
    files = {
        Path(f"{stem}.html"): flame_page(found),
        Path(f"{stem}.speedscope.json"): speedscope(found),
    }
    if taken.chromium is not None:
        files[Path(f"{stem}.cpuprofile")] = json.dumps(taken.chromium, separators=(",", ":"))
    for path, text in files.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UnwritableError(path, error.strerror or str(error)) from error
    return list(files)


def _file_name(mach_id: str) -> str:
    """An id comes from elsewhere: it may name no other folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in mach_id)
