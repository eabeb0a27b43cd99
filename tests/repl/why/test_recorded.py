"""Why a state was as it was: four of the six causes, from recordings of real machines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amctl.dump.opening import open_dump
from amctl.graph.moments import Moment, moment_at
from amctl.machine import Machine
from amctl.repl.why.errors import NoSuchMachineError, NoSuchStateError
from amctl.repl.why.model import OutOfReachError, Spot
from amctl.repl.why.recorded import RecordedWorld
from amctl.states.pipes import bind
from tests.machine.tools import boom, no
from tests.repl.why.houses import One, Two, house
from tests.repl.why.tapes import Tape
from tests.rpc.world import turn
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from amctl.machine import Event
    from amctl.repl.why.report import Report


def blamed(report: Report) -> tuple[str, str, str]:
    """Who, by machine, state and kind."""
    return report.culprit.machine, report.culprit.state, str(report.culprit.kind)


async def test_seeded_1_a_chain_of_require_over_two_machines_by_a_pipe() -> None:
    async with house() as h:
        tape = Tape()
        two, one = h.serve("two", Two), h.serve("one", One)
        tape.follow(two)
        tape.follow(one)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("C", "B")])
        one.add("A")
        two.add("C")
        await link.sync()
        report = await tape.why("one", "A")
        assert blamed(report) == ("two", "D", "never asked")
        kinds = [(n.machine, n.state, str(n.kind)) for _, n in report.root.walk()]
        assert kinds == [
            ("one", "A", "require"),
            ("one", "B", "never asked"),
            ("rnm-one-two", "C", "mirror"),
            ("two", "C", "require"),
            ("two", "D", "never asked"),
        ]
        assert any("last refused at" in line for line in report.lines)
        assert not any("amctl mach" in line for line in report.lines)


async def test_seeded_2_an_active_rival_and_what_made_it_so() -> None:
    tape = Tape()
    m = tape.machine("m", {"F": {}, "G": {"remove": ["F"]}})
    other = tape.machine("other", {"X": {}})
    bind(other, m, [("X", "G")])
    m.add("F")
    other.add("X")
    await turn()
    report = await tape.why("m", "F")
    assert blamed(report) == ("other", "X", "active")
    first = report.root
    assert "F ended at" not in first.sentence
    assert any("ended at" in line and "[add] G from other" in line for line in first.details)
    assert "X is active since" in report.blame


async def test_seeded_3_a_veto() -> None:
    tape = Tape()
    m = tape.machine("m", {"A": {}})
    m.bind({"AEnter": no}, id="guard")
    m.add("A")
    report = await tape.why("m", "A")
    assert blamed(report) == ("m", "A", "veto")
    assert report.blame.startswith("A is not active: [add] A was refused at 2023-11-14 22:")
    assert report.blame.endswith(": AEnter of binding guard vetoed it")
    assert report.remedy == "see to AEnter of binding guard, then add A again"


async def test_seeded_4_a_mutation_that_waits() -> None:
    """The transition that holds it up isn't recorded, as it hasn't ended."""
    tape = Tape()
    m = tape.machine("m", {"A": {}, "B": {}, "C": {}})

    def held(e: Event) -> None:
        m.add("C")
        m.add("B")

    m.bind({"AState": held}, id="h")
    m.add("A")
    tape.read()
    # all is over by the time that it is looked at, but not at the moment
    queued = [tx for tx in tape.dump.transitions("m") if tx.is_queued]
    assert len(queued) == 2
    moment = Moment(queued[-1].time_ns)
    report = await tape.why("m", "B", moment)
    assert blamed(report) == ("m", "B", "queued")
    assert "[add] B waits at place 2 of the queue" in report.blame
    assert "behind [add] C" in report.blame
    assert blamed(await tape.why("m", "B"))[2] == "active"


async def test_seeded_5_a_dead_peer() -> None:
    async with house() as h:
        tape = Tape()
        one, two = h.serve("one", One), h.serve("two", Two)
        tape.follow(one)
        link = await h.mirror("two", one, Two)
        bind(link.net, one, [("D", "B")])
        two.add("D")
        await link.sync()
        two.remove("D")
        await link.sync()
        h.away.add("for-two")
        h.wires["for-two"][-1].cut()
        await link.machine.when("RetryingConn")
        await turn()
        report = await tape.why("one", "A")
        assert blamed(report) == ("rnm-one-two", "D", "dead peer")
        assert "has been cut for" in report.blame
        assert "the recording holds nothing of two" in report.blame
        assert "two:1" in report.remedy
        assert "ConnectionResetError" in report.blame or "cut" in report.blame


async def test_seeded_6_an_error_that_ended_it() -> None:
    tape = Tape()
    states = {
        "A": {"require": ["W"]},
        "W": {"remove": ["Exception"]},
        "Exception": {"multi": True, "remove": ["W"]},
    }
    m = Machine("m", states, names=list(states))
    tape.follow(m)
    m.add(("W", "A"))
    m.add_err(ValueError("no luck"))
    report = await tape.why("m", "A")
    assert blamed(report) == ("m", "W", "error")
    assert "W was ended by an error at" in report.blame
    assert report.blame.endswith("no luck")
    assert "see to the error" in report.remedy
    m.remove("Exception")
    report = await tape.why("m", "W")
    assert report.others == 0


# -- the edges


async def test_what_an_error_keeps_out_names_it() -> None:
    tape = Tape()
    states = {"A": {}, "Exception": {"multi": True, "remove": ["A"]}}
    m = Machine("m", states, names=list(states))
    tape.follow(m)
    m.add_err(ValueError("no luck"))
    assert "(no luck)" in (await tape.why("m", "A")).root.sentence
    active = await tape.why("m", "Exception")
    assert active.blame.startswith("Exception is active since")
    assert active.blame.endswith(": no luck")


async def test_what_a_failing_handler_did() -> None:
    tape = Tape()
    m = tape.machine("m", {"A": {}})
    m.bind({"AState": boom}, id="h")
    m.add("A")
    report = await tape.why("m", "A")
    assert blamed(report) == ("m", "A", "error")
    assert "AState of binding h failed: boom" in report.blame


async def test_what_ended_by_hand_and_from_where() -> None:
    tape = Tape()
    m = tape.machine("m", {"A": {}, "B": {}})
    other = tape.machine("other", {"X": {}})
    other.bind({"XEnd": lambda e: m.remove("A", source=e)})
    m.add("A")
    other.add("X")
    other.remove("X")
    report = await tape.why("m", "A")
    assert "A ended at" in report.root.sentence
    assert "by [remove] A from other" in report.root.sentence
    assert blamed(report) == ("other", "X", "ended")
    at = moment_at(tape.dump, "m:A")
    assert (await tape.why("m", "A", at)).root.active
    assert (await tape.why("m", "B")).root.kind == "never asked"


async def test_a_machine_that_was_disposed_of() -> None:
    tape = Tape()
    m = tape.machine("m", {"A": {}})
    m.add("A")
    m.dispose()
    await m.when_disposed()
    report = await tape.why("m", "A")
    assert blamed(report)[2] == "disposed"
    assert "m was disposed of at" in report.blame


async def test_auto_states_say_that_the_machine_tried() -> None:
    tape = Tape()
    m = tape.machine("m", {"A": {}, "B": {"auto": True, "require": ["A"]}})
    m.add("A")
    assert "by the machine's own try [add] B" in (await tape.why("m", "B")).blame
    m.remove("A")
    assert blamed(await tape.why("m", "B")) == ("m", "A", "ended")


async def test_unknown_names_have_near_matches() -> None:
    tape = Tape()
    tape.machine("machine", {"Ready": {}})
    with pytest.raises(NoSuchMachineError) as machine:
        await tape.why("machin", "Ready")
    assert machine.value.hint == "did you mean 'machine'?"
    assert str(machine.value) == "the recording holds no machine 'machin'"
    with pytest.raises(NoSuchStateError):
        await tape.why("machine", "Redy")
    world = RecordedWorld(tape.read())
    with pytest.raises(OutOfReachError):
        await world.look(Spot("nobody"), "X", "add")
    assert await world.find(".") == Spot("machine")


@needs_shared
async def test_recordings_of_the_original_are_read_by_their_logs() -> None:
    dump = open_dump(Path(SHARED, "data", "wasm-workflow.gob.br"))
    try:
        world = RecordedWorld(dump, moment_at(dump, "browser1:Start"))
        look = await world.look(Spot("orchestrator"), "WorkersReady", "add")
        assert look.explanation.kind == "require"
        feeds = (await world.look(Spot("orchestrator"), "Browser1Ready", "add")).feeds
        assert [(f.source_id, f.source_state) for f in feeds] == [("rnm-srv-browser1", "Ready")]
    finally:
        dump.close()
