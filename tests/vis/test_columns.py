from __future__ import annotations

from amctl.graph.model import Graph, GraphMachine, Pipe
from amctl.vis.columns import columns
from tests.vis.workflow import BIRD, network, view_of, workflow


def test_the_workflow_reads_from_left_to_right() -> None:
    column = columns(view_of(workflow()))
    chain = ["orchestrator", "rc-srv-browser2", "rs-browser2", "browser2", "rc-bro-browser3"]
    chain += ["rs-browser3", "browser3"]
    assert [column[name] for name in chain] == list(range(7))
    assert column["rnm-srv-browser2"] == 2


def test_in_a_mirror_order_a_copy_stands_between_its_consumer_and_its_client() -> None:
    column = columns(view_of(workflow()), "mirror")
    chain = ["orchestrator", "rnm-srv-browser2", "rc-srv-browser2", "rs-browser2"]
    assert [column[name] for name in chain] == [0, 1, 2, 3]


def test_the_source_of_pipes_stands_left_if_nothing_else_is_known() -> None:
    a, b = GraphMachine("a"), GraphMachine("b")
    graph = network(a, b, pipes=[Pipe("b", "add", "X", "a", "Y")])
    assert columns(view_of(graph)) == {"b": 0, "a": 1}


def test_a_circle_is_cut() -> None:
    machines = [GraphMachine(name) for name in "abc"]
    rpc = (("a", "b"), ("b", "c"), ("c", "a"))
    column = columns(view_of(network(*machines, rpc=rpc)))
    assert [column[name] for name in "abc"] == [0, 1, 2]


def test_parents_that_are_each_others_children_are_placed_too() -> None:
    a, b = GraphMachine("a", parent="b"), GraphMachine("b", parent="a")
    assert set(columns(view_of(network(a, b)))) == {"a", "b"}


def test_only_what_is_drawn_has_a_column() -> None:
    column = columns(view_of(workflow(), BIRD, ["browser1"], half=["rs-browser1"]))
    assert column == {"browser1": 1, "rs-browser1": 0}
    assert columns(view_of(Graph())) == {}
