"""What is logged, by environment variables (SEM-1, SEM-2, SEM-5, HLP-3)."""

from __future__ import annotations

from dataclasses import fields

import pytest

from amctl.machine import Source
from amctl.machine.lines import LineWriter
from amctl.machine.steps import HANDLER, StepRecorder, steps_of
from amctl.machine.switches import Switches, listen, log_level
from amctl.machine.tracer import LastTx
from tests.machine.tools import mach


def test_sem_1_everything_is_off_unless_it_is_asked_for() -> None:
    assert Switches.from_env({}) == Switches()
    assert not any(getattr(Switches(), f.name) for f in fields(Switches))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("AM_LOG_STEPS", "steps"),
        ("AM_LOG_GRAPH", "graph"),
        ("AM_LOG_CHECKS", "can"),
        ("AM_LOG_QUEUED", "queued"),
        ("AM_LOG_ARGS", "args"),
    ],
)
def test_sem_5_one_by_one(key: str, name: str) -> None:
    assert Switches.from_env({key: "1"}) == Switches(**{name: True})
    assert Switches.from_env({key: "0"}) == Switches()


def test_sem_1_two_switches_do_nothing() -> None:
    assert Switches.from_env({"AM_LOG_WHEN": "1", "AM_LOG_STATE_CTX": "1"}) == Switches()
    full = Switches.from_env({"AM_LOG_FULL": "1"})
    assert full == Switches.full() == Switches.from_env({}, full=True)
    assert not full.when
    assert not full.state_ctx


def test_sem_2_the_level() -> None:
    assert [log_level({"AM_LOG": t}) for t in ("", "0", "5", " 3 ")] == [0, 0, 5, 3]
    with pytest.raises(ValueError, match="AM_LOG='6'"):
        log_level({"AM_LOG": "6"})


def test_hlp_3_nothing_is_asked_for_nothing_listens() -> None:
    m = mach("A")
    assert listen(m, {}) is None
    assert m.tracers == ()


def test_hlp_3_lines_are_printed_with_arguments_and_checks_if_asked_for() -> None:
    printed: list[str] = []
    env = {"AM_LOG": "3", "AM_LOG_PRINT": "1", "AM_LOG_FULL": "1"}
    m, last = mach("A"), LastTx()
    writer = listen(m, env, printed.append)
    m.bind_tracer(last)
    m.bind({"AState": lambda _: None})
    m.can_add("A")
    m.add("A", {"id": "x"}, source=Source("o", "t"))
    assert isinstance(writer, LineWriter)
    assert "[m] [add] A (id=x)" in printed
    assert "[m] [prepend:add] A" in printed
    assert "[m] [source] o/t/0" in printed
    assert last.tx is not None
    assert HANDLER in [step.type for step in steps_of(last.tx)]


def test_hlp_3_without_print_lines_are_kept_for_tools_alone() -> None:
    printed: list[str] = []
    m = mach("A")
    writer = listen(m, {"AM_LOG": "3"}, printed.append)
    last = LastTx()
    m.bind_tracer(last)
    m.add("A", {"id": "x"})
    assert writer is not None
    assert last.tx is not None
    assert [line.text for line in writer.take(last.tx)[1]] == ["[add] A", "[state] +A"]
    assert printed == []


def test_hlp_3_steps_alone() -> None:
    m = mach("A")
    assert listen(m, {"AM_LOG_STEPS": "yes"}) is None
    assert [type(t) for t in m.tracers] == [StepRecorder]
