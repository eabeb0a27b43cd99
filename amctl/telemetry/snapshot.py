"""The one read-only picture of a run, for `--json`, the event stream, the page and the terminal.

Every time is in milliseconds since the run began; `Run.started_at` alone is wall time. A snapshot
is a frozen tree of plain values; every item of a list has an `id`, so that a change is told as the
whole items that differ (`delta`) and taken over by id (`apply`). Items that did not change are the
same objects in the next snapshot: comparing them costs an identity test.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final, Literal

__all__ = [
    "KEEP_ATTEMPTS",
    "KEEP_EVENTS",
    "KEEP_ROUNDS",
    "LISTS",
    "Attempt",
    "AttemptOutcome",
    "Boot",
    "Check",
    "Edge",
    "EdgeState",
    "Happening",
    "HappeningKind",
    "Light",
    "LightState",
    "Link",
    "Node",
    "NodeState",
    "Phase",
    "Round",
    "RoundOutcome",
    "Run",
    "Snapshot",
    "Thread",
    "Verdict",
    "apply",
    "as_json",
    "delta",
]

Phase = Literal[
    "loading",
    "connecting",
    "running",
    "verifying",
    "restarting",
    "succeeded",
    "failed",
    "stopped",
]
Thread = Literal["ui", "worker", "local"]
NodeState = Literal[
    "offline",
    "loading",
    "joining",
    "ready",
    "waiting",
    "working",
    "retrying",
    "done",
    "failed",
    "lied",
    "tainted",
    "verified",
    "lost",
]
"""`tainted` is a result computed honestly from a wrong input; without it every node below a liar
would look guilty. A lie that is not found yet is in no snapshot."""
AttemptOutcome = Literal["working", "ok", "failed", "lied", "tainted", "timeout", "canceled"]
RoundOutcome = Literal["running", "ok", "lied", "gave_up", "interrupted"]
EdgeState = Literal["idle", "sending", "delivered"]
LightState = Literal["up", "wait", "down", "off"]
Verdict = Literal["waiting", "equal", "wrong"]
HappeningKind = Literal["info", "start", "ok", "failed", "lied", "round", "lost", "end", "gave_up"]

KEEP_ATTEMPTS: Final = 12
"""Attempts are kept for this many of the latest round numbers."""
KEEP_ROUNDS: Final = 100
"""Rounds, with their counts, are kept for this many of the latest round numbers."""
KEEP_EVENTS: Final = 60
"""So many of the latest events are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The run as a whole."""

    id: str
    workflow: str
    phase: Phase = "loading"
    message: str = ""
    """One sentence: what is happening, or why it ended."""
    started_at: str
    """ISO 8601, UTC."""
    now_ms: int = 0
    phase_since_ms: int = 0
    ended_ms: int | None = None
    round: int = 0
    """0 before the first."""
    max_rounds: int = 50
    max_attempts: int = 10
    executions: int = 0
    failures: int = 0
    lies: int = 0
    success_rate: int = 5
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Boot:
    """How far a thread has come before it joins."""

    step: int
    """Counted from 1."""
    of: int
    label: str
    done: int = 0
    """Bytes; 0 or 1 for a step without a size."""
    total: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A job of the DAG and the thread that does it."""

    id: str
    thread: Thread
    host: str
    """The node whose thread forwards for this one; its own id if it dials the relay itself."""
    dispatcher: bool = False
    deps: tuple[str, ...] = ()
    state: NodeState = "offline"
    round: int = 0
    attempt: int = 0
    """Of this round, counted from 1; 0 before the first."""
    progress: float | None = None
    """0 to 1 while working, None if the node does not tell."""
    started_ms: int | None = None
    ended_ms: int | None = None
    digest: str | None = None
    """Hexadecimal, whole."""
    failures: int = 0
    """Over the whole run, as are `lies`."""
    lies: int = 0
    boot: Boot | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """A dependency: `target` waits for the result of `source`. The id is `source>target`."""

    id: str
    source: str
    target: str
    state: EdgeState = "idle"


@dataclass(frozen=True, slots=True)
class Round:
    """One pass through the whole DAG."""

    id: int
    started_ms: int
    ended_ms: int | None = None
    outcome: RoundOutcome = "running"
    wrong: tuple[str, ...] = ()
    """Who lied."""
    executions: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One execution of a job. The id is `round/node/attempt`."""

    id: str
    round: int
    node: str
    attempt: int
    started_ms: int
    ended_ms: int | None = None
    outcome: AttemptOutcome = "working"


@dataclass(frozen=True, slots=True)
class Light:
    """The lamp of one connection or service."""

    id: str
    label: str
    state: LightState = "off"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of the event list. Ids grow."""

    id: int
    at_ms: int
    kind: HappeningKind
    node: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Check:
    """What a leaf must deliver, and what it delivered in this round. The id is the leaf's."""

    id: str
    expected: str
    actual: str | None = None
    verdict: Verdict = "waiting"


@dataclass(frozen=True, slots=True)
class Link:
    """A file that the run leaves behind."""

    id: str
    label: str
    href: str
    """What the page opens; empty if no route serves it."""
    path: str
    """Relative to the project."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything there is to show at one moment. `seq` grows with every change."""

    seq: int
    run: Run
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    rounds: tuple[Round, ...]
    attempts: tuple[Attempt, ...]
    lights: tuple[Light, ...]
    events: tuple[Happening, ...]
    checks: tuple[Check, ...]
    links: tuple[Link, ...]


LISTS: Final = ("nodes", "edges", "rounds", "attempts", "lights", "events", "checks", "links")
"""The fields of a snapshot that hold items with an id."""


def as_json(value: Any) -> dict[str, Any]:
    """A snapshot, or any one of its items, as JSON-ready values; lists come out as lists."""
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return as_json(value) if is_dataclass(value) else value


def delta(old: Snapshot, new: Snapshot) -> dict[str, Any]:
    """What `new` says differently from `old`, an earlier snapshot of the same recorder.

    Holds `seq`, the whole run, and per list the whole items that are new or differ. Items that
    the limits took away are not mentioned: `apply` knows the limits.
    """
    out: dict[str, Any] = {"seq": new.seq, "run": as_json(new.run)}
    for name in LISTS:
        before, after = getattr(old, name), getattr(new, name)
        if before is after:
            continue
        known = {item.id: item for item in before}
        changed = [as_json(item) for item in after if known.get(item.id) != item]
        if changed:
            out[name] = changed
    return out


def apply(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The snapshot after `change`; both are JSON values, and neither is touched.

    What a reader of the event stream does: take over whole items by id, never merge inside an
    item, and forget only what the limits say.
    """
    out = {**base, "seq": change["seq"], "run": change["run"]}
    for name in LISTS:
        if name in change:
            merged = {item["id"]: item for item in base[name]}
            merged.update((item["id"], item) for item in change[name])
            out[name] = list(merged.values())
    latest = change["run"]["round"]
    out["rounds"] = [r for r in out["rounds"] if r["id"] > latest - KEEP_ROUNDS]
    out["attempts"] = [a for a in out["attempts"] if a["round"] > latest - KEEP_ATTEMPTS]
    out["events"] = out["events"][-KEEP_EVENTS:]
    return out
