from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from nodes.jobs import CORRUPTED, Fault, Job, result_of
from nodes.plan import NodePlan
from nodes.states import ACompleted, ARetrying, AStart, AWorking
from nodes.worker import RESULT, pack_result, unpack_result
from tests.nodes.rig import BOOT, rig

PLAN = NodePlan("browser1", iterations=10, token="t")
LONG = replace(PLAN, iterations=10**9)


def test_results_are_packed_with_their_job() -> None:
    job = Job(3, "browser1", 2)
    assert unpack_result(pack_result(job, b"x")) == (job, b"x")
    assert unpack_result(tuple(pack_result(job, b""))) == (job, b"")


@pytest.mark.parametrize("data", [None, [], b"x", [1, 2, 3, b""], [1, "a", 1, "text"], [1] * 5])
def test_other_data_are_no_results(data: object) -> None:
    assert unpack_result(data) is None


async def test_a_start_without_a_trace_is_refused() -> None:
    async with rig(PLAN) as it:
        await it.machine.when("RpcReady")
        assert (await it.client.net.add("Start")).canceled
        assert (await it.client.net.add("Start", AStart())).canceled
        assert (await it.client.net.add("Start", BOOT)).executed
        assert it.machine.is_(["Start", "Ready"])


async def test_work_needs_start_and_a_payload() -> None:
    async with rig(PLAN) as it:
        work = AWorking(b"data", 1, 1, 1)
        assert (await it.client.net.add("Working", work)).canceled
        await it.started()
        assert (await it.client.net.add("Working", AWorking())).canceled
        assert (await it.client.net.add("Retrying", ARetrying(1, 1, 1))).canceled
        assert (await it.client.net.add("Completed", ACompleted())).canceled
        assert (await it.client.net.add("Working", work)).executed


async def test_work_ends_with_the_result_and_its_job() -> None:
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 3, 2, 3))
        payload = await it.payload()
        assert (payload.name, payload.source) == (RESULT, "browser1")
        found = unpack_result(payload.data)
        assert found == (Job(3, "browser1", 2), result_of("browser1", b"data"))
        assert it.machine.is_("Completed")
        assert it.machine.not_("Working")


@pytest.mark.parametrize(
    ("fault", "state", "result"),
    [(Fault.FAIL, "Failed", b""), (Fault.LIE, "Completed", CORRUPTED)],
)
async def test_faults_show_as_failure_or_not_at_all(
    fault: Fault, state: str, result: bytes
) -> None:
    asked = []

    def faults(job: Job) -> Fault:
        asked.append(job)
        return fault

    async with rig(PLAN, faults) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 5, 1, 2))
        found = unpack_result((await it.payload()).data)
        assert found == (Job(5, "browser1", 1), result)
        assert it.machine.is_(state)
    assert asked == [Job(2, "browser1", 1)]  # drawn by the draw's number, not the round's


async def test_a_retry_works_on_the_remembered_payload() -> None:
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        await it.payload()
        await it.client.net.add("Retrying", ARetrying(1, 2, 1))
        found = unpack_result((await it.payload()).data)
        assert found == (Job(1, "browser1", 2), result_of("browser1", b"data"))


async def test_a_retry_brings_the_payload_for_who_lost_it() -> None:
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Retrying", ARetrying(1, 2, 1, b"data"))
        found = unpack_result((await it.payload()).data)
        assert found == (Job(1, "browser1", 2), result_of("browser1", b"data"))


async def test_work_stops_when_its_state_ends() -> None:
    async with rig(LONG) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        assert (await it.client.net.remove("Working")).executed
        await it.client.sync()
        assert it.machine.not_(["Working", "Completed", "Failed"])
        assert not it.payloads


async def test_a_worker_answers_while_it_works() -> None:
    async with rig(LONG) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        for _ in range(3):
            await it.client.sync()
            assert (await it.client.net.add("Healthcheck")).executed
        assert it.machine.is_("Working")


@pytest.mark.parametrize(
    ("state", "first", "second"),
    [
        ("Working", AWorking(b"old", 1, 1, 1), AWorking(b"new", 2, 1, 2)),
        ("Retrying", ARetrying(1, 2, 1, b"old"), ARetrying(2, 2, 2, b"new")),
    ],
)
async def test_a_request_while_at_work_replaces_the_old_one(
    state: str,
    first: AWorking | ARetrying,
    second: AWorking | ARetrying,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Section 11, 17: the state isn't multi, so the second call would be swallowed."""
    done = []

    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(1)
        done.append(iterations)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add(state, first)
        await asyncio.sleep(0.5)
        assert (await it.client.net.add(state, second)).executed
        assert it.machine.is_(state)
        found = unpack_result((await it.payload()).data)
        assert found is not None
        assert found[0].round == 2
        assert len(done) == 1


async def test_working_without_a_payload_does_not_touch_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(1)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        tick = it.machine.tick("Working")
        assert (await it.client.net.add("Working")).canceled
        assert it.machine.tick("Working") == tick


async def test_retrying_without_a_job_repeats_the_last_one() -> None:
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 3, 2, 1))
        first = await it.payload()
        await it.client.net.add("Retrying")
        assert (await it.payload()).data == first.data


async def test_other_mutations_do_not_begin_the_work_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(1)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        tick = it.machine.tick("Working")
        await it.client.net.add("Healthcheck", AWorking(b"data", 1, 1, 1))
        assert it.machine.can_add("Working", AWorking(b"data", 1, 1, 1)).executed
        assert it.machine.tick("Working") == tick
        await it.payload()


async def test_a_bug_in_the_work_is_an_error_and_a_failure() -> None:
    def broken(job: Job) -> Fault:
        if job.attempt == 1:
            raise RuntimeError("broken")
        return Fault.NONE

    async with rig(PLAN, broken) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        assert unpack_result((await it.payload()).data) == (Job(1, "browser1", 1), b"")
        assert it.machine.is_("Exception")
        assert str(it.machine.err) == "broken"
        await it.client.net.add("Retrying", ARetrying(1, 2, 1))
        await it.payload()
        assert it.machine.is_("Completed")
        assert it.machine.not_("Exception")


async def test_a_failure_that_somebody_adds_asks_for_a_retry_of_the_last_job() -> None:
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Failed")
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        await it.payload()
        await it.client.net.add("Failed")
        assert unpack_result((await it.payload()).data) == (Job(1, "browser1", 1), b"")


async def test_a_disposed_worker_has_told_its_client() -> None:
    async with rig(PLAN) as it:
        await it.started()
        disposed = it.client.net.when("Disposed")
        await it.client.net.add("Disposing")
        await asyncio.wait_for(disposed.wait(), 1)
        assert it.machine.is_disposed


async def test_losing_the_client_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(3600)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with rig(PLAN) as it:
        await it.started()
        await it.client.net.add("Working", AWorking(b"data", 1, 1, 1))
        await it.client.stop(dispose=False)
        await it.machine.when_not("RpcReady", "Start", "Ready", "Working")
