from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from amctl.graph.model import GraphState
from amctl.vis.cells import (
    StateLook,
    cell,
    font,
    name_text,
    pill,
    relation_cell,
    relation_text,
    row,
    state_id,
    table,
    tooltip,
)
from amctl.vis.drawing import OFF, Mark, for_people
from amctl.vis.theme import ink

ANY = st.text(alphabet=st.characters())


def test_attributes_that_are_empty_are_left_out() -> None:
    assert cell("x", port="p", colspan=2, width="") == '<TD PORT="p" COLSPAN="2">x</TD>'
    assert row(cell(), cell("y")) == "<TR><TD></TD><TD>y</TD></TR>"
    assert table([row(cell())], border=1, cellspacing=2) == (
        '<TABLE CELLBORDER="0" CELLSPACING="2" CELLPADDING="1" BORDER="1">\n'
        "<TR><TD></TD></TR>\n</TABLE>"
    )


def test_a_run_of_text_has_only_the_tags_it_needs() -> None:
    assert font("x") == "x"
    assert font("x", "text", 12, bold=True, italic=True) == (
        f'<FONT COLOR="{ink("text")}" POINT-SIZE="12"><I><B>x</B></I></FONT>'
    )
    assert for_people(font("x", bold=None), "dark") == "x"
    assert OFF[0] in font("x", bold=None)


def test_a_pill_shows_and_tells_its_state() -> None:
    state = GraphState("Ready", tick=3, auto=True, inherited=True, require=("Start",))
    marks: dict[str, Mark] = {}
    text = pill("m|1", state, StateLook(), marks, "Ready")
    element = "s|m~7C1|Ready"
    assert element == state_id("m|1", "Ready")
    assert marks[element].classes == "row ready on inh"
    assert marks[element].data == {"data-m": "m|1", "data-s": "Ready"}
    assert marks[element].title == "m|1:Ready\nauto, inherited\nrequire: Start"
    assert f'ID="{element}"' in text
    assert "♦" in text
    assert ">&#160;A<" in text


def test_options_put_lights_and_slants_out() -> None:
    state = GraphState("Ready", tick=1, inherited=True)
    marks: dict[str, Mark] = {}
    pill("m", state, StateLook(active=False, inherited=False), marks, "Ready")
    assert marks["s|m|Ready"].classes == "row ready off"


def test_flags_may_be_words() -> None:
    state = GraphState("X", auto=True, multi=True)
    assert ">&#160;AM<" in name_text(state, StateLook(), "X")
    assert ">&#160;auto multi<" in name_text(state, StateLook(words=True), "X")


RELATED = GraphState(
    "X",
    require=("B1R", "B2R", "B3R"),
    add=("A", "C", "D", "E"),
    remove=("P", "Q"),
    after=("Z",),
)
KNOWN = {"B1R", "B2R", "B3R", "A", "C", "D", "E", "P", "Q", "Z"}


def test_relations_are_short_texts() -> None:
    assert relation_text(RELATED, KNOWN) == {
        "require": "◄B[1-3]R",
        "add": "+A C +2",
        "remove": "\u00d7P Q",
    }


def test_after_relations_are_told_when_asked_for() -> None:
    assert relation_text(RELATED, KNOWN, after=True)["after"] == "»Z"


def test_what_a_group_or_a_header_says_is_not_repeated() -> None:
    assert "remove" not in relation_text(RELATED, KNOWN, apart_from={"P", "Q"})
    assert relation_text(RELATED, KNOWN, prefix="B")["require"] == "◄…[1-3]R"


def test_relations_to_states_that_do_not_exist_are_left_out() -> None:
    assert relation_text(RELATED, {"A"}) == {"add": "+A"}


def test_a_tooltip_has_one_line_per_fact() -> None:
    assert tooltip("m", RELATED).splitlines() == [
        "m:X",
        "require: B1R, B2R, B3R",
        "add: A, C, D, E",
        "remove: P, Q",
        "after: Z",
    ]


@given(ANY, ANY, ANY)
def test_any_name_makes_a_sound_label(machine: str, name: str, other: str) -> None:
    state = GraphState(name, auto=True, add=(other,))
    said = relation_cell(relation_text(state, {other}))
    text = row(pill(machine, state, StateLook(), {}, name), cell(said))
    ElementTree.fromstring(for_people(text, "dark").encode())
