"""Tasks on live machines."""

from __future__ import annotations

import asyncio

import pytest

from amctl.repl.errors import UnreachableError, UsageError
from amctl.repl.playbook.live import LiveWorld
from amctl.repl.playbook.results import Status
from amctl.rpc.errors import NotConnectedError
from tests.repl.playbook.staged import StagedMachine, peer_of, stage
from tests.support.fake_fleet import FakeFleet, context, fleet_of


async def test_a_command_is_changed_if_the_machines_clock_moved() -> None:
    (host,) = LiveWorld(context(stage("w0"))).select(".")
    looked = await host.command("mach w0", None)
    assert (looked.status, len(looked.lines), looked.result) == (Status.OK, 1, "done")
    done = await host.command("add w0 Foo", None)
    assert (done.status, done.moved) == (Status.CHANGED, {"Foo": (0, 1)})
    refused = await host.command("add w0 Needy", None)
    assert (refused.status, refused.result) == (Status.CANCELED, "canceled")
    assert "requires Start" in refused.reason
    nobody = await host.command("add x Foo", None)
    assert (nobody.status, nobody.result) == (Status.FAILED, "no match")


async def test_a_mutation_that_is_not_answered_times_out() -> None:
    fleet = stage("w0")
    fleet.peers[0].stalls = True
    (host,) = LiveWorld(context(fleet)).select(".")
    did = await host.mutate("add", ["Foo"], {}, 5.0)
    assert (did.status, did.reason) == (Status.TIMEOUT, "no answer within 5 s")
    assert asyncio.get_running_loop().time() == 5


async def test_a_mutation_of_a_busy_machine_is_waited_for() -> None:
    """It is queued, and runs when the machine is done with what it does."""
    fleet = stage("w0")
    machine = fleet.peers[0].net
    peer = fleet.peers[0]
    peer.canned["mutate"] = {
        "result": "queued",
        "queue_tick": machine.queue_tick + 1,
        "before": machine.time(),
        "after": machine.time(),
    }
    asyncio.get_running_loop().call_later(4, machine.add, "Foo")
    (host,) = LiveWorld(context(fleet)).select(".")
    did = await host.mutate("add", ["Foo"], {}, None)
    assert (did.status, did.moved) == (Status.CHANGED, {"Foo": (0, 1)})


async def test_refresh_tells_who_cannot_be_reached() -> None:
    class Gone(StagedMachine):
        async def sync(self) -> None:
            raise NotConnectedError("m", "nop")

    peer = peer_of(Gone("m", {"A": {}}))
    peer.problem = "the connection was lost"
    (host,) = LiveWorld(context(FakeFleet([peer]))).select(".")
    with pytest.raises(UnreachableError, match="'m' is not connected: the connection was lost"):
        await host.refresh()


async def test_arguments_are_checked_by_what_the_machine_tells() -> None:
    (host,) = LiveWorld(context(fleet_of("w0"))).select(".")
    await host.check_args({"Working.name": "x", "plain": 1})
    with pytest.raises(UsageError, match="no field 'nme'"):
        await host.check_args({"Working.nme": "x"})
