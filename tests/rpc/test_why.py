"""The question `why`, over a connection."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from amctl.machine import Machine, PipeRecord
from amctl.machine.explanation import Kind
from amctl.rpc.answers import Why
from amctl.rpc.errors import CallRefusedError
from amctl.rpc.wire.codes import Code
from amctl.states.pipes import bind
from tests.rpc.world import TRANSPORTS, turn, world


class Guard:
    """Refuses D."""

    def DEnter(self, e: Any) -> bool:
        return False


async def asked(net: Any, state: str, **params: Any) -> Why:
    """The answer as its dataclass."""
    return msgspec.convert(await net.ask("why", state=state, **params), Why, strict=False)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_explanation_of_the_engine_comes_over(transport: str) -> None:
    async with world(transport, handlers=Guard()) as w:
        _, net = await w.ready()
        w.source.add("D", source=None)
        found = await asked(net, "A")
        assert found.explanation == w.source.explain("A")
        assert found.explanation.kind is Kind.REQUIRE
        found = await asked(net, "D")
        assert found.explanation == w.source.explain("D")
        assert found.explanation.last is not None
        assert found.explanation.last.reason.handler == "DEnter"
        assert found.now >= found.explanation.last.at
        assert found.is_local
        assert (await asked(net, "C", op="remove")).explanation.kind is Kind.INACTIVE


async def test_a_refusal_names_its_source_without_its_trace() -> None:
    async with world(handlers=Guard()) as w:
        _, net = await w.ready()
        other = Machine("other", {"X": {}}, parent=w.source)
        bind(other, net, [("X", "D")])
        other.add("X")
        await turn()
        found = await asked(net, "D")
        last = found.explanation.last
        assert last is not None
        assert last.source is not None
        assert last.source.machine_id == "other"


async def test_pipes_into_the_state_are_told_with_their_sources() -> None:
    async with world() as w:
        other = Machine("other", {"X": {}}, parent=w.source)
        bind(other, w.source, [("X", "D")])
        client, net = await w.ready()
        bind(client.net, w.source, [("C", "D")], remove=False)
        (first, second) = (await asked(net, "D")).feeds
        assert (first.ops, first.source_id, first.source_state) == (("add", "remove"), "other", "X")
        assert (first.active, first.tick, first.link) == (False, 0, None)
        assert (second.ops, second.source_id, second.remote_id) == (("add",), client.net.id, "src")
        assert second.link is not None
        assert second.link.connected
        assert second.link.client_id == client.machine.id
        other.add("X")
        (first, *_) = (await asked(net, "D")).feeds
        assert (first.active, first.tick) == (True, 1)


async def test_a_source_out_of_reach_has_no_activity() -> None:
    async with world() as w:
        w.source.pipes.record_in(PipeRecord("add", "ghost", "X", "src", "D"))
        _, net = await w.ready()
        (feed,) = (await asked(net, "D")).feeds
        assert (feed.source_id, feed.active) == ("ghost", None)


async def test_a_mirror_tells_what_relations_do_and_of_its_connection() -> None:
    async with world() as w, world() as far:
        far_client = far.client("far")
        far_client.start()
        await far_client.machine.when("Ready")
        _, net = await w.ready()
        mirror = far_client.net.id
        found = await asked(net, "A", machine=mirror)
        assert (found.is_local, found.remote_id) == (False, "src")
        assert found.explanation.kind is Kind.REQUIRE
        assert found.link is not None
        assert found.link.connected
        assert found.link.ever
        assert found.link.dials
        assert found.link.lost_for is None
        far.refusing = True
        far.cut()
        await far_client.machine.when("RetryingConn")
        link = (await asked(net, "A", machine=mirror)).link
        assert link is not None
        assert not link.connected
        assert link.lost_for is not None
        assert "RetryingConn" in link.states
        assert link.error


async def test_nonsense_is_refused() -> None:
    async with world() as w:
        _, net = await w.ready()
        for params, code in (
            ({"state": "Nope"}, Code.STATE),
            ({"state": 1}, Code.ARGS),
            ({"state": "A", "op": "set"}, Code.ARGS),
            ({"state": "A", "machine": "nobody"}, Code.ARGS),
            ({"stat": "A"}, Code.ARGS),
        ):
            with pytest.raises(CallRefusedError) as caught:
                await net.ask("why", **params)
            assert caught.value.code == code


async def test_long_texts_are_cut() -> None:
    async with world() as w:
        _, net = await w.ready()
        w.source.add_err(ValueError("x" * 100_000))
        found = await asked(net, "Exception")
        assert len(found.explanation.error) < 5000
