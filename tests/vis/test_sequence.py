"""A transition as data: its rows, actors and facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from amctl.dump.errors import UnknownMachineError, UnknownTransitionError
from amctl.dump.gob import read_gob
from amctl.dump.memory import MemoryDump
from amctl.machine import Machine, StateDef
from amctl.machine.reasons import Reason, reason_of
from amctl.machine.steps import (
    ACTIVATE,
    CALLED,
    DEACTIVATE_PASSIVE,
    HANDLER,
    RELATION,
    Step,
    StepRecorder,
    steps_of,
)
from amctl.telemetry.messages import TxMsg
from amctl.vis.errors import UnknownGroupError
from amctl.vis.sequence import Sequence, reason_text, sequence, tx_url, utc_text
from amctl.vis.sequence_mermaid import render_mermaid
from amctl.vis.sequence_svg import render_svg
from amctl.vis.sequence_text import render_text
from tests.support.recordings import BEGAN, lamp, recording, schema, tx
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from amctl.machine import Transition


def switched() -> Sequence:
    return sequence(lamp(), "lamp", f"{2:016x}")


def rows(found: Sequence, **options: object) -> list[str]:
    shown = found.rows(**options)  # type: ignore[arg-type]
    return [row.words + (f" x{row.times}" if row.times > 1 else "") for row in shown]


def test_a_transition_is_told_in_words() -> None:
    found = switched()
    assert found.title == "[add] On"
    assert found.url == "mach://lamp/0000000000000002"
    assert found.facts == ("executed", "+2 -1 touched 5", "time +3: 2 -> 5")
    assert (found.added, found.removed) == (("On", "Warm"), ("Off",))
    assert utc_text(found.time_ns) == "2023-11-14 22:13:20.125456789 UTC"
    assert found.args == {"hand": "left"}
    assert found.source is not None
    assert found.is_recorded


def test_actors_are_the_touched_states_in_schema_order_and_any_is_last() -> None:
    found = switched()
    assert [actor.name for actor in found.actors] == ["Plugged", "On", "Off", "Warm", "Any"]
    on = found.actors[1]
    assert (on.was_active, on.is_active, on.is_called) == (False, True, True)
    off = found.actors[2]
    assert (off.before, off.after, off.is_called) == (1, 2, False)


def test_rows_are_the_steps_by_name() -> None:
    assert rows(switched()) == [
        "called On",
        "activate On",
        "On add Warm",
        "activate Warm",
        "Warm after On",
        "On require Plugged",
        "On remove Off",
        "deactivate Off",
        "On require Plugged",
        "AnyExit",
        "OffExit",
        "OnEnter",
        "OnState",
    ]


def test_brief_rows_are_shown_once_with_their_count() -> None:
    found = rows(switched(), brief=True)
    assert found.count("On require Plugged x2") == 1
    assert len(found) == 12


def test_runs_of_like_steps_are_joined() -> None:
    names = ("Exception", "A1", "A2", "A3", "B")
    steps = [Step(ACTIVATE, target=i) for i in (1, 2, 3, 1)]
    steps += [Step(RELATION, source=4, target=i, relation=2) for i in (1, 2)]
    dump = recording(schema("m", names), tx("m", 1, (0,) * 5, steps=tuple(steps)))
    found = sequence(dump, "m", f"{1:016x}")
    assert rows(found) == ["activate A[1-3]", "activate A1", "B require A[1-2]"]


def test_handlers_have_their_names() -> None:
    steps = (
        Step(HANDLER, target=0, is_self=True),
        Step(HANDLER, target=0, is_final=True),
        Step(HANDLER, source=0, target=1),
        Step(HANDLER, target=0, data="OldName"),
        Step(DEACTIVATE_PASSIVE, source=1),
        Step(128, target=1),
        Step(CALLED, target=77),
    )
    dump = recording(schema("m", ("A", "B")), tx("m", 1, (0, 0), steps=steps))
    found = sequence(dump, "m", f"{1:016x}")
    words = ["AA", "AEnd", "AB", "OldName", "deactivate-passive B", "called Any"]
    assert rows(found) == words


def test_a_group_leaves_out_steps_with_states_outside_it() -> None:
    found = switched()
    assert rows(found, group="all") == rows(found)
    assert "AnyExit" not in rows(found, group="- self:4")
    assert rows(found, group="errors") == []
    assert found.members("self") == {"Plugged", "On", "Off", "Warm"}
    with pytest.raises(UnknownGroupError) as caught:
        found.rows(group="sel")
    assert caught.value.hint == "did you mean 'self'?"


def test_without_steps_the_clocks_tell_what_happened() -> None:
    names = {"A": StateDef(), "B": StateDef(multi=True), "C": StateDef(), "D": StateDef()}
    dump = recording(
        schema("m", names),
        tx("m", 1, (1, 1, 0, 0)),
        tx("m", 2, (2, 3, 1, 2), called=(2,)),
        tx("m", 3, (2, 3, 1, 2), called=(0, 3), accepted=False),
        tx("m", 4, (2, 3, 1, 2)),
        tx("m", 5, (2, 3, 1, 2), called=(3,), is_queued=True, mut_queue_tick=9),
        tx("m", 6, (2, 3, 1, 3), called=(3,), queue_tick=9),
    )
    found = sequence(dump, "m", f"{2:016x}")
    assert not found.is_recorded
    assert rows(found) == ["called C", "deactivate A D", "activate B C D"]
    assert (found.added, found.removed) == (("B", "C"), ("A",))
    canceled = sequence(dump, "m", f"{3:016x}")
    assert rows(canceled) == ["called A D", "cancel A D"]
    assert canceled.outcome == "canceled"
    assert sequence(dump, "m", f"{4:016x}").rows() == ()
    queued = sequence(dump, "m", f"{5:016x}")
    assert rows(queued) == ["called D"]
    assert queued.facts == ("queued", "at queue tick 9", f"ran as {6:016x}")


def test_a_transition_whose_called_states_are_not_all_active_is_partial() -> None:
    dump = recording(
        schema("m", ("A", "B")),
        tx("m", 1, (1, 0), called=(0, 1), is_auto=True),
        tx("m", 2, (2, 0), called=(0, 1), type=1, is_check=True),
    )
    found = sequence(dump, "m", f"{1:016x}")
    assert found.facts[0] == "executed, auto transition, partially accepted"
    found = sequence(dump, "m", f"{2:016x}")
    assert found.facts[0] == "executed, only asked whether it could"


def test_a_machine_that_began_anew_had_no_active_states() -> None:
    dump = recording(schema("m", ("A", "B")), tx("m", 1, (9, 9)), tx("m", 2, (1, 0)))
    found = sequence(dump, "m", f"{2:016x}")
    assert (found.time_before, found.added, found.removed) == (0, ("A",), ())


def test_names_are_those_of_the_schema_of_that_time() -> None:
    dump = recording(
        schema("m", ("A",)), tx("m", 1, (1,)), schema("m", ("Z", "A")), tx("m", 2, (1, 1))
    )
    assert sequence(dump, "m", f"{1:016x}").added == ("A",)
    assert sequence(dump, "m", f"{2:016x}").added == ("A",)


def test_an_id_may_be_shortened_while_it_names_one_transition() -> None:
    dump = recording(
        schema("m", ("A",)),
        tx("m", 0xABCDE << 44, (1,)),
        tx("m", 0xABCDF << 44, (2,)),
        tx("m", 0xFFFF << 48, (3,)),
    )
    queued = tx("m", 7, (3,), is_queued=True)
    queued.id = "ffff000000000000-0"
    dump.write(queued)
    assert sequence(dump, "m", "abcde").tx_id == "abcde00000000000"
    assert sequence(dump, "m", "ffff").tx_id == "ffff000000000000"
    for wrong in ("abcd", "abc", "nope", ""):
        with pytest.raises(UnknownTransitionError):
            sequence(dump, "m", wrong)
    with pytest.raises(UnknownMachineError):
        sequence(dump, "x", "abcde")


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (Reason("require", "A", ("B", "C")), "A requires B C"),
        (Reason("remove", "A", ("B",)), "B keeps A out"),
        (Reason("veto", "A", handler="AEnter", binding="#1"), "AEnter of #1 refused"),
        (Reason("error", "A", handler="AState", text="boom"), "AState failed: boom"),
        (Reason("timeout", "A"), "A took too long"),
        (Reason("relations"), "the relations leave no way for it"),
        (Reason("new kind", "A"), "new kind A"),
    ],
)
def test_reasons_are_sentences(reason: Reason, text: str) -> None:
    assert reason_text(reason) == text


def test_odd_values_are_told_apart() -> None:
    assert utc_text(0) == utc_text(10**30) == "unknown time"
    assert utc_text(BEGAN).endswith(".123456789 UTC")
    assert tx_url("a b/c", "id-1") == "mach://a%20b%2Fc/id-1"


class Writer(StepRecorder):
    """Writes a machine's transitions into a recording."""

    def __init__(self, dump: MemoryDump) -> None:
        self.id, self.dump = "writer", dump

    def transition_end(self, tx: Transition) -> None:
        """See Tracer."""
        machine = tx.machine
        self.dump.write(
            TxMsg(
                machine.id,
                f"{self.dump.count():016x}",
                tuple(machine.time()),
                called=tuple(tx.called),
                accepted=tx.plan.accepted,
                steps=steps_of(tx),
                reason=reason_of(tx),
            )
        )


def test_it_tells_what_a_machine_of_ours_did() -> None:
    states = {
        "Off": {"remove": ["On"]},
        "On": {"require": ["Plugged"], "remove": ["Off"]},
        "Plugged": {},
    }
    machine = Machine("lamp", states)
    dump = MemoryDump(messages=[schema("lamp", machine.names)])
    names = ("OffExit", "OnEnter", "OnState", "OffOn", "AnyEnter", "AnyState", "OffEnd")
    machine.bind({name: lambda e: None for name in names})
    machine.bind_tracer(Writer(dump))
    machine.add("On")
    machine.add(["Off", "Plugged"])
    machine.add("On")
    found = [sequence(dump, "lamp", tx.id) for tx in dump.transitions()]
    assert [one.outcome for one in found] == ["canceled", "executed", "executed"]
    assert reason_text(found[0].reason) == "On requires Plugged"  # type: ignore[arg-type]
    assert rows(found[2])[:4] == ["called On", "activate On", "On require Plugged", "On remove Off"]
    handlers = [row.handler for row in found[2].rows() if row.handler]
    assert sorted(handlers) == sorted(names)
    assert (found[2].added, found[2].removed) == (("On",), ("Off",))


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize("name", ["wasm-workflow", "am-dbg-sim"])
def test_transitions_of_the_originals_recordings_are_drawn(name: str) -> None:
    dump = read_gob(SHARED / "data" / f"{name}.gob.br")
    drawn = 0
    for machine in dump.machines():
        for real in list(dump.transitions(machine))[:: 7 if name == "am-dbg-sim" else 1]:
            found = sequence(dump, machine, real.id)
            ElementTree.fromstring(render_svg(found))
            assert max(map(len, render_text(found, brief=True).splitlines())) <= 80
            steps = len(re.findall("->>", render_mermaid(found)))
            assert steps == (len(real.steps) or len(found.steps))
            assert found.is_recorded is bool(real.steps)
            drawn += 1
    assert drawn > 700


@needs_shared
@pytest.mark.slow
def test_the_golden_transition_has_the_rows_it_should() -> None:
    dump = read_gob(SHARED / "data" / "wasm-workflow.gob.br")
    found = sequence(dump, "orchestrator", "3d2c04dbb32e")
    assert found.title == "[add] NetworkReady WorkDelivered WorkersReady"
    assert found.facts == (
        "executed, auto transition, partially accepted",
        "+3 -0 touched 15",
        "time +3: 11 -> 14",
    )
    assert (len(found.steps), len(found.rows()), len(found.rows(brief=True))) == (83, 58, 19)
    assert found.rows(brief=True)[10].words == "WorkersReady require Browser[1-4]Ready"
