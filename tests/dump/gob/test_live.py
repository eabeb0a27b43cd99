"""What is woven while it happens: nothing is told twice, nothing waits for ever."""

from __future__ import annotations

from amctl.dump.gob.live import LiveWeaver, Told
from amctl.dump.gob.weaving import unwoven
from amctl.machine.lines import LogLine
from amctl.telemetry.messages import GapMsg, GoneMsg, Message, PipeMsg, SchemaMsg, TxMsg
from tests.telemetry.dbgtools import simple_schema, simple_tx

PIPE = PipeMsg("add", "m", "A", "n", "B", time_ns=5)
OUT, INTO = "[pipe-out:add] A to n", "[pipe-in:add] B from m"


def weaver(*messages: Message, most: int = 10) -> LiveWeaver:
    made = LiveWeaver(most)
    for message in (simple_schema("m", "A"), simple_schema("n", "B"), *messages):
        made.take(message)
    return made


def texts(told: Told) -> list[str]:
    assert isinstance(told.message, TxMsg)
    lines = (*told.message.pre_logs, *told.message.logs)
    return [line.text for line in lines if not line.text.startswith("[amctl]")]


def notes(*all_told: Told) -> list[Message | None]:
    found: list[Message | None] = []
    for told in all_told:
        assert isinstance(told.message, TxMsg)
        for note in unwoven(told.message)[1]:
            found += [each for each in (note.pipe, note.gap, note.gone) if each is not None]
    return found


def test_a_schema_is_told_as_it_is() -> None:
    schema = simple_schema("m", "A")
    assert LiveWeaver(1).take(schema) == [Told("m", schema, schema)]


def test_a_pipe_is_told_with_the_next_transitions_of_its_ends() -> None:
    live = weaver(PIPE)
    assert live.has_pending
    (source,) = live.take(simple_tx("m", 1, 1))
    (target,) = live.take(simple_tx("n", 1, 1))
    assert (texts(source), texts(target)) == ([OUT], [INTO])
    assert notes(source, target) == [PIPE]
    assert not live.has_pending


def test_lines_that_a_machine_writes_itself_are_not_doubled() -> None:
    live = weaver(PIPE)
    (told,) = live.take(simple_tx("m", 1, 1, pre_logs=(LogLine(3, OUT),)))
    assert texts(told) == [OUT]
    live.take(PIPE)
    (again,) = live.take(simple_tx("m", 2, 2))
    assert texts(again) == []


def test_a_pipe_that_is_unbound_may_come_back() -> None:
    gone = PipeMsg("add", "m", "A", "n", "B", gone=True, time_ns=6)
    live = weaver(PIPE, gone)
    (told,) = live.take(simple_tx("m", 1, 1))
    assert texts(told) == []
    assert notes(told) == [PIPE, gone]
    live.take(PIPE)
    assert texts(live.take(simple_tx("m", 2, 2))[0]) == [OUT]


def test_what_waits_can_go_without_a_transition() -> None:
    live = weaver(simple_tx("m", 1, 7), PIPE, GapMsg(3, "full"), GapMsg(2, "full", "n"))
    told = live.flush()
    assert [one.machine_id for one in told] == ["m", "n"]
    assert [one.message.clocks for one in told if isinstance(one.message, TxMsg)] == [(7,), (0,)]
    assert sorted(map(str, notes(*told))) == sorted(
        map(str, [PIPE, GapMsg(3, "full"), GapMsg(2, "full", "n")])
    )
    assert {one.message.id for one in told if isinstance(one.message, TxMsg)} == {"semlogger"}
    assert live.flush() == []


def test_a_machine_that_is_gone_takes_what_waits_along() -> None:
    live = weaver(PIPE)
    gone = GoneMsg("m", 9)
    (told,) = live.take(gone)
    assert told.is_last
    assert notes(told) == [PIPE, gone]
    assert list(live.machines) == ["n"]
    assert live.take(simple_tx("m", 1, 1)) == []
    assert live.take(GoneMsg("m", 9)) == []


def test_there_are_only_so_many_machines_and_lines() -> None:
    live = weaver(most=2)
    assert live.take(simple_schema("o", "C")) == []
    assert live.take(simple_tx("o", 1, 1)) == []
    for number in range(3000):
        live.take(GapMsg(number, "full"))
    assert len(notes(*live.flush())) == 1000


def test_a_schema_may_grow_and_its_place_is_known() -> None:
    live = weaver(simple_tx("m", 1, 3))
    grown = simple_schema("m", "A", "C")
    assert live.take(grown)[0].schema == grown
    place = live.place("m")
    assert isinstance(place.schema, SchemaMsg)
    assert isinstance(place.message, TxMsg)
    assert (place.message.clocks, place.schema) == ((3,), grown)
