"""The bench of calls measures what it says; how fast this machine is, no test says."""

from __future__ import annotations

import asyncio

import pytest

from amctl.bench import rpc
from amctl.bench._rpc_bytes import Proxy
from amctl.bench._rpc_ends import Costs, call_costs, push_bytes
from amctl.bench._rpc_source import PUSHED, STATE, STATES, source
from amctl.bench.errors import BenchError
from amctl.bench.port import SMALL, PortFigures
from amctl.bench.rpc import FLIGHT, GOALS, Round, RpcFigures, bench_rpc


def test_the_machine_is_as_large_as_an_orchestrators() -> None:
    machine = source()
    assert len(machine.names) == STATES
    machine.add(PUSHED)
    machine.add((STATE, *PUSHED))
    assert machine.time((STATE, *PUSHED)) == [1, 3, 3, 3]


async def test_the_ends_are_measured_apart() -> None:
    one, many = await call_costs(50, 1), await call_costs(200, FLIGHT)
    assert min(*one, *many) > 0


async def test_a_push_of_three_states_has_its_bytes_counted() -> None:
    assert await push_bytes(200) == 15.0


@pytest.mark.slow
@pytest.mark.realtime
def test_both_kinds_take_turns_in_processes_of_their_own() -> None:
    seen: list[tuple[int, int]] = []
    figures = bench_rpc(200, rounds=2, progress=lambda *done: seen.append(done))
    assert seen == [(i, 10) for i in range(1, 11)]
    told = figures.to_json()
    assert told["goals"] == GOALS
    assert 0 < told["bytes_add"] <= GOALS["bytes_add"] < told["bytes_grpc"]
    assert told["ratio_grpc_pipelined_min"] > 0
    assert {kind: set(turns) for kind, turns in told["loopback"].items()} == {
        "arpc": {"one", "pipelined"},
        "grpc": {"one", "pipelined"},
    }
    assert told["loopback"]["arpc"]["pipelined"]["calls"] == 200


@pytest.mark.slow
@pytest.mark.realtime
def test_without_grpc_our_own_figures_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc.importlib.util, "find_spec", lambda _: None)
    ports = PortFigures({SMALL: [(60.0, 90.0)]})
    told = bench_rpc(100, rounds=1, port=lambda: ports).to_json()
    assert (told["port_ratio_js"], told["port"]) == (1.5, ports.to_json())
    assert told["ratio_grpc_pipelined"] is None
    assert told["bytes_grpc"] is None
    assert set(told["loopback"]) == {"arpc"}


@pytest.mark.slow
@pytest.mark.realtime
def test_a_peer_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "_PEERS", ("sh", "-c", "echo no luck >&2; exit 3", "sh"))
    with pytest.raises(BenchError, match="a peer failed: no luck"):
        bench_rpc(100)


@pytest.mark.realtime
async def test_a_proxy_leads_nowhere_if_nobody_is_there() -> None:
    async with Proxy("127.0.0.1", 1) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        assert await reader.read() == b""
        writer.close()
    assert proxy.bytes == 0


def test_ratios_are_of_turns_made_one_after_the_other() -> None:
    ours = [Round(1000, 0.1, 0.01, 0.02), Round(1000, 0.2, 0.01, 0.02)]
    theirs = [Round(100, 0.1, 0.01, 0.02), Round(100, 0.1, 0.01, 0.02)]
    figures = RpcFigures(
        23.1,
        15.0,
        Costs(9.0, 11.0),
        Costs(3.0, 4.0),
        145.3,
        {"arpc": {1: ours, FLIGHT: ours}, "grpc": {1: theirs, FLIGHT: theirs}},
    )
    assert figures.ratios(FLIGHT) == [10.0, 5.0]
    told = figures.to_json()
    assert (told["ratio_grpc_pipelined"], told["ratio_grpc_pipelined_min"]) == (7.5, 5.0)
    assert (told["us_call"], told["us_call_pipelined"]) == (11.0, 4.0)
    assert told["loopback"]["grpc"]["one"]["us_server_median"] == 200.0
    assert (told["port_ratio_js"], told["port"]) == (None, None)
