from __future__ import annotations

from pathlib import Path

import pytest

from nodes.dag import load_dag
from nodes.jobs import CORRUPTED, Job, result_of
from nodes.rounds import RoundBook

FOUR = load_dag("nodes/four.json", Path())


def book(rounds: int = 3, attempts: int = 2) -> RoundBook:
    return RoundBook(FOUR, rounds, attempts)


def deliver(books: RoundBook, node: str, result: bytes | None = None) -> Job:
    job = books.give(node)
    assert job is not None
    assert books.begun(job)
    honest = result_of(node, books.payload(node))
    assert books.deliver(job, honest if result is None else result)
    return job


def test_nothing_is_given_before_a_round() -> None:
    assert book().give("browser1") is None


def test_a_node_waits_for_its_inputs() -> None:
    books = book()
    books.begin()
    assert books.give("browser3") is None
    deliver(books, "browser1")
    job = books.give("browser3")
    assert job == Job(1, "browser3", 1)
    assert len(books.payload("browser3")) == 64


def test_a_job_is_given_once() -> None:
    books = book()
    books.begin()
    assert books.give("browser1") is not None
    assert books.give("browser1") is None
    assert books.give("browser1", again=True) is None
    deliver(books, "browser2")
    assert books.give("browser2", again=True) is None


def test_t9_a_stale_result_is_no_delivery() -> None:
    books = book()
    books.begin()
    old = books.give("browser1")
    assert old is not None
    books.begin()
    new = books.give("browser1")
    assert new == Job(2, "browser1", 1)
    assert not books.deliver(old, b"late")
    assert not books.begun(old)
    assert books.is_current(new)


def test_a_retry_has_the_next_attempt_and_the_same_payload() -> None:
    books = book()
    books.begin()
    first = books.give("browser1")
    assert first is not None
    assert books.fail(first)
    assert not books.deliver(first, b"late")
    assert books.give("browser1") is None
    second = books.give("browser1", again=True)
    assert second == Job(1, "browser1", 2)
    assert books.payload("browser1") == b"wasm-workflow-1"


def test_attempts_are_bounded() -> None:
    books = book(attempts=2)
    books.begin()
    for again in (False, True):
        job = books.give("browser1", again=again)
        assert job is not None
        assert books.fail(job) is not again
    assert books.give("browser1", again=True) is None


def test_rounds_are_bounded_and_counted_anew_on_demand() -> None:
    books = book(rounds=2)
    books.begin()
    assert books.has_rounds_left
    books.close()
    books.begin()
    assert not books.has_rounds_left
    books.close()
    assert books.begin(anew=True) == 3
    assert books.has_rounds_left


def test_an_interrupted_round_counts_for_nothing_but_its_number() -> None:
    books = book(rounds=1)
    books.begin()
    deliver(books, "browser1")
    assert (books.executions, books.draw) == (1, 1)
    assert books.interrupt()
    assert not books.interrupt()
    assert books.has_rounds_left
    assert books.executions == 0
    assert books.begin() == 2
    assert (books.draw, books.interrupted) == (1, 1)
    assert not books.has_rounds_left


def test_executions_are_counted_over_rounds() -> None:
    books = book()
    for _ in range(2):
        books.begin()
        for node in FOUR.order:
            deliver(books, node)
        books.judge()
    assert books.executions == 8


def test_judging_names_the_liar_and_closes_the_round() -> None:
    books = book()
    books.begin()
    for node in FOUR.order:
        deliver(books, node, CORRUPTED if node == "browser2" else None)
    assert books.is_complete
    verdict = books.judge()
    assert (verdict.liars, verdict.tainted) == (("browser2",), ("browser4",))
    assert not books.is_open
    assert set(books.results) == set(FOUR.ids)


def test_an_incomplete_round_can_not_be_judged() -> None:
    books = book()
    books.begin()
    assert not books.is_complete
    with pytest.raises(KeyError):
        books.judge()
