"""Commands that change machines, or ask whether they could."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.repl.arguments import check_args, gather
from amctl.repl.command import Command, Kind, Param
from amctl.repl.commands._params import ARGS, FILTERS, PATTERN, TIMEOUT, filters_of
from amctl.repl.errors import NothingMatchedError, UsageError
from amctl.repl.filters import listed
from amctl.repl.operations import CANCELED, can, check_states, mutate
from amctl.repl.rendering import grouped, reported
from amctl.repl.selecting import select

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from amctl.repl.command import Context
    from amctl.repl.outcome import Outcome
    from amctl.repl.peer import Peer

__all__ = ["MUTATING"]

_HOW = (
    Param("wait", Kind.SWITCH, "If it is queued, until it ran.", ("--wait",), default=False),
    TIMEOUT,
    Param("check", Kind.SWITCH, "Ask, and change nothing.", ("--check",), default=False),
    Param("diff", Kind.SWITCH, "Show the clocks that moved.", ("--diff",), default=False),
)
_SEE_STATES = "see the states: amctl mach list --states-all"
_STRICT = Param(
    "strict", Kind.SWITCH, "Fail if a machine lacks a state.", ("--strict",), default=False
)


async def _apply(peers: Sequence[Peer], op: str, values: Mapping[str, Any]) -> list[Any]:
    """Mutate, or ask, as the options say; nothing is sent unless all machines can take it."""
    args = gather(values["arg"], values["val"], values["args_json"])
    check_states(peers, values["state"])
    await check_args(peers, args)
    return await mutate(
        peers,
        op,
        values["state"],
        args,
        check=values["check"],
        wait=values["wait"],
        timeout=values["timeout"],
    )


def _on_pattern(op: str) -> Callable[[Context, Mapping[str, Any]], Awaitable[Outcome]]:
    async def run(context: Context, values: Mapping[str, Any]) -> Outcome:
        peers = select(context.fleet, values["mach"])
        return reported(await _apply(peers, op, values), diff=values["diff"])

    return run


def _on_group(op: str) -> Callable[[Context, Mapping[str, Any]], Awaitable[Outcome]]:
    async def run(context: Context, values: Mapping[str, Any]) -> Outcome:
        states = values["state"]
        found = listed(context.fleet, filters_of(values, connected_only=True))
        if values["strict"]:
            check_states(found, states)
        peers = [peer for peer in found if peer.net.has(states)]
        if not peers:
            raise _nobody(context, found, states)
        return grouped(await _apply(peers, op, values), diff=values["diff"])

    return run


def _nobody(context: Context, found: Sequence[Peer], states: Sequence[str]) -> Exception:
    """Why a group is empty."""
    if not found:
        return NothingMatchedError("the filters", [])
    known = sorted({name for peer in found for name in peer.net.names})
    unknown = [state for state in states if state not in known]
    if unknown:
        from difflib import get_close_matches

        close = get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else _SEE_STATES
        return UsageError(f"no machine has a state {unknown[0]!r}", hint)
    return NothingMatchedError(f"the filters with all of {' '.join(states)}", [])


async def _can(context: Context, values: Mapping[str, Any]) -> Outcome:
    op = values["op"]
    if op not in ("add", "remove"):
        problem = f"can asks for add or remove, not {op!r}"
        raise UsageError(problem, "as in: amctl mach can add . Ready")
    peers = select(context.fleet, values["mach"])
    args = gather(values["arg"], values["val"], values["args_json"])
    check_states(peers, values["state"])
    await check_args(peers, args)
    reports = await can(peers, op, values["state"], args, timeout=values["timeout"])
    return reported(reports, lambda _: "yes", words={CANCELED: "no"})


def _states(kind: Kind) -> Param:
    return Param("state", kind, "States, at least one.", many=True, required=True)


def _single(op: str, kind: Kind, summary: str, example: str) -> Command:
    params = (PATTERN, _states(kind), *ARGS, *_HOW)
    return Command(op, "mutating", summary, _on_pattern(op), params, example)


def _group(op: str, kind: Kind, summary: str, example: str) -> Command:
    params = (_states(kind), *ARGS, *_HOW, _STRICT, *FILTERS)
    return Command(f"group-{op}", "mutating", summary, _on_group(op), params, example)


MUTATING = (
    _single(
        "add",
        Kind.TO_ADD,
        "Add states to machines",
        "add . Start --arg name --val x",
    ),
    _single("remove", Kind.TO_REMOVE, "Remove states from machines", "remove . Start"),
    _single("set", Kind.STATE, "Make these states the only active ones", "set . Start Ready"),
    _single("toggle", Kind.STATE, "Remove active states, else add them", "toggle . Start"),
    _group(
        "add",
        Kind.STATE,
        "Add states to all that have them",
        "group-add Start -r 'browser.*'",
    ),
    _group(
        "remove",
        Kind.STATE,
        "Remove states from all that have them",
        "group-remove Start -a Ready",
    ),
    Command(
        "can",
        "mutating",
        "Ask if states could be added or removed",
        _can,
        (
            Param("op", Kind.TEXT, "add or remove.", required=True, choices=("add", "remove")),
            PATTERN,
            _states(Kind.STATE),
            *ARGS,
            TIMEOUT,
        ),
        "can add . Start",
    ),
)
"""Commands of the group `mutating`."""
