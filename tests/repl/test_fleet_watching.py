"""A fleet that keeps up with address files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from amctl.repl.finding import Target
from tests.repl.world import FOLDER, TOKEN, net, settle

if TYPE_CHECKING:
    from amctl.repl.fleet import LiveFleet


def ready(fleet: LiveFleet) -> list[str]:
    return [peer.name for peer in fleet.peers if peer.is_ready]


async def test_f6_a_new_file_makes_a_client_and_touches_no_other() -> None:
    async with net("boss", "zoe") as n, n.fleet(watch=True) as fleet:
        boss, zoe = fleet.peers
        await n.listen("localhost:3", "kid")
        n.files = {
            "boss-repl.addr": "localhost:1",
            "kid-repl.addr": " localhost:3 \n",
            "zoe-repl.addr": "localhost:2",
        }
        await n.tell("/run/kid-repl.addr")
        assert ready(fleet) == ["boss", "kid", "zoe"]
        assert fleet.peers[0] is boss
        assert fleet.peers[2] is zoe
        assert [peer.index for peer in fleet.peers] == [0, 1, 2]
        assert [addr for addr, _ in n.dials] == ["localhost:1", "localhost:2", "localhost:3"]
        assert len({peer.client.machine.id for peer in fleet.peers}) == 3
        assert fleet.machine.is_("ConnectedFully")


async def test_f6_a_removed_file_removes_its_client_and_no_other() -> None:
    async with net("boss", "kid", "zoe") as n, n.fleet(watch=True) as fleet:
        boss, kid, zoe = fleet.peers
        await n.write(**{"kid-repl": ""})
        assert list(fleet.peers) == [boss, zoe]
        assert zoe.index == 1
        assert kid.client.machine.is_disposed
        assert kid.net.is_disposed
        assert n.muxes["localhost:2"].sessions == 0
        assert fleet.machine.is_("ConnectedFully")
        assert len(n.dials) == 3


async def test_f6_the_last_file_may_go_and_one_come_back() -> None:
    async with net("boss") as n, n.fleet(watch=True) as fleet:
        await n.write(**{"boss-repl": ""})
        assert fleet.peers == ()
        assert fleet.machine.is_(("Start", "Disconnected"))
        await n.write(**{"boss-repl": "localhost:1"})
        assert ready(fleet) == ["boss"]
        assert fleet.machine.is_("ConnectedFully")
        assert fleet.machine.not_("Disconnected")


async def test_f6_a_file_with_a_new_port_moves_that_client() -> None:
    async with net("boss", "kid") as n, n.fleet(watch=True) as fleet:
        boss, kid = fleet.peers
        await kid.net.add("A")
        old = n.muxes["localhost:2"]
        await n.listen("localhost:7", "kid")
        await n.write(**{"kid-repl": "localhost:7"})
        assert list(fleet.peers) == [boss, kid]
        assert (kid.addr, kid.is_ready, kid.net.is_("A")) == ("localhost:7", True, False)
        assert old.sessions == 0
        assert n.muxes["localhost:7"].sessions == 1
        assert len(n.dials) == 3


async def test_f6_a_client_that_is_dialling_moves_too() -> None:
    async with net("boss") as n:
        n.files["kid.addr"] = "localhost:9"
        n.silent.add("localhost:9")
        async with n.fleet(watch=True, patience=0.5) as fleet:
            await n.listen("localhost:2", "kid")
            await n.write(kid="localhost:2")
            assert ready(fleet) == ["boss", "kid"]
            await asyncio.sleep(100)
            assert ready(fleet) == ["boss", "kid"]


async def test_a_run_that_was_started_again_is_picked_up_with_its_new_token() -> None:
    async with net("boss", "kid") as n, n.fleet(watch=True) as fleet:
        await n.stop("localhost:1")
        n.kill("localhost:2")
        await settle()
        n.tokens["/run/token"] = "new"
        await n.listen("localhost:3", "boss", token="new")
        await n.listen("localhost:4", "kid", token="new")
        await n.write(**{"boss-repl": "localhost:3", "kid-repl": "localhost:4"})
        assert ready(fleet) == ["boss", "kid"]
        assert n.dials[-2:] == [("localhost:3", "new"), ("localhost:4", "new")]
        assert fleet.machine.is_("ConnectedFully")


async def test_a_run_that_comes_back_at_the_same_address_is_dialled_at_once() -> None:
    async with net("boss") as n, n.fleet(watch=True) as fleet:
        await n.stop("localhost:1")
        await n.listen("localhost:1", "boss", token="new")
        n.tokens["/run/token"] = "new"
        await n.write(**{"boss-repl": "localhost:1"})
        assert ready(fleet) == ["boss"]


async def test_a_token_that_comes_late_lets_those_in_who_were_refused() -> None:
    async with net("boss") as n:
        n.tokens.clear()
        async with n.fleet(watch=True, allow_empty=True) as fleet:
            assert fleet.peers[0].problem.startswith("refused: auth; is the token file")
            assert fleet.machine.is_("Disconnected")
            await n.write(token=TOKEN)
            assert ready(fleet) == ["boss"]


async def test_f5_a_read_error_does_not_end_the_watch() -> None:
    async with net("boss") as n, n.fleet(watch=True) as fleet:
        n.unreadable = True
        await n.tell("/run/x.addr")
        assert ready(fleet) == ["boss"]
        n.unreadable = False
        await n.listen("localhost:2", "kid")
        await n.write(kid="localhost:2")
        assert ready(fleet) == ["boss", "kid"]


async def test_a_file_that_turns_bad_for_a_moment_keeps_its_client() -> None:
    async with net("boss") as n, n.fleet(watch=True) as fleet:
        await n.write(**{"boss-repl": "local"})
        assert ready(fleet) == ["boss"]
        await n.write(**{"boss-repl": "localhost:1"})
        assert ready(fleet) == ["boss"]
        assert len(n.dials) == 1


async def test_a_bad_file_that_turns_good_is_dialled() -> None:
    async with net("boss", "kid") as n:
        n.files["kid-repl.addr"] = "local"
        async with n.fleet(watch=True) as fleet:
            assert fleet.machine.is_("ConnectedFully")
            await n.write(**{"kid-repl": "localhost:2"})
            assert ready(fleet) == ["boss", "kid"]
            await n.write(**{"kid-repl": "10.0.0.7:2"})
            assert "not this machine" in fleet.peers[1].problem
            assert n.muxes["localhost:2"].sessions == 0


async def test_looking_again_without_news_does_nothing() -> None:
    async with net("boss") as n, n.fleet(watch=True) as fleet:
        ticks = fleet.machine.tick("AddrChanged")
        await n.tell()
        await n.tell("/run/other.txt")
        assert fleet.machine.tick("AddrChanged") == ticks


async def test_a_plain_address_is_not_watched() -> None:
    async with net("boss") as n:
        target = Target.parse("localhost:1", default_dir=FOLDER)
        async with n.fleet(target, watch=True) as fleet:
            await n.listen("localhost:2", "kid")
            n.files["kid.addr"] = "localhost:2"
            n.events.put_nowait(frozenset())
            await settle()
            assert ready(fleet) == ["boss"]
            assert n.events.qsize() == 1
