"""Reaching machines from the command line: the fleet of a run, and one piece of work on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from amctl.cli.exitcodes import ExitCode
from amctl.repl.command import Context
from amctl.repl.errors import UnreachableError
from amctl.repl.finding import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

    from amctl.cli.options import GlobalOptions
    from amctl.machine import Machine
    from amctl.repl.outcome import Outcome
    from amctl.repl.peer import Fleet, Peer

__all__ = ["NoFleet", "Reach", "operate", "reaching"]

_MOST_LOGGED = 3
_leave = os._exit


@dataclass(frozen=True, slots=True)
class Reach:
    """Which machines, and how to reach them."""

    target: str | None = None
    """Address, file or folder; None is the settings' REPL_DIR."""
    file: bool = False
    dir: bool = False
    watch: bool = True
    """Follow address files that come, change and go."""
    all: bool = False
    """Fail unless all addresses are connected."""
    empty: bool = False
    """Go on if nothing is there yet."""
    dbg_addr: str = ""
    """A debugger that gets the telemetry of this end."""
    log_level: int = 0
    """Of that telemetry's lines, 0 to 5; more than 3 is 3."""
    allow_remote: bool = False
    """Also dial what is not on this machine."""


class NoFleet:
    """For commands that need no machine."""

    connected = connecting = disconnected = total = 0
    peers = ()

    @cached_property
    def machine(self) -> Machine:
        """One of its own, without a state."""
        from amctl.machine import Machine

        return Machine("repl-nowhere", {})

    @property
    def counts(self) -> NoFleet:
        """None of any kind."""
        return self

    def reconnect(self) -> None:
        """There is nothing to dial."""


def operate(
    options: GlobalOptions, reach: Reach, work: Callable[[Context], Awaitable[Outcome]]
) -> Outcome:
    """Connect, do one piece of work, disconnect. Ctrl-C gives the work up.

    Raises:
        NothingRunsError: No address, or nobody answered, unless `reach.empty`.
        UnreachableError: One is not connected, and all must be.
        UsageError, SettingsError, ConfigFileError: The target or the settings are wrong.
    """

    async def main() -> Outcome:
        async with reaching(options, reach) as context:
            return await work(context)

    return asyncio.run(main())


@contextlib.asynccontextmanager
async def reaching(options: GlobalOptions, reach: Reach) -> AsyncIterator[Context]:
    """A context with the machines in reach. Raises as `operate`.

    SIGTERM and SIGHUP cancel what runs in it, as Ctrl-C does; a prompt sees to them itself.
    """
    with contextlib.nullcontext() if reach.empty else _cancelled_by_signals():
        async with _opened(options, reach) as context:
            yield context


@contextlib.contextmanager
def _cancelled_by_signals() -> Iterator[None]:
    """Let signals cancel the current task, and be Ctrl-C to whoever runs it.

    An exception out of a signal handler could hit a machine in the middle of a transition, which
    would never be disposed of then. Who signals once more, while everybody is said goodbye to,
    doesn't want to wait for that.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    before: dict[signal.Signals, Any] = {}
    came: list[int] = []

    def take(number: int) -> None:
        came.append(number)
        if len(came) > 1:
            sys.stdout.flush()
            _leave(int(ExitCode.INTERRUPTED))
        elif task is not None:
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(number)
        if handler is signal.default_int_handler:  # not under nohup, nor within somebody's test
            loop.add_signal_handler(number, take, number)
            before[number] = handler
    try:
        yield
    except asyncio.CancelledError:
        if came:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


@contextlib.asynccontextmanager
async def _opened(options: GlobalOptions, reach: Reach) -> AsyncIterator[Context]:
    from amctl.repl.fleet import open_fleet
    from amctl.run.settings import load_settings

    folder = load_settings(options.config).repl_dir
    target = Target.parse(reach.target, file=reach.file, dir=reach.dir, default_dir=folder)
    async with open_fleet(
        target,
        token=os.environ.get("AMCTL_TOKEN") or None,
        watch=reach.watch,
        dbg_addr=reach.dbg_addr or None,
        allow_empty=reach.empty,
        allow_remote=reach.allow_remote,
        log_level=min(reach.log_level, _MOST_LOGGED),
    ) as fleet:
        lost = [peer for peer in fleet.peers if not peer.is_ready]
        if lost and reach.all:
            raise UnreachableError(_name(lost[0]), _problem(lost[0]))
        if lost and not reach.empty:
            options.say(_partial(fleet, lost))
        yield Context(fleet, say=lambda text: options.say(text, level=1))


def _partial(fleet: Fleet, lost: Sequence[Peer]) -> str:
    """What is said of machines that are not connected, while others are."""
    named = "; ".join(f"{_name(peer)}: {_problem(peer)}" for peer in lost)
    return f"note: {len(lost)} of {len(fleet.peers)} machines are not connected: {named}"


def _name(peer: Peer) -> str:
    return peer.id or peer.key


def _problem(peer: Peer) -> str:
    return peer.problem or "no answer yet"
