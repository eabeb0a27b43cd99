"""Questions to served machines: reading ones, acting ones, and those that can't be answered."""

from __future__ import annotations

from tests.rpc.world import world


async def test_about_tells_of_the_source() -> None:
    async with world() as there:
        _, net = await there.ready()
        told = await net.ask("about")
        assert told["id"] == "src"


async def test_mutate_tells_result_reason_and_clocks() -> None:
    async with world() as there:
        _, net = await there.ready()
        done = await net.ask("mutate", op="add", states=["D"])
        assert done["result"] == "executed"
        assert done["after"] == list(there.source.time()) != done["before"]
        assert net.is_("D")
        refused = await net.ask("mutate", op="add", states=["A", "ErrOnClient"])
        assert refused["result"] in ("executed", "canceled")


async def test_can_changes_nothing() -> None:
    async with world() as there:
        _, net = await there.ready()
        before = there.source.time()
        assert (await net.ask("can", op="add", states=["D"]))["result"] == "executed"
        assert there.source.time() == before
