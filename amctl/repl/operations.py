"""What commands, one-shot commands and playbooks do to machines: mutate, ask, wait.

Several machines are worked on at once, within a bound, and one that fails stops none of the
others: each gets a report of its own. Cancelling any of these is safe: waits are given up, and what
was sent stays sent.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from amctl.machine import MachineError, WaitTimeoutError
from amctl.repl._predicting import predict
from amctl.repl.errors import UsageError
from amctl.repl.outcome import Verdict, worst
from amctl.rpc.errors import (
    CallRefusedError,
    CallTimeoutError,
    NotConnectedError,
    RefusedByServerError,
    RpcError,
    UnknownOutcomeError,
)
from amctl.rpc.wire.errors import WireError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from amctl.machine import Signal
    from amctl.repl.peer import Peer

__all__ = [
    "OPS",
    "VERDICTS",
    "Report",
    "can",
    "check_states",
    "each",
    "mutate",
    "verdict_of",
    "wait_for",
    "wait_time",
]

OPS = ("add", "remove", "set", "toggle")
AT_ONCE = 16
"""How many machines are worked on at a time."""

EXECUTED, QUEUED, CANCELED = "executed", "queued", "canceled"
TIMED_OUT, UNREACHABLE, FAILED = "timed out", "unreachable", "failed"

_HANDLERS_SAY = ("veto", "error", "timeout")
"""Kinds of reasons that are no relation's."""

VERDICTS = {
    EXECUTED: Verdict.DONE,
    QUEUED: Verdict.DONE,
    CANCELED: Verdict.CANCELED,
    TIMED_OUT: Verdict.TIMED_OUT,
    UNREACHABLE: Verdict.UNREACHABLE,
    FAILED: Verdict.FAILED,
}
"""A report's result -> how the command ended. The one place that says so."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of an operation on one machine."""

    machine: str
    result: str
    """`executed`, `queued`, `canceled`, `timed out`, `unreachable` or `failed`."""
    reason: str = ""
    """Of a canceled one: why, in a sentence."""
    before: Mapping[str, int] = field(default_factory=dict)
    """All ticks before it; of a check, the present ones."""
    after: Mapping[str, int] = field(default_factory=dict)
    """All ticks after exactly this mutation; of a check, what relations would make of them."""
    error: str = ""
    """What went wrong, where nothing was answered."""
    tick: int = 0
    """Of a queued one: the queue tick at which it runs."""
    check: bool = False
    """Whether it was only asked; nothing changed."""

    @property
    def verdict(self) -> Verdict:
        """How the operation ended."""
        return VERDICTS[self.result]

    @property
    def changed(self) -> dict[str, tuple[int, int]]:
        """State -> its tick before and after, of those that moved."""
        ticks = {name: (self.before.get(name, 0), tick) for name, tick in self.after.items()}
        return {name: pair for name, pair in ticks.items() if pair[0] != pair[1]}

    @property
    def problem(self) -> str:
        """One sentence for stderr; empty if there is nothing to say."""
        if self.result == CANCELED:
            how = "would cancel" if self.check else "canceled"
            why = f": {self.reason}" if self.reason else ""
            return f"machine {self.machine!r} {how} it{why}"
        return f"machine {self.machine!r}: {self.error}" if self.error else ""

    def as_data(self) -> dict[str, Any]:
        """The report as plain JSON data."""
        changed = {name: list(pair) for name, pair in self.changed.items()}
        return {**asdict(self), "changed": changed}


def verdict_of(reports: Iterable[Report]) -> Verdict:
    """How a command on several machines ended: the gravest of all."""
    return worst(*(report.verdict for report in reports))


def check_states(peers: Iterable[Peer], states: Sequence[str]) -> None:
    """See that every machine has all these states, before anything is sent.

    Raises:
        UsageError: One lacks a state; with the nearest one.
    """
    for peer in peers:
        names = peer.net.names
        unknown = [state for state in states if state not in names]
        if unknown:
            what = "state" if len(unknown) == 1 else "states"
            listed = ", ".join(map(repr, unknown))
            close = get_close_matches(unknown[0], names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else ""
            hint = hint or f"list them: amctl mach inspect {peer.id}"
            raise UsageError(f"machine {peer.id!r} has no {what} {listed}", hint)


async def mutate(
    peers: Sequence[Peer],
    op: str,
    states: Sequence[str],
    args: Mapping[str, Any] | None = None,
    *,
    check: bool = False,
    wait: bool = False,
    timeout: float | None = None,  # noqa: ASYNC109 - per machine, and reported
) -> list[Report]:
    """Add, remove, set or toggle states on each machine.

    Args:
        peers: On which machines.
        op: One of `OPS`.
        states: Must be known to every machine; see `check_states`.
        args: `Type.field` or plain name -> value; text is parsed by the machine.
        check: Ask whether it would be done, and change nothing.
        wait: Of a queued mutation: wait until it ran, and tell what came of it.
        timeout: Seconds for each machine; None: the connection's own limit for calls, and none for
            the wait.

    Returns:
        A report for each machine, in the order of `peers`.

    Raises:
        UsageError: A machine lacks a state. Nothing was sent.
    """
    check_states(peers, states)
    words = list(dict.fromkeys(states))

    async def one(peer: Peer) -> Report:
        if check:
            return await _asked(peer, op, words, args)
        report = await _mutated(peer, op, words, args)
        return await _settled(peer, op, words, report) if wait else report

    return await each(peers, one, timeout=timeout)


async def can(
    peers: Sequence[Peer],
    op: str,
    states: Sequence[str],
    args: Mapping[str, Any] | None = None,
    *,
    timeout: float | None = None,  # noqa: ASYNC109 - as of mutate
) -> list[Report]:
    """Ask whether a mutation would be done: relations and handlers answer, nothing changes.

    As `mutate` with `check`.
    """
    return await mutate(peers, op, states, args, check=True, timeout=timeout)


async def wait_for(
    peers: Sequence[Peer],
    states: Sequence[str],
    args: Mapping[str, Any] | None = None,
    *,
    active: bool = True,
    timeout: float | None = None,  # noqa: ASYNC109 - as of mutate
) -> list[Report]:
    """Wait until on each machine all the states are active at once (or all inactive).

    A machine that goes away is waited for; one that is given up is `unreachable`.

    Args:
        peers: On which machines.
        states: Must be known to every machine.
        args: Wait for the next activation of the only state that comes with these arguments, and
            maybe others; plain names only.
        active: False: until all are inactive.
        timeout: Seconds; 0 only looks.

    Raises:
        UsageError: A machine lacks a state, or arguments can't be waited for so.
    """
    check_states(peers, states)
    if args:
        return await _wait_for_args(peers, states, args, timeout)

    def begin(peer: Peer) -> Signal:
        return peer.net.when(*states) if active else peer.net.when_not(*states)

    return await _waited(peers, begin, timeout, "not active" if active else "still active")


async def _wait_for_args(
    peers: Sequence[Peer],
    states: Sequence[str],
    args: Mapping[str, Any],
    timeout: float | None,  # noqa: ASYNC109 - becomes a report
) -> list[Report]:
    if len(states) != 1:
        raise UsageError(
            f"arguments come with one state, not with {len(states)}",
            "as in: amctl mach when . Event --arg name --val x",
        )
    typed = [name for name in args if "." in name]
    if typed:
        raise UsageError(
            f"argument {typed[0]!r} is typed, and can't be waited for", "plain names can"
        )
    reports = await _waited(
        peers, lambda peer: peer.net.when_args(states[0], args), timeout, "not entered with these"
    )
    for peer, report in zip(peers, reports, strict=True):
        if report.result == EXECUTED:
            # the news came alone; any answer brings the mirror up to it
            await _bounded(peer, _refreshed, timeout)
    return [replace(r, after=p.net.clock()) for p, r in zip(peers, reports, strict=True)]


async def _refreshed(peer: Peer) -> Report:
    await peer.ask("queue")
    return Report(peer.id, EXECUTED)


async def wait_time(
    peers: Sequence[Peer],
    states: Sequence[str],
    ticks: Sequence[int],
    *,
    timeout: float | None = None,  # noqa: ASYNC109 - as of mutate
) -> list[Report]:
    """Wait until on each machine every state has reached its tick, maybe at different moments.

    Raises:
        UsageError: A machine lacks a state, or there are not as many ticks as states.
    """
    if not states or len(states) != len(ticks):
        both = f"{_counted(states, 'state')} and {_counted(ticks, 'tick')}"
        problem = f"{both}: they go in pairs"
        raise UsageError(problem, "as in: amctl mach when-time . -s Ready -t 3")
    check_states(peers, states)

    def begin(peer: Peer) -> Signal:
        return peer.net.when_time(states, ticks)

    return await _waited(peers, begin, timeout, "short of its tick")


def _counted(things: Sequence[Any], word: str) -> str:
    return f"{len(things)} {word}" if len(things) == 1 else f"{len(things)} {word}s"


async def each(
    peers: Sequence[Peer],
    work: Callable[[Peer], Awaitable[Report]],
    *,
    timeout: float | None = None,  # noqa: ASYNC109 - as of mutate
) -> list[Report]:
    """Do something with every machine, `AT_ONCE` of them at a time; errors become reports.

    Waits that need no answer don't count towards the bound if `work` begins with none.
    """
    room = asyncio.Semaphore(AT_ONCE)

    async def guarded(peer: Peer) -> Report:
        async with room:
            return await _bounded(peer, work, timeout)

    return list(await asyncio.gather(*map(guarded, peers)))


async def _bounded(
    peer: Peer,
    work: Callable[[Peer], Awaitable[Report]],
    timeout: float | None,  # noqa: ASYNC109 - becomes a report
) -> Report:
    """One machine's report, whatever happens to it but cancellation and bugs."""
    before = peer.net.clock()
    try:
        async with asyncio.timeout(timeout):
            return await work(peer)
    except WaitTimeoutError as error:
        failed = Report(peer.id, TIMED_OUT, error=str(error))
    except (NotConnectedError, RefusedByServerError, UnknownOutcomeError) as error:
        failed = Report(peer.id, UNREACHABLE, error=peer.problem or str(error))
    except CallTimeoutError as error:
        failed = Report(peer.id, TIMED_OUT, error=str(error))
    except TimeoutError:
        failed = Report(peer.id, TIMED_OUT, error=f"no answer within {timeout or 0:g} s")
    except CallRefusedError as error:
        failed = Report(peer.id, FAILED, error=f"refused: {error.text or error}")
    except (RpcError, WireError, MachineError) as error:
        failed = Report(peer.id, FAILED, error=str(error))
    return replace(failed, before=before, after=peer.net.clock() or before)


async def _waited(
    peers: Sequence[Peer],
    begin: Callable[[Peer], Signal],
    timeout: float | None,  # noqa: ASYNC109 - becomes a report
    lack: str,
) -> list[Report]:
    """Wait for a signal of each; `lack` is what its states are meanwhile."""

    async def one(peer: Peer) -> Report:
        before = peer.net.clock()
        try:
            await begin(peer).wait(timeout)
        except WaitTimeoutError as error:
            missing = f": {', '.join(error.missing)} is {lack}" if error.missing else ""
            problem = f"waited for {timeout:g} s{missing}"
            return Report(peer.id, TIMED_OUT, "", before, peer.net.clock(), problem)
        if peer.net.is_disposed:
            problem = peer.problem or "it was given up while waiting"
            return Report(peer.id, UNREACHABLE, before=before, after=before, error=problem)
        return Report(peer.id, EXECUTED, before=before, after=peer.net.clock())

    # each wait has its own limit; a bound on their number would make some begin late
    return list(await asyncio.gather(*(_bounded(peer, one, None) for peer in peers)))


async def _mutated(
    peer: Peer, op: str, states: Sequence[str], args: Mapping[str, Any] | None
) -> Report:
    answer = await peer.ask("mutate", op=op, states=list(states), args=dict(args or {}))
    names = peer.net.names
    return Report(
        peer.id,
        answer["result"],
        _sentence(answer.get("reason")),
        dict(zip(names, answer.get("before", ()), strict=False)),
        dict(zip(names, answer.get("after", ()), strict=False)),
        tick=int(answer.get("queue_tick", 0)),
    )


async def _settled(peer: Peer, op: str, states: Sequence[str], report: Report) -> Report:
    """What came of a mutation in the end; a queued one is waited for."""
    if report.result != QUEUED or not report.tick:
        return report
    await peer.net.when_queue(report.tick).wait()
    if peer.net.is_disposed:
        return replace(report, result=UNREACHABLE, error=peer.problem or "it went away")
    after = peer.net.clock()
    missed = [s for s in states if not _took(op, s, report.before.get(s, 0), after.get(s, 0))]
    if missed:
        reason = f"it ran from the queue, and {', '.join(missed)} did not follow"
        return replace(report, result=CANCELED, reason=reason, after=after)
    return replace(report, result=EXECUTED, after=after)


def _took(op: str, state: str, before: int, after: int) -> bool:
    """Whether a state was brought where the mutation wanted it, even if it has moved on since."""
    if op == "toggle":
        return after != before
    is_there = (after & 1) == (0 if op == "remove" else 1)
    return is_there or after > before


async def _asked(
    peer: Peer, op: str, states: Sequence[str], args: Mapping[str, Any] | None
) -> Report:
    """The answer to a check, with the clock that relations would make of it."""
    net = peer.net
    if op == "toggle":
        op = "remove" if net.is_(states) else "add"
    foreseen, before = predict(net, op, states), net.clock()
    result, reason, questions = EXECUTED, "", [(op, list(states))]
    if op == "set":
        # no question asks for it: relations are worked out here, handlers asked there
        result, reason = (EXECUTED, "") if foreseen.accepted else (CANCELED, foreseen.reason)
        entering = [s for s in states if not net.is_(s)]
        leaving = [s for s in net.active if not foreseen.clock[s] & 1]
        questions = [("add", entering), ("remove", leaving)] if foreseen.accepted else []
    for question, names in questions:
        if not names:
            continue
        answer = await peer.ask("can", op=question, states=names, args=dict(args or {}))
        why = answer.get("reason") or {}
        if answer["result"] == CANCELED and (op != "set" or why.get("kind") in _HANDLERS_SAY):
            result, reason = CANCELED, _sentence(why) or foreseen.reason
            break
    after = foreseen.clock if result == EXECUTED else before
    return Report(peer.id, result, reason, before, after, check=True)


def _sentence(reason: Any) -> str:
    """A reason as one sentence."""
    if not reason:
        return ""
    return str(reason.get("sentence", "")) if isinstance(reason, dict) else str(reason)
