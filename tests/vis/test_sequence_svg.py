"""Sequences as SVG."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from amctl.machine import StateDef
from amctl.machine.reasons import Reason
from amctl.machine.steps import CALLED, RELATION, Step
from amctl.vis.errors import UnknownGroupError
from amctl.vis.sequence import sequence
from amctl.vis.sequence_svg import COLUMN, ROW, render_svg
from tests.support.recordings import HOSTILE, lamp, recording, schema, tx

if TYPE_CHECKING:
    from collections.abc import Callable

SVG = "{http://www.w3.org/2000/svg}"


def drawn(number: int = 2, **options: object) -> ET.Element:
    found = sequence(lamp(), "lamp", f"{number:016x}")
    return ET.fromstring(render_svg(found, **options))  # type: ignore[arg-type]


def classed(svg: ET.Element, name: str) -> list[ET.Element]:
    return [e for e in svg.iter() if name in e.get("class", "").split()]


def test_the_picture_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    found = sequence(lamp(), "lamp", f"{2:016x}")
    golden("vis/sequence.svg", render_svg(found, brief=True))


def test_a_step_is_a_row_and_a_state_a_column() -> None:
    svg = drawn()
    steps = classed(svg, "step")
    assert len(steps) == 13
    ys = [int(step.find(f"{SVG}text").get("y", "0")) for step in steps]  # type: ignore[union-attr]
    assert {b - a for a, b in itertools.pairwise(ys)} == {ROW}
    lamps = [int(e.get("x", "")) for e in classed(svg, "lamp")]
    assert {b - a for a, b in itertools.pairwise(lamps)} == {COLUMN}
    assert [e.get("data-s") for e in classed(svg, "actor")] == [
        "Plugged",
        "On",
        "Off",
        "Warm",
        "Any",
    ]


def test_a_lifeline_is_thick_while_its_state_is_active() -> None:
    svg = drawn()
    lit = {e.get("data-s"): e for e in classed(svg, "lit")}
    assert set(lit) == {"Plugged", "On", "Off", "Warm"}
    on, off = (float(lit[name].get("y", "")) for name in ("On", "Off"))
    assert off < on
    assert float(lit["Off"].get("height", "")) < float(lit["Plugged"].get("height", ""))


def test_what_a_canceled_transition_began_falls_back() -> None:
    svg = drawn(3)
    lit = {e.get("data-s") for e in classed(svg, "lit")}
    assert lit == {"ErrBulb"}
    assert [e.get("data-s") for e in classed(svg, "end") if "on" in e.get("class", "")] == []


def test_a_canceled_transition_says_why() -> None:
    dump = recording(
        schema("m", ("A", "B")),
        tx("m", 1, (0, 0), called=(0,), accepted=False, reason=Reason("require", "A", ("B",))),
    )
    svg = ET.fromstring(render_svg(sequence(dump, "m", f"{1:016x}")))
    assert [e.text for e in classed(svg, "bad")] == ["canceled: A requires B"]
    assert "no steps were recorded" in "".join(svg.itertext())


def test_nothing_at_all_is_a_picture_too() -> None:
    dump = recording(schema("m", ("A",)), tx("m", 1, (0,)))
    svg = ET.fromstring(render_svg(sequence(dump, "m", f"{1:016x}")))
    assert "nothing was called, and nothing moved" in "".join(svg.itertext())


def test_hostile_names_stay_text() -> None:
    dump = recording(
        schema(HOSTILE, {HOSTILE: StateDef(), "B": StateDef()}),
        tx(
            HOSTILE,
            1,
            (1, 0),
            called=(0,),
            steps=(Step(CALLED, target=0), Step(RELATION, source=0, target=1)),
            args={HOSTILE: HOSTILE},
        ),
    )
    text = render_svg(sequence(dump, HOSTILE, f"{1:016x}"))
    svg = ET.fromstring(text)
    assert not list(svg.iter(f"{SVG}script"))
    assert "<script" not in text


@pytest.mark.parametrize("length", [1, 200])
def test_long_names_fit_into_the_picture(length: int) -> None:
    name = "X" * length
    dump = recording(schema("m", (name,)), tx("m", 1, (1,), called=(0,)))
    svg = ET.fromstring(render_svg(sequence(dump, "m", f"{1:016x}")))
    assert int(svg.get("width", "")) < 1000
    assert int(svg.get("height", "")) < 700


def test_colours_follow_the_viewer_or_stay() -> None:
    found = sequence(lamp(), "lamp", f"{2:016x}")
    assert "prefers-color-scheme" in render_svg(found)
    fixed = {theme: render_svg(found, theme=theme) for theme in ("dark", "light")}  # type: ignore[arg-type]
    assert all("prefers-color-scheme" not in text for text in fixed.values())
    assert "--page:#ffffff" in fixed["light"]


def test_a_group_is_drawn_alone() -> None:
    assert len(classed(drawn(group="self"), "actor")) == 4
    with pytest.raises(UnknownGroupError):
        drawn(group="nope")


def test_equal_sequences_give_equal_bytes() -> None:
    found = [render_svg(sequence(lamp(), "lamp", f"{2:016x}")) for _ in range(2)]
    assert found[0] == found[1]
