"""The record of pipes."""

from __future__ import annotations

from amctl.machine import PipeRecord, PipeRegistry

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
