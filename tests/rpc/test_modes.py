"""Every way of mirroring: {schema, none} x {all, allowed, skipped, both} x {deep, shallow} x
{merged, per mutation}; with pushes, calls, resumes and full clocks."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from amctl.machine import State
from amctl.rpc.states import SourceStates
from amctl.rpc.wire.messages import Sync
from amctl.states.basic import BasicStates
from tests.rpc.world import Plain, turn, world

if TYPE_CHECKING:
    from amctl.machine import Machine
    from amctl.rpc.network_machine import NetworkMachine

PARTS: list[tuple[tuple[str, ...] | None, tuple[str, ...] | None]] = [
    (None, None),
    (("A", "B", "C"), None),
    (None, ("B", "D")),
    (("A", "B", "C"), ("C",)),
]
MODES = [
    Sync(schema, allowed, skipped, shallow, steps)
    for schema, (allowed, skipped), shallow, steps in itertools.product(
        (True, False), PARTS, (False, True), (False, True)
    )
]


def check(sync: Sync, net: NetworkMachine, source: Machine) -> None:
    """What the mirror must show of the source."""
    tracked = set(source.names if sync.allowed is None else sync.allowed)
    tracked -= set(sync.skipped or ())
    # Exception is every machine's, so the mirror has it in its own right
    names = source.names if sync.schema else [n for n in source.names if n in tracked]
    assert [n for n in net.names if n != "Exception"] == [n for n in names if n != "Exception"]
    shallow = sync.shallow and not sync.steps
    for name in names:
        mine, theirs = net.tick(name), source.tick(name) if name in tracked else 0
        assert (mine & 1, theirs & 1) if shallow else mine == theirs, name
        assert net.is_(name) is bool(theirs & 1)
    assert net.queue_tick == source.queue_tick


@pytest.mark.parametrize("sync", MODES, ids=lambda s: "-".join(map(str, s)))
async def test_d_5_every_combination_follows_the_source(sync: Sync) -> None:
    rng = random.Random(str(sync))
    async with world(states=Plain, push_interval=0.01) as w:
        client, net = await w.ready(states=None, sync=sync)
        seen = [n for n in "ABCD" if net.has(n)]
        for _ in range(40):
            match rng.randrange(6):
                case 0:
                    await net.add(rng.choice(seen))
                case 1:
                    await net.remove(rng.choice(seen))
                case 2:
                    w.source.add(rng.choice("ABCD"))
                    w.source.remove(rng.choice("ABCD"))
                case 3:
                    await net.set(rng.sample(seen, rng.randrange(len(seen))))
                case 4:
                    net.add_ns(rng.choice(seen))
                case _:
                    if rng.random() < 0.2:
                        w.cut()
            if rng.random() < 0.3:
                await net.sync()
                check(sync, net, w.source)
        await net.sync()
        check(sync, net, w.source)
        assert client._core.resynced == 0


@pytest.mark.parametrize("schema", [True, False])
@pytest.mark.parametrize("asked", ["sync", "resync", "reconnect"])
async def test_f_3_a_full_clock_is_filtered_as_the_first_one_was(schema: bool, asked: str) -> None:
    """The original's reply is the raw clock: of a wrong length without schema, with untracked ticks
    under partial sync; and the next diffs build on another one."""
    async with world(states=Plain, push_interval=None) as w:
        sync = Sync(schema, ("C",))
        client, net = await w.ready(states=None, sync=sync)
        w.source.add(("A", "C"))
        if asked == "resync":
            client._core._resync()
            client._kick()
        elif asked == "reconnect":
            w.cut()
        await net.sync()
        assert net.active == ["C"]
        check(sync, net, w.source)
        w.source.add("B")
        await net.remove("C")
        check(sync, net, w.source)
        assert client._core.resynced == (asked == "resync")


async def test_h_15_options_of_one_client_do_not_stick_to_the_next() -> None:
    async with world(states=Plain) as w:
        w.source.add(("A", "C"))
        w.source.machine_tick = 3
        for sync in (Sync(False, ("C",)), Sync(), Sync(False), Sync(True, None, ("A",))):
            client, net = await w.ready(states=None, sync=sync)
            check(sync, net, w.source)
            assert net.machine_tick == 3
            await client.stop()
            await w.server.machine.when_not("ClientConnected")


async def test_the_machine_tick_travels_with_full_clocks() -> None:
    """The original's Sync has a field for it, and leaves it 0."""
    async with world(states=Plain, push_interval=None) as w:
        _, net = await w.ready(states=Plain)
        w.source.machine_tick += 1
        w.source.add("A")
        await net.sync()
        assert net.machine_tick == 1
        assert net.time() == w.source.time()


async def test_c_2_what_is_tracked_is_worked_out_anew_after_a_schema_change() -> None:
    async with world(states=Plain, push_interval=0.01) as w:
        sync = Sync(True, ("A", "New"))
        _, net = await w.ready(states=None, sync=sync)
        w.source.set_schema({**w.source.schema, "New": {}})
        w.source.add(("New", "B"))
        await net.when("New", timeout=5) if net.has("New") else await turn()
        await net.sync()
        assert net.active == ["New"]
        check(sync, net, w.source)


async def test_a_schema_is_never_filtered() -> None:
    """H5: all or nothing, whatever is tracked."""

    class Related(BasicStates, SourceStates):
        A = State(auto=True, require=["C"])
        C = State()

    async with world(states=Related) as w:
        _, net = await w.ready(states=None, sync=Sync(True, ("A",)))
        assert net.schema.hash == w.source.schema.hash
        assert net.schema["A"].require == ("C",)


async def test_without_a_schema_none_is_sent() -> None:
    async with world(states=Plain) as w:
        client, net = await w.ready(states=None, sync=Sync(False))
        assert client._core.schema is None
        assert net.schema["A"].require == ()
