"""The way from a state to whom is to blame, on worlds made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from amctl.machine.explanation import Blamed, Explanation, Kind
from amctl.repl.why.errors import NoSuchStateError
from amctl.repl.why.following import BREADTH, follow
from amctl.repl.why.model import Far, Look, OutOfReachError, Spot, Via
from amctl.rpc.answers import WhyFeed, WhyLink

if TYPE_CHECKING:
    from collections.abc import Sequence


class World:
    """Looks by machine and state."""

    is_live = True

    def __init__(self, **looks: Look) -> None:
        self.looks = {key.replace("_", " "): look for key, look in looks.items()}
        self.homes: dict[str, Spot] = {}

    async def look(self, spot: Spot, state: str, op: str) -> Look:
        look = self.looks.get(f"{spot.machine} {state}")
        if look is None:
            if spot.machine == "changed":
                raise NoSuchStateError(spot.machine, state, [])
            raise OutOfReachError(f"{spot.machine} is far away")
        return look

    def beside(self, spot: Spot, machine: str) -> Spot:
        return Spot(machine, spot.home)

    def home(self, machine: str) -> Spot | None:
        return self.homes.get(machine)

    def absence(self, machine: str) -> str:
        return f"no way to {machine}"

    async def mirrors(self, machine: str) -> Sequence[Spot]:
        return [Spot("far"), Spot("gone")] if machine == "fed" else []


def found(machine: str, state: str, kind: Kind, *blame: Blamed, tick: int = 0) -> Explanation:
    return Explanation(machine, state, "add", kind, f"{state} is {kind}", tick=tick, blame=blame)


def blocked(*states: str, wanted: bool = True, exists: bool = True) -> list[Blamed]:
    return [Blamed(state, wanted, exists) for state in states]


async def test_each_blamed_state_is_asked_about_where_it_is() -> None:
    world = World(
        m_A=Look(found("m", "A", Kind.REQUIRE, *blocked("B", "C"))),
        m_B=Look(found("m", "B", Kind.VETO)),
        m_C=Look(found("m", "C", Kind.REMOVE, *blocked("D", wanted=False))),
        m_D=Look(found("m", "D", Kind.ACTIVE, tick=1)),
    )
    root = await follow(world, Spot("m"), "A")
    assert [(n.state, n.via) for _, n in root.walk()] == [
        ("A", Via.ASKED),
        ("B", Via.REQUIRES),
        ("C", Via.REQUIRES),
        ("D", Via.REMOVED_BY),
    ]


async def test_a_state_that_does_not_exist_is_an_end() -> None:
    world = World(m_A=Look(found("m", "A", Kind.REQUIRE, *blocked("B", exists=False))))
    root = await follow(world, Spot("m"), "A")
    assert "m has no state B" in root.because[0].sentence


async def test_circles_end() -> None:
    world = World(
        m_A=Look(found("m", "A", Kind.REQUIRE, *blocked("B"))),
        m_B=Look(found("m", "B", Kind.REQUIRE, *blocked("A"))),
    )
    root = await follow(world, Spot("m"), "A")
    assert [n.end for _, n in root.walk()] == ["", "", "it is in the tree already"]


async def test_only_so_many_links_and_causes_are_followed() -> None:
    names = [f"B{n}" for n in range(BREADTH + 3)]
    world = World(
        m_A=Look(found("m", "A", Kind.REQUIRE, *blocked(*names))),
        **{f"m_{name}": Look(found("m", name, Kind.VETO)) for name in names},
    )
    root = await follow(world, Spot("m"), "A")
    assert len(root.because) == BREADTH
    root = await follow(world, Spot("m"), "A", depth=0)
    assert {n.end for n in root.because} == {"only 0 links are followed, see --depth"}


async def test_a_mirror_leads_to_its_machine_or_says_why_not() -> None:
    mirror = Look(found("rnm", "A", Kind.NEVER_ASKED), is_local=False, remote_id="m")
    world = World(rnm_A=mirror, m_A=Look(found("m", "A", Kind.VETO)))
    root = await follow(world, Spot("rnm"), "A")
    assert (root.because, root.end) == ((), "m: no way to m")
    world.homes["m"] = Spot("m")
    root = await follow(world, Spot("rnm"), "A")
    assert root.kind == Far.MIRROR
    assert [n.machine for n in root.because] == ["m"]


async def test_a_cut_connection_is_to_blame_whatever_its_mirror_shows() -> None:
    link = WhyLink("rc", connected=False)
    mirror = Look(found("rnm", "A", Kind.ACTIVE, tick=1), is_local=False, remote_id="m", link=link)
    feed = WhyFeed(("add",), "rnm", "A", active=True, link=link)
    world = World(rnm_A=mirror, m_X=Look(found("m", "X", Kind.NEVER_ASKED), (feed,)))
    root = await follow(world, Spot("m"), "X")
    assert [str(n.kind) for _, n in root.walk()] == ["never asked", "dead peer"]


async def test_a_clients_other_states_are_its_own_affair() -> None:
    link = WhyLink("rc", connected=False)
    look = Look(found("rc", "Start", Kind.ENDED), remote_id="m", link=link)
    world = World(
        rc_Start=look, rc_Ready=replace(look, explanation=found("rc", "Ready", Kind.ENDED))
    )
    assert (await follow(world, Spot("rc"), "Start")).kind == Kind.ENDED
    world.homes["m"] = Spot("m")
    assert (await follow(world, Spot("rc"), "Ready")).kind == Far.DEAD_PEER


async def test_a_silent_machine_is_held_up() -> None:
    look = Look(found("m", "A", Kind.ENDED), trouble="it did not answer", held_up=True)
    root = await follow(World(m_A=look), Spot("m"), "A")
    assert root.kind == Far.HELD_UP


async def test_pipes_are_followed_to_sources_that_are_inactive() -> None:
    feeds = (
        WhyFeed(("add", "remove"), "one", "X", active=False),
        WhyFeed(("add",), "two", "Y", active=True),
        WhyFeed(("remove",), "three", "Z", active=False),
        WhyFeed(("add",), "changed", "W"),
    )
    world = World(
        m_A=Look(found("m", "A", Kind.ENDED), feeds), one_X=Look(found("one", "X", Kind.VETO))
    )
    root = await follow(world, Spot("m"), "A")
    assert [(n.machine, str(n.kind)) for n in root.because] == [
        ("one", "veto"),
        ("two", "pipe"),
        ("changed", "out of reach"),
    ]


async def test_pipes_that_another_process_holds_are_found_by_mirrors() -> None:
    feed = WhyFeed(("add",), "source", "X", active=False)
    world = World(
        fed_A=Look(found("fed", "A", Kind.NEVER_ASKED)),
        far_A=Look(found("far", "A", Kind.NEVER_ASKED), (feed,), is_local=False),
        source_X=Look(found("source", "X", Kind.VETO)),
    )
    root = await follow(world, Spot("fed"), "A")
    assert [(n.machine, n.via) for n in root.because] == [("source", Via.FED_BY)]


async def test_a_source_of_several_pipes_is_named_once() -> None:
    several = (
        WhyFeed(("add",), "one", "X", active=True),
        WhyFeed(("remove", "add"), "one", "X", active=True),
        WhyFeed(("add",), "two", "Y", active=False),
        WhyFeed(("add",), "two", "Y", active=False),
    )
    world = World(
        m_A=Look(found("m", "A", Kind.NEVER_ASKED), several),
        m_B=Look(found("m", "B", Kind.ACTIVE, tick=1), several),
        one_X=Look(found("one", "X", Kind.ACTIVE, tick=1)),
        two_Y=Look(found("two", "Y", Kind.VETO)),
    )
    root = await follow(world, Spot("m"), "A")
    assert [(n.machine, n.kind) for n in root.because] == [("one", Far.PIPE), ("two", Kind.VETO)]
    assert "trigger" not in root.because[0].sentence, "one of its pipes takes away too"
    root = await follow(world, Spot("m"), "B")
    assert [n.machine for n in root.because] == ["one"]


async def test_mirrors_that_name_the_same_source_count_once() -> None:
    feed = WhyFeed(("add",), "source", "X", active=False)
    world = World(
        fed_A=Look(found("fed", "A", Kind.NEVER_ASKED)),
        far_A=Look(found("far", "A", Kind.NEVER_ASKED), (feed,), is_local=False),
        gone_A=Look(found("gone", "A", Kind.NEVER_ASKED), (feed,), is_local=False),
        source_X=Look(found("source", "X", Kind.VETO)),
    )
    root = await follow(world, Spot("fed"), "A")
    assert [(n.machine, n.kind) for n in root.because] == [("source", Kind.VETO)]


async def test_what_made_it_active_is_followed_too() -> None:
    active = replace(found("m", "A", Kind.ACTIVE, tick=1), implied_by=("B",))
    feeds = (
        WhyFeed(("add",), "one", "X", active=True),
        WhyFeed(("add",), "two", "Y", active=False),
    )
    world = World(
        m_A=Look(active, feeds),
        m_B=Look(found("m", "B", Kind.ACTIVE, tick=1)),
        one_X=Look(found("one", "X", Kind.ACTIVE, tick=1)),
    )
    root = await follow(world, Spot("m"), "A")
    assert [(n.machine, n.state) for n in root.because] == [("one", "X"), ("m", "B")]


async def test_causes_of_recordings_are_followed_last() -> None:
    cause = Look(found("m", "A", Kind.ENDED), cause=(Spot("other"), "X"))
    world = World(m_A=cause, other_X=Look(found("other", "X", Kind.ACTIVE, tick=1)))
    root = await follow(world, Spot("m"), "A")
    assert [(n.machine, n.via) for n in root.because] == [("other", Via.SOURCE)]
    world.looks["m A"] = replace(cause, explanation=found("m", "A", Kind.ACTIVE, tick=1))
    root = await follow(world, Spot("m"), "A")
    assert [(n.machine, n.via) for n in root.because] == [("other", Via.SOURCE)]


async def test_errors_and_implications_have_their_own_words() -> None:
    for kind, via in ((Kind.ERROR, Via.ENDED_BY), (Kind.IMPLIED, Via.IMPLIED_BY)):
        world = World(
            m_A=Look(found("m", "A", kind, *blocked("B", wanted=False))),
            m_B=Look(found("m", "B", Kind.ACTIVE, tick=1)),
        )
        assert (await follow(world, Spot("m"), "A")).because[0].via is via


async def test_only_machines_with_an_address_can_be_named_in_commands() -> None:
    world = World(m_A=Look(found("m", "A", Kind.ENDED)))
    assert not (await follow(world, Spot("m"), "A")).reachable
    world.homes["m"] = Spot("m")
    assert (await follow(world, Spot("m"), "A")).reachable
    world.is_live = False
    assert not (await follow(world, Spot("m"), "A")).reachable
