"""What a call costs, beside grpc.aio: real processes on loopback, in turns, in one run.

Rates and CPU times are of four processes (a server and a caller of each kind) of which one pair
works at a time; rounds alternate, so that what else the machine does meets both. `us_call` is
measured apart, without loop and sockets, since the goals are of protocol and engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import secrets
import statistics
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amctl.bench._rpc_ends import Costs, call_costs, push_bytes
from amctl.bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amctl.bench.port import PortFigures

__all__ = ["FLIGHT", "GOALS", "Round", "RpcFigures", "bench_rpc"]

GOALS = {
    "ratio_grpc_pipelined": 8.0,
    "bytes_add": 25.0,
    "bytes_push3": 15.0,
    "us_call": 12.0,
    "us_call_pipelined": 5.0,
    "port_ratio_js": 1.5,
}
"""The first is to be reached, the others not to be exceeded."""
FLIGHT = 100
"""Calls under way at a time, where calls are not made one by one."""
_ROUNDS = 5
_BYTES = 501
"""Calls of the measurement of bytes, as in the original's tests."""
_PEERS = (sys.executable, "-m", "amctl.bench._rpc_peers")
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of one pair."""

    calls: int
    seconds: float
    client_cpu: float
    server_cpu: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    @property
    def cpu(self) -> float:
        """Processor seconds of a call, both ends."""
        return (self.client_cpu + self.server_cpu) / self.calls


@dataclass(slots=True)
class RpcFigures:
    """What was measured."""

    bytes_add: float
    bytes_push3: float
    one: Costs
    """One call at a time."""
    many: Costs
    """`FLIGHT` calls at a time."""
    bytes_grpc: float | None = None
    """Of one call; None without gRPC."""
    rounds: dict[str, dict[int, list[Round]]] = field(default_factory=dict)
    """By kind (arpc, grpc) and calls under way."""
    port: PortFigures | None = None
    """Of messages between browser threads; None where they were not measured."""

    def ratios(self, flight: int) -> list[float]:
        """Our rate by gRPC's, turn by turn; empty without gRPC."""
        grpc = self.rounds.get("grpc", {}).get(flight, [])
        ours = self.rounds["arpc"][flight] if grpc else []
        return [a.rate / b.rate for a, b in zip(ours, grpc, strict=True)]

    def cpu_ratios(self, flight: int) -> list[float]:
        """Processor time of a gRPC call by that of ours, both ends, turn by turn.

        What else runs on the machine matters less to it than to rates: gRPC has more threads, and
        gets more of a machine that is full.
        """
        grpc = self.rounds.get("grpc", {}).get(flight, [])
        ours = self.rounds["arpc"][flight] if grpc else []
        return [b.cpu / a.cpu for a, b in zip(ours, grpc, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """One document, goals beside the figures."""
        return {
            "ratio_grpc_pipelined": _median(self.ratios(FLIGHT)),
            "ratio_grpc_pipelined_min": _least(self.ratios(FLIGHT)),
            "ratio_grpc_cpu_pipelined": _median(self.cpu_ratios(FLIGHT)),
            "ratio_grpc": _median(self.ratios(1)),
            "bytes_add": round(self.bytes_add, 2),
            "bytes_push3": round(self.bytes_push3, 2),
            "bytes_grpc": None if self.bytes_grpc is None else round(self.bytes_grpc, 1),
            "us_call": round(max(self.one), 2),
            "us_call_pipelined": round(max(self.many), 2),
            "us_ends": {
                "one": {k: round(v, 2) for k, v in self.one._asdict().items()},
                "pipelined": {k: round(v, 2) for k, v in self.many._asdict().items()},
            },
            "port_ratio_js": None if self.port is None else round(self.port.ratio(), 2),
            "port": None if self.port is None else self.port.to_json(),
            "flight": FLIGHT,
            "loopback": {
                kind: {
                    "one" if flight == 1 else "pipelined": _told(rounds)
                    for flight, rounds in by_flight.items()
                }
                for kind, by_flight in self.rounds.items()
            },
            "goals": GOALS,
        }


def _told(rounds: list[Round]) -> dict[str, float]:
    client = [1e6 * r.client_cpu / r.calls for r in rounds]
    server = [1e6 * r.server_cpu / r.calls for r in rounds]
    return {
        "calls": rounds[0].calls,
        "rounds": len(rounds),
        "rate_median": round(statistics.median(r.rate for r in rounds)),
        "rate_best": round(max(r.rate for r in rounds)),
        "us_client_median": round(statistics.median(client), 1),
        "us_client_min": round(min(client), 1),
        "us_server_median": round(statistics.median(server), 1),
        "us_server_min": round(min(server), 1),
    }


def _median(values: list[float]) -> float | None:
    return round(statistics.median(values), 2) if values else None


def _least(values: list[float]) -> float | None:
    return round(min(values), 2) if values else None


def bench_rpc(
    count: int,
    *,
    rounds: int = _ROUNDS,
    port: Callable[[], PortFigures | None] = lambda: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RpcFigures:
    """Call, in turns with gRPC if that is installed.

    Args:
        count: Calls of each turn; gRPC's turns are a tenth of that, since they take as long.
        rounds: Turns of each kind.
        port: Measures messages between browser threads: see `amctl.bench.port`.
        progress: Told how many turns are over.

    Raises:
        BenchError: A peer failed.
    """
    kinds = ["arpc", *(["grpc"] if importlib.util.find_spec("grpc") else [])]
    turns, done = [(kind, flight) for flight in (1, FLIGHT) for kind in kinds], 0
    total = len(turns) * rounds + 2
    one, many, push3 = asyncio.run(_ends(count))
    progress(done := done + 1, total)
    told: dict[str, dict[int, list[Round]]] = {kind: {1: [], FLIGHT: []} for kind in kinds}
    with contextlib.ExitStack() as stack:
        pairs = {kind: _Pair(kind, stack) for kind in kinds}
        sizes = {kind: pair.bytes_of(min(_BYTES, count)) for kind, pair in pairs.items()}
        for _ in range(rounds):
            for kind, flight in turns:
                calls = max(flight, count // (1 if kind == "arpc" else 10) // flight * flight)
                told[kind][flight].append(pairs[kind].run(calls, flight))
                progress(done := done + 1, total)
    ports = port()
    progress(done + 1, total)
    return RpcFigures(sizes["arpc"], push3, one, many, sizes.get("grpc"), told, ports)


async def _ends(count: int) -> tuple[Costs, Costs, float]:
    return (
        await call_costs(count, 1),
        await call_costs(count, FLIGHT),
        await push_bytes(min(_BYTES, count)),
    )


class _Peer:
    """A process that does as it is told."""

    def __init__(self, stack: contextlib.ExitStack, token: str, *words: str) -> None:
        self._process = stack.enter_context(_started(words, token))
        self.first = self.hear()

    def ask(self, **words: Any) -> dict[str, Any]:
        """Tell it, and wait for what it says."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # why shows in what it said
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """The next line of it."""
        assert self._process.stdout is not None
        killer = threading.Timer(_PATIENCE, self._process.kill)
        killer.start()
        line = self._process.stdout.readline()
        killer.cancel()
        if not line:
            self._process.kill()
            said = self._process.communicate()[1].strip()[-500:]
            raise BenchError("a peer failed", said or "it said nothing")
        words: dict[str, Any] = json.loads(line)
        return words


@contextlib.contextmanager
def _started(words: tuple[str, ...], token: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*_PEERS, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "AMCTL_TOKEN": token},
    )
    try:
        yield process
        assert process.stdin is not None
        process.stdin.close()  # that is how it ends
        process.wait(10)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


class _Pair:
    """A server and a caller of one kind."""

    def __init__(self, kind: str, stack: contextlib.ExitStack) -> None:
        token = secrets.token_urlsafe(16)
        self._server = _Peer(stack, token, "serve", kind)
        self._caller = _Peer(stack, token, "call", kind, self._server.first["addr"])

    def run(self, calls: int, flight: int) -> Round:
        """One turn, on a connection of its own that stands already and is warm."""
        with self._open(counted=False):
            self._calls(flight, flight)
            before = self._server.ask()["cpu"]
            told = self._calls(calls, flight)
            after = self._server.ask()["cpu"]
        return Round(calls, told["seconds"], told["cpu"], after - before)

    def bytes_of(self, calls: int) -> float:
        """Bytes both ways of one call in a row of them."""
        with self._open(counted=True):
            self._calls(10, 1)
            size: float = self._calls(calls, 1)["bytes"]
        return size / calls

    @contextlib.contextmanager
    def _open(self, *, counted: bool) -> Iterator[None]:
        self._caller.ask(do="open", counted=counted)
        yield
        self._caller.ask(do="close")

    def _calls(self, calls: int, flight: int) -> dict[str, Any]:
        return self._caller.ask(do="run", calls=calls, flight=flight)
