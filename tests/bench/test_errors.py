"""Errors of benches say what, and why."""

from __future__ import annotations

from amctl.bench.errors import BenchError


def test_it_names_what_failed() -> None:
    error = BenchError("the sender failed", "no luck")
    assert str(error) == "the sender failed: no luck"
    assert isinstance(error, RuntimeError)
