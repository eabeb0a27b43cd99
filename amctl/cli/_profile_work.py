"""What `amctl profile` does: asks a machine's process to be sampled, or samples it from outside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.insight.errors import NotPermittedError
from amctl.insight.profiles.model import Profile, from_answer
from amctl.insight.profiles.pyspy import record
from amctl.repl.errors import ReplError, UsageError
from amctl.repl.selecting import select
from amctl.rpc.errors import CallRefusedError
from amctl.rpc.wire.codes import Code
from amctl.run.programs import which

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.repl.command import Context
    from amctl.repl.peer import Peer

__all__ = ["How", "Wanted", "take"]

_BEAT = 0.25


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to see."""

    target: str
    seconds: float
    hz: int
    how: str
    """`auto`, `py-spy`, `thread` or `calls`."""


How = ("auto", "py-spy", "thread", "calls")


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


async def take(context: Context, wanted: Wanted, progress: Callable[[float], None]) -> Profile:
    """Sample the one machine that is meant.

    Args:
        context: With the machines in reach.
        wanted: Which, how, how long.
        progress: Told the share that is over, 0 to 1.

    Raises:
        ReplError: No machine, or several, fit; or its process offers no profiles.
        NotPermittedError: py-spy was asked for, and may not look.
        RpcError: The machine was lost meanwhile.
    """
    peers = select(context.fleet, wanted.target)
    if len(peers) > 1:
        named = ", ".join(peer.id for peer in peers)
        raise UsageError(f"{wanted.target!r} fits {len(peers)} machines: {named}", "name one")
    peer = peers[0]
    info = await _ask(peer, do="info")
    program, pid = which("py-spy"), int(info.get("pid") or 0)
    if wanted.how == "py-spy" and (program is None or not pid):
        problem = "it is a browser thread" if not pid else "py-spy isn't installed"
        raise NotPermittedError(peer.id, problem)
    if program is not None and pid and wanted.how in ("auto", "py-spy"):
        try:
            return await _from_outside(program, pid, peer, wanted, progress)
        except NotPermittedError as error:
            if wanted.how == "py-spy":
                raise
            context.say(f"{error}; sampling inside")
    return await _inside(peer, wanted, progress)


async def _from_outside(
    program: str, pid: int, peer: Peer, wanted: Wanted, progress: Callable[[float], None]
) -> Profile:
    looking = asyncio.create_task(  # noqa: TID251 - awaited below
        asyncio.to_thread(record, program, pid, peer.id, seconds=wanted.seconds, hz=wanted.hz)
    )
    await _pass(wanted.seconds, progress, looking)
    return await looking


async def _inside(peer: Peer, wanted: Wanted, progress: Callable[[float], None]) -> Profile:
    how: dict[str, Any] = {} if wanted.how in ("auto", "py-spy") else {"how": wanted.how}
    # its own limit is a net for the case that we are gone before it is over
    await _ask(peer, do="start", hz=wanted.hz, seconds=wanted.seconds + 10, **how)
    try:
        await _pass(wanted.seconds, progress)
    finally:
        answer = await _ask(peer, do="stop")
    return from_answer(peer.id, answer)


async def _pass(
    seconds: float,
    progress: Callable[[float], None],
    earlier: asyncio.Future[Any] | None = None,
) -> None:
    """Let time pass, or until something ends earlier."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (passed := loop.time() - began) < seconds:
        if earlier is not None and earlier.done():
            return
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
