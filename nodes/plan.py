"""What a run of the workflow is told: its settings, and the plain plan that each node gets."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from nodes.dag import UI

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nodes.dag import Dag

__all__ = [
    "DebugPlan",
    "NodePlan",
    "Secrets",
    "SettingError",
    "TracePlan",
    "WorkflowSettings",
    "boot_plan",
    "node_plan",
]

Role = Literal["worker", "dispatcher"]
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_YES = ("1", "true", "yes", "on")
_SWITCHES = {
    "AM_LOG_STEPS": "steps",
    "AM_LOG_ARGS": "args",
    "AM_LOG_CHECKS": "checks",
    "AM_LOG_STACKS": "stacks",
    "AM_RPC_DBG": "rpc",
    "AM_RELAY_DBG": "relay",
}
"""Settings of recordings, with the options of theirs that they decide."""


class SettingError(ValueError):
    """A setting of the workflow can't be read.

    ValueError
     +-- SettingError
    """

    def __init__(self, key: str, text: str, allowed: str) -> None:
        super().__init__(key, text, allowed)
        self.key, self.text, self.allowed = key, text, allowed

    def __str__(self) -> str:
        return f"{self.key}={self.text!r} isn't {self.allowed}"


@dataclass(frozen=True, slots=True)
class WorkflowSettings:
    """What the workflow reads of a project's settings."""

    workflow: str = "nodes/four.json"
    iterations: int = 10_000
    """Hashes of busy work per job."""
    success_rate: int = 5
    """Of N jobs one lies and one fails."""
    fault_seed: int | None = None
    """What the faults follow from; None is another one for each run."""
    max_rounds: int = 50
    max_attempts: int = 10
    job_timeout: float = 30.0
    """Seconds after which a job counts as failed."""
    exit_on_completed: bool = False
    repl_addr: str = "localhost:0"
    """Where the orchestrator's REPL listens."""
    node_addresses: Mapping[str, str] | None = None
    """The settings BROWSER_n_TCP_ADDR and BROWSER_n_REPL_ADDR."""
    debug: Mapping[str, Any] = field(default_factory=dict)
    """What is recorded, if anything is: fields of DebugOptions other than their defaults."""
    service: str = "orchestrator"
    """What the orchestrator is called in traces."""

    @classmethod
    def of(cls, raw: Mapping[str, str]) -> WorkflowSettings:
        """From a project's settings; missing or empty ones have their defaults.

        Raises:
            SettingError: A value can't be read.
        """
        seed = raw.get("FAULT_SEED", "").strip()
        default = cls()
        return cls(
            workflow=raw.get("WORKFLOW", "").strip() or default.workflow,
            iterations=_number(raw, "HASH_ITERATIONS", default.iterations, 0),
            success_rate=_number(raw, "SUCCESS_RATE", default.success_rate, 1),
            fault_seed=_number(raw, "FAULT_SEED", 0, None) if seed else None,
            max_rounds=_number(raw, "MAX_ROUNDS", default.max_rounds, 1),
            max_attempts=_number(raw, "MAX_ATTEMPTS", default.max_attempts, 1),
            job_timeout=_seconds(raw, "JOB_TIMEOUT", default.job_timeout),
            exit_on_completed=raw.get("EXIT_ON_COMPLETED", "").strip().lower() in _YES,
            repl_addr=raw.get("ORCHESTRATOR_REPL_ADDR", "").strip() or default.repl_addr,
            node_addresses={key: raw[key] for key in raw if key.startswith("BROWSER_")},
            debug=_debug_options(raw),
            service=raw.get("AM_SERVICE", "").strip() or default.service,
        )

    def address(self, number: int, kind: Literal["TCP", "REPL"]) -> str:
        """The address in the tunnel's path of the n-th node, counted from 1."""
        found = (self.node_addresses or {}).get(f"BROWSER_{number}_{kind}_ADDR")
        return found or (f"localhost:{14000 + 10 * number}" if kind == "TCP" else "localhost:0")


@dataclass(frozen=True, slots=True)
class DebugPlan:
    """What a node records, and where that goes."""

    path: str = ""
    """Of the relay; empty if nothing is recorded."""
    token: str = ""
    """What the collector wants to hear; good for nothing else."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of DebugOptions."""


@dataclass(frozen=True, slots=True)
class TracePlan:
    """Whether a node is traced, and below which span."""

    trace_id: str = ""
    """Of the run; empty if nothing is traced."""
    span_id: str = ""
    """The run's root span."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Fields of OtelOptions."""


@dataclass(frozen=True, slots=True)
class NodePlan:
    """All that one node needs to know; travels as plain JSON."""

    id: str
    role: Role = "worker"
    leaves: tuple[str, ...] = ()
    """The nodes that it forks and forwards for."""
    listen: str = ""
    """Path at the relay under which it serves the orchestrator; empty for a leaf."""
    repl: str = ""
    """Path at the relay under which its REPL is served."""
    iterations: int = 10_000
    success_rate: int = 5
    fault_seed: int = 0
    token: str = ""
    """What its client must know: for a leaf the dispatcher's `leaf_token`, else the run's seal."""
    repl_token: str = ""
    """The run's token, sealed: what a REPL must know."""
    leaf_token: str = ""
    """What a dispatcher tells its leaves; good for nothing else."""
    debug: DebugPlan = DebugPlan()
    trace: TracePlan = TracePlan()

    def to_json(self) -> dict[str, Any]:
        """The plain form."""
        return {**asdict(self), "leaves": list(self.leaves)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> NodePlan:
        """The plan that `to_json` wrote."""
        debug, trace = DebugPlan(**raw.get("debug", {})), TracePlan(**raw.get("trace", {}))
        leaves = tuple(raw.get("leaves", ()))
        return cls(**{**raw, "leaves": leaves, "debug": debug, "trace": trace})


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the nodes of a run are told. A page never gets the token itself."""

    sealed: str = ""
    """The run's token, sealed."""
    leaf: str = ""
    """Between dispatchers and their leaves."""


def node_plan(dag: Dag, id: str, settings: WorkflowSettings, seed: int, known: Secrets) -> NodePlan:
    """The plan of one node.

    Args:
        dag: Where it stands.
        id: Which.
        settings: Of the run.
        seed: Of the run's faults.
        known: What it may know.
    """
    leaves, number = dag.leaves_of(id), dag.number(id)
    dials = dag.root_of(id) == id
    return NodePlan(
        id=id,
        role="dispatcher" if leaves else "worker",
        leaves=leaves,
        listen=f"/listen/{id}/{settings.address(number, 'TCP')}" if dials else "",
        repl=f"/listen/repl-{id}/{settings.address(number, 'REPL')}",
        iterations=settings.iterations,
        success_rate=settings.success_rate,
        fault_seed=seed,
        token=known.sealed if dials else known.leaf,
        repl_token=known.sealed,
        leaf_token=known.leaf if leaves else "",
    )


def boot_plan(dag: Dag, plans: Mapping[str, NodePlan]) -> dict[str, Any]:
    """What the page starts, as plain JSON.

    `{"entry": module, "workflow": name, "ui": THREAD or null, "workers": [THREAD]}` with THREAD
    `{"id", "plan": NodePlan, "workers": [THREAD]}`. `ui` is what the page's own thread does, the
    others are workers; a thread forks those in its own `workers` and gets a port to each.
    """

    def thread(id: str) -> dict[str, Any]:
        forks = [thread(leaf) for leaf in dag.leaves_of(id)]
        return {"id": id, "plan": plans[id].to_json(), "workers": forks}

    by_host = {id: dag[id].host == UI for id in dag.roots}
    return {
        "entry": "nodes.browser",
        "workflow": dag.name,
        "ui": next((thread(id) for id, is_ui in by_host.items() if is_ui), None),
        "workers": [thread(id) for id, is_ui in by_host.items() if not is_ui],
    }


def _debug_options(raw: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, option in _SWITCHES.items():
        if text := raw.get(key, "").strip().lower():
            found[option] = text in _YES
    if text := raw.get("AM_LOG_QUEUED", "").strip().lower():
        found["queued"] = "all" if text in _YES else "none"
    if level := _number(raw, "AM_LOG", 0, 0):
        found["log_level"] = level
    return found


def _number(raw: Mapping[str, str], key: str, default: int, low: int | None) -> int:
    text = raw.get(key, "").strip()
    if not text:
        return default
    allowed = "a whole number" if low is None else f"a whole number, {low} or more"
    try:
        value = int(text)
    except ValueError as err:
        raise SettingError(key, text, allowed) from err
    if low is not None and value < low:
        raise SettingError(key, text, allowed)
    return value


def _seconds(raw: Mapping[str, str], key: str, default: float) -> float:
    text = raw.get(key, "").strip()
    if not text:
        return default
    match = _DURATION.fullmatch(text)
    if match is None or not float(match[1]):
        raise SettingError(key, text, "a duration like 500ms, 30s, 2m")
    return float(match[1]) * _UNITS[match[2] or "s"]
