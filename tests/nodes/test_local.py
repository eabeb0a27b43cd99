"""All nodes in one process over the real relay: the network is the original's, pipe by pipe."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine, MachineView, PipeRecord, Tracer, registry
from amctl.rpc.client import Client
from amctl.rpc.transports.tcp import dial_tcp
from amctl.rpc.transports.websocket import dial_websocket
from amctl.states.disposed import DisposedHandlers
from nodes.jobs import expected_results
from tests.nodes.relayed import Relayed, relayed
from tests.nodes.system import FOUR, SEVEN, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.realtime

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "cases" / "workflow_graph.json").read_text()
)
TRIGGERS = {"Browser3Work", "Browser3Retry", "Browser4Work", "Browser4Retry"}
"""Of these the remove-pipes are left out: the work that they began must not end with them."""
PIPES = sorted(
    tuple(pipe) for pipe in GOLDEN["pipes"] if not (pipe[1] == "remove" and pipe[2] in TRIGGERS)
)


async def test_the_results_are_the_known_ones(tmp_path: Path) -> None:
    async with relayed(tmp_path) as system:
        outcome = await system.workflow.finished()
        assert outcome.ok
        assert (outcome.rounds, outcome.executions) == (1, 4)
        digests = {id: digest.hex() for id, digest in expected_results(FOUR).items()}
        assert outcome.results == digests


async def test_seven_nodes_are_verified_over_the_relay(tmp_path: Path) -> None:
    async with relayed(tmp_path, SEVEN, success_rate=20) as system:
        assert (await system.workflow.finished()).ok


async def machines_of(system: Relayed, before: set[int]) -> dict[str, MachineView]:
    """Every machine of the run by its id, once all REPL tunnels are there."""
    await system.workflow.finished()

    def found() -> dict[str, MachineView]:
        return {m.id: m for m in registry.live() if id(m) not in before}

    await until(lambda: len(found()) >= len(GOLDEN["machines"]))
    return found()


async def until(holds: Callable[[], bool]) -> None:
    """Look again and again: nothing tells of files and of machines that nobody knows yet."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


async def test_t14_the_network_is_the_golden_graph(tmp_path: Path) -> None:
    before = {id(m) for m in registry.live()}
    async with relayed(tmp_path) as system:
        machines = await machines_of(system, before)
        golden = {machine["id"]: machine for machine in GOLDEN["machines"]}
        assert sorted(machines) == sorted(golden)
        assert len(machines) == 27
        parents = sorted([m.id, m.parent_id] for m in machines.values() if m.parent_id)
        assert parents == sorted(GOLDEN["parents"])
        assert len(parents) == 22
        for name, machine in machines.items():
            more = {"Succeeded", "Failed"} if name == "orchestrator" else set()
            assert set(machine.names) == set(golden[name]["states"]) | more
        assert edges(system, machines) == sorted(map(tuple, GOLDEN["rpc_edges"]))
        assert pipes(machines, "out") == pipes(machines, "into") == PIPES
        assert len(PIPES) == 128


def edges(system: Relayed, machines: dict[str, MachineView]) -> list[tuple[str, str]]:
    """(client, server), as the servers know their clients, and as the mirrors know their source."""
    servers = [node.server for node in system.runner.nodes.values()]
    by_server = sorted((server.client_id, server.machine.id) for server in servers)
    by_mirror = []
    for machine in machines.values():
        remote = [tag.removeprefix("src-id:") for tag in machine.tags if tag.startswith("src-id:")]
        by_mirror += [(machine.parent_id, f"rs-{id}") for id in remote]
    assert sorted(by_mirror) == by_server
    return by_server


def pipes(machines: dict[str, MachineView], side: str) -> list[tuple[str, ...]]:
    found: list[PipeRecord] = []
    for machine in machines.values():
        found += machine.pipes.out if side == "out" else machine.pipes.into
    return sorted(map(as_tuple, found))


def as_tuple(record: PipeRecord) -> tuple[str, ...]:
    """As it stands in the golden graph."""
    ends = record.target_id, record.target_state
    return record.source_id, record.op, record.source_state, *ends


class _Watch(Tracer):
    """Notes what moves in one machine."""

    id = "watch"

    def __init__(self, machine: MachineView) -> None:
        self.moved: set[tuple[str, bool]] = set()
        """(state, whether it was active then)."""
        self._machine = machine
        machine.bind_tracer(self)

    def transition_end(self, tx: Any) -> None:
        for state in (self._machine.names[index] for index, _ in tx.changed):
            self.moved.add((state, self._machine.is_(state)))


@pytest.mark.slow
async def test_each_of_the_pipes_moves_its_target(tmp_path: Path) -> None:
    before = {id(m) for m in registry.live()}
    async with relayed(tmp_path) as system:
        machines = await machines_of(system, before)
        await only_pipes(system)
        bench = _Bench(machines)
        async with asyncio.timeout(60):
            for machine in machines.values():
                for record in machine.pipes.out:
                    await bench.toggle(record)
        assert len(bench.toggled) == 128
        assert sorted(bench.toggled) == PIPES
        for node in system.runner.nodes.values():
            node.machine.bind(DisposedHandlers())


async def only_pipes(system: Relayed) -> None:
    """Take away whatever else than pipes would move states."""
    orchestrator = system.workflow.orchestrator
    await orchestrator.stop_work()
    for binding in ("orchestrator", "nodes"):
        orchestrator.machine.detach(binding)
    for node in system.runner.nodes.values():
        await node.tasks.close()
        for binding in ("dispatcher", "triggers") if node.leaves else ("worker",):
            node.machine.detach(binding)


class _Bench:
    """Moves the source of a pipe and waits for its target."""

    def __init__(self, machines: dict[str, MachineView]) -> None:
        self._machines = machines
        self._watches = {id: _Watch(machine) for id, machine in machines.items()}
        self.toggled: list[tuple[str, ...]] = []

    async def toggle(self, record: PipeRecord) -> None:
        source, source_state = self._real(record.source_id), record.source_state
        target = self._machines[record.target_id]
        if source_state == "Ready" and source.id.startswith(("rs-", "rc-")):
            source_state = "HandshakeDone"  # which this auto state follows
        self._prepare(self._real(record.target_id), record.target_state)
        self._prepare(source, source_state)
        await self._rest(source, source_state, record)
        watch = self._watches[record.target_id]
        watch.moved.clear()
        tick = target.tick(record.target_state)
        source.add(source_state)
        await target.when_time([record.target_state], [tick + 1])
        if record.op == "remove":
            source.remove(source_state)
            await target.when_time([record.target_state], [tick + 2])
            assert target.not_(record.target_state)
        assert (record.target_state, record.op == "add") in watch.moved
        self.toggled.append(
            (
                record.source_id,
                record.op,
                record.source_state,
                record.target_id,
                record.target_state,
            )
        )

    def _real(self, id: str) -> Machine:
        """The machine itself, or the one that it mirrors."""
        for prefix in ("rnm-srv-", "rnm-bro-"):
            id = id.removeprefix(prefix)
        machine = self._machines[id]
        assert isinstance(machine, Machine)
        return machine

    def _prepare(self, machine: Machine, state: str) -> None:
        """Activate what the state requires."""
        for other in machine.schema[state].require:
            self._prepare(machine, other)
            machine.add(other)

    async def _rest(self, source: Machine, state: str, record: PipeRecord) -> None:
        """Let source and target be inactive, and everything that moved arrive."""
        source.remove(state)
        self._real(record.target_id).remove(record.target_state)
        target = self._machines[record.target_id]
        await target.when_not(record.target_state)
        for _ in range(3):
            await asyncio.sleep(0.003)


async def test_t10_a_second_tab_is_refused(tmp_path: Path) -> None:
    async with relayed(tmp_path) as system:
        await system.workflow.machine.when("NetworkReady")
        url = system.relay.url.replace("http", "ws", 1) + "/listen/browser1/localhost:1?tab=other"
        second = await dial_websocket(url, headers={"Authorization": f"Bearer {TOKEN}"})
        lost = asyncio.Event()
        second.start(lambda data: None, lambda error: lost.set(), lambda: None)
        await lost.wait()
        assert second.close_code == 4409
        assert system.workflow.machine.is_("NetworkReady")
        assert (await system.workflow.finished()).ok


async def test_t5_a_stolen_connection_is_won_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(0.1)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with relayed(tmp_path) as system:
        await system.workflow.machine.when("Browser3Working")
        thief = await system.dial("/listen/browser1/localhost:1")
        await system.workflow.machine.when_not("NetworkReady")
        thief.start(lambda data: None, lambda error: None, lambda: None)
        thief.close()
        outcome = await system.workflow.finished()
        assert outcome.ok
        assert (outcome.rounds, outcome.executions, outcome.interrupted) == (1, 4, 1)


async def test_t12_a_repl_client_asks_for_a_new_round(tmp_path: Path) -> None:
    async with relayed(tmp_path) as system:
        assert (await system.workflow.finished()).rounds == 1
        client = await repl(tmp_path / "orchestrator-repl.addr")
        assert (await client.net.add("StartWork")).executed
        assert (await system.workflow.finished()).rounds == 2
        await client.stop()


async def test_a_repl_client_of_a_leaf_moves_the_mirrors(tmp_path: Path) -> None:
    async with relayed(tmp_path) as system:
        await system.workflow.finished()
        path = tmp_path / "repl-browser3.addr"
        await until(path.exists)
        client = await repl(path)
        assert (await client.net.add("Exception")).executed
        await system.workflow.machine.when("ErrBrowser3")
        assert (await client.net.remove("Exception")).executed
        await system.workflow.machine.when_not("ErrBrowser3", "Exception")
        await client.stop()
    assert not path.exists()


async def repl(path: Path) -> Client:
    """A client of the machine whose address stands in a file."""
    host, _, port = path.read_text().strip().rpartition(":")
    client = Client("test", token=TOKEN, dial=lambda: dial_tcp(host, int(port)))
    client.start()
    async with asyncio.timeout(5):
        await client.machine.when("Ready")
    return client
