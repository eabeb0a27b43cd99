from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from nodes.dag import Dag, DagError, DagNode, load_dag
from tests.nodes.dags import dags

HOME = Path(__file__).resolve().parents[2]
DIAMOND = [
    {"id": "a", "deps": [], "seed": "s", "host": "ui"},
    {"id": "b", "deps": ["a"], "seed": None, "host": "worker"},
    {"id": "c", "deps": ["a"], "seed": None, "host": "b"},
    {"id": "d", "deps": ["b", "c"], "seed": None, "host": "b"},
]


def changed(index: int, **changes: Any) -> dict[str, Any]:
    nodes = [dict(node) for node in DIAMOND]
    nodes[index].update(changes)
    return {"name": "demo", "nodes": nodes}


def test_the_four_nodes_stand_in_a_file() -> None:
    dag = load_dag("nodes/four.json", HOME)
    assert dag.ids == ("browser1", "browser2", "browser3", "browser4")
    assert dag.roots == ("browser1", "browser2")
    assert dag.dispatchers == ("browser2",)
    assert dag.leaves_of("browser2") == ("browser3", "browser4")
    assert dag.sinks == ("browser3", "browser4")
    assert dag.root_of("browser4") == "browser2"
    assert dag.dependents("browser1") == ("browser3",)
    assert dag.number("browser3") == 3


def test_seven_nodes_have_two_dispatchers_and_deeper_edges() -> None:
    dag = load_dag("tests/dags/seven.json", HOME)
    assert len(dag.ids) == 7
    assert dag.dispatchers == ("seed", "mix")
    assert dag.order[-1] == "join"


def test_a_payload_joins_the_results_in_the_order_of_the_dependencies() -> None:
    dag = Dag.from_json({"name": "demo", "nodes": DIAMOND})
    assert dag.payload("a", {}) == b"s"
    assert dag.payload("d", {"c": b"2", "b": b"1"}) == b"12"


def test_a_missing_file_is_looked_for_beside_the_package(tmp_path: Path) -> None:
    assert load_dag("nodes/four.json", tmp_path).name == "wasm-workflow"


def test_a_module_can_hold_a_dag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_dags.py").write_text(f"DAG = {changed(0)!r}\nOTHER = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert load_dag("my_dags", tmp_path).ids == ("a", "b", "c", "d")
    with pytest.raises(DagError, match="my_dags:OTHER: it isn't like"):
        load_dag("my_dags:OTHER", tmp_path)
    with pytest.raises(DagError, match="my_dags:NONE: it can't be loaded"):
        load_dag("my_dags:NONE", tmp_path)
    with pytest.raises(DagError, match="no_such: it can't be loaded: No module"):
        load_dag("no_such", tmp_path)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([], "it isn't like"),
        ({"name": "demo"}, "it isn't like"),
        ({"name": 3, "nodes": DIAMOND}, "name 3 isn't text"),
        ({"name": "a b", "nodes": DIAMOND}, "name 'a b' isn't like my-workflow"),
        ({"name": "demo", "nodes": [], "extra": 1}, "unknown key 'extra'"),
        ({"name": "demo", "nodes": []}, "it has no nodes"),
        ({"name": "demo", "nodes": ["a"]}, "node 1 isn't an object"),
        (changed(0, id=7), "node 1: id 7 isn't text"),
        (changed(0, color=7), "node 1: unknown key 'color'"),
        (changed(1, deps="a"), "node 2: deps 'a' isn't a list of ids"),
        (changed(1, seed=4), "node 2: seed 4 is neither text nor null"),
        (changed(1, host=None), "node 2: host None isn't text"),
        (changed(0, id="a-b"), "node id 'a-b' isn't a letter and up to 31"),
        (changed(0, id="../a"), "isn't a letter"),
        (changed(0, id="a" * 33), "isn't a letter"),
        (changed(3, id="c"), "node id 'c' is used twice"),
        (changed(3, id="C"), "node ids 'c' and 'C' differ in case only"),
        (changed(3, id="worker"), "node id 'worker' has a meaning of its own"),
        (changed(1, deps=["x"]), "node 'b' depends on 'x', which isn't a node"),
        (changed(3, deps=["b", "b"]), "node 'd' has a dependency twice"),
        (changed(1, seed="t"), "node 'b' has dependencies, so its seed must be null"),
        (changed(0, seed=None), "node 'a' needs a seed, since it depends on nothing"),
        (changed(0, seed=""), "node 'a' needs a seed"),
        (changed(2, host="x"), "host 'x' of node 'c' is neither ui, nor worker, nor a node"),
        (changed(2, host="c"), "host 'c' of node 'c' must be a node whose own host"),
        (changed(2, host="d"), "host 'd' of node 'c' must be a node whose own host"),
        (changed(1, host="ui"), "node 'b' can't have the ui thread, 'a' has it"),
        (changed(1, deps=["d"]), "cycle: b -> d -> b"),
        (changed(1, deps=["b"]), "cycle: b -> b"),
    ],
)
def test_what_can_not_be_run_is_refused_with_a_reason(raw: object, message: str) -> None:
    with pytest.raises(DagError) as caught:
        Dag.from_json(raw, "demo.json")
    assert str(caught.value).startswith("demo.json: ")
    assert message in str(caught.value)


def test_too_many_nodes_are_refused() -> None:
    nodes = tuple(DagNode(f"n{i}", (), "s") for i in range(65))
    with pytest.raises(DagError, match="65 nodes are more than 64"):
        Dag("big", nodes)


def test_errors_name_file_and_line(tmp_path: Path) -> None:
    lines = ",\n".join(json.dumps(node) for node in changed(2, host="x")["nodes"])
    (tmp_path / "bad.json").write_text(f'{{"name": "demo",\n"nodes": [\n{lines}]}}')
    with pytest.raises(DagError, match=r"^bad.json:5: host 'x' of node 'c'"):
        load_dag("bad.json", tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "demo",\n oops}', "bad.json:2: it isn't JSON"),
        ("[" * 100_000, "bad.json: it is nested too deeply"),
        ("", "bad.json:1: it isn't JSON"),
    ],
)
def test_bad_json_names_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(DagError) as caught:
        load_dag("bad.json", tmp_path)
    assert str(caught.value).startswith(message)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DagError, match=r"none.json: it can't be read: no such file"):
        load_dag("none.json", tmp_path)
    (tmp_path / "latin.json").write_bytes(b"\xff")
    with pytest.raises(DagError, match=r"latin.json: it can't be read"):
        load_dag("latin.json", tmp_path)


@pytest.mark.slow
@given(dag=dags())
def test_json_is_read_as_it_was_written(dag: Dag) -> None:
    assert Dag.from_json(dag.to_json()) == dag
    assert set(dag.order) == set(dag.ids)
    place = {id: index for index, id in enumerate(dag.order)}
    assert all(place[dep] < place[node.id] for node in dag.nodes for dep in node.deps)
