"""W3C's header value, there and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amctl.telemetry.spans import SpanRef, from_traceparent, traceparent


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1))
def test_it_comes_back_the_same(trace: int, span: int) -> None:
    ref = SpanRef(f"{trace:032x}", f"{span:016x}")
    text = traceparent(ref)
    assert len(text) == 55
    assert from_traceparent(text) == ref


@given(st.binary(max_size=80))
def test_what_is_none_never_raises(text: bytes) -> None:
    assert from_traceparent(text) is None or len(text) == 55


def test_nobody_is_nobody() -> None:
    assert from_traceparent(traceparent(SpanRef("0" * 32, "1" * 16))) is None
    assert from_traceparent(traceparent(SpanRef("1" * 32, "0" * 16))) is None
