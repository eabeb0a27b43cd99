"""Bindings and tracers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from amctl.machine import (
    ACheck,
    AException,
    Args,
    BindError,
    Event,
    HandlerNameError,
    Machine,
    Tracer,
)
from tests.machine.tools import Log, Recorder, boom, mach, no

if TYPE_CHECKING:
    from amctl.machine import MachineView, Transition


@dataclass(frozen=True)
class AFirst(Args):
    """Takes a number."""

    size: int = 0


class Handlers:
    """As users write them."""

    some_data = 3

    def __init__(self) -> None:
        self.ran: list[str] = []

    def AEnter(self, e: Event) -> bool:
        self.ran.append(self.helper(e))
        return True

    def AState(self, e: Event) -> None:
        self.ran.append(e.name)

    def helper(self, e: Event) -> str:
        """Not a handler."""
        return f"{e.name}!"

    async def aState(self) -> None:
        """Not one either."""

    class Inner:
        """Nor this."""


def test_hnd_7_objects_and_maps() -> None:
    handlers = Handlers()
    m = mach("A", handlers=handlers)
    m.add("A")
    assert handlers.ran == ["AEnter!", "AState"]
    found: list[str] = []
    m.bind({"AEnd": lambda e: found.append(e.name), "AExit": None})
    m.remove("A")
    assert found == ["AEnd"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Workin", "did you mean"),
        ("WorkngState", "did you mean 'WorkingState'?"),
        ("WorkingEntr", "did you mean 'WorkingEnter'?"),
        ("AnyFoo", "name it"),
        ("WorkingStart", "did you mean"),
    ],
)
def test_a_handler_that_fits_no_state_is_refused_with_a_hint(name: str, hint: str) -> None:
    m = mach("Working Starting")
    with pytest.raises(HandlerNameError) as caught:
        m.bind({name: no})
    assert hint in caught.value.hint
    assert repr(name) in str(caught.value)
    with pytest.raises(HandlerNameError):
        m.bind(type("Typo", (), {name: boom})())
    assert m.bindings == []


def test_hnd_8_a_prefixed_binding_may_name_states_that_are_missing() -> None:
    m, log = mach("WA"), Log()
    m.bind({n: (lambda _, n=n: log.append(n)) for n in ("AState", "BState")}, prefix="W")
    m.add("WA")
    assert log.take() == "AState"


@pytest.mark.parametrize("name", ["AEnter", "AExit", "AA", "AB", "AnyEnter"])
def test_a_coroutine_can_not_negotiate(name: str) -> None:
    async def handler(_: Event) -> None: ...

    m = mach("A B")
    with pytest.raises(BindError, match="has to answer at once"):
        m.bind({name: handler})


def test_a_negotiation_handler_that_returns_a_coroutine_fails() -> None:
    async def later() -> None: ...

    m = mach("A", handlers={"AEnter": lambda _: later()})
    assert m.add("A").canceled
    assert "neither a bool nor None" in str(m.err)


def test_hnd_6_ids() -> None:
    m = mach("A")
    assert m.bind({}, id="rpc client!/1") == "rpcclient1"
    anonymous = m.bind({})
    assert anonymous.startswith("anon-")
    assert len(anonymous) == 9
    with pytest.raises(BindError, match="already"):
        m.bind({}, id="rpcclient1")
    assert m.bindings == ["rpcclient1", anonymous]
    m.detach("rpcclient1")
    with pytest.raises(BindError, match="no binding"):
        m.detach("rpcclient1")


def test_hnd_12_the_very_first_binding_sees_the_error_again() -> None:
    m, log = mach("A"), Log()
    m.add_err(ValueError("early"))
    log.bind(m, "ExceptionState")
    assert log.take() == "ExceptionState"
    assert m.tick("Exception") == 3
    m.detach(m.bindings[0])
    log.bind(m, "ExceptionState")
    assert log.take() == ""


def test_hnd_12_not_when_exception_is_gone() -> None:
    m, log = mach("A"), Log()
    m.add_err(ValueError("early"))
    m.remove("Exception")
    log.bind(m, "ExceptionState")
    assert log.take() == ""


def test_a_handler_may_unbind_itself() -> None:
    m, log = mach("A"), Log()
    m.bind({"AState": lambda _: m.detach("once")}, id="once")
    log.bind(m, "AState")
    m.add("A")
    assert log.take() == "AState"
    assert len(m.bindings) == 1


def _acquainted(m: Machine) -> None:
    """By now everything was worked out and kept."""
    for _ in range(3):
        m.set("A")
        m.add("B")
        m.set([])


@pytest.mark.parametrize("name", ["AEnter", "AState"])
def test_handlers_that_come_within_a_transition_hear_of_the_next(name: str) -> None:
    m, log = mach("A B"), Log()
    late: list[str] = []
    m.bind({name: lambda _: log.bind(m, *late) if late else None})
    _acquainted(m)
    late.append("BState")
    m.add("A")
    m.add("B")
    assert log.take() == "BState"


@pytest.mark.parametrize("name", ["AEnter", "AState"])
def test_handlers_that_go_within_a_transition_hear_of_nothing_more(name: str) -> None:
    m, log = mach("A B"), Log()
    gone: list[str] = []
    log.bind(m, "BState")
    m.bind({name: lambda _: m.detach(gone.pop()) if gone else None})
    _acquainted(m)
    log.clear()
    gone.append(m.bindings[0])
    m.add("A")
    m.add("B")
    assert log.take() == ""


def test_trc_1_order_of_hooks() -> None:
    tracer = Recorder()
    m = mach("A B C", C="auto require:B", tracers=[tracer])
    m.bind({"AEnter": lambda _: True, "AState": lambda _: m.add("B")})
    tracer.take()
    m.add("A")
    assert tracer.take() == [
        "queued A", "tx A", "start", "> AEnter", "< AEnter", "finals", "> AState", "queued B",
        "< AState", "queued auto C", "end A",
        "tx C rejected", "start", "end C",
        "tx B", "start", "finals", "queued auto C", "end B",
        "tx C", "start", "finals", "end C", "idle",
    ]  # fmt: skip


def test_trc_2_the_queue_length_at_the_end_has_the_auto_mutation() -> None:
    tracer = Recorder()
    m = mach("A C", C="auto require:A", tracers=[tracer])
    m.add("A")
    assert [tx.queue_len for tx in tracer.ended] == [1, 0]


def test_trc_3_binding_and_detaching() -> None:
    m, one, two = mach("A"), Recorder("one"), Recorder("two")
    m.bind_tracer(one)
    m.bind_tracer(two)
    assert m.tracers == (one, two)
    for wrong in (Tracer(), Recorder("one")):
        with pytest.raises(BindError, match="empty or taken"):
            m.bind_tracer(wrong)
    m.detach_tracer(one)
    with pytest.raises(BindError, match="no tracer"):
        m.detach_tracer(one)
    m.add("A")
    assert one.seen == []
    assert two.seen[-1] == "idle"


def test_a_tracer_is_told_the_true_time_whatever_happened_before() -> None:
    tracer = Recorder()
    m = mach("A B", tracers=[tracer])
    m.add("A")
    m.detach_tracer(tracer)
    for _ in range(5):
        m.toggle("B")
    m.bind_tracer(tracer)
    m.add("A")
    assert tracer.ended[-1].time_before == (1, 5, 0)
    m.import_({**m.export(), "time": [7, 0, 0]})
    m.add("A")
    assert tracer.ended[-1].time_before == (7, 0, 0)
    m.set_schema({**m.schema, "C": {}})
    m.add("C")
    assert (tracer.ended[-1].time_before, tracer.ended[-1].time_after) == (
        (7, 0, 0, 0), (7, 0, 0, 1),
    )  # fmt: skip


def test_tracers_hear_of_machines_and_submachines() -> None:
    tracer, own = Recorder(), Recorder()
    parent = mach("A", id="parent", tracers=[tracer])
    child = mach("A", id="child", parent=parent, tracers=[own])
    assert tracer.take() == ["init parent", "sub parent child"]
    assert own.take() == ["init child"]
    assert child.parent_id == "parent"


def test_pan_11_a_failing_tracer_is_logged_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Fails(Tracer):
        id = "fails"

        def transition_end(self, tx: Any) -> None:
            raise RuntimeError("in the tracer")

    m = mach("A B", B="auto", tracers=[Fails()])
    assert m.add("A").executed
    assert m.is_err()
    assert str(m.err) == "in the tracer"
    assert m.tick("Exception") == 1
    assert caplog.text.count("tracer fails failed") > 2


def test_failed_handlers_end_for_tracers_too() -> None:
    tracer = Recorder()
    m = mach("A", tracers=[tracer], handlers={"AState": boom})
    tracer.take()
    m.add("A")
    seen = tracer.take()
    at = seen.index("> AState")
    assert seen[at + 1 : at + 4] == ["< AState", "queued Exception", "end A"]


def test_accepted_arguments_are_declared_once() -> None:
    m = mach("A")
    assert m.accepted_args == ()
    m.accept_args(AFirst, AException)
    m.accept_args(AFirst)
    assert m.accepted_args == (AFirst, AException)


def test_accepted_arguments_have_different_names_and_fields() -> None:
    m = mach("A")
    m.accept_args(AFirst)

    @dataclass(frozen=True)
    class AFirst2(Args):
        pass

    AFirst2.__name__ = "AFirst"
    with pytest.raises(BindError, match="takes AFirst by the name 'First'"):
        m.accept_args(AFirst2)
    with pytest.raises(BindError, match="ACheck is no dataclass"):
        m.accept_args(ACheck)
    assert m.accepted_args == (AFirst,)


def test_a_watcher_is_told_first_and_only_within_its_block() -> None:
    told: list[str] = []

    class Named(Tracer):
        def __init__(self, id: str) -> None:
            self.id = id

        def transition_end(self, tx: Transition) -> None:
            told.append(self.id)

        def log_line(self, machine: MachineView, level: int, text: str) -> None:
            told.append(text)

    m = mach("A")
    m.bind_tracer(Named("bound"))
    told.clear()
    with m.watched_by(Named("watching")):
        m.add("A")
    m.remove("A")
    assert told == ["watching", "bound", "bound"]
    with pytest.raises(ValueError, match="no"), m.watched_by(Named("watching")):
        raise ValueError("no")
    assert [t.id for t in m.tracers] == ["bound"]
