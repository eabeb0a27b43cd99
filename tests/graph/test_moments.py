"""Which transition an address means."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from amctl.dump.errors import UnknownMachineError, UnknownTransitionError
from amctl.graph.errors import MachUrlError, MomentError, UnknownMomentError
from amctl.graph.machurl import parse_machurl
from amctl.graph.moments import (
    Moment,
    find_position,
    moment_at,
    moment_before_the_end,
    moment_of,
)
from amctl.telemetry.messages import GoneMsg
from tests.support.recordings import BEGAN, recording, schema, tx
from tests.support.shared import SHARED, needs_shared

MS = 1_000_000
DUMP = recording(
    schema("m", ["A"], time_ns=BEGAN),
    *(tx("m", n, (n,), queue_tick=10 * n) for n in range(1, 6)),
    schema("idle", ["A"], time_ns=BEGAN),
)


@pytest.mark.parametrize(
    ("url", "position"),
    [
        ("mach://m", 4),
        (f"mach://m/{2:016x}", 1),
        (f"mach://m/{2:016x}?t=4&q=50", 1),
        ("mach://m?t=4", 3),
        ("mach://m?t=4&q=10", 3),
        ("mach://m?t=77", 0),
        ("mach://m?q=21", 2),
        ("mach://m?q=99", 4),
        ("mach://m?ht=2023-11-14T22:13:20.125Z", 1),
        ("mach://m?ht=2023-11-14T22:13:20.125Z&q=50", 1),
        ("mach://m?ht=2033-11-14T22:13:20Z", 4),
    ],
)
def test_positions(url: str, position: int) -> None:
    found = find_position(DUMP, parse_machurl(url))
    assert found is not None
    assert found[0] == position
    assert found[1].clocks == (position + 1,)


def test_the_beginning_of_an_id_will_do_if_no_other_begins_so() -> None:
    ids = ("abcd1", "abcd1-0", "abce2", "xyz")
    txs = [replace(tx("m", n, (n,)), id=id, is_queued="-" in id) for n, id in enumerate(ids)]
    dump = recording(schema("m", ["A"]), *txs)
    found = find_position(dump, parse_machurl("mach://m/abcd"))
    assert found is not None
    assert found[0] == 0
    for text in ("abc", "xyz0", "abcf"):
        with pytest.raises(UnknownTransitionError):
            find_position(dump, parse_machurl(f"mach://m/{text}"))


def test_a_moment_has_time_position_and_step() -> None:
    expected = Moment(BEGAN + 2 * MS, "m", 1, 3)
    assert moment_of(DUMP, parse_machurl(f"mach://m/{2:016x}/3")) == expected
    assert moment_of(DUMP, parse_machurl("mach://m?state=A")) is None


def test_a_machine_time_that_never_was_is_told() -> None:
    for url, is_exact in (("mach://m?t=3", True), ("mach://m?t=77", False), ("mach://m?q=9", True)):
        moment = moment_of(DUMP, parse_machurl(url))
        assert moment is not None
        assert moment.is_exact is is_exact


def test_a_machine_without_transitions_has_its_beginning() -> None:
    assert find_position(DUMP, parse_machurl("mach://idle")) is None
    assert moment_of(DUMP, parse_machurl("mach://idle?t=5")) == Moment(BEGAN, "idle", -1)


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(UnknownMachineError):
        moment_of(DUMP, parse_machurl("mach://x"))
    with pytest.raises(UnknownTransitionError):
        moment_of(DUMP, parse_machurl("mach://idle/77"))


STATES = recording(
    schema("m", ["A", "B"]),
    tx("m", 1, (1, 0)),
    tx("m", 2, (2, 1)),
    tx("m", 3, (3, 1)),
    tx("m", 4, (3, 1)),
    schema("m", ["B", "A", "C"]),
    tx("m", 5, (1, 3, 0)),
    tx("m", 6, (3, 3, 0)),
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("m:A", Moment(BEGAN + 3 * MS, "m", 2)),
        ("m:B", Moment(BEGAN + 6 * MS, "m", 5)),
        ("mach://m/t3", Moment(BEGAN + 2 * MS, "m", 1)),
        ("2023-11-14T22:13:20.125Z", Moment(1_700_000_000_125_000_000)),
    ],
)
def test_moments_by_state_address_and_time(text: str, moment: Moment) -> None:
    assert moment_at(STATES, text) == moment


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("m:C", UnknownMomentError, "m: C was never active"),
        ("m:Bb", UnknownMomentError, "machine 'm' has no state 'Bb'"),
        ("x:A", UnknownMachineError, "no machine 'x'"),
        ("mach://m", MachUrlError, "it names no moment"),
        ("noon", MomentError, "it is no address, no time"),
    ],
)
def test_what_names_no_moment_is_told(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=re.escape(said)):
        moment_at(STATES, text)


def test_near_states_are_offered() -> None:
    assert UnknownMomentError("m", "Redy", ["Ready", "Start"]).hint == "did you mean Ready?"
    assert UnknownMomentError("m", "Ready", ["Ready"]).hint == ""
    assert UnknownMomentError("m", "Zzz", ["Ready"]).hint == ""


def taken_down(*gone: tuple[str, int]) -> Moment | None:
    """Of a machine that disposed of itself twice, at 2 ms and 6 ms, and one that can't tell."""
    dump = recording(
        schema("m", ["Start", "Disposing"]),
        schema("kid", ["Start"], parent="m"),
        schema("other", ["Start"]),
        *(tx("m", n, (n, ticks)) for n, ticks in enumerate((0, 0, 1, 2, 2, 2, 3, 3))),
        tx("other", 7, (1,)),
    )
    for machine, ms in gone:
        dump.write(GoneMsg(machine, BEGAN + ms * MS))
    return moment_before_the_end(dump)


def test_a_run_that_was_taken_down_is_best_seen_just_before() -> None:
    assert taken_down(("m", 8), ("kid", 8), ("other", 9)) == Moment(BEGAN + 6 * MS - 1)
    assert taken_down(("m", 8), ("other", 5)) == Moment(BEGAN + 5 * MS - 1)


def test_a_run_of_which_something_is_left_is_best_seen_at_its_end() -> None:
    assert taken_down(("m", 8), ("kid", 8)) is None
    assert moment_before_the_end(recording()) is None


@needs_shared
@pytest.mark.slow
def test_the_golden_address() -> None:
    from amctl.dump.gob import read_gob

    dump = read_gob(SHARED / "data" / "am-dbg-sim.gob.br")
    found = find_position(dump, parse_machurl("mach://ps-2/a59d994dd6efb726a1cd3ef1b7f384fd"))
    assert found is not None
    assert (found[0], found[1].time_sum) == (19, 20)
