"""What a run records of itself."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg
from nodes import recording
from nodes.plan import DebugPlan, NodePlan
from nodes.recording import browser_clock, record
from tests.nodes.relayed import relayed
from tests.nodes.system import System
from tests.support.fake_debugger import FakeDebugger

if TYPE_CHECKING:
    from amctl.telemetry.messages import Message

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "cases" / "workflow_graph.json").read_text()
)
NODES = ("browser1", "browser2", "browser3", "browser4")


class Recorded:
    """All that a collector has of a run, by machine."""

    def __init__(self, far: FakeDebugger) -> None:
        self.all: list[Message] = [m for kept in far.streams.values() for m in kept.messages]
        found = [m for m in self.all if isinstance(m, SchemaMsg)]
        self.schemas = {m.machine_id: m for m in found}

    def of(self, kind: type[Any]) -> list[Any]:
        return [m for m in self.all if isinstance(m, kind)]

    def clocks(self) -> dict[str, tuple[int, ...]]:
        """The last ones."""
        return {m.machine_id: m.clocks for m in self.all if isinstance(m, TxMsg)}

    def edges(self) -> list[tuple[str, str]]:
        """RPC client and server, as tools find them."""
        out = set()
        for tx in self.of(TxMsg):
            schema = self.schemas[tx.machine_id]
            called = [schema.names[i] for i in tx.called]
            if "rpc-server" in schema.tags and "HandshakeDone" in called and "id" in tx.args:
                out.add((tx.args["id"], tx.machine_id))
        return sorted(out)


async def test_a_run_is_recorded_from_the_first_word_to_the_last() -> None:
    far = FakeDebugger()
    async with System(debugger=far) as system:
        assert (await system.finished()).ok
        await asyncio.sleep(0.1)
        alive = Recorded(far)
        for machine in (system.machine, *(node.machine for node in system.nodes.values())):
            assert alive.clocks()[machine.id] == tuple(machine.time())
    assert Counter(far.names) == Counter(["orchestrator", *NODES])
    assert far.byes == 5
    end = Recorded(far)
    assert end.of(GapMsg) == []
    assert sorted(m.machine_id for m in end.of(GoneMsg)) == sorted(end.schemas)
    assert {*NODES, "orchestrator", "rs-browser4", "rnm-bro-browser4"} <= {*end.schemas}
    names = end.schemas["browser1"].names
    last = end.clocks()["browser1"]
    assert last[names.index("Disposed")] == 1
    work = [tx for tx in end.of(TxMsg) if tx.machine_id == "browser1" and "attempt" in tx.args]
    assert work[0].args == {"round": "1", "attempt": "1"}
    assert any(tx.steps for tx in work)


@pytest.mark.slow
@pytest.mark.realtime
async def test_all_machines_pipes_and_connections_of_the_golden_graph_are_recorded(
    tmp_path: Path,
) -> None:
    far = FakeDebugger()
    async with relayed(tmp_path, debugger=far) as system:
        assert (await system.workflow.finished()).ok
        golden = sorted(machine["id"] for machine in GOLDEN["machines"])
        async with asyncio.timeout(10):
            while sorted(Recorded(far).schemas) != golden:  # noqa: ASYNC110 - tunnels come late
                await asyncio.sleep(0.01)
            while Recorded(far).edges() != sorted(map(tuple, GOLDEN["rpc_edges"])):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    end = Recorded(far)
    parents = sorted([m.machine_id, m.parent] for m in end.schemas.values() if m.parent)
    assert parents == sorted(GOLDEN["parents"])
    pipes = {
        (m.source, m.kind, m.source_state, m.target, m.target_state)
        for m in end.of(PipeMsg)
        if not m.gone
    }
    assert len(pipes) == 128
    assert pipes <= {tuple(pipe) for pipe in GOLDEN["pipes"]}
    assert [m for m in end.of(PipeMsg) if m.gone] == []
    # nodes and orchestrator end while the relay still carries it
    assert {*NODES, "orchestrator"} <= {m.machine_id for m in end.of(GoneMsg)}
    assert end.of(GapMsg) == []
    assert system.workflow.unrecorded == 0


@pytest.mark.slow
@pytest.mark.realtime
async def test_a_run_does_not_wait_for_a_collector_that_is_gone(
    tmp_path: Path,
) -> None:
    far = FakeDebugger()
    far.greets = False
    async with asyncio.timeout(60), relayed(tmp_path, debugger=far) as system:
        assert (await system.workflow.finished()).ok
    assert far.streams == {}
    assert system.workflow.unrecorded > 100, "all of it, by all five streams"


async def test_without_a_path_nothing_is_recorded() -> None:
    machine = Machine("m", {"A": {}})
    assert record(DebugPlan(), machine, _nowhere) is None
    assert not machine.tracers


async def _nowhere(path: str) -> Any:
    raise ConnectionRefusedError(path)


@pytest.mark.slow
def test_a_run_that_is_not_recorded_loads_nothing_for_it() -> None:
    code = """
import asyncio, sys
from tests.nodes.system import System
async def main():
    async with System() as system:
        assert (await system.finished()).ok
asyncio.run(main())
print([n for n in sys.modules if n.startswith("amctl.telemetry.") and "dbg" in n])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_plan_says_what_is_recorded() -> None:
    options = {"steps": False, "log_level": 4, "queued": "all"}
    plan = NodePlan("n", debug=DebugPlan("/dbg", "t", options))
    assert NodePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    machine = Machine("n", {"A": {}})
    stream = record(plan.debug, machine, _nowhere)
    assert stream is not None
    assert (stream.name, stream.machine_ids) == ("n", ["n"])
    assert not stream.options.steps
    assert stream.options.log_level == 4
    assert "attempt" in stream.options.arg_names
    await stream.close()


async def test_browsers_have_a_clock_of_their_own_and_hold_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    performance = SimpleNamespace(timeOrigin=1_700_000_000_000.0, now=lambda: 12.5)
    js = SimpleNamespace(performance=performance)
    monkeypatch.setattr(recording, "import_module", lambda name: {"js": js}[name])
    assert browser_clock()() == 1_700_000_000_012_500_000
    monkeypatch.setattr(sys, "platform", "emscripten")
    stream = record(DebugPlan("/dbg"), Machine("m", {"A": {}}), _nowhere)
    assert stream is not None
    assert stream.options.outbox == 4000
    assert stream.now_ns() == 1_700_000_000_012_500_000
    await stream.close()


async def test_a_worker_that_hangs_does_not_keep_a_recorded_run() -> None:
    far = FakeDebugger()
    loop = asyncio.get_running_loop()
    async with System(debugger=far) as system:
        await system.machine.when("NetworkReady")

        async def hang(e: object) -> None:
            await asyncio.Event().wait()

        hanging = system.nodes["browser1"].machine
        hanging.detach("worker")
        hanging.bind({"DisposingState": hang})
        before = loop.time()
        await system.workflow.stop(2.0)
        assert loop.time() - before < 2.4
        assert system.machine.is_disposed
    assert "orchestrator" in {m.machine_id for m in Recorded(far).of(GoneMsg)}
