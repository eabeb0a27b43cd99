"""A node that hashes what it is given: its handlers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from amctl.states.disposed import DisposedHandlers
from nodes.jobs import CORRUPTED, Fault, Job, burn, result_of
from nodes.states import ACompleted, AFailed, ARetrying, AStart, AWorking, WorkerStates

if TYPE_CHECKING:
    from amctl.machine import Event, Machine
    from amctl.rpc.server import Server
    from nodes.jobs import Faults
    from nodes.plan import NodePlan

__all__ = ["RESULT", "WorkerHandlers", "pack_result", "unpack_result"]

RESULT = "result"
"""Name of the payloads that carry results."""

_log = logging.getLogger("amctl.nodes.worker")


def pack_result(job: Job, result: bytes) -> list[Any]:
    """A result, or b"" for none, with the job that it is the result of."""
    return [job.round, job.node, job.attempt, result]


def unpack_result(data: object) -> tuple[Job, bytes] | None:
    """What `pack_result` made; None for anything else."""
    match data:
        case [int(round), str(node), int(attempt), bytes(result)]:
            return Job(round, node, attempt), result
    return None


class WorkerHandlers(DisposedHandlers):
    """Handlers of WorkerStates.

    Args:
        machine: Whose.
        plan: Of the node.
        server: Carries the results; has to be there before the machine can be reached.
        faults: What goes wrong when.
    """

    def __init__(self, machine: Machine, plan: NodePlan, server: Server, faults: Faults) -> None:
        super().__init__()
        self.machine, self.plan, self.server = machine, plan, server
        self.boot = AStart()
        """What the node was started with."""
        self.job: Job | None = None
        """The latest one."""
        self._payload = b""
        self._faults = faults

    # --- start

    def StartEnter(self, e: Event) -> bool:
        """Refuse a start that doesn't say which trace it belongs to."""
        return bool(e.args(AStart).trace_id)

    def StartState(self, e: Event) -> None:
        """Remember the trace; there is nothing more to prepare."""
        self.boot = e.args(AStart)
        self.machine.add(WorkerStates.Ready, source=e)

    # --- work

    def WorkingEnter(self, e: Event) -> bool:
        """Work needs something to hash."""
        return bool(e.args(AWorking).payload)

    async def WorkingState(self, e: Event) -> None:
        """Hash it; cancelled when Working ends."""
        asked = e.args(AWorking)
        self._payload = asked.payload
        await self._work(e, Job(asked.round, self.plan.id, asked.attempt), asked.draw)

    def WorkingWorking(self, e: Event) -> bool:
        """Working again while at work: the old job is dropped, the new one begins."""
        if WorkerStates.Working not in e.mutation.called_states:
            return True
        if not self.WorkingEnter(e):
            return False
        if not e.is_check:
            self._again(e, WorkerStates.Working)
        return True

    def RetryingEnter(self, e: Event) -> bool:
        """Retrying needs a payload, remembered or given again."""
        asked = e.args(ARetrying)
        return bool(asked.payload or self._payload)

    async def RetryingState(self, e: Event) -> None:
        """Hash it once more; cancelled when Retrying ends. Without a job it is the last one."""
        asked = e.args(ARetrying)
        self._payload = asked.payload or self._payload
        job = Job(asked.round, self.plan.id, asked.attempt)
        await self._work(e, job if asked.round else self.job or job, asked.draw)

    def RetryingRetrying(self, e: Event) -> bool:
        """As WorkingWorking."""
        if WorkerStates.Retrying not in e.mutation.called_states:
            return True
        if not self.RetryingEnter(e):
            return False
        if not e.is_check:
            self._again(e, WorkerStates.Retrying)
        return True

    def CompletedEnter(self, e: Event) -> bool:
        """Completed needs a result."""
        return bool(e.args(ACompleted).result)

    def CompletedState(self, e: Event) -> None:
        """Send the result."""
        done = e.args(ACompleted)
        _log.info("%s: sending the result back", self.machine.id)
        self._send(Job(done.round, self.plan.id, done.attempt), done.result, e)

    def FailedState(self, e: Event) -> None:
        """Say that there is no result, which asks for a retry."""
        failed = e.args(AFailed)
        job = Job(failed.round, self.plan.id, failed.attempt) if failed.round else self.job
        if job is not None:
            _log.info("%s: sending an empty result back", self.machine.id)
            self._send(job, b"", e)

    # --- inside

    def _again(self, e: Event, state: str) -> None:
        """Leave the state and enter it anew, for it isn't multi: a second call would be lost."""
        self.machine.remove(state, source=e)
        self.machine.add(state, e.raw, source=e)

    async def _work(self, e: Event, job: Job, draw: int) -> None:
        self.job = job
        try:
            await burn(self.plan.iterations)
            fault = self._faults(job._replace(round=draw))
        except Exception as error:
            # Exception and Failed exclude each other, so the news goes without a state of its own.
            self._send(job, b"", e)
            self.machine.add_err(error, source=e)
            return
        if fault is Fault.FAIL:
            failed = AFailed(job.round, job.attempt)
            self.machine.add(WorkerStates.Failed, failed, source=e)
            return
        lies = fault is Fault.LIE
        result = CORRUPTED if lies else result_of(job.node, self._payload)
        _log.info("%s: completed work%s", self.machine.id, " (CORRUPTED)" if lies else "")
        completed = ACompleted(result, job.round, job.attempt)
        self.machine.add(WorkerStates.Completed, completed, source=e)

    def _send(self, job: Job, result: bytes, e: Event) -> None:
        # Kept until it is acknowledged. Without a session it is lost, which is logged: then the
        # round is interrupted, and the job given anew.
        self.server.send_payload(RESULT, pack_result(job, result), event=e)
