"""Sequences as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.machine.reasons import Reason
from amctl.vis.sequence import sequence
from amctl.vis.sequence_text import render_text
from tests.support.recordings import HOSTILE, lamp, recording, schema, tx

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_text_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    found = sequence(lamp(), "lamp", f"{2:016x}")
    golden("vis/sequence.txt", render_text(found, brief=True))
    golden("vis/sequence-ascii.txt", render_text(found, brief=True, ascii=True))


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("states", [1, 5, 19, 20, 40, 90])
def test_no_line_is_longer_than_the_terminal(width: int, states: int) -> None:
    names = [f"State{number}" * 3 for number in range(states)]
    dump = recording(
        schema("machine" * 9, names),
        tx("machine" * 9, 1, [1] * states, called=tuple(range(states)), args={"a": "b " * 99}),
    )
    text = render_text(sequence(dump, "machine" * 9, f"{1:016x}"), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert ("┃" in text) is (states + 26 <= width)


def test_ascii_is_ascii() -> None:
    names = ("Größe", "日本")
    dump = recording(schema("m", names), tx("m", 1, (1, 1), called=(0, 1)))
    assert render_text(sequence(dump, "m", f"{1:016x}"), ascii=True).isascii()


def test_a_canceled_transition_says_why() -> None:
    dump = recording(
        schema("m", ("A", "B")),
        tx("m", 1, (0, 0), called=(0,), accepted=False, reason=Reason("require", "A", ("B",))),
    )
    lines = render_text(sequence(dump, "m", f"{1:016x}")).splitlines()
    assert "canceled: A requires B" in lines
    assert "no steps were recorded: these are made from its clocks" in lines


def test_without_states_there_are_words() -> None:
    dump = recording(schema("m", ("A",)), tx("m", 1, (0,)))
    assert "nothing was called" in render_text(sequence(dump, "m", f"{1:016x}"))


def test_a_group_is_drawn_alone() -> None:
    text = render_text(sequence(lamp(), "lamp", f"{2:016x}"), group="self")
    assert "only states of group self" in text
    assert "AnyExit" not in text


def test_hostile_names_stay_on_their_line() -> None:
    dump = recording(schema(HOSTILE, (HOSTILE,)), tx(HOSTILE, 1, (1,), called=(0,)))
    text = render_text(sequence(dump, HOSTILE, f"{1:016x}"))
    assert "\x00" not in text
    assert "\x1b" not in text
