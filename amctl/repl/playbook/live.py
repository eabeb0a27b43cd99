"""Tasks on live machines, by the same operations as commands."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amctl.repl.arguments import check_args
from amctl.repl.errors import UnreachableError
from amctl.repl.operations import mutate, wait_for, wait_time
from amctl.repl.outcome import Verdict
from amctl.repl.playbook.results import Did, Status
from amctl.repl.registry import run_line
from amctl.repl.selecting import find, select
from amctl.rpc.errors import RpcError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amctl.repl.command import Context
    from amctl.repl.operations import Report
    from amctl.repl.peer import Peer

__all__ = ["LiveHost", "LiveWorld"]

STATUSES = {
    Verdict.DONE: Status.OK,
    Verdict.CANCELED: Status.CANCELED,
    Verdict.TIMED_OUT: Status.TIMEOUT,
    Verdict.UNREACHABLE: Status.UNREACHABLE,
}
"""How a command ended -> how a task did; all others failed."""


class LiveHost:
    """See `amctl.repl.playbook.hosts.Host`."""

    def __init__(self, peer: Peer, context: Context) -> None:
        self.peer, self._context = peer, context

    @property
    def id(self) -> str:
        """The machine's id."""
        return self.peer.id

    @property
    def names(self) -> Sequence[str]:
        """Its states."""
        return self.peer.net.names

    async def refresh(self) -> None:
        """Let the mirror catch up."""
        try:
            await self.peer.net.sync()
        except RpcError as error:
            raise UnreachableError(self.id, self.peer.problem or str(error)) from error

    async def check_args(self, args: Mapping[str, Any]) -> None:
        """Look at what it told of itself."""
        await check_args([self.peer], args)

    def clock(self) -> Mapping[str, int]:
        """What its mirror shows."""
        return self.peer.net.clock()

    def active(self, state: str) -> bool:
        """Whether a state is active."""
        return self.peer.net.is_(state)

    def tick(self, state: str) -> int:
        """A state's tick."""
        return self.peer.net.tick(state)

    async def mutate(
        self, op: str, states: Sequence[str], args: Mapping[str, Any], limit: float | None
    ) -> Did:
        """Mutate, and if the mutation had to queue, wait until it ran."""
        reports = await mutate([self.peer], op, states, args, wait=True, timeout=limit)
        did = _did(reports[0])
        return replace(did, status=Status.CHANGED) if did.status is Status.OK and did.moved else did

    async def wait(self, states: Sequence[str], active: bool, limit: float | None) -> Did:
        """Wait. It is others who move clocks meanwhile, so it is never `changed`."""
        reports = await wait_for([self.peer], states, active=active, timeout=limit)
        return self._waited(reports[0])

    async def wait_time(self, ticks: Mapping[str, int], limit: float | None) -> Did:
        """Wait for ticks."""
        reports = await wait_time([self.peer], [*ticks], [*ticks.values()], timeout=limit)
        return self._waited(reports[0])

    def _waited(self, report: Report) -> Did:
        did = _did(report)
        if did.status is Status.TIMEOUT and not self.peer.is_ready:
            # nobody can tell what a machine does that isn't there
            return replace(did, status=Status.UNREACHABLE, reason=self.peer.problem or did.reason)
        return did

    async def command(self, line: str, limit: float | None) -> Did:
        """Run a line; whether this machine's clock moved meanwhile makes it `changed`."""
        before = dict(self.clock())
        try:
            async with asyncio.timeout(limit):
                outcome = await run_line(self._context, line)
        except TimeoutError:
            return Did(Status.TIMEOUT, reason=f"no answer within {limit:g} s", before=before)
        status = STATUSES.get(outcome.verdict, Status.FAILED)
        reason = "; ".join(outcome.problems)
        after = dict(self.clock())
        did = Did(status, outcome.verdict.value, reason, before, after, outcome.data, outcome.lines)
        return replace(did, status=Status.CHANGED) if status is Status.OK and did.moved else did


def _did(report: Report) -> Did:
    status = STATUSES.get(report.verdict, Status.FAILED)
    reason = report.reason or report.error
    return Did(status, report.result, reason, dict(report.before), dict(report.after))


class LiveWorld:
    """See `amctl.repl.playbook.hosts.World`.

    Args:
        context: With the fleet, for commands.
        limit: A pattern to which everything is limited; empty: nothing is.
    """

    is_check = False

    def __init__(self, context: Context, limit: str = "") -> None:
        self._context, self.limit = context, limit
        self._hosts: dict[str, LiveHost] = {}

    def select(self, pattern: str) -> list[LiveHost]:
        """The machines that a pattern means, within the limit."""
        peers = select(self._context.fleet, pattern)
        return [self._host(peer) for peer in (find(peers, self.limit) if self.limit else peers)]

    def _host(self, peer: Peer) -> LiveHost:
        host = self._hosts.get(peer.key)
        if host is None or host.peer is not peer:
            host = self._hosts[peer.key] = LiveHost(peer, self._context)
        return host

    def doubt(self, why: str) -> None:
        """There is none: machines tell themselves."""

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)
