"""Arguments from words and JSON."""

from __future__ import annotations

import pytest

from amctl.repl.arguments import check_args, gather, validate
from amctl.repl.errors import UsageError
from amctl.rpc.answers import About, ArgField, ArgType
from tests.support.fake_fleet import fleet_of

START = ArgType(
    "Start",
    "am__Start",
    (
        ArgField("name", "str", "''"),
        ArgField("count", "int", "0"),
        ArgField("share", "float", "0.5"),
        ArgField("fast", "bool", "False"),
        ArgField("size", "int | None", "None"),
        ArgField("words", "tuple[str, ...]", "()"),
    ),
)
ABOUT = About("m", args=(START, ArgType("Stop", "am__Stop", (ArgField("why", "str", "''"),))))


def test_c2_each_name_gets_the_value_at_its_place() -> None:
    assert gather(["a", "b"], ["1", "x y"]) == {"a": "1", "b": "x y"}
    assert gather([], []) == {}


@pytest.mark.parametrize(("names", "values"), [(["a"], []), ([], ["1"]), (["a", "b"], ["1"])])
def test_c2_names_and_values_pair_up(names: list[str], values: list[str]) -> None:
    """Test 4 of the spec."""
    with pytest.raises(UsageError, match="each name needs its value"):
        gather(names, values)


def test_json_keeps_types_and_joins_the_pairs() -> None:
    text = '{"Start.count": 3, "raw": [1, null], "on": true}'
    assert gather(["x"], ["1"], text) == {
        "x": "1",
        "Start.count": 3,
        "raw": [1, None],
        "on": True,
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is no JSON: "),
        ("", "is no JSON: "),
        ("[1]", "is no JSON object: [1]"),
        ("null", "is no JSON object: null"),
    ],
)
def test_what_is_no_json_object_is_shown(text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        gather([], [], text)
    assert problem in str(caught.value)
    assert "--args-json '{" in caught.value.hint


def test_a_name_is_given_once() -> None:
    with pytest.raises(UsageError, match="'a' is given twice"):
        gather(["a", "a"], ["1", "2"])
    with pytest.raises(UsageError, match="'a' is given twice"):
        gather(["a"], ["1"], '{"a": 1}')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plain", "anything"),
        ("Start.name", "x"),
        ("Start.count", "-3"),
        ("Start.count", "0x1F"),
        ("Start.count", 3),
        ("Start.share", "1e-3"),
        ("Start.fast", "Yes"),
        ("Start.size", "null"),
        ("Start.size", "4"),
        ("Start.words", '["a"]'),
        ("Stop.why", ""),
    ],
)
def test_what_a_machine_takes_passes(name: str, value: object) -> None:
    validate(ABOUT, {name: value})


@pytest.mark.parametrize(
    ("name", "value", "problem", "hint"),
    [
        ("Strat.name", "x", "takes no typed arguments 'Strat'", "did you mean 'Start.name'?"),
        ("Strt.qqqqqqqq", "x", "takes no typed arguments 'Strt'", "did you mean 'Start'?"),
        ("Other.x", "1", "takes no typed arguments 'Other'", "it takes Start.name, "),
        ("Start.nmae", "x", "have no field 'nmae'", "did you mean 'Start.name'?"),
        ("Stop.xxxxxxxx", "x", "have no field 'xxxxxxxx'", "it takes Stop.why"),
        ("Start.count", "x", "Start.count is int, not 'x'", "its default is 0"),
        ("Start.count", "1.5", "Start.count is int, not '1.5'", "its default is 0"),
        ("Start.share", "half", "Start.share is float, not 'half'", "its default is 0.5"),
        ("Start.fast", "maybe", "Start.fast is bool, not 'maybe'", "its default is False"),
        ("Start.size", "big", "Start.size is int | None, not 'big'", "its default is None"),
    ],
)
def test_what_it_does_not_take_is_said_with_a_near_one(
    name: str, value: str, problem: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        validate(ABOUT, {name: value})
    assert problem in str(caught.value)
    assert caught.value.hint.startswith(hint)


def test_a_machine_without_typed_arguments_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        validate(About("m"), {"Start.name": "x"})
    assert caught.value.hint == "it takes plain names only: --arg name"


async def test_all_machines_are_asked_before_anything_is_sent() -> None:
    fleet = fleet_of()
    with pytest.raises(UsageError, match="have no field 'nme'"):
        await check_args(fleet.peers, {"Working.nme": "x"})
    assert [peer.asked for peer in fleet.peers] == [["about"]] * 3


async def test_plain_names_need_no_question() -> None:
    fleet = fleet_of()
    await check_args(fleet.peers, {"x": "1"})
    assert fleet.peers[0].asked == []


async def test_a_machine_that_cant_be_asked_will_tell_later() -> None:
    fleet = fleet_of()
    fleet.peers[0].is_ready, fleet.peers[1].stalls = False, True
    await check_args(fleet.peers, {"Working.name": "x"})
    assert [len(peer.asked) for peer in fleet.peers] == [1, 1, 1]
