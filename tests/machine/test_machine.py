"""What users see of a machine: errors, checks, schema, export, eval, groups."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any

import pytest

from amctl.machine import (
    AException,
    BatchOp,
    Machine,
    MutationType,
    NestedEvalError,
    Schema,
    SchemaError,
    Source,
    State,
    States,
)
from tests.machine.tools import Log, Recorder, boom, mach


class Basic(States):
    """Two states."""

    Start = State()
    Ready = State(require=["Start"])


def test_ten_lines_without_a_loop() -> None:
    ran: list[str] = []

    class Handlers:
        def ReadyState(self, e: Any) -> None:
            ran.append(e.name)

    m = Machine("m", Basic, handlers=Handlers())
    assert m.add(Basic.Ready).canceled
    assert m.add([Basic.Start, Basic.Ready]).executed
    assert str(m) == "(Start:1 Ready:1)"
    assert ran == ["ReadyState"]


def test_a_machine_gets_an_id() -> None:
    assert len(Machine("", {}).id) == 16
    assert Machine("", {}).id != Machine("", {}).id


def test_mut_2_toggle() -> None:
    m = mach("A B")
    m.add("A")
    m.toggle(["A", "B"])
    assert m.is_(["A", "B"])
    m.toggle(["A", "B"])
    assert m.active == []


def test_mut_7_the_source_knows_the_time_before_its_transition() -> None:
    tracer, seen = Recorder(), list[Source | None]()
    m = mach("A", id="target", tracers=[tracer])
    n = mach("X Y", id="origin")
    n.add("X")
    n.bind({"YState": lambda e: m.add("A", source=e)})
    m.bind({"AState": lambda e: seen.append(e.source)})
    n.add("Y")
    assert seen[0] is not None
    assert (seen[0].machine_id, seen[0].time) == ("origin", 1)
    m.remove("A", source=Source("far", "tx1", 7, b"trace"))
    assert tracer.ended[-1].source == Source("far", "tx1", 7, b"trace")
    assert tracer.ended[-1].as_source().trace == b"trace"


def test_trace_context_goes_on_through_a_machine_without_tracers() -> None:
    m, seen = mach("A"), list[Source]()
    m.bind({"AState": lambda e: seen.append(e.as_source())})
    m.add("A", source=Source("far", "tx1", 7, b"trace"))
    assert seen[0].trace == b"trace"


def test_mut_8_handlers_share_the_map() -> None:
    got: list[Any] = []
    m = mach("A")
    m.bind({"AEnter": lambda e: e.raw.update(x=1), "AState": lambda e: got.append(e.raw["x"])})
    m.add("A")
    assert got == [1]


def test_err_1_and_3_errors() -> None:
    args: list[AException] = []
    m = mach("ErrA", ErrA="require:Exception")
    m.bind({"ErrAState": lambda e: args.append(e.args(AException))})
    error = ValueError("first")
    assert m.add_err_state("ErrA", error, {"more": 1}).executed
    assert args[0].err is error
    assert "ValueError: first" in args[0].trace
    m.remove("Exception")
    assert m.err is error
    assert not m.is_err()


@pytest.mark.parametrize("error", [None, CancelledError()])
def test_err_2_no_errors(error: BaseException | None) -> None:
    m = mach("A")
    assert m.add_err(error).canceled
    assert m.err is None


def test_err_2_a_wrapped_cancellation_counts() -> None:
    m = mach("A")
    error = RuntimeError("because")
    error.__cause__ = CancelledError()
    assert m.add_err(error).executed


def test_err_6_what_requires_exception_goes_with_it() -> None:
    m = mach("ErrA X", ErrA="require:Exception")
    m.add_err_state("ErrA", ValueError())
    m.remove("Exception")
    assert m.not_("ErrA")


def test_err_9_on_error_is_told_first() -> None:
    m = mach("A")
    seen: list[Any] = []
    m.on_error = lambda machine, error: seen.append((machine.is_err(), str(error)))
    m.add_err(ValueError("x"))
    assert seen == [(False, "x")]


def test_pan_11_a_failing_on_error_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    m = mach("A")
    m.on_error = lambda machine, error: boom(machine)
    assert m.add_err(ValueError("x")).executed
    assert str(m.err) == "x"
    assert "on_error failed" in caplog.text


def test_errors_are_logged_with_the_machines_id(caplog: pytest.LogCaptureFixture) -> None:
    mach("A", id="browser1").add_err(ValueError("broken"))
    assert "browser1" in caplog.text
    assert "broken" in caplog.text


def test_sch_8_a_contradictory_schema_starts_with_exception() -> None:
    m = mach("A B", A="require:B remove:B", B="require:A remove:A")
    assert m.is_err()
    assert str(m.err).count("require-remove conflict") == 2
    assert m.queue_tick == 2


def test_sch_13_a_schema_grows() -> None:
    tracer, log = Recorder(), Log()
    m = mach("A", tracers=[tracer])
    m.add("A")
    log.bind(m, "AEnd")
    waiting = m.when_not("A")
    m.set_schema({**m.schema, "B": {"remove": ["A"]}})
    assert m.names == ("A", "Exception", "B")
    assert tracer.take()[-1] == "schema 2 3"
    assert m.add("B").executed
    assert m.time() == [2, 0, 1]
    assert log.take() == "AEnd"
    assert waiting.done()


def test_sch_13_the_grown_schema_counts_in_every_way() -> None:
    m = mach("A")
    for _ in range(3):
        m.toggle("A")  # plans of the old schema are kept by now
    m.set_schema({**m.schema, "B": {"auto": True, "require": ["A"]}, "C": {"remove": ["A"]}})
    assert m.not_("B")
    m.add("A")
    m.remove("A")
    m.add("A")
    assert m.is_(["A", "B"])
    context = m.state_context("B")
    waiting = m.when("C")
    m.add("C")
    assert waiting.done()
    assert context.done()
    assert m.active == ["C"]


@pytest.mark.parametrize(
    ("states", "names"),
    [
        ({"A": {}}, None),
        ({"A": {}, "B": {}, "C": {}}, ["C", "A", "Exception", "B"]),
        ({"A": {}, "B": {"require": ["A"], "remove": ["A"]}}, None),
    ],
)
def test_sch_13_other_schemas_are_refused(states: dict[str, Any], names: Any) -> None:
    m = mach("A")
    with pytest.raises(SchemaError):
        m.set_schema(states, names)
    assert m.names == ("A", "Exception")


def test_sch_13_not_during_a_transition() -> None:
    m = mach("A", handlers={"AState": lambda _: m.set_schema({**m.schema, "B": {}})})
    assert m.add("A").canceled
    assert isinstance(m.err, SchemaError)


def test_exp_2_an_import_restores_and_tells() -> None:
    m = mach("A MachineRestored")
    m.add("A")
    data = m.export()
    assert set(data) == {"id", "state_names", "time", "queue_tick", "machine_tick", "schema"}
    n, log = mach("A MachineRestored"), Log()
    log.bind(n)
    n.import_(data)
    assert n.is_(["A", "MachineRestored"])
    assert "AState" not in log
    n.import_(n.export())
    assert n.machine_tick == 2
    for other in (mach("A B"), mach("A MachineRestored", id="other")):
        with pytest.raises(SchemaError):
            other.import_(data)


def test_evl_1_runs_when_nothing_else_does() -> None:
    m, log = mach("A"), Log()
    log.bind(m, "AState")
    results: list[Any] = []
    assert m.eval("test", lambda: results.append(m.add("A"))) is True
    assert results[0].queued
    assert log.take() == "AState"
    with pytest.raises(ValueError, match="source"):
        m.eval("", lambda: None)


def test_evl_3_nesting_raises() -> None:
    m = mach("A")
    caught: list[str] = []

    def nested(_: object = None) -> None:
        try:
            m.eval("inner", lambda: None)
        except NestedEvalError as error:
            caught.append(str(error))

    m.bind({"AState": nested})
    m.add("A")
    m.eval("outer", nested)
    assert len(caught) == 2


def test_pan_11_a_failing_eval_is_an_error() -> None:
    m = mach("A")
    assert m.eval("test", lambda: boom(None)) is False
    assert m.is_err()
    assert not m.is_busy
    m.dispose()
    assert m.eval("test", lambda: None) is False


def test_set_5_groups_and_tree() -> None:
    class Some(Basic):
        """More."""

        Work = State()
        groups = {"Run": ("Start", "Work")}  # noqa: RUF012  # frozen by convention

    m = Machine("m", Some)
    assert m.groups == {"Run": ("Start", "Work")}
    m.set_groups({"Mine": ["Work"]})
    assert m.groups == {"Mine": ("Work",)}
    m.set_groups({"Mine": ["Work"]}, Some)
    assert m.groups == {"Mine": ("Work",), "self": ("Work",), "Basic": ("Start", "Ready")}


def test_par_2_tags_are_unique() -> None:
    assert mach("A", tags=["relay", "a:1", "relay"]).tags == ("relay", "a:1")


def test_err_9_the_first_ten_internal_errors_are_kept() -> None:
    time = [0.0]

    def slow(_: Any) -> None:
        time[0] += 1

    m = mach("A", handlers={"AState": slow}, handler_timeout=0.5, now=lambda: time[0])
    for _ in range(12):
        m.add("A")
    assert len(m.internal_errors) == 10
    assert m.tick("A") == 24


def test_handlers_without_a_stopwatch_are_refused() -> None:
    with pytest.raises(ValueError, match="clock"):
        mach("A", handler_timeout=0.1)


async def test_mutate_and_batch_are_doors_for_any_machine() -> None:
    m = mach("A B")
    assert (await m.mutate(MutationType.ADD, ["A"])).executed
    ops = [BatchOp(MutationType.ADD, ("B",)), BatchOp(MutationType.REMOVE, ("A",))]
    assert [str(r) for r in await m.batch(ops)] == ["executed", "executed"]
    assert m.active == ["B"]
    with pytest.raises(ValueError, match="eval"):
        await m.mutate(MutationType.EVAL, "A")


def test_machines_of_one_schema_share_its_compiled_form() -> None:
    one, two = Machine("one", Basic), Machine("two", Basic)
    assert one._compiled is two._compiled
    schema = Schema({"A": {}})
    assert Machine("a", schema).schema is Machine("b", schema).schema
