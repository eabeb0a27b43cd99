"""Fields of the original's messages are ours, whatever a stream leaves out or gets wrong."""

from __future__ import annotations

from typing import Any

import pytest

from amctl.dump.gob.convert import Reader, schema_from_fields, schema_to_fields, tx_to_fields
from amctl.dump.gob.decoder import Iface
from amctl.dump.gob.encoder import GobValueError
from amctl.dump.gob.layout import Layout
from amctl.dump.gob.times import time_to_bytes
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.machine.steps import RELATION, Step
from amctl.telemetry.messages import SchemaMsg, TxMsg

NOW = Layout(has_indexes=True, has_called_indexes=True)
THEN = Layout(has_indexes=False, has_called_indexes=False)
NAMES = ("A", "B", "C")
SCHEMA = {"ID": "m", "StatesIndex": [*NAMES]}


def read(layout: Layout = NOW, **fields: Any) -> TxMsg:
    return Reader(layout, schema_from_fields(SCHEMA)).transition(fields)


def step(layout: Layout = NOW, **fields: Any) -> Step:
    [found] = read(layout, Steps=[fields]).steps
    return found


def test_an_empty_transition_has_nothing() -> None:
    assert read() == TxMsg("m", "", (), accepted=False)


def test_a_transition_belongs_to_the_machine_that_it_stands_with() -> None:
    assert read(MachineID="other").machine_id == "m"


def test_called_states_are_told_by_names_or_by_indexes() -> None:
    assert read(CalledStates=["C", "A"]).called == (2, 0)
    assert read(CalledStatesIdxs=[2, 0]).called == (2, 0)
    assert read(CalledStates=["B"], CalledStatesIdxs=[2]).called == (1,)
    assert read(CalledStates=["B", "X"]).called == (1,)
    assert read(CalledStatesIdxs=[3, -1, 1]).called == (1,)


def test_a_state_that_stands_twice_keeps_its_index() -> None:
    twice = Reader(NOW, schema_from_fields({"ID": "m", "StatesIndex": ["A", "A"]}))
    raw = {"CalledStates": ["A"], "CalledStatesIdxs": [1]}
    assert twice.transition(raw).called == (1,)
    assert twice.transition({"CalledStates": ["A"]}).called == (0,)


def test_an_index_that_is_left_out_of_a_step_is_state_0() -> None:
    found = step(Type=RELATION, RelType=2, ToStateIdx=-1)
    assert found == Step(RELATION, source=0, target=-1, relation=2)


def test_steps_of_2024_have_names_and_say_relations_elsewhere() -> None:
    found = step(THEN, Type=1, ToState="B", Data=Iface("any.Relation", 3))
    assert found == Step(RELATION, source=-1, target=1, relation=3)
    handler = step(
        THEN, Type=2, FromState="A", IsFinal=True, IsEnter=True, Data=Iface("string", "A")
    )
    assert handler == Step(2, 0, -1, 0, True, False, True, "A")


def test_sides_of_a_step_that_do_not_exist_are_none() -> None:
    assert step(FromState="X", ToState="Y") == Step(0, -1, -1)
    assert step(FromStateIdx=3, ToStateIdx=-7) == Step(0, -1, -1)


@pytest.mark.parametrize("data", [None, Iface("x", [1]), Iface("x", 2.5), Iface("x", {"A": 1})])
def test_other_data_of_steps_is_not_for_us(data: Iface | None) -> None:
    assert step(Data=data) == Step(0, 0, 0)


def test_levels_of_2024_are_one_higher_today() -> None:
    lines = [{"Level": 2, "Text": "[add] A"}, {}]
    assert read(THEN, LogEntries=lines).logs == (LogLine(3, "[add] A"), LogLine(1, ""))
    assert read(NOW, PreLogEntries=lines).pre_logs == (LogLine(2, "[add] A"), LogLine(0, ""))


def test_the_only_time_of_a_message_is_both_of_ours() -> None:
    found = read(Time=time_to_bytes(1_700_000_000_000_000_001))
    assert found.time_ns == found.received_ns == 1_700_000_000_000_000_001


def test_a_type_that_there_is_not_is_an_error_on_both_sides() -> None:
    with pytest.raises(ValueError, match="a transition of machine 'm' has the type 4"):
        read(Type=4)
    with pytest.raises(GobValueError, match="4 where a type of mutation should be"):
        tx_to_fields(TxMsg("m", "x", (), 4), NAMES)


def test_a_schema_has_exactly_the_states_with_an_index() -> None:
    raw = {
        "ID": "m",
        "StatesIndex": ["B", "A"],
        "States": {"A": {"Auto": True, "Require": ["B"], "Tags": ["t"]}, "Lost": {"Multi": True}},
        "Groups": {"g": [1, 2, -1]},
        "GroupsOrder": ["g"],
        "Parent": "p",
        "Tags": ["x:y"],
    }
    assert Reader(NOW, schema_from_fields(raw)).schema == SchemaMsg(
        "m",
        ("B", "A"),
        {"B": StateDef(), "A": StateDef(auto=True, require=("B",), tags=("t",))},
        "p",
        ("x:y",),
        {"g": (1,)},
        ("g",),
    )


def test_states_without_any_index_are_numbered_by_name() -> None:
    assert Reader(NOW, schema_from_fields({"States": {"B": {}, "A": {}}})).schema.names == (
        "A",
        "B",
    )


def test_maps_are_written_in_the_order_of_their_keys() -> None:
    schema = SchemaMsg("m", NAMES, {}, groups={"b": (0,), "a": (9,)})
    fields = schema_to_fields(schema)
    assert [*fields["Groups"].items()] == [("a", []), ("b", [0])]
    assert [*fields["States"]] == [*NAMES]
    assert [*tx_to_fields(TxMsg("m", "", (), args={"b": "", "a": ""}), ())["Args"]] == ["a", "b"]


def test_what_is_beyond_the_states_is_not_written() -> None:
    tx = TxMsg("m", "x", (), called=(1, 5), steps=(Step(1, 9, 1),))
    fields = tx_to_fields(tx, NAMES)
    assert (fields["CalledStates"], fields["CalledStatesIdxs"]) == (["B"], [1])
    assert (fields["Steps"][0]["FromStateIdx"], fields["Steps"][0]["ToStateIdx"]) == (-1, 1)


def test_what_is_written_is_what_was_read() -> None:
    tx = TxMsg(
        "m", "x", (1, 2, 3), 1, (2, 0), True, False, True, True, 4, 5, 6, 7, 8, 8,
        (Step(2, 0, -1, 0, True, True, True, "A"),), (LogLine(2, "a"),), (LogLine(3, "b"),),
        {"k": "v"}, stack="s",
    )  # fmt: skip
    assert Reader(NOW, schema_from_fields(SCHEMA)).transition(tx_to_fields(tx, NAMES)) == tx
