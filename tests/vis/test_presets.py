"""The table of presets, and flags that change only what they name."""

from __future__ import annotations

import pytest

from amctl.vis.presets import PRESETS, options_for

ON_OFF = {
    # option: base, single (no preset), bird, map
    "distance": (-1, 0, 3, -1),
    "depth": (10, 0, 0, 0),
    "states": (True, True, True, False),
    "start": (True, False, False, False),
    "ready": (True, True, True, False),
    "exception": (True, True, True, False),
    "inherited": (True, True, False, True),
    "mark_inherited": (True, True, True, True),
    "relations": (True, True, True, False),
    "pipes": (True, True, True, False),
    "detailed_pipes": (False, True, True, False),
    "half_pipes": (False, True, True, False),
    "conns": (True, True, True, True),
    "half_conns": (True, True, True, True),
    "parent_rel": (True, True, True, True),
    "half_hierarchy": (True, True, True, True),
    "nest_submachines": (False, False, False, True),
    "tags": (True, True, True, False),
    "active": (True, True, True, True),
    "pipe_states": (True, True, True, True),
}


@pytest.mark.parametrize("option", ON_OFF)
def test_presets_are_those_of_the_original(option: str) -> None:
    found = tuple(getattr(PRESETS[name], option) for name in ("base", "", "bird", "map"))
    assert found == ON_OFF[option]


def test_only_the_map_is_a_map_and_nobody_draws_after() -> None:
    assert [name for name, options in PRESETS.items() if options.map] == ["map"]
    assert not any(options.after for options in PRESETS.values())


def test_what_is_given_beats_the_preset_and_what_is_not_leaves_it() -> None:
    options = options_for(
        "bird", {"pipes": None, "relations": False, "distance": 0, "states": None}
    )
    assert (options.pipes, options.relations, options.distance, options.states) == (
        True,
        False,
        0,
        True,
    )
    assert options_for("map", {"pipes": True}).detailed_pipes is False
    assert options_for() == PRESETS[""]


def test_a_map_with_states_is_a_picture_of_states_in_nested_boxes() -> None:
    options = options_for("map", {"states": True})
    assert (options.map, options.nest_submachines, options.distance) == (False, True, -1)
    assert options_for("map", {"states": False}).map


def test_a_single_machines_lines_lead_to_halves_unless_those_are_refused() -> None:
    for kind, half in (
        ("pipes", "half_pipes"),
        ("conns", "half_conns"),
        ("parent_rel", "half_hierarchy"),
    ):
        assert getattr(options_for("single", {kind: True}), half)
        assert not getattr(options_for("single", {kind: False}), half)
        assert not getattr(options_for("single", {kind: True, half: False}), half)


def test_what_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        options_for("fish")
    with pytest.raises(TypeError):
        options_for("bird", {"feathers": True})
