"""The workflow's network as a graph, made of the project's own fixtures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amctl.graph.inherited import inherited
from amctl.graph.model import Graph, GraphMachine, GraphState, Pipe
from amctl.graph.natural import natural
from amctl.relay.states import RelayStates, TunnelStates
from amctl.vis.options import VisOptions
from amctl.vis.view import View
from nodes.dag import load_dag
from nodes.states import dispatcher_schema, orchestrator_schema, worker_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["BIRD", "MAP", "SINGLE", "machine", "network", "view_of", "workflow"]

CASES = Path(__file__).parents[1] / "cases"
SINGLE = VisOptions()
BIRD = VisOptions(distance=3, inherited=False)
MAP = VisOptions(
    distance=-1,
    states=False,
    ready=False,
    exception=False,
    relations=False,
    detailed_pipes=False,
    nest_submachines=True,
    tags=False,
    map=True,
)

_ACTIVE = re.compile(r"Start|Ready|.*(Ready|Completed|Delivered|Conn|Connected|HandshakeDone)")
"""What is active in the fixture: much of what a finished run leaves."""


@cache
def workflow() -> Graph:
    """27 machines, 132 pipes, 4 RPC connections."""
    raw = json.loads((CASES / "workflow_graph.json").read_text(encoding="utf-8"))
    schemas = _schemas()
    machines = {}
    for item in sorted(raw["machines"], key=lambda m: natural(m["id"])):
        known = schemas[_role(item["id"])]
        assert set(known) >= set(item["states"]), item["id"]
        states = {name: known[name] for name in known if name in item["states"]}
        machines[item["id"]] = machine(
            item["id"], states, parent=item["parent"] or "", tags=_tags(item["id"])
        )
    pipes = sorted(Pipe(a, kind, f, b, t) for a, kind, f, b, t in raw["pipes"])
    rpc = sorted((client, server) for client, server in raw["rpc_edges"])
    return Graph(machines, tuple(pipes), tuple(rpc))


def machine(
    name: str,
    states: Mapping[str, Mapping[str, Any]],
    *,
    parent: str = "",
    tags: Iterable[str] = (),
    active: Collection[str] | None = None,
) -> GraphMachine:
    """A machine from definitions with the keys of schemas.json."""
    standard = inherited(states)
    rows = []
    for state, given in states.items():
        lit = bool(_ACTIVE.fullmatch(state)) if active is None else state in active
        related = {
            kind: tuple(x for x in given.get(kind, ()) if x in states)
            for kind in ("require", "add", "remove", "after")
        }
        rows.append(
            GraphState(
                state,
                tick=int(lit),
                auto=given.get("auto", False),
                multi=given.get("multi", False),
                inherited=state in standard,
                **related,
            )
        )
    return GraphMachine(name, tuple(rows), parent, tuple(tags))


def network(*machines: GraphMachine, pipes: Iterable[Pipe] = (), **more: Any) -> Graph:
    """A graph of machines, in their order."""
    return Graph({m.id: m for m in machines}, tuple(sorted(pipes)), **more)


def view_of(
    graph: Graph,
    options: VisOptions = BIRD,
    full: Collection[str] | None = None,
    *,
    half: Collection[str] = (),
    requested: Collection[str] = (),
    title: str = "workflow",
    **changes: Any,
) -> View:
    """What `select` would decide, by the simplest rules; `changes` are of options."""
    options = replace(options, **changes)
    shown = tuple(graph.machines if full is None else full)
    drawn = {*shown, *half}
    states = {}
    for name in shown:
        ends = {p.source_state for p in graph.pipes if p.source == name}
        ends |= {p.target_state for p in graph.pipes if p.target == name}
        keep = {"Ready", "Exception"} | ends
        states[name] = frozenset(
            s.name
            for s in graph.machines[name].states
            if options.states and (options.inherited or not s.inherited or s.name in keep)
        )
    return View(
        graph,
        options,
        shown,
        tuple(half),
        frozenset(requested),
        states,
        tuple(p for p in graph.pipes if drawn >= {p.source, p.target}) if options.pipes else (),
        tuple(pair for pair in graph.rpc if drawn >= set(pair)) if options.conns else (),
        tuple(p for p in graph.parents if drawn >= set(p)) if options.parent_rel else (),
        title,
    )


@cache
def _schemas() -> dict[str, dict[str, dict[str, Any]]]:
    raw = json.loads((CASES / "schemas.json").read_text(encoding="utf-8"))["machines"]
    known = {
        role: {name: raw[role]["states"].get(name, {}) for name in raw[role]["names"]}
        for role in ("rpc_client", "rpc_server", "rpc_mux")
    }
    dag = load_dag("four.json", CASES.parents[1] / "nodes")
    schemas = {
        "orchestrator": orchestrator_schema(dag),
        "dispatcher": dispatcher_schema(["browser3", "browser4"]),
        "worker": worker_schema(),
        "relay": RelayStates.schema(),
        "tunnel": TunnelStates.schema(),
    }
    for role, schema in schemas.items():
        effective, _ = schema.effective
        known[role] = {name: effective[name].to_dict() for name in effective.names}
    return known


def _role(name: str) -> str:
    prefixes = {"rc-": "rpc_client", "rs-": "rpc_server", "rm-": "rpc_mux"}
    if name[:3] in prefixes:
        return prefixes[name[:3]]
    if name.startswith("relay-"):
        return "tunnel" if "-wt-" in name else "relay"
    if name == "orchestrator":
        return name
    return "dispatcher" if name.endswith("browser2") else "worker"


def _tags(name: str) -> tuple[str, ...]:
    tags = {"rc-": ("rpc-client", "addr:"), "rs-": ("rpc-server",), "rm-": ("rpc-mux",)}
    if name.startswith("rnm-"):
        return ("rpc-netmach", f"src-id:{name.rpartition('-')[2]}")
    return tags.get(name[:3], ("relay",) if name == "relay-wasm-workflow" else ())
