"""The record of pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amctl.machine import PipeRecord, PipeRegistry

if TYPE_CHECKING:
    import pytest

OUT = PipeRecord("add", "m", "A", "other", "B")
AGAIN = PipeRecord("remove", "m", "A", "other", "B")
FAR = PipeRecord("add", "m", "A", "far", "C")
IN = PipeRecord("add", "other", "X", "m", "Y")


def _full() -> PipeRegistry:
    pipes = PipeRegistry()
    for record in (OUT, AGAIN, FAR):
        pipes.record_out(record)
    pipes.record_in(IN)
    return pipes


def test_records_stand_in_the_order_of_binding_and_once() -> None:
    pipes = _full()
    pipes.record_out(PipeRecord("add", "m", "A", "other", "B"))
    pipes.record_in(IN)
    assert pipes.out == (OUT, AGAIN, FAR)
    assert pipes.into == (IN,)


def test_one_record_goes_from_both_sides() -> None:
    """A machine piped to itself has it on both."""
    pipes = _full()
    pipes.record_in(OUT)
    pipes.discard(OUT)
    assert (pipes.out, pipes.into) == ((AGAIN, FAR), (IN,))
    pipes.discard(OUT)
    assert (pipes.out, pipes.into) == ((AGAIN, FAR), (IN,))


def test_dsp_7_a_disposed_machine_takes_its_records_along() -> None:
    pipes = _full()
    pipes.drop("other")
    assert (pipes.out, pipes.into) == ((FAR,), ())
    pipes.drop("nobody")
    assert pipes.out == (FAR,)


def test_a_watch_tells_of_what_comes_and_goes_and_ends() -> None:
    pipes, seen = PipeRegistry(), list[tuple[PipeRecord, bool]]()
    pipes.record_out(OUT)
    unwatch = pipes.watch(lambda record, gone: seen.append((record, gone)))
    pipes.record_out(OUT)  # known already
    pipes.record_out(FAR)
    pipes.record_in(IN)
    pipes.drop("other")
    pipes.discard(FAR)
    pipes.discard(FAR)
    pipes.drop("nobody")
    assert seen == [(FAR, False), (IN, False), (OUT, True), (IN, True), (FAR, True)]
    unwatch()
    unwatch()
    pipes.record_out(OUT)
    assert len(seen) == 5


def test_the_same_function_may_watch_twice() -> None:
    pipes, seen = PipeRegistry(), list[PipeRecord]()

    def watch(record: PipeRecord, gone: bool) -> None:
        seen.append(record)

    first, _ = pipes.watch(watch), pipes.watch(watch)
    pipes.record_out(OUT)
    first()
    pipes.record_out(FAR)
    assert seen == [OUT, OUT, FAR]


def test_what_a_watcher_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    pipes, seen = PipeRegistry(), list[PipeRecord]()

    def fails(record: PipeRecord, gone: bool) -> None:
        raise ValueError("boom")

    pipes.watch(fails)
    pipes.watch(lambda record, gone: seen.append(record))
    pipes.record_in(IN)
    assert seen == [IN]
    assert pipes.into == (IN,)
    assert "a watcher of pipes failed" in caplog.text
