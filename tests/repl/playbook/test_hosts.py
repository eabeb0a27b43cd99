"""One contract, two kinds of machines: live ones and copies."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from amctl.repl.errors import NothingMatchedError, UnreachableError
from amctl.repl.playbook.live import LiveWorld
from amctl.repl.playbook.results import Status
from amctl.repl.playbook.simulating import simulated
from tests.repl.playbook.staged import stage
from tests.support.fake_fleet import context

if TYPE_CHECKING:
    from amctl.repl.playbook.hosts import World
    from tests.support.fake_fleet import FakeFleet


async def made(kind: str, fleet: FakeFleet, limit: str = "") -> World:
    return LiveWorld(context(fleet), limit) if kind == "live" else await simulated(fleet, limit)


@pytest.mark.parametrize("kind", ["live", "simulated"])
async def test_mutations_tell_clocks_of_before_and_after(kind: str) -> None:
    world = await made(kind, stage("w0"))
    (host,) = world.select(".")
    did = await host.mutate("add", ["Foo"], {}, None)
    assert (did.status, did.result, did.moved) == (Status.CHANGED, "executed", {"Foo": (0, 1)})
    did = await host.mutate("set", ["Foo"], {}, 3.0)
    assert (did.status, did.moved) == (Status.OK, {})
    did = await host.mutate("toggle", ["Foo"], {}, None)
    assert did.moved == {"Foo": (1, 2)}
    did = await host.mutate("add", ["Needy"], {}, None)
    assert (did.status, did.reason) == (Status.CANCELED, "Needy requires Start")
    assert (host.active("Foo"), host.tick("Foo")) == (False, 2)
    assert host.clock()["Foo"] == 2


@pytest.mark.parametrize("kind", ["live", "simulated"])
async def test_waits_that_are_over_are_ok(kind: str) -> None:
    world = await made(kind, stage("w0"))
    (host,) = world.select("w0")
    await host.mutate("add", ["Foo"], {}, None)
    assert (await host.wait(["Foo"], True, 1.0)).status is Status.OK
    assert (await host.wait(["Bar", "Baz"], False, None)).status is Status.OK
    assert (await host.wait_time({"Foo": 1}, 1.0)).status is Status.OK


@pytest.mark.parametrize("kind", ["live", "simulated"])
async def test_selecting(kind: str) -> None:
    fleet = stage()
    fleet.peers[1].is_ready, fleet.peers[1].problem = False, "refused"
    world = await made(kind, fleet)
    assert [host.id for host in world.select("w*")] == ["w0", "w2"]
    with pytest.raises(NothingMatchedError):
        world.select("x*")
    with pytest.raises(UnreachableError, match="'w1' is not connected: refused"):
        world.select("w0,w1")
    limited = await made(kind, fleet, "w2")
    assert [host.id for host in limited.select("w*")] == ["w2"]
    assert limited.select("w0") == []
    assert world.select("w0")[0] is world.select("w*")[0], "a machine is one host"


async def test_only_live_time_passes() -> None:
    loop, fleet = asyncio.get_running_loop(), stage("w0")
    await (await made("simulated", fleet)).pause(9)
    assert loop.time() == 0
    await (await made("live", fleet)).pause(9)
    assert loop.time() == 9
