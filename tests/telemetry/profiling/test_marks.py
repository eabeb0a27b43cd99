"""Handlers on the page's timeline."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from amctl.machine import Machine
from amctl.telemetry.profiling.marks import HandlerMarks

if TYPE_CHECKING:
    from amctl.machine import Event


def test_handlers_are_measured_while_it_is_on_and_nest() -> None:
    ticks = count()
    told: list[tuple[str, float, float]] = []
    marks = HandlerMarks(lambda *span: told.append(span), lambda: float(next(ticks)))
    inner = Machine("inner", {"B": {}})
    outer = Machine("outer", {"A": {}})

    class Outer:
        def AState(self, e: Event) -> None:
            inner.add("B")

    class Inner:
        def BState(self, e: Event) -> None:
            pass

    outer.bind(Outer())
    inner.bind(Inner())
    marks.start()
    outer.add("A")
    assert told == [("inner BState", 1.0, 2.0), ("outer AState", 0.0, 3.0)]
    child = Machine("child", {"B": {}}, parent=outer)
    child.bind(Inner())
    child.add("B")
    assert told[-1][0] == "child BState"
    marks.stop()
    outer.remove("A")
    outer.add("A")
    assert len(told) == 3
    assert not outer.tracers
    for machine in (inner, outer):
        machine.dispose()
