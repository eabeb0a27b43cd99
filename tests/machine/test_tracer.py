"""Tracers and the tables of their hooks (section 24)."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import pytest

from amctl.machine import EXECUTED, Hooks, Machine, Tracer
from tests.machine.tools import Recorder, boom, mach

HOOKS = [name for name in Hooks.__slots__ if name != "begin"]


def test_a_table_holds_only_what_is_overridden_in_binding_order() -> None:
    class One(Tracer):
        id = "one"

        def queue_end(self, machine: Any) -> None:
            heard.append("one")

    class Two(One):
        id = "two"

        def queue_end(self, machine: Any) -> None:
            heard.append("two")

        def transition_end(self, tx: Any) -> None: ...

    heard: list[str] = []
    hooks = Hooks([Two(), One(), Tracer()])
    for hook in hooks.queue_end:
        hook(None)
    assert heard == ["two", "one"]
    assert {n for n in HOOKS if getattr(hooks, n)} == {"queue_end", "transition_end"}


def test_every_hook_of_the_base_does_nothing() -> None:
    """So an override may call it with what it got."""
    for name in HOOKS:
        hook = getattr(Tracer(), name)
        assert hook(*[None] * len(inspect.signature(hook).parameters)) is None


@pytest.mark.parametrize("hook", ["transition_end", "queue_end"])
def test_a_tracer_may_deal_with_what_it_raises(hook: str) -> None:
    class Careful(Tracer):
        id = "careful"
        errors: ClassVar[list[Exception]] = []

        def failed(self, error: Exception) -> bool:
            self.errors.append(error)
            return True

    def fail(*_: object) -> None:
        raise OSError("disk full")

    setattr(Careful, hook, fail)
    machine = Machine("m", {"A": {}}, tracers=[Careful()])
    assert machine.add("A") == EXECUTED
    assert not machine.is_err()
    assert [str(error) for error in Careful.errors] == ["disk full"]


def test_pan_11_a_failure_is_told_or_raised() -> None:
    class Fails(Tracer):
        id = "fails"

        def queue_end(self, machine: Any) -> None:
            raise ValueError("tracer")

    told: list[tuple[Tracer, str]] = []
    tracer = Fails()
    for hook in Hooks([tracer], lambda t, e: told.append((t, str(e)))).queue_end:
        hook(None)
    assert told == [(tracer, "tracer")]
    with pytest.raises(ValueError, match="tracer"):
        Hooks([tracer]).queue_end[0](None)


def test_every_hook_fires() -> None:
    """Each has a moment in the life of one machine."""
    fired: set[str] = set()
    namespace: dict[str, Any] = {"id": "all"}
    for name in HOOKS:
        namespace[name] = lambda self, *args, name=name: fired.add(name)
    tracer = type("All", (Tracer,), namespace)()
    m = mach("A", tracers=[tracer], handlers={"AState": lambda _: None})
    mach("B", parent=m)
    m.add("A")
    m.set_schema({**m.schema, "C": {}})
    m.dispose()
    assert fired == set(HOOKS)


def test_can_5_checks_are_traced_without_finals() -> None:
    tracer = Recorder()
    m = mach("A", tracers=[tracer])
    tracer.take()
    m.can_add("A")
    assert tracer.take() == ["queued A", "tx A", "start", "end A", "idle"]
    assert (tracer.ended[0].time_before, tracer.ended[0].time_after) == ((0, 0), (0, 0))
    assert tracer.ended[0].changed == ()


def test_evals_are_not_traced() -> None:
    tracer = Recorder()
    m = mach("A", tracers=[tracer])
    tracer.take()
    m.eval("test", lambda: None)
    assert tracer.take() == ["idle"]


def test_que_5_what_is_refused_or_doubled_is_not_announced() -> None:
    tracer = Recorder()
    m = mach("A B Go", tracers=[tracer], queue_limit=1)
    m.bind({"GoState": lambda _: [m.add("A"), m.add("A"), m.add("B"), m.remove("B")]})
    tracer.take()
    m.add("Go")
    assert [s for s in tracer.seen if s.startswith("queued")] == ["queued Go", "queued A"]


def test_trc_6_after_a_failed_final_phase_the_time_is_the_true_one() -> None:
    tracer = Recorder()
    m = mach("A B", tracers=[tracer], handlers={"BState": boom})
    m.add(["A", "B"])
    assert tracer.ended[0].time_after == (1, 2, 0)
    assert tracer.ended[1].time_before == (1, 2, 0)


def test_a_tracer_may_come_and_go_within_a_transition() -> None:
    """Who comes sees the next one; who goes still sees the present one end."""
    late = Recorder()
    m = mach("A B")
    m.bind({"AState": lambda _: m.bind_tracer(late), "AEnd": lambda _: m.detach_tracer(late)})
    m.add("A")
    assert late.take() == []
    m.remove("A")
    assert late.take()[-2:] == ["< AEnd", "end A"]
    m.add("B")
    assert late.take() == []
