from __future__ import annotations

import re
from xml.etree import ElementTree

from amctl.graph.model import GraphMachine, GraphState
from amctl.vis.drawing import Mark, for_people
from amctl.vis.rows import seated
from amctl.vis.tables import (
    PIPES,
    TableOptions,
    block_port,
    half_table,
    machine_table,
    state_port,
    tag_line,
)
from amctl.vis.theme import ink


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(for_people(text, "dark"))


def made(*machines: GraphMachine, marks: dict[str, Mark] | None = None, **more: object) -> str:
    prefixes = more.get("mirrors") or {}
    assert isinstance(prefixes, dict)
    seating = seated(machines[0].states, prefixes=prefixes, sides={}, partner=lambda _: 99.0)
    options = more.pop("options", TableOptions())
    found = {} if marks is None else marks
    return machine_table(machines, seating, options, found, **more)  # type: ignore[arg-type]


MACHINE = GraphMachine(
    "m",
    (
        GraphState("A", tick=1, remove=("B",)),
        GraphState("B", remove=("A",)),
        GraphState("C", require=("A",), after=("B",)),
    ),
    tags=("one", "addr:", "src-id:other"),
)


def test_every_row_has_a_port_at_both_ends() -> None:
    ports = [e.get("PORT") for e in parsed(made(MACHINE)).iter("TD") if e.get("PORT")]
    assert ports == ["head", "w_A", "e_A", "w_B", "e_B", "w_C", "e_C"]
    assert state_port("A b", "w") == "w_A~20b:w"
    assert block_port("B1") == "g_B1"


def test_all_rows_are_equally_long() -> None:
    states = tuple(GraphState(f"S{i:02}") for i in range(25))
    families = tuple(GraphState(f"B1{x}") for x in "PQRSTU")
    root = parsed(made(GraphMachine("m", states + families)))
    lengths = [sum(int(td.get("COLSPAN", 1)) for td in tr) for tr in root.iter("TR")]
    assert len(set(lengths)) == 1


def test_tags_stand_below_the_title() -> None:
    assert tag_line(MACHINE) == "#one  copy of other"
    assert "#one  copy of other" in made(MACHINE)
    assert "#one" not in made(MACHINE, options=TableOptions(tags=False))


def test_relations_stand_in_the_row_unless_told_otherwise() -> None:
    assert "◄A" in made(MACHINE)
    assert "»B" not in made(MACHINE)
    assert "»B" in made(MACHINE, options=TableOptions(after=True))
    assert "◄A" not in made(MACHINE, options=TableOptions(relations=False))
    assert "◄A" not in made(MACHINE, quiet=True)


def test_a_group_has_a_bar_instead_of_marks() -> None:
    text = made(MACHINE)
    assert "\u00d7" not in text
    assert len(re.findall(f'SIDES="L" BORDER="4" COLOR="{ink("remove")}"', text)) == 2


def test_a_mirrored_block_says_of_what_and_no_relations() -> None:
    states = (GraphState("XA", require=("XB",)), GraphState("XB"))
    text = made(GraphMachine("m", states), mirrors={"X": "source"})
    assert "X… ← all states of source" in text
    assert "◄" not in text
    assert f'PORT="{block_port("X")}"' in text


def test_machines_that_are_alike_have_a_lamp_each() -> None:
    marks: dict[str, Mark] = {}
    other = GraphMachine("m2", MACHINE.states)
    text = made(GraphMachine("m1", MACHINE.states), other, marks=marks)
    assert set(marks) == {f"s|m{i}|{x}" for i in (1, 2) for x in "ABC"}
    assert "m[1-2]" in text


def test_a_machine_that_was_asked_for_has_a_thick_border() -> None:
    root = parsed(made(MACHINE, focus=True))
    assert (root.get("BORDER"), parsed(made(MACHINE)).get("BORDER")) == ("3", "1")


def test_pipes_without_a_row_have_a_port_in_the_title() -> None:
    assert f'PORT="{PIPES}"' in made(MACHINE, titled=True)
    assert f'PORT="{PIPES}"' not in made(MACHINE)


def test_a_machine_without_states_is_a_title() -> None:
    assert len(list(parsed(made(GraphMachine("bare"))).iter("TR"))) == 1


def test_half_a_machine_is_a_dashed_title() -> None:
    root = parsed(half_table("a<b"))
    assert root.get("STYLE") == "dashed"
    assert "".join(root.itertext()).strip() == "a<b"
