"""The graph of machines of this process, local ones and mirrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.graph._tracks import graph_states
from amctl.graph.assemble import as_graph
from amctl.graph.model import Graph, GraphMachine, Pipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amctl.machine import MachineView

__all__ = ["from_machines"]

_SOURCE_TAG = "src-id:"
_CLIENT_TAG = "client:"
_HANDSHAKE = "HandshakeDone"


def from_machines(views: Iterable[MachineView], rpc: Iterable[tuple[str, str]] = ()) -> Graph:
    """The network as it is now; machines that are disposed of are left out.

    Args:
        views: Machines. Of several with one id the last one counts.
        rpc: RPC edges (client, server) that the caller knows. Those whose mirror, or whose server
            made for one client, is among the views are found without.
    """
    machines = {view.id: view for view in views if not view.is_disposed}
    pipes = [
        Pipe(r.source_id, r.op, r.source_state, r.target_id, r.target_state)
        for view in machines.values()
        for r in (*view.pipes.out, *view.pipes.into)
    ]
    edges = [*rpc, *_edges(machines)]
    return as_graph(map(_machine, machines.values()), pipes, edges)


def _machine(view: MachineView) -> GraphMachine:
    schema = view.schema
    states = graph_states(view.names, schema, view.clock())
    return GraphMachine(view.id, states, view.parent_id, tuple(view.tags))


def _edges(machines: dict[str, MachineView]) -> Iterator[tuple[str, str]]:
    servers: dict[str, list[MachineView]] = {}
    for view in machines.values():
        if "rpc-server" in view.tags:
            servers.setdefault(view.parent_id, []).append(view)
            yield from ((client, view.id) for client in _tagged(view, _CLIENT_TAG))
    for view in machines.values():
        for source in _tagged(view, _SOURCE_TAG):
            server = _server_of(servers.get(source, []))
            if server and view.parent_id in machines:
                yield view.parent_id, server


def _tagged(view: MachineView, prefix: str) -> list[str]:
    return [tag.removeprefix(prefix) for tag in view.tags if tag.startswith(prefix)]


def _server_of(servers: list[MachineView]) -> str:
    """The one server of a machine that the client of its mirror has shaken hands with.

    A machine may have others that wait for a REPL.
    """
    busy = [s.id for s in servers if s.has(_HANDSHAKE) and s.is_(_HANDSHAKE)]
    return busy[0] if len(busy) == 1 else ""
