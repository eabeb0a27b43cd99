"""One run of the workflow, as `amctl start` sees it: the orchestrator's side, the nodes' plan."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from amctl.relay.matcher import Matcher
from amctl.rpc.repl import repl_endpoint
from amctl.rpc.wire.secret import seal
from amctl.telemetry.recorder import Recorder
from amctl.telemetry.snapshot import Check, Node, Run, as_json
from nodes.dag import UI, load_dag
from nodes.jobs import expected_results
from nodes.local import LocalRunner
from nodes.orchestrator import Orchestrator
from nodes.outcome import Outcome
from nodes.plan import (
    DebugPlan,
    Secrets,
    TracePlan,
    WorkflowSettings,
    boot_plan,
    node_plan,
)
from nodes.profiling import offer_profile
from nodes.readiness import dispose_remote
from nodes.recording import DBG_PATH, LAST_WORD, finish, record
from nodes.states import AStart, OrchestratorStates
from nodes.tracing import trace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from amctl.machine import Machine
    from amctl.rpc.mux import Mux
    from amctl.rpc.transports.base import Connection, RelayDial
    from amctl.telemetry.dbgstream import DebugStream
    from nodes.dag import Dag
    from nodes.links import RootLink
    from nodes.plan import NodePlan
    from nodes.tracing import NodeTrace

__all__ = ["Workflow", "make_workflow"]

_MOMENT = 0.15
"""Seconds to send what was recorded last, if workers took all the time there was."""
_log = logging.getLogger("amctl.nodes.workflow")


class _RelayInfo(Protocol):
    """Where the run's relay is."""

    @property
    def url(self) -> str: ...
    @property
    def token(self) -> str: ...
    @property
    def repl_dir(self) -> Path | None: ...


class Workflow:
    """One run; made by `nodes.workflow`, in a running loop.

    Args:
        dag: What is to be done.
        settings: How.
        token: The run's secret.
    """

    def __init__(self, dag: Dag, settings: WorkflowSettings, *, token: str) -> None:
        self.dag, self.settings = dag, settings
        self.seed = secrets.randbits(32) if settings.fault_seed is None else settings.fault_seed
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._ready_ms: int | None = None
        known = Secrets(seal(token), secrets.token_urlsafe(16))
        self._plans = {id: node_plan(dag, id, settings, self.seed, known) for id in dag.ids}
        self._token = token
        self.recorder = self._make_recorder()
        self.orchestrator = Orchestrator(
            dag,
            settings,
            self.recorder,
            token=token,
            boot=AStart(secrets.token_hex(16), secrets.token_hex(8)),
            ended=self._work_ended,
        )
        self.orchestrator.on_ready = self._all_ready
        self._next: asyncio.Future[Outcome] = self._loop.create_future()
        self.outcome: Outcome | None = None
        """How the work ended the last time."""
        self._repl: Mux | None = None
        self._stream: DebugStream | None = None
        self._trace: NodeTrace | None = None
        self._post: Callable[[str], Awaitable[None]] | None = None
        self._spans_end: Callable[[Sequence[str]], Awaitable[None]] | None = None
        self.untraced = 0
        """After `stop`: spans of this process that were lost."""
        self._local: LocalRunner | None = None
        self._nodes_settle: Callable[[], Awaitable[object]] | None = None
        self._is_stopped = False

    # --- what `start` wants to know

    @property
    def machine(self) -> Machine:
        """The orchestrator's machine; the relay's becomes its child."""
        return self.orchestrator.machine

    @property
    def name(self) -> str:
        """The relay is called after it."""
        return self.dag.name

    @property
    def node_ids(self) -> Sequence[str]:
        """All nodes, in the DAG's order."""
        return self.dag.ids

    @property
    def matchers(self) -> Sequence[Matcher]:
        """Take the connections of the nodes that dial the relay."""
        ids = "|".join(re.escape(id) for id in self.dag.roots)
        return [Matcher(re.compile(f"^(?:{ids})$"), self._accept)]

    def plan(self, id: str) -> NodePlan:
        """What one node is told."""
        return self._plans[id]

    def boot_plan(self) -> dict[str, Any]:
        """Plain JSON for the page: which threads to start, and with which plan each."""
        return boot_plan(self.dag, self._plans)

    def local(self, dial: RelayDial) -> LocalRunner:
        """All nodes in this process.

        Args:
            dial: Connects to a path of the relay.
        """
        self.recorder.run_here()
        self._local = LocalRunner(self.dag, self._plans, dial, post=self._post)
        return self._local

    def record_to(
        self,
        dial: Callable[[], Awaitable[Connection]],
        token: str,
        settle: Callable[[], Awaitable[object]],
    ) -> None:
        """Have the orchestrator and all nodes recorded. Call it before `start`, or not at all.

        Args:
            dial: Connects to the collector. Nodes reach it through the relay, at `/dbg`.
            token: What it wants to hear first.
            settle: Waits until no node is connected to it through the relay. `stop` gives nodes
                so long to send their last words, a second at most.
        """
        plan = DebugPlan(DBG_PATH, token, self.settings.debug)
        self._stream = record(plan, self.machine, lambda path: dial())
        self._plans = {id: replace(old, debug=plan) for id, old in self._plans.items()}
        self._nodes_settle = settle

    def trace_to(
        self,
        post: Callable[[str], Awaitable[None]],
        options: Mapping[str, Any],
        ended: Callable[[Sequence[str]], Awaitable[None]],
    ) -> str:
        """Have the orchestrator and all nodes traced. Call it before `start`, or not at all.

        Args:
            post: Takes an OTLP JSON request. Browser threads post to the relay's /v1/traces.
            options: Fields of OtelOptions.
            ended: Waits until these services have said their last word.

        Returns:
            The id of the run's trace.
        """
        boot, self._post, self._spans_end = self.orchestrator.boot, post, ended
        plan = TracePlan(boot.trace_id, boot.span_id, dict(options))
        self._plans = {id: replace(old, trace=plan) for id, old in self._plans.items()}
        name = self.settings.service
        self._trace = trace(plan, self.machine, post, service=name, is_root=True)
        return boot.trace_id

    @property
    def unrecorded(self) -> int:
        """After `stop`: messages of this process that no collector took any more."""
        nodes = self._local.nodes.values() if self._local else ()
        streams = [self._stream, *(node.stream for node in nodes)]
        return sum(stream.unsent for stream in streams if stream is not None)

    # --- life

    async def start(self, relay: _RelayInfo) -> None:
        """Start the orchestrator; the relay serves already.

        Without a folder for address files there is no REPL.

        Raises:
            OSError: If the REPL can't listen.
        """
        if self._stream is not None:
            self._stream.start()
        offer_profile()
        if relay.repl_dir is not None:
            self._repl = repl_endpoint(
                self.machine,
                addr=self.settings.repl_addr,
                addr_dir=relay.repl_dir,
                token=self._token,
            )
            await self._repl.start()
        for link in self.orchestrator.links.values():
            link.client.start()
        self.machine.add("Start")
        self.recorder.light("orchestrator", "up")

    def start_work(self) -> None:
        """Ask for a new round, which begins at once if all nodes are ready."""
        self.machine.add(OrchestratorStates.StartWork)

    async def finished(self) -> Outcome:
        """Wait for the end of the work. Called again, it waits for the next end.

        A run that is stopped ends without success, unless it had ended before.
        """
        ending = self._next
        outcome = await asyncio.shield(ending)
        if self._next is ending:
            self._next = self._loop.create_future()
        return outcome

    async def stop(self, grace: float = 2.0) -> None:
        """Dispose of all workers, then of the clients, then of the orchestrator.

        Args:
            grace: Seconds for the workers, and for sending what was recorded; what has not
                answered by then is left alone.
        """
        if self._is_stopped:
            return
        self._is_stopped = True
        until = self._loop.time() + grace
        orchestrator = self.orchestrator
        await orchestrator.stop_work()
        links = orchestrator.links.values()
        await asyncio.gather(*(self._dismiss(link, grace) for link in links))
        await self._let_nodes_settle(until)
        await asyncio.gather(*(link.client.stop() for link in links))
        if self._repl is not None:
            await self._repl.stop()
        self.machine.dispose()
        self.recorder.light("orchestrator", "off")
        if not self._next.done():
            self._next.set_result(self._outcome(False))
        last = self._seconds_left(until) or _MOMENT
        if self._trace is not None:
            self.untraced = await self._trace.finish(last)
        if self._stream is not None:
            await finish(self._stream, last)

    def _seconds_left(self, until: float) -> float:
        """Of the time to stop, for what was recorded last."""
        return min(max(until - self._loop.time(), 0.0), LAST_WORD)

    async def _let_nodes_settle(self, until: float) -> None:
        """While the relay still carries it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._seconds_left(until)):
                if self._spans_end is not None:
                    await self._spans_end(self.node_ids)
                if self._nodes_settle is not None:
                    await self._nodes_settle()

    async def _dismiss(self, link: RootLink, grace: float) -> None:
        was_there = link.client.is_connected
        try:
            async with asyncio.timeout(grace):
                is_gone = await dispose_remote(link.client)
        except TimeoutError:
            is_gone = False
        if was_there and not is_gone:
            _log.warning("%s did not say that it is disposed of", link.id)

    # --- told

    async def _accept(self, id: str, connection: Connection) -> None:
        self.recorder.joining(id)
        await self.orchestrator.links[id].serve(connection)

    def _all_ready(self) -> None:
        if self._ready_ms is None:
            self._ready_ms = self._elapsed()
            _log.info("all nodes are ready after %d ms", self._ready_ms)

    def _work_ended(self, ok: bool) -> None:
        if self._next.done():
            self._next = self._loop.create_future()
        self.outcome = self._outcome(ok)
        self._next.set_result(self.outcome)

    def _outcome(self, ok: bool) -> Outcome:
        book, verdict = self.orchestrator.book, self.orchestrator.verdict
        wrong = {"liars": verdict.liars, "tainted": verdict.tainted} if verdict else {}
        return Outcome(
            ok=ok,
            rounds=book.draw,
            executions=book.executions,
            results={id: book.results[id].hex() for id in self.dag.ids if id in book.results},
            ready_ms=self._ready_ms,
            done_ms=self._elapsed(),
            nodes={node.id: as_json(node) for node in self.recorder.snapshot().nodes},
            seed=self.seed,
            interrupted=book.interrupted,
            wrong=wrong,
            message=self.recorder.run.message,
        )

    def _elapsed(self) -> int:
        return round((self._loop.time() - self._began) * 1000)

    def _make_recorder(self) -> Recorder:
        dag, settings = self.dag, self.settings
        run = Run(
            id=f"r-{secrets.token_hex(2)}",
            workflow=dag.name,
            message=f"Python is loading in {len(dag.nodes)} threads",
            started_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            max_rounds=settings.max_rounds,
            max_attempts=settings.max_attempts,
            success_rate=settings.success_rate,
            seed=self.seed,
        )
        nodes = [
            Node(
                id=node.id,
                thread="ui" if node.host == UI else "worker",
                host=dag.root_of(node.id),
                dispatcher=node.id in dag.dispatchers,
                deps=node.deps,
            )
            for node in dag.nodes
        ]
        expected = expected_results(dag)
        checks = [Check(id, expected[id].hex()) for id in dag.sinks]
        return Recorder(run, self._elapsed, nodes, checks)


def make_workflow(
    settings: Mapping[str, str] | WorkflowSettings, *, home: Path | None = None, token: str = ""
) -> Workflow:
    """See `nodes.workflow`, which takes the same and raises the same."""
    if not isinstance(settings, WorkflowSettings):
        settings = WorkflowSettings.of(settings)
    return Workflow(load_dag(settings.workflow, home or Path()), settings, token=token)
