from __future__ import annotations

import asyncio

import pytest

from amctl.machine import Machine
from nodes.links import RootLink
from nodes.states import orchestrator_schema
from tests.nodes.system import FOUR, SEVEN, System


def test_pipes_follow_the_dag() -> None:
    machine = Machine("orchestrator", orchestrator_schema(FOUR))
    for id in FOUR.roots:
        RootLink(FOUR, id, machine, "t")
    found = {(p.op, p.source_id, p.source_state, p.target_state) for p in machine.pipes.into}
    assert len(found) == 4 + 4 + 10 + 30
    assert ("add", "rc-srv-browser1", "Ready", "Browser1Conn") in found
    assert ("remove", "rnm-srv-browser2", "Browser4Exception", "ErrBrowser4") in found


def test_a_dispatcher_brings_its_leaves_pipes() -> None:
    machine = Machine("orchestrator", orchestrator_schema(SEVEN))
    links = {id: RootLink(SEVEN, id, machine, "t") for id in SEVEN.roots}
    counts = {id: len(link.client.net.pipes.out) for id, link in links.items()}
    assert counts == {"fetch": 10, "seed": 30, "mix": 30}


@pytest.mark.parametrize("times", [1, 5])
async def test_what_was_refused_without_a_connection_is_brought_over_later(times: int) -> None:
    """Section 11, 4 and 6: a mirror may tell of Ready before its connection is known."""
    async with System() as system:
        await system.finished()
        link = system.orchestrator.links["browser2"]
        for _ in range(times):
            system.machine.remove("Browser2Conn")
            assert system.machine.not_(["Browser2Ready", "Browser3Ready", "NetworkReady"])
            system.machine.add("Browser2Conn")
            await asyncio.sleep(0.1)
        assert link.client.is_connected
        assert system.machine.is_(["Browser2Ready", "Browser3Ready", "Browser4Ready"])
        assert system.machine.is_("NetworkReady")
