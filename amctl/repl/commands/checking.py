"""Commands that look: list, mach, time, inspect, status, why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.repl.command import Command, Kind, Param
from amctl.repl.commands._params import FILTERS, PATTERN, filters_of
from amctl.repl.errors import HOW_TO_START, NothingPassedError, at_prompt
from amctl.repl.filters import listed
from amctl.repl.outcome import Outcome, Verdict
from amctl.repl.rendering import (
    inspect_lines,
    listing,
    peer_data,
    schema_data,
    states_text,
)
from amctl.repl.selecting import select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amctl.repl.command import Context
    from amctl.repl.peer import Peer

__all__ = ["CHECKING"]


async def _list(context: Context, values: Mapping[str, Any]) -> Outcome:
    filters = filters_of(values, connected_only=not values["disconn"])
    peers = listed(context.fleet, filters)
    if not peers:
        return _nothing_listed(context)
    lines = listing(peers, states=values["states"], states_all=values["states_all"])
    return Outcome(lines=lines, data=[peer_data(peer) for peer in peers])


def _nothing_listed(context: Context) -> Outcome:
    """An empty list is said, and is no success: scripts are to notice it."""
    if any(peer.was_ready for peer in context.fleet.peers):
        error = NothingPassedError()
        return Outcome(error.verdict, data=[], problems=(str(error),), hint=error.hint)
    problems = ("no machine is connected",)
    return Outcome(Verdict.UNREACHABLE, data=[], problems=problems, hint=HOW_TO_START)


async def _mach(context: Context, values: Mapping[str, Any]) -> Outcome:
    peers = select(context.fleet, values["mach"])
    lines = [_named(peers, peer, states_text(peer.net, all=values["all"])) for peer in peers]
    return Outcome(lines=tuple(lines), data=[peer_data(peer) for peer in peers])


async def _time(context: Context, values: Mapping[str, Any]) -> Outcome:
    peers = select(context.fleet, values["mach"])
    lines = []
    for peer in peers:
        ticks = peer.net.time()
        text = str(sum(ticks)) if values["sum"] else " ".join(map(str, ticks))
        lines.append(_named(peers, peer, text))
    data = [
        {
            "id": peer.id,
            "time": peer.net.time(),
            "sum": peer.net.time_sum,
            "ticks": peer.net.clock(),
        }
        for peer in peers
    ]
    return Outcome(lines=tuple(lines), data=data)


async def _inspect(context: Context, values: Mapping[str, Any]) -> Outcome:
    peers = select(context.fleet, values["mach"])
    lines: list[str] = []
    for peer in peers:
        lines += ["", *inspect_lines(peer)] if lines else inspect_lines(peer)
    data = [
        {"id": peer.id, "time": peer.net.time_sum, "states": schema_data(peer.net)}
        for peer in peers
    ]
    return Outcome(lines=tuple(lines), data=data)


async def _status(context: Context, values: Mapping[str, Any]) -> Outcome:
    counts = context.fleet.counts
    named = {
        "Connected": counts.connected,
        "Connecting": counts.connecting,
        "Disconnected": counts.disconnected,
        "Total": counts.total,
    }
    lines = [f"{label:<15}{count}" for label, count in named.items()]
    lost = [peer for peer in context.fleet.peers if not peer.is_ready]
    lines += [f"   {_name(peer)}: {peer.problem or 'not connected yet'}" for peer in lost]
    rows = [
        {
            "id": peer.id,
            "key": peer.key,
            "addr": peer.addr,
            "connected": peer.is_ready,
            "problem": peer.problem,
        }
        for peer in context.fleet.peers
    ]
    data = {**{label.lower(): count for label, count in named.items()}, "machines": rows}
    return Outcome(lines=tuple(lines), data=data)


async def _why(context: Context, values: Mapping[str, Any]) -> Outcome:
    # not at the top: it knows recordings too, which no other command needs
    from amctl.repl.why.asking import why_live

    op = "remove" if values["remove"] else "add"
    report = await why_live(
        context.fleet, values["mach"], values["state"], op, depth=values["depth"]
    )
    is_typed = "exit" in context.extra
    lines = [at_prompt(line) for line in report.lines] if is_typed else report.lines
    return Outcome(lines=tuple(lines), data=report.data)


def _named(peers: Sequence[Peer], peer: Peer, text: str) -> str:
    """A machine's line; its id is told where there are several."""
    return f"{peer.id}: {text}" if len(peers) > 1 else text


def _name(peer: Peer) -> str:
    return f"{peer.id} ({peer.addr})" if peer.id else peer.addr or peer.key


CHECKING = (
    Command(
        "list",
        "checking",
        "List machines with their states",
        _list,
        (
            Param("states", Kind.SWITCH, "Show active states.", ("-z", "--states"), default=True),
            Param(
                "states_all", Kind.SWITCH, "Show all states.", ("-Z", "--states-all"), default=False
            ),
            Param(
                "disconn",
                Kind.SWITCH,
                "Show machines that are not connected now, too.",
                ("-d", "--disconn"),
                default=True,
            ),
            *FILTERS,
        ),
        "list -a Ready -r 'browser.*'",
    ),
    Command(
        "mach",
        "checking",
        "Show active states with their ticks",
        _mach,
        (PATTERN, Param("all", Kind.SWITCH, "Inactive ones too.", ("--all",), default=False)),
        "mach . --all",
    ),
    Command(
        "time",
        "checking",
        "Show the tick of every state",
        _time,
        (PATTERN, Param("sum", Kind.SWITCH, "Their sum only.", ("--sum",), default=False)),
        "time . --sum",
    ),
    Command(
        "inspect",
        "checking",
        "Show states with all their properties",
        _inspect,
        (PATTERN,),
        "inspect .",
    ),
    Command("status", "checking", "Count connections", _status, (), "status"),
    Command(
        "why",
        "checking",
        "Say why a state isn't active, or waits",
        _why,
        (
            Param("mach", Kind.PATTERN, "A machine's id, or `.`.", required=True),
            Param("state", Kind.STATE, "Of it.", required=True),
            Param("remove", Kind.SWITCH, "Why does it stay, rather.", ("--remove",), default=False),
            Param("depth", Kind.NUMBER, "How many links to follow.", ("--depth",), default=12),
        ),
        "why orchestrator WorkersReady",
    ),
)
"""Commands of the group `checking`."""
