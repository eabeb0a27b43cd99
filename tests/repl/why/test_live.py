"""Six causes on real machines over memory connections, and six right answers; and the edges."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.machine.explanation import Kind
from amctl.repl.errors import NothingMatchedError, UnreachableError
from amctl.repl.finding import Target
from amctl.repl.fleet import open_fleet
from amctl.repl.why.asking import why_live
from amctl.repl.why.errors import NoSuchMachineError, NoSuchStateError
from amctl.repl.why.following import follow
from amctl.repl.why.live import LiveWorld
from amctl.repl.why.model import Far, OutOfReachError, Spot
from amctl.rpc import asking
from amctl.rpc.errors import CallRefusedError, NotConnectedError, QuestionError
from amctl.rpc.repl import repl_endpoint
from amctl.rpc.wire.codes import Code
from amctl.states.pipes import bind
from tests.repl.why.houses import TOKEN, One, Two, house
from tests.rpc.world import turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amctl.machine import Event
    from amctl.repl.why.report import Report


def blamed(report: Report) -> tuple[str, str, str]:
    """Who, by machine, state and kind."""
    return report.culprit.machine, report.culprit.state, str(report.culprit.kind)


# -- the six


async def test_seeded_1_a_chain_of_require_over_two_machines_by_a_pipe() -> None:
    async with house() as h:
        h.serve("two", Two)
        one = h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("C", "B")])
        report = await h.why("one", "A")
        assert blamed(report) == ("two", "D", "never asked")
        assert report.blame == (
            "D of two: D never was active: nothing has added it, and nothing refuses it"
        )
        assert report.remedy == "add D (amctl mach add two D)"
        assert report.lines[3:] == (
            "  because A is not active: A requires B",
            "    because it requires B of one: "
            "B never was active: nothing has added it, and nothing refuses it",
            "      because it is piped from C of rnm-one-two: "
            "C is not active here as it is at two, which rnm-one-two shows",
            "        because it shows C of two: C is not active: C requires D",
            "          because it requires D of two: "
            "D never was active: nothing has added it, and nothing refuses it",
        )


async def test_the_remedy_of_1_lets_it_through() -> None:
    async with house() as h:
        two, one = h.serve("two", Two), h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("C", "B")])
        two.add("D")
        report = await h.why("one", "A")
        assert blamed(report) == ("two", "C", "never asked")
        two.add("C")
        await link.sync()
        await turn()
        report = await h.why("one", "A")
        assert blamed(report) == ("one", "A", "never asked")
        one.add("A")
        report = await h.why("one", "A")
        assert report.root.active
        assert report.blame == "A is active"


async def test_seeded_2_an_active_rival() -> None:
    async with house() as h:
        two, one = h.serve("two", Two), h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "G")])
        two.add("D")
        await link.sync()
        await turn()
        assert one.is_("G")
        report = await h.why("one", "F")
        assert blamed(report) == ("two", "D", "active")
        assert report.lines[-4:] == (
            "  because F is not active: F is removed by G",
            "    because it is removed by G of one: G is active",
            "      because it is piped from D of rnm-one-two: "
            "D is active here as it is at two, which rnm-one-two shows",
            "        because it shows D of two: D is active",
        )


async def test_a_rival_of_its_own_machine_is_to_be_removed() -> None:
    async with house() as h:
        one = h.serve("one", One)
        one.add("G")
        report = await h.why("one", "F")
        assert report.blame == "G of one, which keeps F out: G is active"
        assert report.remedy == "remove G (amctl mach remove one G)"
        assert report.hint == "amctl why --dump one G"


async def test_seeded_3_a_veto() -> None:
    class Guard:
        def FEnter(self, e: Event) -> bool:
            return False

    async with house() as h:
        one = h.serve("one", One, Guard())
        one.add("F")
        report = await h.why("one", "F")
        assert blamed(report) == ("one", "F", "veto")
        (binding,) = [b for b in one.bindings if b.startswith("anon")]
        assert report.remedy == f"see to what FEnter of binding {binding} looks at"


async def test_a_veto_behind_a_pipe() -> None:
    class Guard:
        def DEnter(self, e: Event) -> bool:
            return False

    async with house() as h:
        two, one = h.serve("two", Two, Guard()), h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "B")])
        two.add("D")
        assert blamed(await h.why("one", "A")) == ("two", "D", "veto")


async def test_seeded_4_a_queue_behind_a_handler_that_does_not_end() -> None:
    """Asked from inside, as nothing else can be asked then."""
    async with house() as h:
        seen = []

        def held(e: Event) -> None:
            e.machine.add("F")
            seen.append(asking.answer(e.machine, {"q": "why", "state": "F"}, lambda *_: None))

        one = h.serve("one", One, {"BState": held})
        one.add("B")
        code, text = seen[0]
        assert code is Code.OK
        assert "[add] F waits at place 1 of the queue until [add] B is over" in text
        assert "while handler BState of binding" in text


@pytest.mark.realtime
async def test_seeded_4_a_machine_whose_loop_is_held_up(tmp_path: Path) -> None:
    """The same from outside: a thread of its own, whose handler does not end."""
    stuck, free, ready = threading.Event(), threading.Event(), threading.Event()

    def hold(e: Event) -> None:
        e.machine.add("F")
        stuck.set()
        free.wait()

    async def live() -> None:
        machine = Machine("held", One, handlers={"BState": hold})
        door = repl_endpoint(machine, addr_dir=tmp_path, token=TOKEN)
        await door.start()
        loop = asyncio.get_running_loop()
        adding.append(lambda: loop.call_soon_threadsafe(machine.add, "B"))
        ready.set()
        await machine.when("F")
        await door.stop()

    adding: list[Any] = []
    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    await asyncio.to_thread(ready.wait)
    target = Target.parse(str(tmp_path), default_dir=tmp_path)
    try:
        async with open_fleet(target, token=TOKEN, patience=5) as fleet:
            adding[0]()
            await asyncio.to_thread(stuck.wait)
            report = await why_live(fleet, "held", "F", patience=0.2)
            assert blamed(report) == ("held", "F", "held up")
            assert "did not answer within 0.2 s: its loop is held up" in report.blame
            assert "amctl profile held" in report.remedy
    finally:
        free.set()
        await asyncio.to_thread(thread.join)


async def test_seeded_5_a_dead_peer() -> None:
    async with house() as h:
        two, one = h.serve("two", Two), h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "B")])
        bind(link.machine, one, [("Ready", "F")])
        two.add("D")
        await link.sync()
        await turn()
        two.remove("D")
        await link.sync()
        await turn()
        h.away |= {"for-two", "repl-two"}
        h.wires["for-two"][-1].cut()
        await link.machine.when("RetryingConn")
        await turn()
        report = await h.why("one", "A")
        assert blamed(report) == ("rnm-one-two", "D", "dead peer")
        assert "the connection of client rc-one-two to two has been cut for" in report.blame
        assert "it goes on dialling" in report.blame
        assert report.remedy == "start two again at two:1: the client connects by itself"
        assert report.culprit.end == "no address leads to two from here"
        report = await h.why("one", "F")
        assert blamed(report) == ("rc-one-two", "Ready", "dead peer")
        assert report.culprit.link is not None
        assert report.culprit.link.ever
        # a machine that is gone is known by its mirrors
        two.dispose()
        await two.when_disposed()
        report = await h.why("two", "D")
        assert blamed(report) == ("rnm-one-two", "D", "dead peer")


async def test_a_cut_connection_to_a_machine_that_lives() -> None:
    async with house() as h:
        h.serve("two", Two)
        one = h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "B")])
        h.away.add("for-two")
        h.wires["for-two"][-1].cut()
        await link.machine.when("RetryingConn")
        report = await h.why("one", "A")
        assert blamed(report) == ("rnm-one-two", "D", "dead peer")
        assert [n.machine for _, n in report.root.walk()] == ["one", "one", "rnm-one-two", "two"]


async def test_a_connection_that_never_was() -> None:
    async with house() as h:
        one = h.serve("one", One)
        h.away.add("for-two")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await h.mirror("two", one, Two)
        client = h.clients[-1]
        bind(client.net, one, [("D", "B")])
        report = await h.why("one", "A")
        assert "client rc-one-two never was connected to its peer" in report.blame
        assert report.culprit.end == "it never told which machine it shows"


async def test_seeded_6_an_error_that_ended_it() -> None:
    async with house() as h:

        class Fails:
            async def DState(self, e: Event) -> None:
                raise ValueError("no luck")

        two = Machine(
            "two",
            {
                **Two.schema(),
                "D": {"remove": ["Exception"]},
                "Exception": {"multi": True, "remove": ["D"]},
            },
        )
        two.bind(Fails())
        h.adopt(two)
        one = h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "B")])
        two.add("D")
        await turn()
        await link.sync()
        report = await h.why("one", "A")
        assert blamed(report) == ("two", "D", "error")
        assert "D of two: D was ended by an error: ValueError: no luck" in report.blame
        assert report.remedy == "see to the error, then add D again"
        assert report.others == 1  # Exception itself


# -- the edges


async def test_a_trigger_does_not_repeat() -> None:
    async with house() as h:
        two, one = h.serve("two", Two), h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "B")], remove=False)
        two.add("D")
        await link.sync()
        await turn()
        one.remove("B")
        report = await h.why("one", "B")
        assert blamed(report) == ("rnm-one-two", "D", "pipe")
        assert "it is a trigger" in report.blame


async def test_a_pipe_that_was_refused_names_the_refusal() -> None:
    async with house() as h:
        two, one = h.serve("two", Two), h.serve("one", One, {"GEnter": lambda e: not e.source})
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "G")])
        two.add("D")
        await link.sync()
        await turn()
        report = await h.why("one", "G")
        assert blamed(report) == ("one", "G", "veto")
        assert "asked now" not in report.blame
        assert "nothing refuses it now" in report.blame


async def test_pipes_that_only_another_process_knows_are_found() -> None:
    async with house() as h:
        h.serve("two", Two)
        one = h.serve("one", One)
        link = await h.mirror("two", one, Two)
        bind(one, link.net, [("F", "D")])
        report = await h.why("two", "C")
        assert blamed(report) == ("one", "F", "never asked")
        assert "      because it is fed by F of one: " in report.lines[-1]


async def test_circles_are_cut_and_depth_is_limited() -> None:
    async with house() as h:
        a = h.serve("a", One)
        b = Machine("b", {"X": {}}, parent=a)
        bind(a, b, [("F", "X")])
        bind(b, a, [("X", "F")])
        report = await h.why("a", "F")
        assert [n.end for _, n in report.root.walk()] == ["", "", "it is in the tree already"]
        assert blamed(report)[0] in ("a", "b")
        async with h.fleet() as fleet:
            world = LiveWorld(fleet)
            node = await follow(world, Spot("a", fleet.peers[0].key), "F", depth=0)
            assert node.because[0].end == "only 0 links are followed, see --depth"


async def test_inner_machines_and_the_first_one_can_be_asked() -> None:
    async with house() as h:
        one = h.serve("one", One)
        Machine("inner", {"X": {"require": ["Y"]}, "Y": {}}, parent=one)
        assert blamed(await h.why("inner", "X")) == ("inner", "Y", "never asked")
        assert blamed(await h.why(".", "A")) == ("one", "B", "never asked")
        assert (await h.why("one", "A", "remove")).root.kind is Kind.INACTIVE


async def test_unknown_names_have_near_matches() -> None:
    async with house() as h:
        one = h.serve("orchestrator", One)
        Machine("inner", {"Xenon": {}}, parent=one)
        with pytest.raises(NoSuchMachineError) as machine:
            await h.why("orchestratr", "A")
        assert machine.value.hint == "did you mean 'orchestrator'?"
        with pytest.raises(NoSuchMachineError) as pattern:
            await h.why("orch*", "A")
        assert (
            pattern.value.hint == "name one machine, no pattern; see which: amctl mach list 'orch*'"
        )
        with pytest.raises(NoSuchStateError) as state:
            await h.why("orchestrator", "Redy")
        assert state.value.hint == "did you mean 'Ready'?"
        with pytest.raises(NoSuchStateError) as other:
            await h.why("orchestrator", "Qqq")
        assert other.value.hint == "list them: amctl mach inspect orchestrator"
        assert str(state.value) == "machine 'orchestrator' has no state 'Redy'"
        with pytest.raises(NoSuchStateError) as inner:
            await h.why("inner", "Xeno")
        assert inner.value.hint == "did you mean 'Xenon'?"
        assert isinstance(state.value, NothingMatchedError)


@contextlib.contextmanager
def unanswered(code: Code, text: str = "") -> Iterator[None]:
    """Peers that know no such question, or can't answer it."""
    real = asking._questions["why"]

    def refuse(*_: object) -> object:
        raise QuestionError(code, text)

    asking.register("why", refuse)
    try:
        yield
    finally:
        asking._questions["why"] = real


async def test_older_machines_are_explained_by_their_mirrors() -> None:
    async with house() as h:
        one = h.serve("one", One)
        Machine("inner", {"X": {"require": ["Y"]}, "Y": {}}, parent=one)
        with unanswered(Code.UNSUPPORTED):
            report = await h.why("one", "A")
            assert blamed(report) == ("one", "B", "never asked")
            assert "it is of an older version" in report.blame
            assert blamed(await h.why("inner", "X"))[:2] == ("inner", "Y")
            with pytest.raises(NoSuchStateError):
                await h.why("one", "Redy")


async def test_a_machine_that_can_not_answer_says_why() -> None:
    async with house() as h:
        h.serve("one", One)
        with unanswered(Code.BUSY, "not now"), pytest.raises(UnreachableError, match="not now"):
            async with h.fleet() as fleet:
                await why_live(fleet, "one", "A")


async def test_an_answer_of_another_version_is_passed_over() -> None:
    async with house() as h:
        h.serve("one", One)
        real = asking._questions["why"]
        asking.register("why", lambda *_: {"explanation": 1})
        try:
            report = await h.why("one", "A")
        finally:
            asking._questions["why"] = real
        assert "its answer is of another version" in report.culprit.end


async def test_a_known_machine_that_is_lost_is_explained_by_what_is_left() -> None:
    async with house() as h:
        h.serve("one", One)
        async with h.fleet() as fleet:
            h.away.add("repl-one")
            h.wires["repl-one"][-1].cut()
            await turn()
            report = await why_live(fleet, "one", "A")
            assert blamed(report)[:2] == ("one", "B")
            assert "it is not connected: " in report.blame


class Silent:
    """A peer by hand, whose answers are errors."""

    key, id, is_ready, was_ready, problem = "k", "one", True, True, "gone"

    def __init__(self, error: Exception) -> None:
        self.net, self.error, self.asked = Machine("one", One), error, 0

    async def ask(self, question: str, **params: Any) -> Any:
        self.asked += 1
        raise self.error


class Few:
    """A fleet of them."""

    def __init__(self, *peers: Silent) -> None:
        self.peers = peers


async def test_a_connection_that_is_lost_while_asked_leaves_the_mirror() -> None:
    peer = Silent(NotConnectedError("rc", "ask"))
    world = LiveWorld(Few(peer))  # type: ignore[arg-type]  # as much of them as is used
    look = await world.look(Spot("one", "k"), "A", "add")
    assert (look.explanation.kind, look.held_up) == (Kind.REQUIRE, False)
    assert "is not connected" in look.trouble
    assert await world.mirrors("two") == []
    with pytest.raises(OutOfReachError):
        await world.look(Spot("inner", "k"), "A", "add")
    peer.is_ready = False
    assert world.absence("one") == "one can't be reached from here either: gone"


async def test_who_was_silent_is_not_asked_again() -> None:
    peer = Silent(TimeoutError())
    world = LiveWorld(Few(peer))  # type: ignore[arg-type]  # as above
    for _ in range(2):
        assert (await world.look(Spot("one", "k"), "A", "add")).held_up
    assert peer.asked == 1


async def test_inner_machines_that_can_not_be_looked_into() -> None:
    refused = CallRefusedError("rc", "ask", Code.UNSUPPORTED, "no question")
    world = LiveWorld(Few(Silent(refused)))  # type: ignore[arg-type]  # as above
    with pytest.raises(OutOfReachError, match="no question"):
        await world.look(Spot("inner", "k"), "A", "add")
    refused = CallRefusedError("rc", "ask", Code.STATE, "no state")
    world = LiveWorld(Few(Silent(refused)))  # type: ignore[arg-type]  # as above
    with pytest.raises(NoSuchStateError):
        await world.look(Spot("inner", "k"), "A", "add")


async def test_a_machine_that_is_known_and_never_was_connected() -> None:
    async with house() as h:
        h.serve("one", One)
        h.away.add("repl-three")
        async with h.fleet("one", "three") as fleet:
            with pytest.raises(UnreachableError):
                await why_live(fleet, "three", "D")


async def test_spots_that_are_nowhere() -> None:
    async with house() as h:
        h.serve("one", One)
        async with h.fleet() as fleet:
            world = LiveWorld(fleet)
            with pytest.raises(OutOfReachError):
                await world.look(Spot("x", "nowhere"), "A", "add")
            with pytest.raises(OutOfReachError):
                await world.look(Spot("x", fleet.peers[0].key), "A", "add")
            assert world.home("x") is None
            assert Far.PIPE == "pipe"
