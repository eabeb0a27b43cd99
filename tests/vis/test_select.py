"""What is drawn: machines in full and by name, states, lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from amctl.graph.errors import UnknownMachineError
from amctl.graph.inherited import SETS, inherited
from amctl.vis.options import VisOptions
from amctl.vis.presets import options_for
from amctl.vis.select import full_machines, select
from tests.graph.made import golden_graph, pipes_of, small

CHAIN = small(
    {
        "root": "A",
        "kid": "A ^root",
        "grandkid": "A ^kid",
        "client": "A",
        "server": "A",
        "far": "A",
        "alone": "A",
    },
    ["kid.A +> client.A", "server.A +> far.A", "far.A +> stranger.X"],
    ["client server"],
)
"""root - kid - client - server - far - stranger, and grandkid under kid; alone is alone."""


def full(requested: str = "", skip: str = "", **options: Any) -> str:
    return " ".join(full_machines(CHAIN, VisOptions(**options), requested.split(), skip.split()))


# -- machines


def test_without_a_request_every_known_machine_is_drawn() -> None:
    assert full() == "alone client far grandkid kid root server"


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (0, "root"),
        (1, "kid root"),
        (2, "client grandkid kid root"),
        (3, "client grandkid kid root server"),
        (4, "client far grandkid kid root server"),
        (99, "client far grandkid kid root server"),
        (-1, "alone client far grandkid kid root server"),
    ],
)
def test_distance_counts_hops_in_any_direction(distance: int, expected: str) -> None:
    assert full("root", distance=distance) == expected


def test_of_several_requested_ones_the_nearest_counts() -> None:
    assert full("far root", distance=1) == "far kid root server"


@pytest.mark.parametrize(
    ("requested", "depth", "expected"),
    [
        ("root", 0, "root"),
        ("root", 1, "kid root"),
        ("root", 2, "grandkid kid root"),
        ("grandkid", 9, "grandkid"),
        ("kid", 1, "grandkid kid"),
        ("", 1, "alone client far kid root server"),
        ("", 2, "alone client far grandkid kid root server"),
    ],
)
def test_depth_counts_levels_downwards(requested: str, depth: int, expected: str) -> None:
    assert full(requested, depth=depth) == expected


def test_the_skip_list_wins() -> None:
    assert full("root", "kid root", distance=2) == "client grandkid"
    view = select(CHAIN, VisOptions(), ["root"], skip=["kid"])
    assert (view.full, view.half, view.parents) == (("root",), (), ())


def test_an_unknown_request_is_told_with_near_matches() -> None:
    with pytest.raises(UnknownMachineError) as caught:
        select(CHAIN, VisOptions(), ["grandkit"])
    assert caught.value.hint.startswith("did you mean grandkid")
    with pytest.raises(UnknownMachineError):
        select(CHAIN, VisOptions(), ["stranger"])


def test_parents_in_a_circle_end() -> None:
    circle = small({"a": "^b", "b": "^a"})
    assert full_machines(circle, VisOptions(depth=5), ["a"]) == ["a", "b"]
    assert full_machines(circle, VisOptions(depth=1)) == ["a", "b"]


# -- halves


def halves(requested: str, **options: Any) -> tuple[str, ...]:
    return select(CHAIN, VisOptions(**options), requested.split()).half


def test_what_drawn_lines_lead_to_is_drawn_by_name() -> None:
    assert halves("kid") == ("client", "grandkid", "root")
    assert halves("client") == ("kid", "server")
    assert halves("alone") == ()


def test_each_kind_of_half_has_its_option() -> None:
    assert halves("kid", half_pipes=False) == ("grandkid", "root")
    assert halves("kid", half_hierarchy=False) == ("client",)
    assert halves("kid", parent_rel=False) == ("client",)
    assert halves("kid", parent_rel=False, nest_submachines=True) == ("client", "grandkid", "root")
    assert halves("client", half_conns=False) == ("kid",)
    assert halves("client", conns=False) == ("kid",)
    assert halves("client", pipes=False) == ("server",)


def test_without_a_request_nothing_is_drawn_that_only_leads_here() -> None:
    view = select(CHAIN, VisOptions(depth=1))
    assert "grandkid" not in view.full + view.half
    assert view.parents == (("kid", "root"),)


def test_a_machine_that_only_others_speak_of_is_drawn_by_name() -> None:
    assert select(CHAIN, VisOptions()).half == ("stranger",)
    assert select(CHAIN, VisOptions(half_pipes=False)).half == ()


# -- lines


def test_lines_between_drawn_machines_and_no_others() -> None:
    view = select(CHAIN, VisOptions(), ["client", "server"])
    assert view.rpc == (("client", "server"),)
    assert pipes_of(view) == ["kid.A +> client.A", "server.A +> far.A"]
    assert view.parents == ()
    assert view.requested == {"client", "server"}


def test_no_pipe_from_a_machine_to_itself() -> None:
    assert select(small({"a": "S T"}, ["a.S +> a.T"]), VisOptions()).pipes == ()


def test_a_pipe_without_its_states_needs_the_option_of_half_ones() -> None:
    graph = small({"a": "S", "b": "T"}, ["a.S +> b.T", "a.Q +> b.", "a.Gone -> b.T"])
    assert len(select(graph, VisOptions()).pipes) == 3
    assert len(select(graph, VisOptions(half_pipes=False)).pipes) == 1
    assert len(select(graph, VisOptions(half_pipes=False, detailed_pipes=False)).pipes) == 3
    hidden = VisOptions(half_pipes=False, pipe_states=False, states=False)
    assert select(graph, hidden).pipes == ()


# -- states

BASIC = " ".join(sorted(SETS["Basic"]))


def states(words: str, only: Any = None, pipes: Any = (), **options: Any) -> str:
    graph = small({"m": words, "other": "Ready Foo X"}, pipes)
    names = select(graph, VisOptions(**options), only=only).states["m"]
    return " ".join(s.name for s in graph.machines["m"].states if s.name in names)


def inherit(words: str, **options: Any) -> str:
    graph = small({"m": words})
    machine = graph.machines["m"]
    ours = inherited(s.name for s in machine.states)
    marked = tuple(replace(s, inherited=s.name in ours) for s in machine.states)
    graph.machines["m"] = replace(machine, states=marked)
    names = select(graph, VisOptions(**options)).states["m"]
    return " ".join(s.name for s in marked if s.name in names)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "Foo Ready Exception"),
        ({"start": True}, "Foo Start Ready Exception"),
        ({"ready": False, "exception": False}, "Foo"),
        ({"states": False}, "Ready Exception"),
        ({"states": False, "ready": False, "start": True, "exception": False}, "Start"),
        ({"states": False, "ready": False, "exception": False}, ""),
    ],
)
def test_start_ready_and_exception_have_flags_of_their_own(
    options: dict[str, bool], expected: str
) -> None:
    assert states("Foo Start Ready Exception", **options) == expected


def test_inherited_states_may_be_left_out() -> None:
    words = f"Foo {BASIC} Disposed"
    assert inherit(words) == f"Foo {BASIC} Disposed".replace(" Start", "")
    assert inherit(words, inherited=False) == "Foo Exception Ready Disposed"
    assert inherit(words, inherited=False, ready=False, start=True) == (
        "Foo Exception Start Disposed"
    )
    assert inherit("Foo Start Heartbeat", inherited=False) == "Foo Heartbeat"


def test_a_list_of_states_leaves_out_all_others() -> None:
    assert states("Foo Bar Start Ready", only=["Foo", "Start"]) == "Foo"


def test_the_ends_of_drawn_pipes_are_drawn_and_no_other_states_of_theirs() -> None:
    pipes = ["m.Start +> other.X", "m.Heart -> other."]
    assert states("Start Foo Heart", pipes=pipes, states=False) == "Start Heart"
    assert states("Start Foo Heart", pipes=pipes, states=False, pipe_states=False) == ""
    assert states("Start Foo Heart", pipes=pipes, states=False, detailed_pipes=False) == ""
    assert states("Start Heart", pipes=pipes, only=["Heart"]) == "Heart"


# -- the workflow


def test_the_workflow_from_above() -> None:
    graph = golden_graph()
    view = select(graph, options_for("bird"), title="all")
    assert (len(view.full), view.half, len(view.rpc), len(view.parents)) == (27, (), 4, 22)
    assert (len(view.pipes), view.title) == (132, "all")
    ends = {(p.source, p.source_state) for p in view.pipes}
    ends |= {(p.target, p.target_state) for p in view.pipes}
    assert all(state in view.states[id] for id, state in ends)


def test_the_workflow_as_a_map() -> None:
    view = select(golden_graph(), options_for("map", {"pipes": True}))
    assert (len(view.full), len(view.pipes), len(view.parents)) == (27, 132, 22)
    assert set(view.states.values()) == {frozenset()}


def test_one_machine_of_the_workflow() -> None:
    view = select(golden_graph(), options_for("single"), ["orchestrator"])
    assert (view.full, view.half, view.pipes, view.rpc) == (("orchestrator",), (), (), ())
    assert len(view.states["orchestrator"]) == 45


def test_around_one_machine_of_the_workflow() -> None:
    options = options_for("bird", {"distance": 1, "relations": False})
    view = select(golden_graph(), options, ["orchestrator"])
    assert len(view.full) == 7
    assert view.half == (
        *(f"relay-wasm-workflow-wt-{n}" for n in range(4)),
        "rs-browser1",
        "rs-browser2",
    )
