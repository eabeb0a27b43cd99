"""Which machines a pattern means."""

from __future__ import annotations

import pytest

from amctl.repl.errors import (
    NothingMatchedError,
    NothingRunsError,
    UnreachableError,
    UsageError,
)
from amctl.repl.selecting import find, select
from tests.repl.world import net, settle


async def test_s1_patterns_are_about_the_remote_machines() -> None:
    async with net("boss") as n:
        await n.listen("localhost:2", "kid-1", parent_id="boss", tags=("red",))
        await n.listen("localhost:3", "kid-2", parent_id="boss", tags=("blue:x",))
        n.files |= {"k1.addr": "localhost:2", "k2.addr": "localhost:3"}
        async with n.fleet() as fleet:
            await fleet.peers[2].net.add("A")

            def ids(pattern: str) -> list[str]:
                return [peer.id for peer in select(fleet, pattern)]

            assert ids("kid-1") == ["kid-1"]
            assert ids("kid-2,boss") == ["boss", "kid-2"]
            assert ids("kid-*") == ["kid-1", "kid-2"]
            assert ids("parent:boss") == ["kid-1", "kid-2"]
            assert ids("parent:") == ["boss"]
            assert ids("tag:red") == ["kid-1"]
            assert ids("tag:blue") == ["kid-2"]
            assert ids("state:A") == ["kid-2"]
            assert ids("all,!boss") == ["kid-1", "kid-2"]
            assert ids("re:^kid-[1]$") == ["kid-1"]
            # not those of the mirrors here
            for pattern in ("rnm-*", "parent:rc-*", "tag:rpc-netmach", "state:Nowhere", "k1"):
                with pytest.raises(NothingMatchedError):
                    select(fleet, pattern)


async def test_s2_the_dot_is_the_first_that_is_connected_now() -> None:
    async with net("boss", "kid", "zoe") as n, n.fleet() as fleet:
        assert [peer.id for peer in select(fleet, ".")] == ["boss"]
        await n.stop("localhost:1")
        await settle()
        assert [peer.id for peer in select(fleet, ".")] == ["kid"]
        assert [peer.id for peer in select(fleet, "all")] == ["kid", "zoe"]
        assert [peer.id for peer in select(fleet, "!.")] == ["zoe"]


async def test_s3_a_machine_that_is_named_and_not_connected_is_unreachable() -> None:
    async with net("boss", "kid") as n:
        n.files["dead-repl.addr"] = "localhost:9"
        async with n.fleet() as fleet:
            await n.stop("localhost:2")
            await settle()
            with pytest.raises(UnreachableError, match="'kid' is not connected: stopped: "):
                select(fleet, "kid")
            with pytest.raises(UnreachableError, match="'dead' is not connected: nobody listens"):
                select(fleet, "boss,dead")
            with pytest.raises(NothingMatchedError):
                select(fleet, "ki*")


async def test_s4_an_unknown_id_is_an_error_with_a_near_one() -> None:
    async with net("boss", "kid") as n, n.fleet() as fleet:
        with pytest.raises(NothingMatchedError, match="no machine matches 'bos'") as caught:
            select(fleet, "bos")
        assert caught.value.hint == "did you mean 'boss'?"
        with pytest.raises(NothingMatchedError, match="'typo'"):
            select(fleet, "boss,typo")
        with pytest.raises(NothingMatchedError, match="'x\\*'"):
            select(fleet, "x*")


async def test_s5_of_machines_with_one_id_the_first_wins() -> None:
    async with net("boss", "kid") as n:
        await n.listen("localhost:3", "boss")
        n.files["z.addr"] = "localhost:3"
        async with n.fleet() as fleet:
            assert [peer.index for peer in select(fleet, "boss")] == [0]
            assert [peer.index for peer in select(fleet, "kid,boss")] == [0, 1]
            assert [peer.index for peer in select(fleet, "bos?")] == [0, 2]
            await n.stop("localhost:1")
            await settle()
            assert [peer.index for peer in select(fleet, "boss")] == [2]


async def test_with_nobody_connected_nothing_runs() -> None:
    async with net("boss", "kid") as n, n.fleet() as fleet:
        await n.stop("localhost:1")
        await n.stop("localhost:2")
        await settle()
        for pattern in (".", "all", "x", "b*"):
            with pytest.raises(NothingRunsError, match=r"localhost:1 \(and 1 more\): stopped"):
                select(fleet, pattern)
        with pytest.raises(UnreachableError):
            select(fleet, "boss")
    async with net() as n, n.fleet(allow_empty=True) as fleet:
        with pytest.raises(NothingRunsError, match="there is no address"):
            select(fleet, ".")


async def test_a_machine_that_is_being_dialled_is_told() -> None:
    async with net("boss") as n:
        n.files["kid.addr"] = "localhost:9"
        n.silent.add("localhost:9")
        async with n.fleet() as fleet:
            with pytest.raises(UnreachableError, match="it is being dialled"):
                select(fleet, "kid")


async def test_a_pattern_that_cannot_be_read_is_a_usage_error() -> None:
    async with net("boss") as n, n.fleet() as fleet:
        with pytest.raises(UsageError, match="bad regular expression"):
            select(fleet, "re:(")
        for pattern in ("", " , "):
            with pytest.raises(UsageError, match="no machine is named"):
                select(fleet, pattern)


def test_finding_among_none_finds_none() -> None:
    assert find([], "all") == []
