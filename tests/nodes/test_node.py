from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.rpc.transports.memory import memory_pair
from nodes.node import PUSH_INTERVAL, run_node
from nodes.plan import NodePlan
from tests.nodes.rig import rig
from tests.nodes.system import System

if TYPE_CHECKING:
    from amctl.rpc.transports.base import Connection

LEAF = NodePlan("browser3", repl="/listen/repl-browser3/localhost:0", token="t")


async def test_a_leaf_dials_for_its_repl_only() -> None:
    async with System() as system:
        await system.finished()
        repls = [f"repl-{id}" for id in system.dag.ids]
        assert sorted(system.accepted) == sorted([*system.dag.roots, *repls])


async def test_machines_have_the_originals_names_and_parents() -> None:
    async with rig(LEAF) as it:
        node = it.node
        machines = [node.machine, node.server.machine, node.repl.machine]
        assert [(m.id, m.parent_id) for m in machines] == [
            ("browser3", ""),
            ("rs-browser3", "browser3"),
            ("rs-repl-browser3", "browser3"),
        ]
        assert node.server.push_interval == PUSH_INTERVAL


async def test_a_node_can_be_reached_once_it_runs() -> None:
    async with rig(LEAF) as it:
        await it.machine.when("RpcReady", timeout=0.1)
        assert it.machine.not_("Start")


async def test_stopping_a_node_disposes_of_all_its_machines() -> None:
    async with rig(replace(LEAF, role="dispatcher", leaves=("a", "b"))) as it:
        node = it.node
        await node.stop()
        await node.stop()
        clients = [leaf.client.machine for leaf in node.leaves.values()]
        for machine in (node.machine, node.server.machine, node.repl.machine, *clients):
            assert machine.is_disposed
        assert len(node.tasks) == 0


async def test_a_node_that_never_met_anybody_can_be_stopped() -> None:
    async def dial(path: str, subprotocol: str = "") -> Connection:
        raise ConnectionRefusedError(path)

    plan = NodePlan("browser1", listen="/listen/browser1/localhost:1", repl=LEAF.repl)
    node = await run_node(plan, dial=dial, ports={}, uplink=None)
    await node.stop()
    assert node.machine.is_disposed


async def test_a_new_port_replaces_the_old_one() -> None:
    async with System() as system:
        await system.finished()
        await system.kill("browser3")
        await system.run_leaf("browser3")
        await system.machine.when("Browser3Ready")
        port, _ = memory_pair()
        system.nodes["browser2"].attach("browser3", port)
        await system.machine.when_not("Browser3Ready")
        await system.kill("browser3")
        await system.run_leaf("browser3")
        await system.machine.when("Browser3Ready")
