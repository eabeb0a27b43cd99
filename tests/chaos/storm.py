"""The workflow at work while a demon has its links: one storm.

Relay, orchestrator and nodes are the real ones, joined by real WebSockets; each connection to the
relay goes through the demon. While it is at it, rounds are run one after another, and a ledger
beside them counts calls, notes and payloads. In between the relay is stopped and started on the
same port, or the orchestrator is killed together with its relay and another one takes its place, or
the tab is closed and opened again. In the end all must have come out right: results, mirrors, every
call and every payload once, no job begun twice, nothing that nobody caught.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amctl.relay import Relay
from amctl.relay.limits import Policy
from amctl.rpc.transports.websocket import dial_websocket
from nodes.jobs import expected_results
from nodes.plan import WorkflowSettings
from nodes.run import Workflow
from tests.chaos.ledger import Ledger
from tests.support.chaos_demon import ChaosDemon

if TYPE_CHECKING:
    from pathlib import Path

    from amctl.rpc.transports.base import Connection
    from nodes.dag import Dag
    from tests.chaos.places import Place

__all__ = ["Told", "storm"]

_PATIENCE = 1000.0
"""Seconds for one storm: enough on a machine that is very busy."""


@dataclass
class Told:
    """What a storm was."""

    seed: int
    misdeeds: Counter[str] = field(default_factory=Counter)
    restarts: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    interrupted: int = 0
    jobs: int = 0
    calls: int = 0
    notes: int = 0
    payloads: int = 0
    connections: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        misdeeds = ", ".join(f"{n} {what}" for what, n in sorted(self.misdeeds.items()))
        restarts = ", ".join(f"{n} {what}" for what, n in sorted(self.restarts.items()))
        return (
            f"seed {self.seed}: {misdeeds or 'nothing'}; restarts: {restarts or 'none'}; "
            f"{self.rounds} rounds, {self.interrupted} interrupted, {self.jobs} jobs; "
            f"{self.calls} calls, {self.notes} notes, {self.payloads} payloads over "
            f"{self.connections} connections, {self.seconds:.1f} s"
        )


@dataclass(frozen=True)
class _Info:
    url: str
    token: str
    repl_dir: Path


async def storm(
    seed: int, dag: Dag, folder: Path, place: Place, *, misdeeds: int, restarts: int
) -> Told:
    """Run one storm to its end.

    Args:
        seed: What it follows from.
        dag: What is done.
        folder: Gets the address files.
        place: Where the nodes run.
        misdeeds: Of the demon.
        restarts: Times that the relay, the orchestrator or the tab is restarted.

    Raises:
        AssertionError: Something did not come out right.
        TimeoutError: It took too long: something waits for ever.
    """
    loop = asyncio.get_running_loop()
    began, failures = loop.time(), []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    try:
        async with asyncio.timeout(_PATIENCE), ChaosDemon(seed, 0, misdeeds) as demon:
            one = _Storm(seed, dag, folder, demon, place)
            try:
                await one.run(restarts)
            finally:
                await one.stop()
    finally:
        loop.set_exception_handler(None)
    assert not failures, failures
    one.told.seconds = loop.time() - began
    return one.told


class _Storm:
    def __init__(self, seed: int, dag: Dag, folder: Path, demon: ChaosDemon, place: Place) -> None:
        self._random = random.Random(f"storm {seed}")
        self._dag, self._folder, self._demon, self._place = dag, folder, demon, place
        self._token = secrets.token_urlsafe(16)
        self._settings = WorkflowSettings(
            workflow=dag.name, iterations=300, success_rate=20, fault_seed=seed, job_timeout=20.0
        )
        self.told = Told(seed)
        self._ledger = Ledger(lambda: self._dial("/listen/ledger/localhost:0"), self._token)
        self._workflow = self._new_workflow()
        self._relay = self._new_relay(0)
        self._over, self._is_up = asyncio.Event(), asyncio.Event()
        self._is_up.set()

    # -- parts

    def _new_workflow(self) -> Workflow:
        return Workflow(self._dag, self._settings, token=self._token)

    def _new_relay(self, port: int) -> Relay:
        return Relay(
            self._workflow.name,
            host="127.0.0.1",
            port=port,
            token=self._token,
            parent=self._workflow.machine,
            static=self._place.static,
            repl_dir=self._folder,
            matchers=[*self._workflow.matchers, self._ledger.matcher],
            routes=self._place.routes(self._workflow),
            policy=Policy(hosts=(f"127.0.0.1:{self._demon.port}",)),
        )

    async def _dial(self, path: str, subprotocol: str = "") -> Connection:
        url = f"ws://127.0.0.1:{self._demon.port}{path}"
        headers = {"Authorization": f"Bearer {self._token}"}
        return await dial_websocket(url, subprotocol, headers=headers)

    async def _start_workflow(self) -> None:
        await self._relay.start()
        self._demon.open(self._relay.port)
        info = _Info(self._relay.url, self._token, self._folder)
        await self._workflow.start(info)

    # -- the storm

    async def run(self, restarts: int) -> None:
        """From the start to the last check."""
        await self._start_workflow()
        page = f"http://127.0.0.1:{self._demon.port}/?token={self._token}"
        await self._place.start(self._workflow, self._dial, page)
        self._ledger.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ledger.work(self._random, self._over))
            trouble = group.create_task(self._restart(restarts))
            while self._demon.left > 0 or not trouble.done():
                await self._round()
            self._demon.calm()
            await self._round()
            self._over.set()
        await self._ledger.settle()
        await self._check()

    async def _round(self) -> None:
        """One more piece of work, from asking for it to its verified result."""
        await self._is_up.wait()
        workflow = self._workflow
        if workflow.outcome is not None:
            workflow.start_work()
        outcome = await workflow.finished()
        if workflow is not self._workflow:
            return  # it was killed meanwhile
        assert outcome.ok, outcome
        right = {id: digest.hex() for id, digest in expected_results(self._dag).items()}
        assert outcome.results == right
        self.told.rounds += 1

    async def _restart(self, times: int) -> None:
        """Restart something, in the middle of whatever goes on, until the demon is tired."""
        whole = self._demon.left
        for i in range(times):
            await self._demon.less_than(whole * (times - i) / (times + 1))
            what = self._random.choice(self._place.restarts)
            self.told.restarts[what] += 1
            if what == "relay":
                await self._restart_relay()
            elif what == "orchestrator":
                await self._restart_orchestrator()
            else:
                await self._place.restart_tab()

    async def _restart_relay(self) -> None:
        """Its listener and all its connections go; another one comes to the same port."""
        port = self._relay.port
        await self._relay.stop()
        await asyncio.sleep(self._random.uniform(0.0, 0.3))
        self._relay = self._new_relay(port)
        await self._relay.start()

    async def _restart_orchestrator(self) -> None:
        """It is gone without a word, as a killed process is; nodes find another one, with the same
        secret, when they dial again."""
        await self._place.before_another()
        self._is_up.clear()
        old, self._workflow = self._workflow, self._new_workflow()
        self._demon.close()
        for link in old.orchestrator.links.values():
            await link.client.machine.when_not("Connected")
        await self._ledger.client.machine.when_not("Connected")
        self._count(old)
        await old.stop()
        await self._relay.stop()
        await asyncio.sleep(self._random.uniform(0.0, 0.3))
        self._place.forget()
        self._relay = self._new_relay(self._relay.port)
        await self._start_workflow()
        self._is_up.set()
        await self._place.after_another()

    # -- promises

    def _count(self, workflow: Workflow) -> None:
        self.told.interrupted += workflow.orchestrator.book.interrupted

    async def _check(self) -> None:
        """Mirrors show their machines, nothing ran twice, nothing is lost."""
        self._count(self._workflow)
        self._ledger.check()
        await self._place.check(self._workflow)
        ledger, told = self._ledger, self.told
        told.misdeeds, told.jobs = self._demon.done, self._place.jobs
        told.calls, told.notes, told.payloads = map(len, (ledger.calls, ledger.notes, ledger.paid))
        told.connections = ledger.client.traffic.connections + self._place.connections

    async def stop(self) -> None:
        """End all that is left."""
        self._demon.calm()
        self._over.set()
        await self._ledger.stop()
        await self._workflow.stop()
        await self._place.stop()
        await self._relay.stop()
