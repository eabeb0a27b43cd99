"""Looking at a clock (sections 3, 4, 20)."""

from __future__ import annotations

from typing import Any

import pytest

from amctl.machine import Machine, SchemaError, UnknownStateError
from amctl.machine.reads import Reads
from tests.machine.tools import mach


def _machine() -> Machine:
    m = mach("Foo Baz Bar", Foo="auto require:Bar", Baz="multi", Bar="remove:Exception")
    m.set(["Bar", "Baz"])
    m.remove("Baz")
    m.set("Bar")
    return m


def test_str_1_and_2() -> None:
    m = _machine()
    assert m.active == ["Bar", "Foo"]
    assert str(m) == "(Foo:3 Bar:1)"
    assert m.string_all() == "(Foo:3 Bar:1) [Baz:2 Exception:0]"


def test_str_1_and_2_all_or_nothing_active() -> None:
    m = mach("A")
    assert (str(m), m.string_all()) == ("()", "() [A:0 Exception:0]")
    m.add(["A", "Exception"])
    assert m.string_all() == "(A:1 Exception:1) []"


def test_a_clock_that_knows_no_log_says_no_to_unknown_states() -> None:
    assert Reads._not_found(mach("A"), "Nope") is False


def test_str_3_switch() -> None:
    m = mach("A B C")
    m.add(["B", "C"])
    assert m.switch(["A"], ["C", "B"]) == "C"
    assert m.switch(["A", "Nope"]) == ""
    assert m.switch() == ""


def test_str_4_inspect() -> None:
    m = mach(
        "Foo Bar Exception", Foo="auto require:Bar", Bar="multi add:Foo remove:Exception after:Foo"
    )
    m.add("Bar")
    assert m.inspect(["Bar", "Foo"]) == (
        "1 Bar\n    |Tick     1\n    |Multi    true\n    |Add      Foo\n"
        "    |Remove   Exception\n    |After    Foo\n"
        "1 Foo\n    |Tick     1\n    |Auto     true\n    |Require  Bar\n"
    )
    assert m.inspect().splitlines()[-2:] == ["0 Exception", "    |Tick     0"]


def test_nam_3_and_4_two_orders() -> None:
    m = mach("A B C")
    m.add("A")
    m.add("C")
    assert m.active == ["C", "A"]
    assert m.names == ("A", "B", "C", "Exception")
    assert [m.index(s) for s in ("C", "Exception", "Nope")] == [2, 3, -1]


def test_nam_6_unknown_states_are_just_not_active() -> None:
    m = mach("A")
    m.add("A")
    assert not m.is_("Nope")
    assert not m.is_(["A", "Nope"])
    assert m.any_("Nope", "A")
    assert not m.any_("Nope")
    assert not m.has(["A", "Nope"])
    assert m.tick("Nope") == 0
    assert m.time(["Nope", "A"]) == [0, 1]
    with pytest.raises(UnknownStateError) as caught:
        m.not_(["Exception", "Nope", "Nada"])
    assert caught.value.states == ("Nope", "Nada")


def test_is_any_and_not_over_several() -> None:
    m = mach("A B C")
    m.add(["A", "B"])
    assert m.is_(["A", "B"])
    assert not m.is_(["A", "C"])
    assert m.any_("C", "A")
    assert m.any_(["C", "A"])
    assert not m.any_("C")
    assert not m.any_()
    assert m.not_(["C", "Exception"])
    assert not m.not_(["C", "A"])
    assert m.has(["A", "C"])


def test_clk_9_no_states_are_all_active_and_all_inactive() -> None:
    m = mach("A")
    m.add("A")
    assert m.is_([])
    assert m.not_([])


def test_clk_5_and_6_time_and_clock() -> None:
    m = mach("A B")
    m.add("B")
    m.set("A")
    assert m.time() == [1, 2, 0]
    assert m.time(["B", "A"]) == [2, 1]
    assert m.clock() == {"A": 1, "B": 2, "Exception": 0}
    assert m.clock(["B"]) == {"B": 2}
    assert m.time_sum == 3


def test_clk_5_a_time_is_a_copy() -> None:
    m = mach("A")
    m.time()[0] = 7
    assert m.tick("A") == 0


def test_clk_8_now_and_once() -> None:
    m = mach("A B")
    m.add(["A", "B"])
    m.remove("A")
    assert m.is_clock({"A": 2, "B": 1})
    assert not m.is_clock({"A": 1, "B": 1})
    assert m.was_clock({"A": 1, "B": 1})
    assert m.was_clock({"A": 2})
    assert not m.was_clock({"A": 1, "B": 2})
    assert m.is_clock({})


READS: dict[str, Any] = {
    "active": [],
    "time": [],
    "clock": {},
    "time_sum": 0,
    "__str__": "",
    "string_all": "",
    "inspect": "",
    "is_err": False,
}


@pytest.mark.parametrize("name", READS)
def test_dsp_3_a_disposed_machine_reads_as_empty(name: str) -> None:
    m = mach("A")
    m.add_err(ValueError("x"))
    m.add("A")
    got = [getattr(m, name)]
    m.dispose()
    got.append(getattr(m, name))
    got = [g() if callable(g) else g for g in got]
    assert got[1] == READS[name]


def test_dsp_3_questions_to_a_disposed_machine() -> None:
    m = mach("A")
    m.add("A")
    m.dispose()
    answers = [m.is_("A"), m.is_(["A"]), m.is_([]), m.not_("A"), m.not_("Exception"), m.any_("A")]
    answers += [m.has("A"), m.is_clock({}), m.was_clock({})]
    assert not any(answers)
    assert (m.tick("A"), m.index("A"), m.switch(["A"])) == (0, -1, "")
    assert m.is_disposed


def test_nam_5_places_and_names() -> None:
    m = mach("A B")
    assert m.indexes(["B", "Nope", "A"]) == [1, -1, 0]
    assert m.names_at([1, 0, 7, -1]) == ["B", "A", "unknown7", "unknown-1"]


def test_nam_7_known_names_once_each() -> None:
    m = mach("A B")
    assert m.known(["B", "Nope", "A", "B"]) == ["B", "A"]
    m.dispose_force()
    assert m.known(["B"]) == []


def test_clk_10_the_queue_tick_counts_what_is_taken_off_whatever_comes_of_it() -> None:
    m = mach("A B C", B="require:C", C="auto require:A")
    assert m.queue_tick == 1
    m.add("A")  # and an auto transition, which is put in front
    m.add("B")
    m.remove(["A", "C"])
    m.add("B")  # refused
    m.can_add("A")
    assert m.queue_tick == 5


def test_clk_11_the_machine_tick_counts_imports() -> None:
    m = mach("A")
    assert m.machine_tick == 0
    for count in (1, 2):
        m.import_(m.export())
        assert m.machine_tick == count


def test_clk_12_ticks_go_as_far_as_the_wire_does() -> None:
    m = mach("A")
    top = 2**64 - 1
    m.import_({**m.export(), "time": [top - 1, 0]})
    m.add("A")
    assert (m.tick("A"), m.is_("A")) == (top, True)
    m.import_(m.export())
    assert m.time(["A"]) == [top]


@pytest.mark.parametrize("time", [[-1, 0], [2**64, 0], [1]])
def test_clk_12_nothing_else_is_imported(time: list[int]) -> None:
    m = mach("A")
    with pytest.raises(SchemaError, match="can't import"):
        m.import_({**m.export(), "time": time})
    assert (m.time(), m.machine_tick) == ([0, 0], 0)
