from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from amctl.machine import Machine, Schema, StateDef
from amctl.machine.schema import normalise
from nodes.dag import Dag, DagError, DagNode, load_dag
from nodes.states import AWorking, dispatcher_schema, orchestrator_schema, worker_schema
from tests.nodes.dags import dags

FOUR = load_dag("nodes/four.json", Path())
SCHEMAS = Path(__file__).resolve().parents[3] / "shared" / "data" / "schemas.json"
RELATIONS = ("require", "add", "remove", "after")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """What the original's machines have."""
    if not SCHEMAS.is_file():
        pytest.skip("no shared/data/schemas.json beside the project")
    machines: dict[str, Any] = json.loads(SCHEMAS.read_text())["machines"]
    return machines


def differences(schema: Schema, known: dict[str, Any]) -> dict[str, tuple[StateDef | None, ...]]:
    """State -> what it is here and what it is there, for those that differ."""
    mine = normalise(schema)[0]
    theirs = {}
    for name, raw in known["states"].items():
        raw = {key: value for key, value in raw.items() if key != "normalisation_dropped"}
        theirs[name] = StateDef.of(raw)
    return {
        name: (mine.get(name), theirs.get(name))
        for name in mine | theirs
        if _as_sets(mine.get(name)) != _as_sets(theirs.get(name))
    }


def _as_sets(state: StateDef | None) -> object:
    if state is None:
        return None
    return state.auto, state.multi, *(set(getattr(state, key)) for key in RELATIONS)


def test_worker_is_the_originals(known: dict[str, Any]) -> None:
    schema, theirs = worker_schema(), known["wasm_worker"]
    assert list(schema.names) == theirs["names"]
    assert schema.hash == theirs["schema_hash"]
    assert schema.groups == {key: tuple(names) for key, names in theirs["groups"].items()}


def test_dispatcher_differs_in_relations_of_mirrors_only(known: dict[str, Any]) -> None:
    schema, theirs = dispatcher_schema(FOUR.leaves_of("browser2")), known["wasm_dispatcher"]
    assert list(schema.names) == theirs["names"]
    assert len(schema.names) == 53
    assert schema.groups == {key: tuple(names) for key, names in theirs["groups"].items()}
    found = differences(schema, theirs)
    own = ("Browser3", "Browser4")
    # Mirrors must take whatever they are told, in any order.
    expected = {
        name
        for name, raw in theirs["states"].items()
        if name.startswith(own) and any(raw.get(key) for key in RELATIONS)
    }
    assert set(found) == expected
    assert len(expected) == 24
    for mine, other in found.values():
        assert mine is not None
        assert other is not None
        assert (mine.auto, mine.multi) == (other.auto, other.multi)
        assert not any(getattr(mine, key) for key in RELATIONS)


def test_orchestrator_differs_in_its_terminal_states_only(known: dict[str, Any]) -> None:
    schema, theirs = orchestrator_schema(FOUR), known["wasm_orchestrator"]
    assert list(schema.names) == [*theirs["names"], "Succeeded", "Failed"]
    assert len(theirs["names"]) == 45
    assert set(differences(schema, theirs)) == {"Succeeded", "Failed"}
    assert schema.groups == {key: tuple(names) for key, names in theirs["groups"].items()}


def test_nodes_that_share_a_state_are_refused() -> None:
    # WorkersReady would be both the node's readiness and that of all.
    dag = Dag("bad", (DagNode("workers", (), "s"),))
    with pytest.raises(DagError, match="two states of the name 'WorkersReady'"):
        orchestrator_schema(dag)
    with pytest.raises(DagError, match="two states of the name 'HealthcheckWork'"):
        dispatcher_schema(["healthcheck", "Healthcheck"])


def test_args_of_work_keep_their_types_over_the_wire() -> None:
    args = AWorking(b"payload", 3, 2, 1)
    assert AWorking.from_wire(args.to_wire()) == args
    assert AWorking.key() == "nodes__Working"


@pytest.mark.slow
@given(dag=dags())
def test_every_dag_gives_machines(dag: Dag) -> None:
    machine = Machine("orchestrator", orchestrator_schema(dag))
    assert not machine.is_err()
    assert machine.has("Succeeded")
    for id in dag.dispatchers:
        leaves = dag.leaves_of(id)
        assert len(Machine(id, dispatcher_schema(leaves)).names) == 17 + 18 * len(leaves)
