"""What our recordings say beyond the original's is in the lines that its tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amctl.dump.gob.notes import Note, note_line
from amctl.dump.gob.weaving import SYNTHETIC, unwoven, woven
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.reasons import Reason
from amctl.machine.steps import Step
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, SourceRef, TxMsg
from tests.dump.gob.samples import dump_of, everything

if TYPE_CHECKING:
    from amctl.telemetry.messages import Message


def schema(machine: str, *names: str, **more: Any) -> SchemaMsg:
    return SchemaMsg(machine, names or ("A",), {n: StateDef() for n in names or ("A",)}, **more)


def tx(machine: str, time_ns: int, *clocks: int, **more: Any) -> TxMsg:
    return TxMsg(machine, f"t{time_ns}", clocks or (1,), time_ns=time_ns, **more)


def lines(*messages: Message) -> dict[str, list[tuple[list[str], list[str]]]]:
    """Per machine and transition, the lines before it and in it, without notes."""
    return {
        schema.machine_id: [
            (_plain(tx.pre_logs), _plain(tx.logs)) for tx in transitions if tx.id != SYNTHETIC
        ]
        for schema, transitions in woven(dump_of(*messages))
    }


def _plain(logs: tuple[LogLine, ...]) -> list[str]:
    return [line.text for line in logs if not line.text.startswith("[amctl]")]


def test_a_source_stands_behind_what_was_called() -> None:
    add, state = LogLine(3, "[add] A"), LogLine(2, "[state] +A")
    source = SourceRef("b", "t9", 4)
    found = lines(
        schema("a"), tx("a", 1, source=source, logs=(add, state)), tx("a", 2, source=source)
    )
    assert found["a"] == [
        ([], ["[add] A", "[source] b/t9/4", "[state] +A"]),
        ([], ["[source] b/t9/4"]),
    ]


def test_a_source_that_is_there_is_not_told_twice() -> None:
    line = LogLine(3, "[source] b/t9/4")
    one = tx("a", 1, source=SourceRef("b", "t9", 4), logs=(line,))
    [(_, [found])] = woven(dump_of(schema("a"), one))
    assert found is one


def test_a_source_that_the_line_cannot_say_is_noted() -> None:
    one = tx("a", 1, source=SourceRef("b", "t/9", 4))
    [(_, [found])] = woven(dump_of(schema("a"), one))
    assert found.logs[-1] == note_line(Note(source=one.source))
    assert unwoven(found)[0] is not None
    assert found.source == one.source


def test_both_ends_of_a_pipe_tell_it_before_their_next_transition() -> None:
    found = lines(
        schema("a"),
        schema("b"),
        *(tx("a", 1), tx("b", 2), PipeMsg("add", "a", "A", "b", "B", time_ns=3)),
        *(tx("a", 4), tx("a", 5), tx("b", 6)),
    )
    assert found == {
        "a": [([], []), (["[pipe-out:add] A to b"], []), ([], [])],
        "b": [([], []), (["[pipe-in:add] B from a"], [])],
    }


def test_a_pipe_after_the_last_transition_stands_at_its_end() -> None:
    pipe = PipeMsg("remove", "a", "A", "x", "B", time_ns=3)
    assert lines(schema("a"), tx("a", 1), pipe)["a"] == [([], ["[pipe-out:remove] A to x"])]


def test_a_pipe_end_that_is_not_known_is_not_told() -> None:
    found = lines(
        schema("a"), schema("b"), tx("a", 1), tx("b", 1), PipeMsg("add", "a", "", "b", "B")
    )
    assert found == {"a": [([], [])], "b": [(["[pipe-in:add] B from a"], [])]}


def test_lines_that_a_machine_logged_itself_are_not_added() -> None:
    line = LogLine(3, "[pipe-out:add] A to x")
    found = lines(
        schema("a"), tx("a", 1), tx("a", 2, pre_logs=(line,)), PipeMsg("add", "a", "A", "x", "B")
    )
    assert found["a"] == [([], []), ([line.text], [])]


def test_pipes_are_told_in_the_order_of_their_times_on_both_ends() -> None:
    """Readers pair the two halves by their order."""
    pipes = [
        PipeMsg("add", "a", name, "b", name * 2, time_ns=at) for name, at in (("Y", 2), ("X", 1))
    ]
    found = lines(schema("a"), schema("b"), *pipes, tx("a", 9), tx("b", 9))
    assert found["a"][0][0] == ["[pipe-out:add] X to b", "[pipe-out:add] Y to b"]
    assert found["b"][0][0] == ["[pipe-in:add] XX from a", "[pipe-in:add] YY from a"]


def test_pipes_that_are_no_more_are_only_noted() -> None:
    ends = ("a", "A", "x", "B")
    bound, gone = PipeMsg("add", *ends, time_ns=1), PipeMsg("add", *ends, True, 2)
    assert lines(schema("a"), tx("a", 9), bound, gone)["a"] == [([], [])]
    again = PipeMsg("add", *ends, time_ns=3)
    assert lines(schema("a"), tx("a", 9), bound, gone, again)["a"][0][0] == [
        "[pipe-out:add] A to x"
    ]


def handshake(
    *logs: str, args: dict[str, str], tags: tuple[str, ...] = ("rpc-server",)
) -> list[str]:
    names = ("A", "HandshakeDone")
    one = tx("s", 2, 1, 1, called=(1,), args=args, logs=tuple(LogLine(3, text) for text in logs))
    return lines(schema("s", *names, tags=tags), tx("s", 1, 1, 0), one)["s"][1][1]


def test_a_handshake_names_its_client() -> None:
    client = {"id": "c1", "port": "1"}
    assert handshake("[state] +HandshakeDone", args=client) == [
        "[add] HandshakeDone (id=c1)",
        "[state] +HandshakeDone",
    ]
    assert handshake("[add] HandshakeDone (id=x)", args=client) == ["[add] HandshakeDone (id=x)"]


def test_a_handshake_that_names_nobody_is_left_alone() -> None:
    assert handshake(args={}) == []
    assert handshake(args={"id": "a b"}) == []
    assert handshake(args={"id": "c1"}, tags=()) == []


def test_only_a_handshake_that_just_happened_names_its_client() -> None:
    names = ("A", "HandshakeDone")
    found = lines(
        schema("s", *names, tags=("rpc-server",)),
        tx("s", 1, 0, 1, called=(1,), args={"id": "c"}),
        tx("s", 2, 1, 1, called=(1,), args={"id": "c"}),
        tx("s", 3, 1, 3, called=(1,), args={"id": "d"}),
        tx("s", 4, 1, called=(1,), args={"id": "d"}),
        tx("s", 5, 1, 5, called=(0,), args={"id": "e"}),
    )
    assert [logs for _, logs in found["s"]] == [
        ["[add] HandshakeDone (id=c)"],
        [],
        ["[add] HandshakeDone (id=d)"],
        [],
        [],
    ]


def test_everything_comes_out_of_the_lines_again() -> None:
    dump = everything()
    notes: list[Note] = []
    for schema_, transitions in woven(dump):
        for found, original in zip(transitions, dump.transitions(schema_.machine_id), strict=False):
            tx, more = unwoven(found)
            notes += more
            assert tx is not None
            assert (tx.source, tx.reason, tx.id) == (original.source, original.reason, original.id)
    assert {note.pipe for note in notes if note.pipe} == {*dump.pipes()}
    assert {note.gap for note in notes if note.gap} == {*dump.gaps()}
    assert [note.gone for note in notes if note.gone] == [GoneMsg("client", dump.gone()["client"])]


def test_a_machine_without_transitions_gets_one_that_vanishes_again() -> None:
    [(_, [found])] = woven(dump_of(schema("a"), GapMsg(1, "x")))
    assert (found.id, found.type, found.is_check, found.accepted) == (SYNTHETIC, 2, True, True)
    tx, notes = unwoven(found)
    assert tx is None
    assert [note.gap for note in notes if note.gap] == [GapMsg(1, "x")]


def test_records_of_unknown_machines_stand_with_the_first_one() -> None:
    messages = (PipeMsg("add", "x", "A", "y", "B"), GapMsg(1, "g", "z"), GoneMsg("w", 1))
    [(_, [found])] = woven(dump_of(schema("a"), tx("a", 1), *messages))
    _, notes = unwoven(found)
    assert len(notes) == 3


def test_an_empty_recording_has_nothing_to_weave() -> None:
    assert [*woven(dump_of(GapMsg(1, "x")))] == []


def test_a_reason_is_a_note_of_its_transition() -> None:
    reason = Reason("require", "A", ("B",))
    [(_, [found])] = woven(dump_of(schema("a"), tx("a", 1, accepted=False, reason=reason)))
    found.reason = None
    read, _ = unwoven(found)
    assert read is not None
    assert read.reason == reason
    assert read.logs == ()


def test_lines_that_look_like_notes_stay_where_they_are() -> None:
    odd, line = LogLine(1, "[amctl] {odd"), LogLine(1, "[exter] x")
    one = TxMsg("a", "x", (), logs=(odd, line), pre_logs=(line, odd))
    unwoven(one)
    assert (one.logs, one.pre_logs) == ((odd, line), (line, odd))


def test_a_schema_that_grew_at_its_end_leaves_transitions_alone() -> None:
    first = tx("a", 1)
    dump = dump_of(schema("a", "A"), first, schema("a", "A", "B"), tx("a", 2, 1, 1))
    [(found, transitions)] = woven(dump)
    assert found.names == ("A", "B")
    assert transitions[0] is first


def test_transitions_before_a_schema_with_another_order_are_rewritten() -> None:
    old = tx("a", 1, 5, 7, called=(1, 0), steps=(Step(1, 0, 1), Step(4, -1, 9)))
    dump = dump_of(schema("a", "A", "B"), old, schema("a", "B", "C"), tx("a", 2, 7, 0))
    [(_, [found, _])] = woven(dump)
    assert (found.clocks, found.called) == ((7, 0), (0,))
    assert found.steps == (Step(1, -1, 0), Step(4, -1, -1))
