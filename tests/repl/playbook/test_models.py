"""The models of plays and tasks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from amctl.repl.playbook.models import (
    ACTIONS,
    IN_WORDS,
    MUTATIONS,
    Assert,
    Play,
    Task,
    actions_of,
    seconds,
    states_of,
    value_of,
)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (UNSET, None),
        (0, 0.0),
        (2.5, 2.5),
        ("500ms", 0.5),
        (" 2m ", 120.0),
        ("7", 7.0),
        ("1h", 3600),
    ],
)
def test_durations_in_seconds(value: Any, wanted: float | None) -> None:
    assert seconds(value) == wanted


def test_states_are_one_name_or_several() -> None:
    assert states_of(UNSET) == ()
    assert states_of("A") == ("A",)
    assert states_of(["A", "B"]) == ("A", "B")


def test_fields_are_called_as_in_the_file() -> None:
    task = msgspec.convert({"assert": {"active": "A"}, "if": True}, Task)
    assert value_of(task, "assert") == Assert(active="A")
    assert value_of(task, "if") is True
    assert value_of(task, "add") is UNSET
    assert actions_of(task) == ["assert"]


def test_every_action_is_a_field_and_mutations_are_actions() -> None:
    names = {field.encode_name for field in msgspec.structs.fields(Task)}
    assert {*ACTIONS} <= names
    assert {*MUTATIONS} <= {*ACTIONS}


def test_every_pattern_has_words() -> None:
    """Else an error would show a regular expression."""

    def patterns(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["pattern"]} if isinstance(value.get("pattern"), str) else set()
            return own.union(*map(patterns, value.values()))
        return set().union(*map(patterns, value)) if isinstance(value, list) else set()

    found = patterns(msgspec.json.schema(list[Play]))
    assert found - {*IN_WORDS} == {r"^[A-Za-z_]\w*$"}


@pytest.mark.parametrize("value", ["{{ n }}", "{{n}}s", "5s"])
def test_variables_may_stand_where_text_does(value: str) -> None:
    assert msgspec.convert({"when": "A", "timeout": value}, Task).timeout == value
