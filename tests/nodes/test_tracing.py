"""A run as one trace: five services, every cause linked, nothing left open."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import Machine
from amctl.run.spans.store import SpanStore
from amctl.run.spans.wire import from_json
from nodes.jobs import Fault
from nodes.plan import NodePlan, TracePlan
from nodes.tracing import trace
from tests.nodes.system import System, faults_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODES = ("browser1", "browser2", "browser3", "browser4")


class Traces:
    """A store that remembers."""

    def __init__(self, folder: Path) -> None:
        self.store = SpanStore(folder)
        self.until_ended = self.store.until_ended

    async def post(self, text: str) -> None:
        self.store.put(from_json(text.encode()))

    def spans(self) -> list[tuple[str, dict[str, Any]]]:
        """Service and span, of everything in the file."""
        found = []
        for line in self.store.path.read_text().splitlines():
            for resource in json.loads(line)["resourceSpans"]:
                service = resource["resource"]["attributes"][0]["value"]["stringValue"]
                for scope in resource["scopeSpans"]:
                    found += [(service, span) for span in scope["spans"]]
        return found


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[Traces]:
    made = Traces(tmp_path)
    yield made
    made.store.close()


def links(span: dict[str, Any], kind: str) -> list[str]:
    """Ids of the spans that one points to."""
    return [
        link["spanId"]
        for link in span.get("links", ())
        if link["attributes"][0]["value"]["stringValue"] == kind
    ]


async def test_a_run_is_one_trace_of_five_services(traces: Traces) -> None:
    async with System(store=traces) as system:
        assert (await system.finished()).ok
    assert system.workflow.untraced == 0
    spans = traces.spans()
    ids = Counter(span["spanId"] for _, span in spans)
    assert max(ids.values()) == 1
    assert {span["traceId"] for _, span in spans} == {system.trace_id}
    assert {service for service, _ in spans} == {"orchestrator", *NODES}
    roots = [span["name"] for _, span in spans if "parentSpanId" not in span]
    assert roots == ["root"]
    orphans = [span["name"] for _, span in spans if span.get("parentSpanId", "") not in {"", *ids}]
    assert orphans == []
    loose = [span["name"] for _, span in spans for kind in ("source", "added", "removed")
             for id in links(span, kind) if id not in ids]  # fmt: skip
    assert loose == []
    for node in NODES:
        assert [s["name"] for v, s in spans if v == node and s["name"].startswith("mach:")] == [
            f"mach:0:{node}"
        ]


@pytest.mark.parametrize("left", [(), ("rc-srv-browser2", "rc-bro-browser3")])
async def test_a_retry_links_back_to_the_failure_over_the_orchestrators_decision(
    traces: Traces, left: tuple[str, ...]
) -> None:
    """Also if machines of another run, with the same ids, are not gone yet."""
    parents = {"rc-srv-browser2": "orchestrator", "rc-bro-browser3": "browser2"}
    kept = [Machine(id, {}, parent_id=parents[id]) for id in left]
    faults = faults_at(browser3={(1, 1): Fault.FAIL})
    async with System(store=traces, faults=faults) as system:
        assert (await system.finished()).ok
    spans = {span["spanId"]: (service, span) for service, span in traces.spans()}
    (retry,) = [
        span
        for service, span in spans.values()
        if service == "browser3" and span["name"] == "0: [add] Retrying"
    ]
    chain = []
    span = retry
    while cause := links(span, "source"):
        service, span = spans[cause[0]]
        chain.append((service, span["name"]))
    assert chain[:3] == [
        ("browser2", "0: [add] Browser3Retry"),
        ("orchestrator", "0: [add] Browser3Work"),
        ("orchestrator", "0: [add] ServerPayload"),
    ]
    assert ("browser3", "0: [add] Failed") in chain
    for machine in kept:
        machine.dispose()


async def test_a_node_that_is_started_again_is_a_second_machine_of_the_trace(
    traces: Traces,
) -> None:
    async with System(store=traces, start=("browser1",)) as system:
        await asyncio.sleep(1)
        await system.nodes.pop("browser1").stop()
        await system.run("browser1")
        await system.run("browser2")
        assert (await system.finished()).ok
    names = [span["name"] for service, span in traces.spans() if service == "browser1"]
    assert names.count("mach:0:browser1") == 2


def test_without_a_trace_nothing_is_followed() -> None:
    async def post(text: str) -> None:
        raise AssertionError

    machine = Machine("m", {"A": {}})
    assert trace(TracePlan(), machine, post) is None
    assert trace(TracePlan("ab" * 16, "cd" * 8), machine, None) is None
    assert not machine.tracers


def test_the_plan_of_a_trace_travels_as_json() -> None:
    plan = NodePlan("x", trace=TracePlan("ab" * 16, "cd" * 8, {"skip": ["A"]}))
    assert NodePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.slow
def test_a_run_that_is_not_traced_loads_nothing_for_it() -> None:
    code = """
import asyncio, sys
from tests.nodes.system import System
async def main():
    async with System() as system:
        await system.finished()
asyncio.run(main())
print([m for m in sys.modules if "otel" in m or "opentelemetry" in m])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
