from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.dag import Dag, load_dag
from nodes.jobs import (
    CORRUPTED,
    Delivery,
    Fault,
    Job,
    burn,
    drawn_faults,
    expected_results,
    no_faults,
    result_of,
    verify,
)
from tests.nodes.dags import dags

FOUR = load_dag("nodes/four.json", Path())
HASHES = {
    "browser1": "e77829808fd7208e68c4b12fc19cd53b786df02f926652d7c92cb7fd1f9f706b"
    "bf4d06030102d9d771fc550d4cc473815dcc524d30f0394400f232cc25c0b288",
    "browser2": "e5833b14e1496cb7dfdd8067be2b23fd936823ec9198ea777d22da1f88d704b1"
    "affc2c76b70aa7ddbead419e6ff46863b50a1a8e17ef19d2e06d1f46990c5c82",
    "browser3": "798084a3599272353ed165b1ef2717344a89246ca3756680059b7b1340053007"
    "b7af049916f67388bea5cdc007dbf7368522d808bd5a6ad68b57612b5fc804b2",
    "browser4": "7f8db768c3ff3bd492c68f48006f6e5d77981501df604eb77b9577e87acd5ee8"
    "6772cb00b6f621ce9209d1e74c770d95e2b78d658c0e0f399989bb98421f6e95",
}


def deliveries(dag: Dag, liars: set[str]) -> dict[str, Delivery]:
    """What comes of a round in which some nodes lie."""
    results: dict[str, bytes] = {}
    out = {}
    for id in dag.order:
        payload = dag.payload(id, results)
        results[id] = CORRUPTED if id in liars else result_of(id, payload)
        out[id] = Delivery(payload, results[id])
    return out


def test_t1_hashes_are_the_known_ones() -> None:
    assert {id: digest.hex() for id, digest in expected_results(FOUR).items()} == HASHES


def test_a_corrupted_input_is_hashed_honestly() -> None:
    assert result_of("browser3", CORRUPTED).hex().startswith("f99bb75a2ad2a5b5")


@pytest.mark.realtime
async def test_the_burn_is_the_known_chain_of_hashes() -> None:
    assert (await burn(10_000)).hex().startswith("346c01fecb3133f75e877de2")


async def test_the_burn_lets_the_loop_work_between_chunks() -> None:
    task = asyncio.ensure_future(burn(10**9))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_seed_draws_each_fault_for_itself() -> None:
    job = Job(2, "browser3", 1)
    assert drawn_faults(7, 5)(job) is drawn_faults(7, 5)(job)
    drawn = {seed: [drawn_faults(seed, 5)(Job(r, "a", 1)) for r in range(20)] for seed in range(3)}
    assert len({tuple(faults) for faults in drawn.values()}) == 3


def test_faults_are_as_frequent_as_the_rate_says() -> None:
    draw = drawn_faults(42, 5)
    jobs = (Job(r, n, a) for r in range(250) for n in HASHES for a in range(1, 6))
    counted = Counter(draw(job) for job in jobs)
    assert 900 < counted[Fault.LIE] < 1100
    assert 900 < counted[Fault.FAIL] < 1100


@pytest.mark.parametrize(("rate", "possible"), [(1, {Fault.LIE}), (2, {Fault.LIE, Fault.FAIL})])
def test_small_rates_are_never_right(rate: int, possible: set[Fault]) -> None:
    draw = drawn_faults(1, rate)
    assert {draw(Job(r, "a", 1)) for r in range(50)} == possible


def test_a_rate_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="success rate 0 is less than 1"):
        drawn_faults(1, 0)


def test_no_faults_are_none() -> None:
    assert no_faults(Job(1, "a", 1)) is Fault.NONE


def test_honest_results_are_verified() -> None:
    assert verify(FOUR, deliveries(FOUR, set())).ok


def test_who_hashes_a_lie_is_tainted_and_no_liar() -> None:
    verdict = verify(FOUR, deliveries(FOUR, {"browser1", "browser4"}))
    assert verdict.liars == ("browser1", "browser4")
    assert verdict.tainted == ("browser3",)
    assert not verdict.ok


@pytest.mark.slow
@given(dag=dags(), data=st.data())
def test_any_set_of_liars_is_found(dag: Dag, data: st.DataObject) -> None:
    liars = set(data.draw(st.lists(st.sampled_from(dag.ids), unique=True)))
    verdict = verify(dag, deliveries(dag, liars))
    assert set(verdict.liars) == liars
    below = {n.id for n in dag.nodes if n.id not in liars and _above(dag, n.id) & liars}
    # A liar cuts the taint of what is above it: CORRUPTED is what it delivers in any case.
    assert set(verdict.tainted) == below
    assert verdict.ok is not bool(liars)


def _above(dag: Dag, id: str) -> set[str]:
    """Every node from which `id` has anything."""
    found: set[str] = set()
    for dep in dag[id].deps:
        found |= {dep} | _above(dag, dep)
    return found
