"""Verdicts of several commands become one."""

from __future__ import annotations

from amctl.repl.outcome import Outcome, Verdict, worst


def test_the_gravest_verdict_counts() -> None:
    assert worst(Verdict.DONE, Verdict.CANCELED, Verdict.TIMED_OUT) is Verdict.TIMED_OUT
    assert worst(Verdict.UNREACHABLE, Verdict.FAILED) is Verdict.UNREACHABLE
    assert worst() is Verdict.DONE


def test_every_verdict_has_its_gravity() -> None:
    assert {worst(verdict) for verdict in Verdict} == set(Verdict)


def test_only_done_is_ok() -> None:
    assert [v for v in Verdict if Outcome(v).ok] == [Verdict.DONE]
