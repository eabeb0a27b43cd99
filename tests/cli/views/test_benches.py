"""Figures of benches, in words."""

from __future__ import annotations

from amctl.bench._rpc_ends import Costs
from amctl.bench.rpc import FLIGHT, Round, RpcFigures
from amctl.cli.views.benches import rpc_in_words


def figures(*kinds: str) -> RpcFigures:
    turns = [Round(1000, 0.1, 0.01, 0.02)]
    rounds = {kind: {1: turns, FLIGHT: turns} for kind in kinds}
    size = 145.3 if "grpc" in kinds else None
    return RpcFigures(23.12, 15.0, Costs(9.0, 11.0), Costs(3.0, 4.0), size, rounds)


def lines(*kinds: str) -> list[str]:
    words = rpc_in_words(figures(*kinds).to_json())
    return [" ".join(line.split()) for line in words.splitlines()]


def test_goals_stand_beside() -> None:
    told = lines("arpc", "grpc")
    assert told[0] == "bytes, acknowledged add 23.12 25 or less"
    assert told[2] == "us a call, dearer end 11.0 12 or less"
    assert "times grpc.aio, 100 in flight 1.0 8 or more" in told
    assert told[-1] == "grpc, 100 in flight, calls a second 10,000 CPU us 10 + 20"


def test_without_grpc_it_says_so() -> None:
    assert "times grpc.aio - grpcio is not installed" in lines("arpc")
