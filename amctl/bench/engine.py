"""What the engine can do, beside its original and beside other libraries: one process, in turns.

Times are CPU time of this thread. Everything is measured once in each round, so that what else the
machine does meets all of it; told are medians, with quartiles as their spread. The original's times
were recorded on another machine, so factors over them are corrected by how fast `transitions`, the
yardstick, is here and was there.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amctl.bench._engine_peers import PEERS, flipflop
from amctl.bench._engine_size import Walk, bytes_machine, create_seconds
from amctl.bench._engine_work import (
    SETUP,
    UNCACHED,
    WORKLOADS,
    Recorder,
    Workload,
    orchestrator,
    pairs_of,
)
from amctl.machine import Machine
from amctl.telemetry.dbgstream import DebugOptions, DebugStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from amctl.rpc.transports.base import Connection

__all__ = ["GOALS", "YARDSTICK", "EngineFigures", "bench_engine"]

YARDSTICK = 142_000
"""Flip-flops a second of `transitions` where the original's times were recorded."""
GOALS: dict[str, Any] = {
    "times_go": {"w1": 8.0, "w2": 4.0, "w3": 30.0, "w5": 60.0, "w6": 2.0},
    "times_go_traced": dict.fromkeys(("w1", "w2", "w3", "w5", "w6"), 1.0),
    "times_go_debugged": {"w3": 1.0, "w5": 1.0},
    "times_go_uncached": {"w3": 1.0, "w5": 1.0},
    "times_transitions": 4.0,
    "times_psm": 30.0,
    "bytes_machine": 4096.0,
    "create_us": 50.0,
}
"""Those of bytes and microseconds are not to be exceeded, the others to be reached."""
MODES = {"": 1.0, "_traced": 0.2, "_debugged": 0.02, "_uncached": 0.05}
"""Nobody listens; one tracer records; the debugger's with steps and lines; no plan is kept. Each
with the share of pairs that it makes; debugged ones as many as a collector takes at once."""
SIZES = (45, 60, 63, 64, 70, 128, 200)
"""States, of machines that should not differ."""
_MACHINES = 100

Key = tuple[str, str]


@dataclass(slots=True)
class EngineFigures:
    """What was measured."""

    ns: dict[Key, list[float]]
    """Nanoseconds of one pair, transition, step or machine, round by round; by kind and name."""
    bytes_new: float
    bytes_used: float
    walk_bytes: float
    """How much memory steps of a random walk leave behind, when as many were made before."""
    walk_steps: int

    def to_json(self) -> dict[str, Any]:
        """One document, goals beside the figures."""
        psm, ours = self._rates("python-statemachine"), self._rates("flipflop")
        yard = self._rates("transitions")
        create = [ns / 1e3 for ns in self.ns["create", ""]]
        return {
            **{work.name: self._told(work) for work in WORKLOADS},
            "transitions_per_s": _median(yard, 0),
            "psm_per_s": _median(psm, 0),
            "flipflop_per_s": _median(ours, 0),
            "times_transitions": _median(_ratios(ours, yard)),
            "times_psm": _median(_ratios(ours, psm)),
            "bytes_machine": round(max(self.bytes_new, self.bytes_used)),
            "bytes_new": round(self.bytes_new),
            "create_us": _median(create),
            "walk": {
                "us_step": _median([ns / 1e3 for ns in self.ns["walk", ""]]),
                "steps": self.walk_steps,
                "bytes_grown": round(self.walk_bytes),
            },
            "ns_pair_by_states": {size: _median(self.ns["size", size], 0) for size in _SIZED},
            "correction": _median([YARDSTICK / rate for rate in yard]),
            "rounds": len(create),
            "goals": GOALS,
        }

    def _told(self, work: Workload) -> dict[str, Any]:
        told: dict[str, Any] = {"what": work.what, "go_ns": work.go_ns}
        for mode in MODES:
            values = self.ns[mode, work.name]
            told[f"ns_pair{mode}"] = _median(values, 0)
            told[f"times_go{mode}"] = _median(self._factors(work, values))
        told["spread"] = {f"ns_pair{mode}": _quartiles(self.ns[mode, work.name]) for mode in MODES}
        return told

    def _factors(self, work: Workload, values: Sequence[float]) -> list[float]:
        """Round by round, since a round's yardstick tells how fast the machine was then."""
        corrections = [YARDSTICK / rate for rate in self._rates("transitions")] or [1.0]
        if len(corrections) != len(values):
            corrections = corrections[:1] * len(values)
        return [work.go_ns * c / ns for c, ns in zip(corrections, values, strict=True)]

    def _rates(self, name: str) -> list[float]:
        return [1e9 / ns for ns in self.ns.get(("flip", name), [])]


_SIZED = [str(size) for size in SIZES]


def _median(values: Sequence[float], digits: int = 2) -> float | None:
    return round(statistics.median(values), digits or None) if values else None


def _quartiles(values: Sequence[float]) -> list[int]:
    if len(values) < 2:
        return [round(value) for value in (*values, *values)]
    found = statistics.quantiles(values, n=4, method="inclusive")
    return [round(found[0]), round(found[2])]


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(ours, theirs, strict=True)] if theirs else []


def bench_engine(
    pairs: int,
    *,
    rounds: int = 9,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> EngineFigures:
    """Measure everything, in turns.

    Args:
        pairs: Calls of `add` and `remove` in each round with nobody listening; what is slower makes
            fewer of them.
        rounds: How often each is measured.
        progress: Told how many rounds are over.
    """
    return asyncio.run(_bench(pairs, rounds, progress))


async def _bench(pairs: int, rounds: int, progress: Callable[[int, int], None]) -> EngineFigures:
    stream = DebugStream("bench", _nowhere, "", DebugOptions(outbox=10**9))
    runs = _runs(pairs, stream)
    ns: dict[Key, list[float]] = {key: [] for key in runs}
    for run, count in runs.values():
        run(max(4, count // 10))
    for done in range(rounds):
        gc.collect()
        for key, (run, count) in runs.items():
            ns[key].append(1e9 * run(count) / count)
            _empty(stream)
        progress(done + 1, rounds)
    walk = Walk()
    steps = 4 * pairs
    new, used = bytes_machine(min(_MACHINES, pairs))
    figures = EngineFigures(ns, new, used, walk.grown(steps), steps)
    await stream.close(0.0)
    return figures


def _runs(pairs: int, stream: DebugStream) -> dict[Key, tuple[Callable[[int], float], int]]:
    def share(part: float) -> int:
        return max(4, 2 * int(pairs * part / 2))

    runs: dict[Key, tuple[Callable[[int], float], int]] = {}
    for work in WORKLOADS:
        debugged = work.make()
        stream.attach(debugged)
        machines = {
            "": work.make(),
            "_traced": work.make(tracers=[Recorder()]),
            "_debugged": debugged,
            "_uncached": work.make(limits=UNCACHED),
        }
        for mode, part in MODES.items():
            runs[mode, work.name] = work.runs(machines[mode]), share(part)
    for size in SIZES:
        machine = Machine(f"{size}", orchestrator(size - 45))
        for state in SETUP:
            machine.add(state)
        run = pairs_of(machine, "Browser4Ready", "Browser4Ready")
        runs["size", str(size)] = run, share(0.5)
    runs["flip", "flipflop"] = flipflop(), share(2.0)
    for name, make in PEERS.items():
        if (peer := make()) is not None:
            runs["flip", name] = peer, share(0.2 if name == "transitions" else 0.05)
    schema = orchestrator()
    runs["create", ""] = (lambda count: create_seconds(schema, count)), share(0.02)
    runs["walk", ""] = Walk().run, share(0.5)
    return runs


def _empty(stream: DebugStream) -> None:
    """Take what was recorded, as a collector would."""
    while stream.outbox.take() is not None:
        pass
    stream.outbox.ack(stream.outbox.next_number)


async def _nowhere() -> Connection:
    raise OSError("nobody listens to a bench's recording")
