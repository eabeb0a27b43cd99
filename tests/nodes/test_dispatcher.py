from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from amctl.rpc.payload import APayload
from nodes.jobs import Job
from nodes.states import AStart, AWorking, Names, worker_schema
from nodes.worker import pack_result
from tests.nodes.system import FOUR, System

STATES = worker_schema().names


async def quiet(system: System) -> None:
    """Let everything that moved arrive."""
    await asyncio.sleep(1)


def shown(system: System, leaf: str) -> list[str]:
    """The leaf's states as the dispatcher shows them."""
    dispatcher, names = system.nodes[FOUR.root_of(leaf)].machine, Names.of(leaf)
    return [state for state in STATES if dispatcher.is_(names.mirror(state))]


@pytest.mark.parametrize("seed", range(8))
async def test_t7_the_mirror_equals_the_leaf_whatever_order_it_moved_in(seed: int) -> None:
    draw = random.Random(seed)
    async with System() as system:
        await system.finished()
        leaf = system.nodes["browser3"].machine
        leaf.detach("worker")
        for _ in range(40):
            state = draw.choice([s for s in STATES if "Dispos" not in s])
            leaf.add(state) if draw.random() < 0.6 else leaf.remove(state)
            if draw.random() < 0.3:
                await asyncio.sleep(draw.choice([0, 0.0005, 0.002]))
        await quiet(system)
        assert set(shown(system, "browser3")) == set(leaf.active)
        root = system.machine
        for state in ("Ready", "Working", "Completed", "Failed"):
            assert root.is_(f"Browser3{state}") is leaf.is_(state)
        assert root.is_("ErrBrowser3") is leaf.is_("Exception")


async def test_t6_a_leaf_that_comes_after_start_is_started_too() -> None:
    """Section 11, 2: it would get a Start without its trace, and refuse it."""
    async with System(start=("browser1",)) as system:
        node = system.nodes["browser2"] = await system.run_alone("browser2")
        await system.machine.when("Browser2Ready")
        assert node.machine.not_(["Browser3Start", "Browser4Start"])
        await system.run_leaf("browser3")
        await system.machine.when("Browser3Ready")
        await system.run_leaf("browser4")
        assert (await system.finished()).ok
        assert system.nodes["browser4"].machine.is_("Start")


async def test_start_and_its_end_reach_the_leaves() -> None:
    async with System() as system:
        await system.finished()
        dispatcher = system.nodes["browser2"].machine
        leaves = [system.nodes[id].machine for id in ("browser3", "browser4")]
        dispatcher.remove("Start")
        await asyncio.gather(*(leaf.when_not("Start") for leaf in leaves))
        # The orchestrator wants it started, and starts it again.
        await asyncio.gather(*(leaf.when("Start") for leaf in leaves))


async def test_triggers_leave_at_once_and_the_work_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Section 11, 5: the removal of the trigger must not end the leaf's work."""

    async def burn(iterations: int) -> bytes:
        await asyncio.sleep(1)
        return b""

    async with System() as system:
        await system.finished()
        monkeypatch.setattr("nodes.worker.burn", burn)
        dispatcher, leaf = system.nodes["browser2"].machine, system.nodes["browser3"].machine
        tick = leaf.tick("Working")
        dispatcher.add("Browser3Work", AWorking(b"data", 9, 1, 9))
        assert dispatcher.not_("Browser3Work")
        await leaf.when("Working")
        await asyncio.sleep(0.9)
        assert leaf.tick("Working") == tick + 1
        await leaf.when("Completed")


async def test_a_lost_leaf_shows_nothing_until_it_is_back() -> None:
    async with System() as system:
        await system.finished()
        await system.kill("browser4")
        await system.machine.when_not("Browser4Ready")
        assert shown(system, "browser4") == []
        assert system.nodes["browser2"].machine.is_("Browser3Ready")
        await system.run_leaf("browser4")
        await system.machine.when("NetworkReady")


async def test_t8_payloads_of_a_leaf_arrive_in_their_order() -> None:
    async with System() as system:
        await system.finished()
        got: list[Any] = []
        system.nodes["browser2"].machine.bind(
            {"ServerPayloadState": lambda e: got.append(e.args(APayload).data)}
        )
        server = system.nodes["browser3"].server
        sent = [
            server.send_payload(
                "result", pack_result(Job(0, "browser3", n), b"x"), source="browser3"
            )
            for n in range(300)
        ]
        await asyncio.gather(*sent)
        assert [one[2] for one in got] == list(range(300))


async def test_payloads_keep_the_leaf_as_their_source() -> None:
    async with System() as system:
        await system.finished()
        got: list[APayload] = []
        system.machine.bind({"ServerPayloadState": lambda e: got.append(e.args(APayload))})
        data = pack_result(Job(0, "browser3", 1), b"x")
        await system.nodes["browser3"].server.send_payload("result", data, source="browser3")
        await quiet(system)
        assert [payload.source for payload in got] == ["browser3"]


async def test_payloads_in_the_name_of_others_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with System() as system:
        await system.finished()
        data = pack_result(Job(1, "browser1", 1), b"x")
        await system.nodes["browser3"].server.send_payload("result", data, source="browser1")
        await quiet(system)
    assert "browser2: payload of 'browser1' refused" in caplog.text


async def test_the_leaves_are_disposed_of_first() -> None:
    async with System() as system:
        await system.finished()
        order: list[str] = []
        for id, node in system.nodes.items():
            node.machine.on_dispose(lambda _, id=id: order.append(id))
        seen = system.orchestrator.links["browser2"].client.net.when(
            "Browser3Disposed", "Browser4Disposed", "Disposed"
        )
        await system.workflow.stop()
        assert seen.done()
        assert order.index("browser2") > max(order.index("browser3"), order.index("browser4"))


async def test_a_dead_leaf_does_not_hold_up_disposal() -> None:
    loop = asyncio.get_running_loop()
    async with System() as system:
        await system.finished()
        await system.kill("browser3")
        before = loop.time()
        await system.workflow.stop()
        assert loop.time() - before < 2
        assert system.nodes["browser2"].machine.is_disposed


async def test_boot_reaches_every_node() -> None:
    async with System() as system:
        await system.finished()
        seen = {node.handlers.boot for node in system.nodes.values()}
        assert seen == {system.orchestrator.boot}
        assert len(AStart.to_wire(system.orchestrator.boot)["trace_id"]) == 32
