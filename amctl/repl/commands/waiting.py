"""Commands that wait: when, when-not, when-time."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from amctl.repl.arguments import gather
from amctl.repl.command import Command, Kind, Param
from amctl.repl.commands._params import ARGS, PATTERN, TIMEOUT
from amctl.repl.operations import wait_for, wait_time
from amctl.repl.rendering import reported
from amctl.repl.selecting import select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from amctl.repl.command import Context
    from amctl.repl.operations import Report
    from amctl.repl.outcome import Outcome
    from amctl.repl.peer import Peer

__all__ = ["WAITING"]

_LOOK = 1.0
"""Seconds between looks at who is connected: who is back sooner was never missed."""


@contextlib.asynccontextmanager
async def _absences_told(context: Context, peers: Sequence[Peer], what: str) -> AsyncIterator[None]:
    """Say who goes away meanwhile, and who comes back: they are waited for all the same."""

    async def look() -> None:
        away: set[int] = set()
        while True:
            await asyncio.sleep(_LOOK)
            for number, peer in enumerate(peers):
                if peer.is_ready and number in away:
                    away.remove(number)
                    context.say(f"{peer.id} is back, waiting for {what}")
                elif not peer.is_ready and number not in away:
                    away.add(number)
                    why = f" ({peer.problem})" if peer.problem else ""
                    context.say(f"{peer.id} is gone{why}; waiting for it, and then for {what}")

    task = asyncio.ensure_future(look())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def _ticks(states: Sequence[str]) -> Callable[[Report], str]:
    """A report as the ticks of the states that were waited for."""
    return lambda report: " ".join(str(report.after.get(state, 0)) for state in states)


def _when(active: bool) -> Callable[[Context, Mapping[str, Any]], Awaitable[Outcome]]:
    async def run(context: Context, values: Mapping[str, Any]) -> Outcome:
        states = values["state"]
        peers = select(context.fleet, values["mach"])
        names = ", ".join(peer.id for peer in peers)
        what = f"{' '.join(states)}{'' if active else ' to end'}"
        context.say(f"waiting for {what} on {names}")
        args = gather(values["arg"], values["val"], values["args_json"]) if active else {}
        async with _absences_told(context, peers, what):
            reports = await wait_for(peers, states, args, active=active, timeout=values["timeout"])
        return reported(reports, _ticks(states))

    return run


async def _when_time(context: Context, values: Mapping[str, Any]) -> Outcome:
    states, ticks = values["state"], values["time"]
    peers = select(context.fleet, values["mach"])
    what = f"{', '.join(map(str, ticks))} of {' '.join(states)}"
    context.say(f"waiting for {what}")
    async with _absences_told(context, peers, what):
        reports = await wait_time(peers, states, ticks, timeout=values["timeout"])
    return reported(reports, _ticks(states))


_STATES = Param("state", Kind.STATE, "States, at least one.", many=True, required=True)

WAITING = (
    Command(
        "when",
        "waiting",
        "Wait until states are active, all at once",
        _when(active=True),
        (PATTERN, _STATES, *ARGS, TIMEOUT),
        "when . WorkDelivered --timeout 2m",
    ),
    Command(
        "when-not",
        "waiting",
        "Wait until states are inactive, all at once",
        _when(active=False),
        (PATTERN, _STATES, TIMEOUT),
        "when-not . Exception --timeout 10s",
    ),
    Command(
        "when-time",
        "waiting",
        "Wait until states have reached their ticks",
        _when_time,
        (
            PATTERN,
            Param("state", Kind.STATE, "A state; repeatable.", ("-s", "--state"), many=True),
            Param("time", Kind.NUMBER, "Its tick, at its place.", ("-t", "--time"), many=True),
            TIMEOUT,
        ),
        "when-time . -s Ready -t 1",
    ),
)
"""Commands of the group `waiting`."""
