"""Sequences as Mermaid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amctl.vis.sequence import sequence
from amctl.vis.sequence_mermaid import render_mermaid
from tests.support.recordings import HOSTILE, lamp, recording, schema, tx

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_diagram_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    golden("vis/sequence.mermaid", render_mermaid(sequence(lamp(), "lamp", f"{2:016x}")))


def test_every_step_is_a_message_and_brief_ones_are_counted() -> None:
    found = sequence(lamp(), "lamp", f"{2:016x}")
    assert render_mermaid(found).count("->>") == 13
    assert "    On ->> Plugged: require x2\n" in render_mermaid(found, brief=True)


def test_a_group_has_only_its_participants() -> None:
    text = render_mermaid(sequence(lamp(), "lamp", f"{2:016x}"), group="self")
    assert re.findall(r"participant (\w+)", text) == ["Plugged", "On", "Off", "Warm"]


def test_names_that_mermaid_would_misread_get_an_alias() -> None:
    names = ("End", "Über", "two words", HOSTILE, "", "Plain")
    dump = recording(schema("m", names), tx("m", 1, [1] * 6, called=tuple(range(6))))
    lines = render_mermaid(sequence(dump, "m", f"{1:016x}")).splitlines()
    people = [line.strip() for line in lines if "participant" in line]
    assert people[0] == "participant s_0 as End"
    assert people[2] == "participant s_2 as two words"
    assert people[4] == "participant s_4 as #160;"
    assert people[5] == "participant Plain"
    assert all(
        re.fullmatch(r"participant \w+( as [^<>;%\"]*(#\d+;[^<>;%\"]*)*)?", p) for p in people
    )
    assert len(lines) == 4 + 6 + 12
