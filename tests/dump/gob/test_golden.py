"""The original's recordings hold what others have found in them, field by field."""

from __future__ import annotations

import json
from functools import cache
from time import process_time
from typing import Any

import pytest

from amctl.dump.gob import encode_gob, read_gob
from amctl.dump.gob.decoder import Decoder
from amctl.dump.gob.layout import TYPES
from amctl.dump.gob.types import BASIC, TypeDef
from tests.dump.gob import facts
from tests.dump.gob.samples import opened
from tests.support.shared import SHARED, needs_shared

pytestmark = [needs_shared, pytest.mark.slow]

DATA = SHARED / "data"


@cache
def dump(name: str) -> Any:
    return read_gob(DATA / f"{name}.gob.br")


@cache
def summary() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "am-dbg-sim.summary.json").read_bytes())
    return found


@cache
def types(name: str) -> dict[int, TypeDef]:
    decoder = Decoder(opened((DATA / f"{name}.gob.br").read_bytes()))
    decoder.decode()
    return decoder.types


def test_the_workflows_recording_has_its_machines_and_messages() -> None:
    sim = dump("wasm-workflow")
    assert (len(sim.machines()), sim.count(), sim.meta) == (27, 751, {"layout": "current"})
    graph = json.loads((DATA / "workflow_graph.json").read_text(encoding="utf-8"))
    states = sum(len(sim.schema(machine).names) for machine in sim.machines())
    assert states == 593
    assert len(graph["machines"]) == 27


def test_the_workflows_recording_says_where_mutations_came_from() -> None:
    sourced = [tx for tx in dump("wasm-workflow").transitions() if tx.source]
    assert sourced
    ids = {(tx.machine_id, tx.id) for tx in dump("wasm-workflow").transitions()}
    assert any((tx.source.machine_id, tx.source.tx_id) in ids for tx in sourced)


def test_the_simulations_recording_is_counted_as_in_the_summary() -> None:
    sim = dump("am-dbg-sim")
    assert [*sim.machines()] == summary()["order_in_file"]
    assert facts.counts(sim) == summary()["counts"]
    assert facts.step_types(sim) == summary()["step_types"]
    times = [tx.time_ns for tx in sim.transitions()]
    assert [facts.utc(min(times)), facts.utc(max(times))] == summary()["time_range"]
    assert times == sorted(times)


def test_each_machine_of_the_simulation_is_as_in_the_summary() -> None:
    sim = dump("am-dbg-sim")
    for expected in summary()["machines"]:
        assert facts.machine_facts(sim, expected["id"]) == expected


def test_the_simulation_has_no_parents_pipes_or_rpc_edges() -> None:
    sim = dump("am-dbg-sim")
    parents = [[m, sim.schema(m).parent] for m in sim.machines() if sim.schema(m).parent]
    lines = [line.text for tx in sim.transitions() for line in (*tx.pre_logs, *tx.logs)]
    assert parents == summary()["parent_edges"]
    assert [*sim.pipes()] == summary()["pipe_edges"]
    assert [text for text in lines if text.startswith("[pipe")] == []
    assert summary()["rpc_edges"] == []


def test_what_follows_from_the_messages_is_as_in_the_summary() -> None:
    sim = dump("am-dbg-sim")
    for machine, expected in summary()["derived"].items():
        assert facts.derived(sim, machine) == expected
    queries = summary()["queries"]
    assert (
        facts.cursors(sim, "ps-2", "PublishMessage") == queries["ps2_PublishMessage_jump_cursors"]
    )
    assert facts.cursors(sim, "sim", "Heartbeat") == queries["sim_Heartbeat_jump_cursors"]
    assert queries["total_graph_time"] == sum(
        [*sim.transitions(m)][-1].time_sum for m in sim.machines() if sim.count(m)
    )
    [tx] = sim.transitions("sim", 19, 20)
    assert queries["sim_cursor_20"] == {
        "id": tx.id,
        "called": [sim.schema("sim").names[i] for i in tx.called],
        "type": ("add", "remove")[tx.type],
        "time_sum": tx.time_sum,
    }
    [tx] = sim.transitions("ps-2", 19, 20)
    called = ", ".join(sim.schema("ps-2").names[i] for i in tx.called)
    assert queries["address"] == (
        f"mach://ps-2/{tx.id} -> 0-based index 19 (cursor 20), called {called}, "
        f"time sum {tx.time_sum}"
    )


def test_levels_and_relations_of_2024_are_told_as_today() -> None:
    sim = dump("am-dbg-sim")
    lines = [line for tx in sim.transitions() for line in tx.logs]
    assert {line.level for line in lines if line.text.startswith("[state")} == {2}
    assert {line.level for line in lines if line.text.startswith("[add]")} == {3}
    steps = [step for tx in sim.transitions() for step in tx.steps]
    relations = [step.relation for step in steps if step.type == 1]
    assert [relations.count(kind) for kind in range(4)] == [0, 230, 5666, 123]
    assert sum(bool(step.data) for step in steps) == 4553


def test_the_types_of_the_simulation_are_as_in_the_summary() -> None:
    found = types("am-dbg-sim")
    assert [_told(found, one) for one in found.values()] == summary()["gob_types"]


def _told(known: dict[int, TypeDef], one: TypeDef) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "fields": [[field.name, _word(known, field.type)] for field in one.fields],
        "elem": _word(known, one.elem) if one.elem else None,
        "key": _word(known, one.key) if one.key else None,
    }


def _word(known: dict[int, TypeDef], type_id: int) -> str:
    if type_id in BASIC:
        return BASIC[type_id]
    one = known[type_id]
    if one.kind == "slice":
        return f"[]{_word(known, one.elem)}"
    if one.kind == "map":
        return f"map[{_word(known, one.key)}]{_word(known, one.elem)}"
    return one.name or f"<{type_id}>"


def test_we_write_the_types_of_the_workflows_recording_with_the_fields_added_since() -> None:
    """Numbers, names, kinds, the order of definitions: all as Go's encoder has them."""
    theirs = types("wasm-workflow")
    assert [*theirs] == [*TYPES]
    added = {"": [], "MsgStruct": ["Version"], "MachineID": ["StackTrace"]}
    for one, ours in zip(theirs.values(), TYPES.values(), strict=True):
        first = one.fields[0].name if one.fields else ""
        more = [field.name for field in ours.fields[len(one.fields) :]]
        assert more == added.get(first, [])
        assert ours.fields[: len(one.fields)] == one.fields
        assert (ours.kind, ours.name, ours.elem, ours.key, ours.codec, ours.inner_id) == (
            *(one.kind, one.name, one.elem, one.key, one.codec),
            one.inner_id if one.kind == "opaque" else ours.inner_id,
        )


@pytest.mark.parametrize("name", ["wasm-workflow", "am-dbg-sim"])
def test_recordings_come_back_equal_and_to_the_byte(name: str) -> None:
    first = encode_gob(dump(name), "v")
    again = read_gob(first)
    assert [*again.transitions()] == [*dump(name).transitions()]
    for machine in dump(name).machines():
        assert again.schemas(machine) == dump(name).schemas(machine)
    assert encode_gob(again, "v") == first


def test_a_large_recording_is_read_in_well_under_a_second() -> None:
    """With room for a slow and busy machine; a quarter of a second is usual."""
    path = DATA / "am-dbg-sim.gob.br"
    began = process_time()
    read_gob(path)
    assert process_time() - began < 2
