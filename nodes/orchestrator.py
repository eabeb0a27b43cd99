"""The orchestrator: gives the jobs, takes the results, judges them. Its machine and handlers.

    NetworkReady -> StartWork -> Work of the first nodes -> Delivered -> Work of who waited for them
    -> WorkDelivered -> all is recomputed -> Succeeded, or StartWork again, or Failed

States say what happens; who has which job in which attempt stands in a RoundBook. A job under way
is a task, its *flight*: it sends the job, sends it again while the node refuses it, and gives it up
after a while. Flights end with NetworkReady.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from amctl.machine import Machine, TaskSet
from amctl.rpc.payload import APayload
from nodes.links import RootLink
from nodes.readiness import any_of, ask, keep_started
from nodes.rounds import RoundBook
from nodes.states import (
    ORCHESTRATOR_ARGS,
    ABrowserConn,
    ARetrying,
    AStart,
    AStartWork,
    AWork,
    AWorking,
    Names,
    OrchestratorStates,
    WorkerStates,
    orchestrator_schema,
)
from nodes.worker import RESULT, unpack_result

if TYPE_CHECKING:
    from collections.abc import Callable

    from amctl.machine import Event, Signal, Source
    from amctl.telemetry.recorder import Recorder
    from nodes.dag import Dag
    from nodes.jobs import Job, Verdict
    from nodes.plan import WorkflowSettings

__all__ = ["Orchestrator"]

S = OrchestratorStates
FIRST_RETRY = 0.02
"""Seconds before the second attempt of a node; doubled for each further one."""
LONGEST_RETRY = 1.0
ASK_AGAIN = 0.1

_log = logging.getLogger("amctl.nodes.orchestrator")


class Orchestrator:
    """Machine, links to the nodes, books and flights of one run.

    Args:
        dag: What is to be done.
        settings: How.
        recorder: Told of each moment.
        token: What the nodes' servers want to hear.
        boot: What workers are started with.
        ended: Called with the verdict whenever the work has ended, well or not.
    """

    def __init__(
        self,
        dag: Dag,
        settings: WorkflowSettings,
        recorder: Recorder,
        *,
        token: str,
        boot: AStart,
        ended: Callable[[bool], None],
    ) -> None:
        self.dag, self.settings, self.recorder, self.boot = dag, settings, recorder, boot
        self.book = RoundBook(dag, settings.max_rounds, settings.max_attempts)
        self.tasks = TaskSet("orchestrator")
        self.machine = Machine("orchestrator", orchestrator_schema(dag))
        self.machine.accept_args(*ORCHESTRATOR_ARGS)
        self.names = {id: Names.of(id) for id in dag.ids}
        self.verdict: Verdict | None = None
        """Of the last round that was complete."""
        self.is_stopping = False
        self.on_ready: Callable[[], None] = lambda: None
        """Called whenever all nodes have become ready."""
        self._ended = ended
        self._flights: dict[str, asyncio.Task[None]] = {}
        self.machine.bind(_Handlers(self), id="orchestrator")
        self.machine.bind(self._node_handlers(), id="nodes")
        self.links = {id: RootLink(dag, id, self.machine, token) for id in dag.roots}

    def _node_handlers(self) -> dict[str, Callable[[Event], None]]:
        found: dict[str, Callable[[Event], None]] = {}
        for id, name in self.names.items():
            found[f"{name.work}State"] = partial(self._give, id)
            found[f"{name.mirror('Ready')}State"] = partial(self._joined, id)
            found[f"{name.mirror('Ready')}End"] = partial(self._lost, id)
            found[f"{name.err}End"] = self.error_ended
        for id in self.dag.roots:
            found[f"{self.names[id].conn}State"] = partial(self._connected, id)
        return found

    # --- nodes come and go

    def _connected(self, id: str, e: Event) -> None:
        """A connection stands: what its mirror shows is brought over, and the node started."""
        link = self.links[id]
        context = self.machine.state_context(self.names[id].conn)
        context.hold(self.tasks.spawn(link.sync(), name=f"sync {id}"))
        who = e.source.machine_id if e.source is not None else link.client.machine.id
        self.machine.add(S.BrowserConn, ABrowserConn(who), source=e)

    def keep_started(self, id: str) -> None:
        """Have a node in Start as long as its connection stands."""
        context = self.machine.state_context(self.names[id].conn)
        starting = keep_started(self.links[id].client, lambda: self.boot)
        context.hold(self.tasks.spawn(starting, name=f"start {id}"))

    def error_ended(self, e: Event) -> None:
        """Pipes bring Exception with every error state, and take only the error state back."""
        if not self.machine.any_([S.ErrRpc, *(name.err for name in self.names.values())]):
            self.machine.remove("Exception", source=e)

    def _joined(self, id: str, e: Event) -> None:
        self.recorder.joined(id)

    def _lost(self, id: str, e: Event) -> None:
        if not self.is_stopping:
            _log.warning("lost %s", id)
        self.recorder.lost(id)

    # --- rounds

    def begin_round(self, why: str, e: Event, *, is_asked: bool) -> None:
        """Begin a round with the nodes that wait for nobody.

        Args:
            why: Reason for a round after another one, or empty.
            e: What led to it.
            is_asked: Somebody asked for it, who is granted all MAX_ROUNDS.
        """
        if self.book.is_open:
            self.recorder.interrupted("A new round was asked for" if is_asked else "")
        has_ended = self.machine.any_([S.Succeeded, S.Failed])
        number = self.book.begin(anew=is_asked or has_ended)
        self._let_go()
        self.recorder.begin_round(number)
        _log.info("round %d begins%s", number, f": {why}" if why else "")
        self.machine.remove([S.Succeeded, S.Failed], source=e)
        first = [self.names[n.id].work for n in self.dag.nodes if not n.deps]
        self.machine.add(first, source=e)

    def interrupt(self) -> None:
        """The open round is over, as if it had never been; the next begins when all are back."""
        if self.book.interrupt():
            _log.warning("round %d was interrupted", self.book.round)
            self.recorder.interrupted()
        self._let_go()

    def judge(self, e: Event) -> None:
        """All results are here: are they right?"""
        if not self.book.is_complete or not self.book.is_open:
            return
        self.verdict = verdict = self.book.judge()
        self.recorder.verified(verdict.liars, verdict.tainted)
        if verdict.ok:
            self.machine.add(S.Succeeded, source=e)
            return
        for id in verdict.liars:
            _log.warning("%s lied in round %d", id, self.book.round)
        for id in verdict.tainted:
            _log.info("%s was given a wrong input in round %d", id, self.book.round)
        self._next_round("lied", e)

    def _next_round(self, why: str, e: Event | None) -> None:
        if self.book.has_rounds_left:
            self.machine.add(S.StartWork, AStartWork(why), source=e)
        else:
            self.machine.add(S.Failed, source=e)

    def has_ended(self, ok: bool) -> None:
        """Succeeded or Failed was reached."""
        self.recorder.finish("succeeded" if ok else "failed")
        _log.info("%s", self.recorder.run.message)
        self._ended(ok)

    async def stop_work(self) -> None:
        """Give nothing any more, start nobody any more."""
        self.is_stopping = True
        self.book.close()
        self._let_go()
        await self.tasks.close()

    # --- jobs

    def _give(self, id: str, e: Event) -> None:
        self.machine.remove(self.names[id].work, source=e)
        job = self.book.give(id, again=e.args(AWork).retry)
        if job is None:
            _log.debug("%s has nothing to do", id)
            return
        if job.attempt == 1:
            for dep in self.dag[id].deps:
                self.recorder.sending(dep, id)
        flight = self.tasks.spawn(self._fly(job, e.as_source()), name=f"{job}")
        self.machine.state_context(S.NetworkReady).hold(flight)
        self._flights[id] = flight

    async def _fly(self, job: Job, cause: Source) -> None:
        if job.attempt > 1:
            await asyncio.sleep(min(FIRST_RETRY * 2 ** (job.attempt - 2), LONGEST_RETRY))
        try:
            async with asyncio.timeout(self.settings.job_timeout):
                restarted = self._when_restarted(job.node)
                await self._send(job, cause)
                self.begun(job)
                # Until the result comes, which ends this task.
                await restarted
            _log.warning("%s was restarted at work", job.node)
            self.machine.add(S.StartWork, AStartWork("interrupted"))
        except TimeoutError:
            _log.warning("%s took more than %g s", job, self.settings.job_timeout)
            self.begun(job)
            self.failed(job, "timeout")

    def _when_restarted(self, id: str) -> Signal:
        """Closed when a node stops or starts, even if its mirror shows both as one change."""
        root = self.dag.root_of(id)
        start = WorkerStates.Start if root == id else self.names[id].mirror(WorkerStates.Start)
        return self.links[root].client.net.when_ticks(start, 1)

    async def _send(self, job: Job, cause: Source) -> None:
        """Hand a job over, until it is taken or this is cancelled."""
        root, name = self.dag.root_of(job.node), self.names[job.node]
        is_leaf, net = root != job.node, self.links[root].client.net
        payload, draw = self.book.payload(job.node), self.book.draw
        args: AWorking | ARetrying = AWorking(payload, job.round, job.attempt, draw)
        state = name.work if is_leaf else WorkerStates.Working
        if job.attempt > 1:
            args = ARetrying(job.round, job.attempt, draw, payload)
            state = name.retry if is_leaf else WorkerStates.Retrying
        wait = ASK_AGAIN
        while True:
            result = await ask(net, state, args, source=cause)
            if result is not None and not result.canceled:
                return
            _log.info("%s does not take %s yet", root, job)
            await any_of(net.when_ticks(WorkerStates.Ready, 1), within=wait)
            wait *= 2

    def begun(self, job: Job) -> None:
        """A node has a job; its result may tell it first."""
        if self.book.begun(job):
            self.recorder.begin(job.node, job.attempt)

    def result(self, job: Job, result: bytes, e: Event) -> None:
        """A result came, b"" for none; one that nobody waits for is ignored."""
        if not self.book.is_current(job):
            _log.info("stale result ignored: %s", job)
            return
        self.begun(job)
        if not result:
            self.failed(job, "failed", e)
            return
        self.book.deliver(job, result)
        self._land(job.node)
        self.recorder.delivered(job.node, result.hex())
        self.machine.add(self.names[job.node].delivered, source=e)

    def failed(self, job: Job, why: Any, e: Event | None = None) -> None:
        """An attempt came to nothing: once more, or the round is over."""
        if not self.book.is_current(job):
            return
        self._land(job.node)
        self.recorder.failed(job.node, why)
        if self.book.fail(job):
            self.machine.add(self.names[job.node].work, AWork(retry=True), source=e)
            return
        _log.warning("%s failed %d times in round %d", job.node, job.attempt, job.round)
        self.book.close()
        self._let_go()
        self.recorder.gave_up(job.node)
        self._next_round("gave_up", e)

    def _land(self, id: str) -> None:
        flight = self._flights.pop(id, None)
        if flight is not None and flight is not asyncio.current_task():
            flight.cancel()

    def _let_go(self) -> None:
        """All jobs that are under way are of no use any more."""
        for id in tuple(self._flights):
            self._land(id)


class _Handlers:
    """Handlers of the states that every DAG has."""

    def __init__(self, owner: Orchestrator) -> None:
        self._o, self._machine = owner, owner.machine

    def StartState(self, e: Event) -> None:
        """There is nothing to prepare."""
        self._machine.add(S.Ready, source=e)

    def ErrRpcEnd(self, e: Event) -> None:
        """All connections are well again."""
        self._o.error_ended(e)

    def BrowserConnState(self, e: Event) -> None:
        """Start the node behind a connection."""
        id = e.args(ABrowserConn).machine_id.removeprefix("rc-srv-")
        if id in self._o.links:
            self._o.keep_started(id)

    def NetworkReadyState(self, e: Event) -> None:
        """Everybody is there."""
        self._o.on_ready()

    def NetworkReadyEnd(self, e: Event) -> None:
        """Somebody is missing."""
        self._o.interrupt()

    def StartWorkState(self, e: Event) -> None:
        """Begin a round: asked for, implied by NetworkReady, or because the last one failed."""
        self._machine.remove(S.StartWork, source=e)
        why = e.args(AStartWork).reason
        is_asked = S.StartWork in e.mutation.called_states and not why
        self._o.begin_round(why, e, is_asked=is_asked)

    def ServerPayloadEnter(self, e: Event) -> bool:
        """Accept results only, and each node's only from itself."""
        payload = e.args(APayload)
        found = unpack_result(payload.data) if payload.name == RESULT else None
        if found is not None and found[0].node == payload.source in self._o.dag:
            return True
        if not e.is_check:
            _log.warning("payload %r of %r refused", payload.name, payload.source)
        return False

    def ServerPayloadState(self, e: Event) -> None:
        """Take a result. The state stays, so that traces show it."""
        found = unpack_result(e.args(APayload).data)
        assert found is not None
        self._o.result(*found, e)

    def WorkDeliveredState(self, e: Event) -> None:
        """Judge."""
        self._o.judge(e)

    def SucceededEnter(self, e: Event) -> bool:
        """Nobody succeeds by saying so."""
        return self._o.verdict is not None and self._o.verdict.ok and not self._o.book.is_open

    def SucceededState(self, e: Event) -> None:
        """The work is done."""
        self._o.has_ended(True)

    def FailedEnter(self, e: Event) -> bool:
        """Nobody gives up while there are rounds left."""
        return not self._o.book.is_open and not self._o.book.has_rounds_left

    def FailedState(self, e: Event) -> None:
        """The rounds are used up."""
        self._o.has_ended(False)
