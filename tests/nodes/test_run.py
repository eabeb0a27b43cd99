"""The workflow's behaviour, T1-T14, in one loop on a virtual clock."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.rpc.client import Client
from amctl.rpc.endpoints import AttachEndpoint
from amctl.rpc.server import Server
from amctl.rpc.transports.memory import memory_pair
from nodes.jobs import Fault, Job, drawn_faults, expected_results
from nodes.run import make_workflow
from nodes.states import Names
from nodes.worker import RESULT, pack_result
from tests.nodes.dags import dags
from tests.nodes.system import FOUR, SEVEN, System, faults_at
from tests.support.virtual_loop import VirtualLoop

if TYPE_CHECKING:
    from nodes.dag import Dag
    from nodes.outcome import Outcome

DAGS = pytest.mark.parametrize("dag", [FOUR, SEVEN], ids=["four", "seven"])
EACH = pytest.mark.parametrize(
    ("dag", "node"),
    [(dag, id) for dag in (FOUR, SEVEN) for id in dag.ids],
    ids=lambda value: value if isinstance(value, str) else value.name,
)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job takes a second of the virtual clock."""

    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(1)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)


def right(dag: Dag) -> dict[str, str]:
    return {id: digest.hex() for id, digest in expected_results(dag).items()}


def check(outcome: Outcome, dag: Dag, *, rounds: int, executions: int) -> None:
    assert outcome.ok
    assert outcome.results == right(dag)
    assert (outcome.rounds, outcome.executions) == (rounds, executions)


@DAGS
async def test_t2_without_faults_one_round_is_enough(dag: Dag) -> None:
    async with System(dag) as system:
        outcome = await system.finished()
        check(outcome, dag, rounds=1, executions=len(dag.ids))
        assert system.machine.is_(["Succeeded", "WorkDelivered", "NetworkReady"])
        assert system.machine.not_("Exception")
        assert outcome.interrupted == 0
        assert outcome.ready_ms is not None
        assert outcome.done_ms >= outcome.ready_ms


@EACH
async def test_t3_a_failure_costs_one_retry_and_no_round(dag: Dag, node: str) -> None:
    faults = faults_at(**{node: {(1, 1): Fault.FAIL}})
    async with System(dag, faults=faults) as system:
        outcome = await system.finished()
        check(outcome, dag, rounds=1, executions=len(dag.ids) + 1)
        assert outcome.nodes[node]["attempt"] == 2
        assert outcome.nodes[node]["failures"] == 1


@EACH
async def test_t4_a_lie_costs_one_round_and_names_the_node(
    dag: Dag, node: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "amctl.nodes")
    faults = faults_at(**{node: {(1, 1): Fault.LIE}})
    async with System(dag, faults=faults) as system:
        outcome = await system.finished()
        check(outcome, dag, rounds=2, executions=2 * len(dag.ids))
        assert f"{node} lied in round 1" in caplog.text
        assert {id: seen["lies"] for id, seen in outcome.nodes.items() if seen["lies"]} == {node: 1}
        snapshot = system.workflow.recorder.snapshot()
        assert [(r.outcome, r.wrong) for r in snapshot.rounds] == [("lied", (node,)), ("ok", ())]
        assert [check.verdict for check in snapshot.checks] == ["equal"] * len(dag.sinks)


async def test_t4_who_hashed_a_lie_is_tainted_and_not_accused() -> None:
    faults = faults_at(browser1={(1, 1): Fault.LIE})
    async with System(faults=faults) as system:
        await system.finished()
        attempts = system.workflow.recorder.snapshot().attempts
        first = {a.node: a.outcome for a in attempts if a.round == 1}
        assert first == {
            "browser1": "lied", "browser2": "ok", "browser3": "tainted", "browser4": "ok"
        }  # fmt: skip


@DAGS
async def test_a_seed_decides_rounds_and_executions(dag: Dag) -> None:
    seen = []
    for _ in range(2):
        async with System(dag, faults=None, fault_seed=1) as system:
            outcome = await system.finished()
            assert outcome.ok
            seen.append((outcome.rounds, outcome.executions))
    assert seen[0] == seen[1]
    assert seen[0] == simulate(dag, 1)


def simulate(dag: Dag, seed: int, rate: int = 5) -> tuple[int, int]:
    """Rounds and executions that the faults of a seed lead to, without any machine."""
    draw, executions, round = drawn_faults(seed, rate), 0, 0
    while True:
        round += 1
        lied = False
        for id in dag.ids:
            attempt = 1
            while (fault := draw(Job(round, id, attempt))) is Fault.FAIL:
                attempt += 1
            executions += attempt
            lied = lied or fault is Fault.LIE
        if not lied:
            return round, executions


@EACH
@pytest.mark.usefixtures("slow")
async def test_t5_a_node_that_dies_at_work_interrupts_the_round(dag: Dag, node: str) -> None:
    async with System(dag) as system:
        await system.machine.when(Names.of(node).mirror("Working"))
        await system.kill(node)
        await system.machine.when_not("NetworkReady")
        assert system.workflow.recorder.run.phase == "connecting"
        if dag.root_of(node) == node:
            await system.run(node)
        else:
            await system.run_leaf(node)
        outcome = await system.finished()
        check(outcome, dag, rounds=1, executions=len(dag.ids))
        assert outcome.interrupted == 1
        rounds = system.workflow.recorder.snapshot().rounds
        assert [round.outcome for round in rounds] == ["interrupted", "ok"]
        await nothing_is_wrong(system)


@pytest.mark.parametrize("node", FOUR.roots)
@pytest.mark.usefixtures("slow")
async def test_t5_a_broken_connection_interrupts_the_round(node: str) -> None:
    async with System() as system:
        await system.machine.when(Names.of(node).mirror("Working"))
        system.cut(node)
        outcome = await system.finished()
        check(outcome, FOUR, rounds=1, executions=4)
        assert outcome.interrupted == 1
        await nothing_is_wrong(system)


async def nothing_is_wrong(system: System) -> None:
    """Errors of a lost connection are gone once it is back."""
    await asyncio.sleep(60)
    assert system.machine.not_("Exception")
    for node in system.nodes.values():
        assert node.machine.not_("Exception")


@pytest.mark.usefixtures("slow")
async def test_t5_interruptions_do_not_change_what_a_seed_decides() -> None:
    async with System(faults=None, fault_seed=1) as system:
        for _ in range(3):
            await system.machine.when("NetworkReady", "Browser1Working")
            system.cut("browser1")
            await system.machine.when_not("NetworkReady")
        outcome = await system.finished()
        assert outcome.interrupted == 3
        assert (outcome.rounds, outcome.executions) == simulate(FOUR, 1) == (9, 44)


@pytest.mark.usefixtures("slow")
async def test_t9_a_stale_result_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "amctl.nodes")
    async with System() as system:
        await system.machine.when("Browser1Working")
        system.workflow.start_work()
        late = pack_result(Job(1, "browser1", 1), b"late")
        system.nodes["browser1"].server.send_payload(RESULT, late, source="browser1")
        outcome = await system.finished()
        check(outcome, FOUR, rounds=1, executions=4)
        assert "stale result ignored: Job(round=1, node='browser1', attempt=1)" in caplog.text


@pytest.mark.parametrize(
    "data", [None, b"x", [1, "browser1", 1], [1, "browser2", 1, b"x"], ["1", "browser1", 1, b"x"]]
)
async def test_payloads_that_are_no_results_of_their_node_are_refused(
    data: object, caplog: pytest.LogCaptureFixture
) -> None:
    async with System() as system:
        await system.machine.when("NetworkReady")
        system.nodes["browser1"].server.send_payload(RESULT, data, source="browser1")
        check(await system.finished(), FOUR, rounds=1, executions=4)
    assert "payload 'result' of 'browser1' refused" in caplog.text


@DAGS
@pytest.mark.usefixtures("slow")
async def test_t11_all_workers_are_disposed_within_two_seconds(
    dag: Dag, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    async with System(dag) as system:
        await system.machine.when("NetworkReady")
        before = loop.time()
        await system.workflow.stop()
        assert loop.time() - before < 0.1
        assert all(node.machine.is_disposed for node in system.nodes.values())
        assert system.machine.is_disposed
    assert "disposed" not in caplog.text


async def test_t11_a_worker_that_hangs_does_not_keep_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    async with System() as system:
        await system.machine.when("NetworkReady")

        async def hang(e: object) -> None:
            await asyncio.Event().wait()

        hanging = system.nodes["browser1"].machine
        hanging.detach("worker")
        hanging.bind({"DisposingState": hang})
        before = loop.time()
        await system.workflow.stop(2.0)
        assert loop.time() - before < 2.5
        others = [node for id, node in system.nodes.items() if id != "browser1"]
        assert all(node.machine.is_disposed for node in others)
    assert "browser1 did not say that it is disposed of" in caplog.text


async def test_who_waits_for_a_run_that_is_stopped_gets_an_outcome() -> None:
    async with System(start=()) as system:
        waiting = asyncio.ensure_future(system.workflow.finished())
        await asyncio.sleep(0)
        await system.workflow.stop()
        outcome = await waiting
        assert not outcome.ok
        assert (outcome.rounds, outcome.results, outcome.ready_ms) == (0, {}, None)


async def test_stopping_before_anybody_came_is_quick() -> None:
    async with System(start=()) as system:
        await system.workflow.stop()
        await system.workflow.stop()
        assert system.machine.is_disposed


async def test_t12_a_client_that_adds_start_work_gets_a_new_round() -> None:
    async with System(exit_on_completed=False) as system:
        check(await system.finished(), FOUR, rounds=1, executions=4)
        server = Server(system.machine, "test", AttachEndpoint(), token="t")
        client = Client("test", token="t")
        server.start()
        client.start()
        await server.machine.when("RpcReady")
        near, far = memory_pair()
        server.accept(far)
        client.attach(near)
        await client.machine.when("Ready")
        assert client.net.is_("Succeeded")
        assert (await client.net.add("StartWork")).executed
        assert client.net.not_(["Succeeded", "WorkDelivered"])
        check(await system.finished(), FOUR, rounds=2, executions=8)
        await client.net.when("Succeeded")
        await client.stop()
        await server.stop()


@pytest.mark.usefixtures("slow")
async def test_t12_start_work_while_at_work_begins_the_round_anew() -> None:
    async with System() as system:
        await system.machine.when("Browser3Working")
        system.workflow.start_work()
        outcome = await system.finished()
        check(outcome, FOUR, rounds=1, executions=4)
        assert outcome.interrupted == 1


async def test_start_work_without_nodes_is_refused() -> None:
    async with System(start=("browser1",)) as system:
        await system.machine.when("Browser1Ready")
        assert system.machine.add("StartWork").canceled


async def test_t13_after_the_last_round_the_run_has_failed() -> None:
    async with System(faults=None, success_rate=1, max_rounds=3) as system:
        outcome = await system.finished()
        assert not outcome.ok
        assert (outcome.rounds, outcome.executions) == (3, 12)
        assert outcome.wrong["liars"] == FOUR.ids
        assert system.machine.is_("Failed")
        assert system.machine.not_("Succeeded")
        assert system.workflow.recorder.run.phase == "failed"
        # Whoever asks again is granted all rounds again.
        system.workflow.start_work()
        assert (await system.finished()).rounds == 6


async def test_attempts_are_bounded_and_then_the_round_begins_anew() -> None:
    def always(job: Job) -> Fault:
        return Fault.FAIL if job.node == "browser2" and job.round < 3 else Fault.NONE

    async with System(faults=always, max_attempts=4) as system:
        outcome = await system.finished()
        assert outcome.ok
        assert outcome.rounds == 3
        rounds = system.workflow.recorder.snapshot().rounds
        assert [round.outcome for round in rounds] == ["gave_up", "gave_up", "ok"]


async def test_retries_wait_longer_each_time() -> None:
    def always(job: Job) -> Fault:
        return Fault.FAIL if job.node == "browser1" else Fault.NONE

    async with System(faults=always, max_attempts=10, max_rounds=1) as system:
        outcome = await system.finished()
        assert not outcome.ok
        waited = sum(min(0.02 * 2**n, 1.0) for n in range(9))
        assert outcome.done_ms - (outcome.ready_ms or 0) == pytest.approx(waited * 1000, abs=50)


async def test_a_job_that_hangs_is_given_up_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    async def hang_once(iterations: int) -> bytes:
        calls.append(iterations)
        if len(calls) == 2:
            await asyncio.Event().wait()
        return b""

    monkeypatch.setattr("nodes.worker.burn", hang_once)
    async with System(job_timeout=5.0) as system:
        outcome = await system.finished()
        check(outcome, FOUR, rounds=1, executions=5)
        assert 5000 <= outcome.done_ms < 5500
        outcomes = [a.outcome for a in system.workflow.recorder.snapshot().attempts]
        assert outcomes.count("timeout") == 1


async def test_a_bug_in_a_node_is_an_error_and_a_retry() -> None:
    def broken(job: Job) -> Fault:
        if job == (1, "browser3", 1):
            raise RuntimeError("broken")
        return Fault.NONE

    async with System(faults=broken) as system:
        error = system.machine.when("ErrBrowser3", "Exception")
        check(await system.finished(), FOUR, rounds=1, executions=5)
        assert error.done()
        await nothing_is_wrong(system)


async def test_succeeded_and_failed_can_not_be_claimed() -> None:
    async with System(start=()) as system:
        assert system.machine.add("Succeeded").canceled
        assert system.machine.add("Failed").canceled


async def test_deliveries_that_nobody_made_lead_nowhere() -> None:
    async with System(start=("browser1",)) as system:
        await system.machine.when("Browser1Ready")
        system.machine.add(["Browser3Delivered", "Browser4Delivered"])
        assert system.machine.is_("WorkDelivered")
        assert system.machine.not_(["Succeeded", "Failed", "StartWork"])


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(dag=dags(), seed=st.integers(0, 2**32))
def test_any_dag_is_verified_in_the_rounds_that_its_seed_decides(dag: Dag, seed: int) -> None:
    async def run() -> Outcome:
        async with System(dag, faults=None, fault_seed=seed, success_rate=20) as system:
            return await system.finished()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        outcome = runner.run(run())
    rounds, executions = simulate(dag, seed, 20)
    check(outcome, dag, rounds=rounds, executions=executions)


@pytest.mark.slow
@pytest.mark.parametrize("chance", range(5))
@DAGS
async def test_t5_a_run_survives_any_losses(
    dag: Dag, chance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads die and connections break at random moments; the seed still decides the outcome."""
    draw = random.Random(chance)

    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(draw.uniform(0.01, 0.5))
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with System(dag, faults=None, fault_seed=chance, success_rate=8) as system:
        ending = asyncio.ensure_future(system.finished())
        for _ in range(12):
            await asyncio.sleep(draw.choice([0.0, 0.003, 0.3, 1.5]))
            if ending.done():
                break
            node = draw.choice([id for id in dag.ids if id in system.nodes])
            if dag.root_of(node) == node and draw.random() < 0.5:
                system.cut(node)
                continue
            await system.kill(node)
            await asyncio.sleep(draw.choice([0.0, 0.01, 2.0]))
            if dag.root_of(node) == node:
                await system.run(node)
            else:
                await system.run_leaf(node)
        outcome = await ending
        rounds, executions = simulate(dag, chance, 8)
        check(outcome, dag, rounds=rounds, executions=executions)
        await nothing_is_wrong(system)


async def test_a_page_is_told_no_token_that_opens_the_relay() -> None:
    plan = make_workflow({}, token="the-secret").boot_plan()
    assert "the-secret" not in json.dumps(plan)
