"""Machines of this process as a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.graph.listing import as_json
from amctl.graph.live import from_machines
from amctl.machine import Machine, States, registry
from amctl.machine import State as S
from amctl.states.pipes import bind
from tests.graph.made import GOLDEN, pipes_of
from tests.nodes.relayed import relayed
from tests.nodes.test_local import PIPES, machines_of

if TYPE_CHECKING:
    from pathlib import Path


class _Plain(States):
    Ready = S()
    Up = S(require=["Ready"])


class _Server(States):
    HandshakeDone = S()


def test_pipes_and_ticks_of_live_machines() -> None:
    boss = Machine("boss", _Plain)
    kid = Machine("kid", _Plain, parent=boss, tags=["x"])
    bind(kid, boss, [("Ready", "Up")])
    boss.add("Ready")
    gone = Machine("gone", _Plain)
    gone.dispose()
    graph = from_machines([kid, boss, gone])
    assert list(graph.machines) == ["boss", "kid"]
    assert pipes_of(graph) == ["kid.Ready +> boss.Up", "kid.Ready -> boss.Up"]
    assert graph.parents == (("kid", "boss"),)
    assert graph.machines["kid"].tags == ("x",)
    state = graph.machines["boss"].state("Ready")
    assert state is not None
    assert state.is_active
    up = graph.machines["boss"].state("Up")
    assert up is not None
    assert up.require == ("Ready",)


def test_rpc_edges_are_found_by_mirrors_and_by_servers_of_one_client() -> None:
    source = Machine("src", _Plain)
    client = Machine("rc", _Plain)
    mirror = Machine("rnm", _Plain, parent=client, tags=["rpc-netmach", "src-id:src"])
    server = Machine("rs", _Server, parent=source, tags=["rpc-server"])
    repl = Machine("rs-repl", _Server, parent=source, tags=["rpc-server"])
    muxed = Machine("rs-mux", _Server, tags=["rpc-server", "client:rc-far"])
    every = [source, client, mirror, server, repl, muxed]
    assert from_machines(every).rpc == (("rc-far", "rs-mux"),)
    server.add("HandshakeDone")
    assert from_machines(every).rpc == (("rc", "rs"), ("rc-far", "rs-mux"))
    assert from_machines([source], [("a", "b")]).rpc == (("a", "b"),)
    repl.add("HandshakeDone")
    assert from_machines(every).rpc == (("rc-far", "rs-mux"),)


@pytest.mark.realtime
@pytest.mark.slow
async def test_the_running_workflow_is_the_golden_graph(tmp_path: Path) -> None:
    others = registry.live()  # held, so that no new machine gets an id of theirs
    async with relayed(tmp_path) as system:
        machines = await machines_of(system, set(map(id, others)))
        document = as_json(from_machines(machines.values()))
    assert [m["id"] for m in document["machines"]] == [m["id"] for m in GOLDEN["machines"]]
    assert document["parents"] == GOLDEN["parents"]
    assert document["rpc_edges"] == GOLDEN["rpc_edges"]
    assert sorted(map(tuple, document["pipes"])) == PIPES
