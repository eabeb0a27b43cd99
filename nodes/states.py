"""The states of the workflow's machines, and the arguments they come with.

Worker and the fixed part of the others are classes; what depends on the DAG is generated from it:
a node `left` gives the orchestrator LeftWork, LeftReady and so on, and its dispatcher a mirror of
all worker states, LeftWorking for Working.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from amctl.machine import Args, Schema, State, StateDef, States
from amctl.rpc.payload import APayload
from amctl.rpc.states import ConsumerStates, SourceStates
from amctl.states.basic import BasicStates
from amctl.states.disposed import DisposedStates
from nodes.dag import Dag, DagError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "DISPATCHER_ARGS",
    "ORCHESTRATOR_ARGS",
    "WORKER_ARGS",
    "ABrowserConn",
    "ACompleted",
    "AFailed",
    "ARetrying",
    "AStart",
    "AStartWork",
    "AWork",
    "AWorking",
    "Names",
    "OrchestratorStates",
    "WorkerStates",
    "dispatcher_schema",
    "orchestrator_schema",
    "worker_schema",
]

_WORK = ("Working", "Failed", "Completed", "Retrying")


class WorkerStates(SourceStates, DisposedStates, BasicStates):
    """A node that hashes what it is given."""

    groups: ClassVar[dict[str, tuple[str, ...]]] = {"Work": _WORK}

    Exception = State.override(multi=True, remove=_WORK)
    """Something failed, and any work with it."""

    Working = State(require=["Start"], remove=[*_WORK, "Exception"])
    """Computes the hash of the payload it came with, see AWorking."""

    Failed = State(require=["Start"], remove=_WORK)
    """The work came to nothing; the orchestrator is told."""

    Retrying = State(require=["Start"], remove=[*_WORK, "Exception"])
    """Works once more on what it was given, see ARetrying."""

    Completed = State(require=["Start"], remove=_WORK)
    """The work is done; the result is on its way."""

    RpcReady = State()
    """The server has a client that is fully usable."""

    Start = State.override(require=["RpcReady"])
    """The run flag; comes with AStart."""


class OrchestratorStates(States):
    """The orchestrator's states that don't depend on the DAG; for names, not for a machine."""

    ErrRpc = State()
    """A connection to a node failed."""

    Ready = State()

    WorkersReady = State()
    """Every node is ready."""

    NetworkReady = State()
    """Work can be given; a round begins with it."""

    BrowserConn = State()
    """A node's connection was made, see ABrowserConn."""

    StartWork = State()
    """Begins a new round, whatever the present one has come to."""

    WorkDelivered = State()
    """Every result is here, and none of them is proven yet."""

    Succeeded = State()
    """The results are what they must be."""

    Failed = State()
    """The rounds are used up."""


@dataclass(frozen=True)
class _Args(Args):
    prefix: ClassVar[str] = "nodes"


@dataclass(frozen=True)
class AStart(_Args):
    """Start of a worker: the trace that its own one belongs to."""

    trace_id: str = ""
    """32 hexadecimal digits."""
    span_id: str = ""
    """16 hexadecimal digits."""


@dataclass(frozen=True)
class AWorking(_Args):
    """Working of a worker, and the Work state of a dispatcher that leads to it."""

    payload: bytes = b""
    round: int = 0
    attempt: int = 0
    draw: int = 0
    """What faults are drawn with in place of the round."""


@dataclass(frozen=True)
class ARetrying(_Args):
    """Retrying of a worker, and the Retry state of a dispatcher that leads to it."""

    round: int = 0
    attempt: int = 0
    draw: int = 0
    payload: bytes = b""
    """Again, for a worker that has lost it."""


@dataclass(frozen=True)
class ACompleted(_Args):
    """Completed of a worker."""

    result: bytes = b""
    round: int = 0
    attempt: int = 0


@dataclass(frozen=True)
class AFailed(_Args):
    """Failed of a worker."""

    round: int = 0
    attempt: int = 0


@dataclass(frozen=True)
class AWork(_Args):
    """A node's Work at the orchestrator."""

    retry: bool = False


@dataclass(frozen=True)
class AStartWork(_Args):
    """StartWork; without them somebody asks for a round of his own."""

    reason: str = ""
    """Why a round follows another one: `lied` or `gave_up`."""


@dataclass(frozen=True)
class ABrowserConn(_Args):
    """BrowserConn of the orchestrator."""

    machine_id: str = ""
    """Id of the client's machine."""


WORKER_ARGS = (AStart, AWorking, ARetrying, ACompleted, AFailed)
DISPATCHER_ARGS = (*WORKER_ARGS, APayload)
ORCHESTRATOR_ARGS = (AStartWork, AWork, ABrowserConn, APayload)
"""What the handlers of each kind of machine take."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the states of one node."""

    prefix: str
    """The id with a capital first letter."""

    @classmethod
    def of(cls, id: str) -> Names:
        """The names of a node."""
        return cls(id[0].upper() + id[1:])

    @property
    def work(self) -> str:
        """Gives the node its job: at the orchestrator and, for its leaves, at a dispatcher."""
        return f"{self.prefix}Work"

    @property
    def retry(self) -> str:
        """At a dispatcher: the leaf tries once more."""
        return f"{self.prefix}Retry"

    @property
    def delivered(self) -> str:
        """The node's result of this round is here."""
        return f"{self.prefix}Delivered"

    @property
    def conn(self) -> str:
        """The connection to a node that dials itself stands."""
        return f"{self.prefix}Conn"

    @property
    def err(self) -> str:
        """The node is in an error."""
        return f"Err{self.prefix}"

    def mirror(self, state: str) -> str:
        """The mirror of one of the node's own states."""
        return f"{self.prefix}{state}"


MIRRORED = ("Ready", "Working", "Completed", "Failed")
"""What the orchestrator mirrors of a node, besides its errors."""


def worker_schema() -> Schema:
    """The states of a node that forks no other."""
    return WorkerStates.schema()


def dispatcher_schema(leaves: Iterable[str], where: str = "DAG") -> Schema:
    """The states of a node that forks others: its own, triggers for its leaves, their mirrors.

    Mirrors have no relations: they must accept whatever they are told, in any order.

    Args:
        leaves: Ids of the forked nodes.
        where: What an error names as its place.

    Raises:
        DagError: If two things would have the same state.
    """
    names = [Names.of(leaf) for leaf in leaves]
    worker = worker_schema()
    event = StateDef(multi=True)
    states: dict[str, StateDef] = {"Exception": event}
    _put(where, states, [n.work for n in names], event)
    _put(where, states, [n.retry for n in names], event)
    _put(where, states, ConsumerStates.names()[1:], event)
    own = {**worker, "Start": StateDef()}
    for name in worker.names[1:]:
        _put(where, states, [name], own[name])
    for leaf in names:
        mirror = worker.prefix(leaf.prefix, relations=False)
        for name in map(leaf.mirror, worker.names):
            _put(where, states, [name], mirror[name])
    return Schema(states, states, {"Work": _WORK})


def orchestrator_schema(dag: Dag) -> Schema:
    """The states of the orchestrator of a DAG.

    Raises:
        DagError: If two things would have the same state, such as a node `workers` whose
            readiness is called as that of all workers.
    """
    o, nodes, roots = OrchestratorStates, {id: Names.of(id) for id in dag.ids}, dag.roots
    delivered = {id: name.delivered for id, name in nodes.items()}
    states: dict[str, StateDef] = {"Exception": StateDef(multi=True)}

    def put(name: str, **relations: Iterable[str] | bool) -> None:
        known = {k: v if isinstance(v, bool) else tuple(v) for k, v in relations.items()}
        _put(dag.where, states, [name], StateDef(**known))  # type: ignore[arg-type]  # checked by name

    put(o.ErrRpc)
    put(o.Ready)
    put(o.WorkersReady, auto=True, require=[n.mirror("Ready") for n in nodes.values()])
    put(o.NetworkReady, auto=True, require=[o.Ready, o.WorkersReady], add=[o.StartWork])
    put(o.BrowserConn, multi=True, require=["Start"])
    put(o.StartWork, require=[o.NetworkReady], remove=delivered.values())
    for id, name in nodes.items():
        put(name.work, require=[*(delivered[dep] for dep in dag[id].deps), o.NetworkReady])
    for id, name in nodes.items():
        put(name.delivered, add=[nodes[other].work for other in dag.dependents(id)])
    put(o.WorkDelivered, auto=True, require=[delivered[id] for id in dag.sinks])
    _put(dag.where, states, [nodes[id].conn for id in roots], StateDef())
    _put(dag.where, states, [name.err for name in nodes.values()], StateDef())
    for mirrored in MIRRORED:
        for id, name in nodes.items():
            put(name.mirror(mirrored), require=[nodes[dag.root_of(id)].conn])
    basic = BasicStates.schema()
    for inherited in ("ErrNetwork", "ErrHandlerTimeout", "Start", "Healthcheck", "Heartbeat"):
        _put(dag.where, states, [inherited], basic[inherited])
    put("ServerPayload", multi=True)
    put("ErrOnClient", require=["Exception"])
    put(o.Succeeded, remove=[o.Failed])
    put(o.Failed, remove=[o.Succeeded])
    return Schema(states, states, _groups(nodes, roots))


def _put(
    where: str, states: dict[str, StateDef], names: Iterable[str], definition: StateDef
) -> None:
    for name in names:
        if name in states:
            raise DagError(where, f"its node ids make two states of the name {name!r}")
        states[name] = definition


def _groups(nodes: Mapping[str, Names], roots: Iterable[str]) -> dict[str, tuple[str, ...]]:
    o, at_roots = OrchestratorStates, [nodes[id] for id in roots]
    delivered = [name.delivered for name in nodes.values()]
    works = [name.work for name in nodes.values()]
    own = [o.WorkersReady, o.NetworkReady, o.BrowserConn, o.StartWork, *works, *delivered]
    piped = [o.ErrRpc, *(name.conn for name in at_roots), *(name.err for name in at_roots)]
    for mirrored in ("Ready", "Completed", "Working", "Failed"):
        piped += [name.mirror(mirrored) for name in at_roots]
    return {
        "Delivered": tuple(delivered),
        "Own": (*own, o.WorkDelivered),
        "Piped": tuple(piped),
    }
