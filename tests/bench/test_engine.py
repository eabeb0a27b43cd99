"""The engine's bench measures what it says; how fast this machine is, no test says."""

from __future__ import annotations

import pytest

from amctl.bench import _engine_peers as peers
from amctl.bench._engine_size import Walk, bytes_machine
from amctl.bench._engine_work import UNCACHED, WORKLOADS, Recorder, Workload, orchestrator
from amctl.bench.engine import GOALS, MODES, EngineFigures, bench_engine
from amctl.cli.views.benches import engine_in_words

BY_NAME = {work.name: work for work in WORKLOADS}


@pytest.fixture(scope="module")
def figures() -> EngineFigures:
    return bench_engine(8, rounds=2)


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: work.name)
def test_a_pair_leaves_a_machine_where_it_was(work: Workload) -> None:
    recorder = Recorder()
    machine = work.make(tracers=[recorder])
    before, ticks = machine.active, machine.time_sum
    work.runs(machine)(5)
    assert machine.active == before
    assert machine.time_sum > ticks
    accepted = [kept[2] for kept in recorder.kept][-4:]
    assert accepted == ([True, True, True, False] if work.name in ("w3", "w5") else [True] * 4)


def test_auto_states_come_and_go_in_a_pair() -> None:
    machine = BY_NAME["w3"].make()
    machine.add(BY_NAME["w3"].added)
    assert sorted(machine.active) == ["S00", "S01", "S05", "S06", "S07", "S08", "S18", "S19"]
    machine = BY_NAME["w5"].make(limits=UNCACHED)
    machine.add("Browser4Ready")
    assert machine.is_("WorkersReady")
    assert not machine.is_("NetworkReady")


def test_the_large_machine_is_as_large_as_it_is_told_to_be() -> None:
    assert len(orchestrator().names) == 45
    assert len(orchestrator(155).names) == 200
    assert orchestrator(155).effective[1] == []


def test_figures_stand_beside_goals(figures: EngineFigures) -> None:
    told = figures.to_json()
    assert told["goals"] == GOALS
    assert told["rounds"] == 2
    for name in BY_NAME:
        assert {f"ns_pair{mode}" for mode in MODES} == set(told[name]["spread"])
        assert told[name]["ns_pair"] > 0
        assert told[name]["times_go_traced"] > 0
    assert told["flipflop_per_s"] > 0
    assert told["create_us"] > 0
    words = [" ".join(line.split()) for line in engine_in_words(told).splitlines()]
    assert words[1].startswith("w1 5 states, plain")
    assert words[1].endswith("8 or more")
    assert sum("or more" in line for line in words) >= 14


def test_libraries_that_are_not_installed_are_left_out(figures: EngineFigures) -> None:
    ns = {key: values for key, values in figures.ns.items() if key[0] != "flip"}
    ns["flip", "flipflop"] = figures.ns["flip", "flipflop"]
    told = EngineFigures(ns, 1.0, 2.0, 3.0, 4).to_json()
    assert told["transitions_per_s"] is told["psm_per_s"] is told["times_psm"] is None
    assert told["correction"] is None
    assert told["bytes_machine"] == 2
    words = engine_in_words(told)
    assert words.count("not installed") == 3
    assert "not corrected" in words


def test_libraries_that_are_installed_take_turns(figures: EngineFigures) -> None:
    ns = {**figures.ns, ("flip", "transitions"): [1e3, 2e3], ("flip", "flipflop"): [1e2, 1e2]}
    told = EngineFigures(ns, 1.0, 2.0, 3.0, 4).to_json()
    assert told["transitions_per_s"] == 750_000
    assert told["times_transitions"] == 15
    assert "times transitions" in engine_in_words(told)


def test_a_library_that_is_there_flips_and_flops(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    class Transitions:
        @staticmethod
        def Machine(model: object, **_: object) -> None:
            vars(model).update(flip=lambda: calls.append("on"), flop=lambda: calls.append("off"))

    monkeypatch.setattr(peers.importlib, "import_module", lambda name: Transitions)
    run = peers.PEERS["transitions"]()
    assert run is not None
    assert run(4) >= 0
    assert calls == ["on", "off"] * 2


def test_bytes_of_one_more_machine_are_counted() -> None:
    new, used = bytes_machine(4)
    assert 0 < new <= used + 64


def test_a_walk_goes_on_where_it_was() -> None:
    walk = Walk()
    assert walk.run(10) >= 0
    assert isinstance(walk.grown(10), float)
