"""The network that a recording tells of survives being written as a gob."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amctl.dump.gob import read_gob
from amctl.graph.build import build_graph
from amctl.machine import StateDef
from amctl.telemetry.messages import PipeMsg, SchemaMsg, TxMsg
from tests.dump.gob.samples import dump_of, everything, packed
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from amctl.dump.memory import MemoryDump


def fan() -> MemoryDump:
    """One state piped to many, and one pipe that ended: more than lines of a log can tell."""
    names = ("A", "B", "C")
    states = {name: StateDef() for name in names}
    return dump_of(
        SchemaMsg("a", names, states, time_ns=1),
        SchemaMsg("b", names, states, time_ns=1),
        SchemaMsg("still", names, states, time_ns=1),
        *(PipeMsg("add", "a", "A", "b", target, time_ns=2) for target in names),
        PipeMsg("remove", "b", "A", "a", "B", time_ns=3),
        PipeMsg("remove", "b", "A", "a", "B", True, time_ns=4),
        PipeMsg("add", "a", "C", "still", "C", time_ns=4),
        TxMsg("a", "1", (1, 0, 0), time_ns=5),
        TxMsg("b", "2", (1, 1, 0), time_ns=6),
    )


@pytest.mark.parametrize("dump", [everything(), fan()], ids=["everything", "fan"])
def test_our_graphs_come_back(dump: MemoryDump) -> None:
    again = read_gob(packed(dump))
    assert build_graph(again) == build_graph(dump)
    assert build_graph(read_gob(packed(again))) == build_graph(dump)


@needs_shared
@pytest.mark.slow
def test_the_workflows_graph_comes_back() -> None:
    dump = read_gob(SHARED / "data" / "wasm-workflow.gob.br")
    graph = build_graph(dump)
    assert build_graph(read_gob(packed(dump))) == graph
    assert len(graph.pipes) == 132
