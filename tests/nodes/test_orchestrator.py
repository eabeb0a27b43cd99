"""What the orchestrator does between rounds; the rounds themselves are in test_run."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from nodes.jobs import Fault, Job
from nodes.states import ABrowserConn, AWork
from tests.nodes.system import System

if TYPE_CHECKING:
    import pytest


async def test_connections_are_named_by_their_clients() -> None:
    async with System() as system:
        got = []
        system.machine.bind(
            {"BrowserConnState": lambda e: got.append(e.args(ABrowserConn).machine_id)}
        )
        await system.finished()
        assert sorted(got) == ["rc-srv-browser1", "rc-srv-browser2"]


async def test_a_connection_of_somebody_unknown_starts_nobody() -> None:
    async with System(start=()) as system:
        assert system.machine.add("BrowserConn", ABrowserConn("rc-srv-other")).executed
        assert system.machine.not_("Exception")


async def test_work_that_nobody_needs_is_not_given() -> None:
    async with System() as system:
        outcome = await system.finished()
        system.machine.add("Browser1Work")
        system.machine.add("Browser1Work", AWork(retry=True))
        await asyncio.sleep(1)
        assert system.machine.not_("Browser1Work")
        assert system.orchestrator.book.executions == outcome.executions


async def test_both_branches_run_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(1)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with System() as system:
        outcome = await system.finished()
        assert outcome.done_ms - (outcome.ready_ms or 0) < 2100


async def test_a_node_that_restarts_unseen_gets_its_job_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A stop and a start within one clock look like no change of activity."""

    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(1)
        return b""

    monkeypatch.setattr("nodes.worker.burn", burn)
    async with System() as system:
        await system.machine.when("Browser1Working")
        worker = system.nodes["browser1"]
        worker.machine.remove("Start")
        worker.machine.add("Start", worker.handlers.boot)
        outcome = await system.finished()
        assert outcome.ok
        assert (outcome.rounds, outcome.interrupted) == (1, 1)
    assert "browser1" in caplog.text


async def test_a_refused_job_is_offered_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "amctl.nodes")
    async with System(start=("browser1",)) as system:
        await system.machine.when("Browser1Ready")
        refusals = [True, True]

        def refuse(e: object) -> bool:
            return not (refusals and refusals.pop())

        system.nodes["browser1"].machine.bind({"WorkingEnter": refuse})
        await system.run("browser2")
        outcome = await system.finished()
        assert outcome.ok
        assert outcome.executions == 4
    assert "browser1 does not take Job(round=1, node='browser1', attempt=1) yet" in caplog.text


async def test_errors_of_nodes_come_and_go() -> None:
    async with System() as system:
        await system.finished()
        worker = system.nodes["browser1"].machine
        worker.add_err(RuntimeError("broken"))
        await system.machine.when("ErrBrowser1", "Exception")
        worker.remove("Exception")
        await system.machine.when_not("ErrBrowser1", "Exception")


async def test_a_result_that_comes_with_its_timeout_counts_once() -> None:
    async with System(faults=lambda job: Fault.NONE) as system:
        await system.finished()
        orchestrator = system.orchestrator
        stale = Job(1, "browser1", 1)
        orchestrator.failed(stale, "timeout")
        assert orchestrator.book.executions == 4
        assert system.machine.is_("Succeeded")
