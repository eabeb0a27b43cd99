from __future__ import annotations

import pytest

from amctl.vis.drawing import Mark
from amctl.vis.legend import legend, seen_in


def test_marks_tell_what_there_is_to_explain() -> None:
    marks = [
        Mark("row ready on inh"),
        Mark("row plain off"),
        Mark("edge pipe bundle"),
        Mark("edge rpc"),
        Mark("edge rel require add"),
        Mark("node mach half"),
        Mark("cluster nest"),
    ]
    assert seen_in(marks) >= {
        "ready on",
        "inh",
        "plain off",
        "pipe bundle",
        "rpc",
        "rel require",
        "rel add",
        "half",
        "nest",
    }


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ("plain on", "active state"),
        ("plain off", "inactive state"),
        ("error on", "Exception, Err…"),
        ("inh", "of a standard set"),
        ("flags", "auto, multi"),
        ("require", "requires X"),
        ("after", "comes after X"),
        ("one of", "states that remove each other"),
        ("pipe both", "pipe: add and remove"),
        ("pipe add", "pipe: add only"),
        ("pipe remove", "pipe: remove only"),
        ("pipe bundle", "pipes of all states, mirrored"),
        ("pipe group", "pipes, with their number"),
        ("pipe count", "pipes, with their number"),
        ("rpc", "RPC client to server"),
        ("parent", "child to parent"),
        ("rel require", "requires the state at the dot"),
        ("nest", "child in its parent"),
        ("half", "a machine of which only the name is drawn"),
        ("focus", "asked for by name"),
        ("copy", "a network machine"),
        ("fold", "a lamp for each of several machines"),
        ("counts", "active states of all"),
    ],
)
def test_a_sign_is_explained_if_it_is_in_the_picture(seen: str, words: str) -> None:
    assert words in legend({seen}, "", "", {})
    assert words not in legend(set(), "", "", {})


def test_a_special_state_is_shown_lit_if_one_is() -> None:
    both = legend({"ready on", "ready off"}, "", "", {})
    assert "Ready, inactive" not in both
    assert "Ready, inactive" in legend({"ready off"}, "", "", {})


def test_caption_and_facts_come_first() -> None:
    text = legend({"rpc"}, "a <dump>", "3 machines", {}, ["<TR><TD>m</TD></TR>"])
    assert text.index(">m<") < text.index("a &lt;dump&gt;") < text.index("3 machines")
