"""What transitions changed, in the words that people read."""

from __future__ import annotations

import pytest

from amctl.dump.following import (
    Changes,
    Entry,
    Follower,
    active_names,
    changes,
    flags_text,
    outcome,
    plain,
    state_name,
    step_line,
)
from amctl.machine.steps import ACTIVATE, CALLED, HANDLER, RELATION, Step
from amctl.telemetry.messages import GapMsg, SchemaMsg, TxMsg
from tests.support.recordings import lamp

NAMES = ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ((), (1, 0, 2, 0), Changes((0,), (), (2,))),
        ((1, 1, 1, 0), (2, 3, 1, 0), Changes((), (0,), (1,))),
        ((1, 1), (1,), Changes((), (1,), ())),
        ((1, 2), (1, 2), Changes((), (), ())),
    ],
)
def test_changes_are_activations_ends_and_ticks(
    before: tuple[int, ...], after: tuple[int, ...], told: Changes
) -> None:
    assert changes(before, after) == told


def test_changes_read_as_signs_and_names() -> None:
    assert Changes((0,), (1,), (9,)).text(NAMES) == "+A -B *#9"
    assert Changes((), (), ()).text(NAMES) == ""


@pytest.mark.parametrize(
    ("type", "text"), [(0, "+A, B"), (1, "-A, B"), (2, "=A, B"), (3, "eval"), (7, "?A, B")]
)
def test_a_mutation_reads_as_in_the_original(type: int, text: str) -> None:
    assert Entry(TxMsg("m", "1", (), type, (0, 1)), NAMES, (), 0).mutation == text


def test_a_line_says_what_was_called_what_came_of_it_and_what_changed() -> None:
    tx = TxMsg("m", "1", (1, 0), 0, (0,), is_auto=True, args={"b": "2", "a": "1"})
    assert Entry(tx, NAMES, (0, 1), 0).line == "+A (a=1 b=2)  auto  -> +A -B"
    bare = TxMsg("m", "1", (1, 0), 0, (0,), accepted=False)
    assert Entry(bare, NAMES, (1, 0), 0).line == "+A  canceled"


@pytest.mark.parametrize(
    ("tx", "flags", "what"),
    [
        (TxMsg("m", "1", ()), "", "executed"),
        (TxMsg("m", "1", (), is_auto=True, accepted=False), "auto canceled", "canceled"),
        (TxMsg("m", "1", (), is_queued=True), "queued", "queued"),
        (TxMsg("m", "1", (), is_check=True), "check", "executed"),
    ],
)
def test_what_is_special_is_named(tx: TxMsg, flags: str, what: str) -> None:
    assert (flags_text(tx), outcome(tx)) == (flags, what)


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Step(CALLED, target=0), "called A"),
        (Step(ACTIVATE, target=1), "activate B"),
        (Step(RELATION, source=0, target=1, relation=2), "A require B"),
        (Step(RELATION, source=0, target=1, relation=77), "A after B"),
        (Step(HANDLER, target=0, is_final=True, is_enter=True), "handler AState"),
        (Step(CALLED, target=99), "called Any"),
    ],
)
def test_steps_read_as_lines(step: Step, line: str) -> None:
    assert step_line(step, NAMES) == line


def test_states_beyond_the_schema_are_numbers() -> None:
    assert [state_name(i, NAMES) for i in (0, 4, -1)] == ["A", "#4", "#-1"]
    assert active_names((1, 0, 3, 2, 5), NAMES) == ("A", "C", "#4")


def test_each_transition_knows_what_was_before_it() -> None:
    follower = Follower()
    dump = lamp()
    entries = list(follower.entries([dump.schema("lamp"), GapMsg(1, "x"), *dump.transitions()]))
    assert [e.position for e in entries] == [0, 1, 2]
    assert [e.changes.text(e.names) for e in entries] == ["+Plugged +Off", "+On +Warm -Off", ""]
    assert entries[1].active == ("Plugged", "On", "Warm")
    assert follower.clocks["lamp"] == entries[-1].tx.clocks


def test_clocks_move_with_the_names_when_the_schema_changes() -> None:
    follower = Follower()
    old, new = SchemaMsg("m", ("A", "B"), {}), SchemaMsg("m", ("B", "New", "A"), {})
    messages = [old, TxMsg("m", "1", (1, 2)), new, TxMsg("m", "2", (2, 1, 1))]
    last = list(follower.entries(messages))[-1]
    assert last.before == (2, 0, 1)
    assert last.changes.text(last.names) == "+New"


def test_a_machine_without_a_schema_has_numbers_for_names() -> None:
    entry = Follower().take(TxMsg("m", "1", (1,), called=(0,)))
    assert entry is not None
    assert entry.line == "+#0  -> +#0"


def test_texts_stay_in_their_line() -> None:
    assert plain("a\x1b[2J\nb\u202ec\ud800é") == "a\\x1b[2J\\x0ab\\u202ec\\ud800é"


def test_what_is_only_queued_changes_nothing() -> None:
    queued = TxMsg("m", "1-0", (0, 0), is_queued=True)
    txs = [queued, TxMsg("m", "1", (1, 0)), queued, TxMsg("m", "2", (1, 1))]
    entries = Follower().entries([SchemaMsg("m", ("A", "B"), {}), *txs])
    assert [e.changes.text(e.names) for e in entries] == ["", "+A", "", "+B"]
