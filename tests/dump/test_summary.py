"""Recordings in numbers."""

from __future__ import annotations

from amctl.dump.summary import Summary, seconds_text, time_text
from amctl.telemetry.messages import GapMsg, GoneMsg, PipeMsg, SchemaMsg, TxMsg
from tests.support.recordings import BEGAN, lamp


def test_everything_is_counted() -> None:
    summary = Summary()
    kinds = [
        TxMsg("m", "1", (1,), time_ns=20),
        TxMsg("m", "2", (1,), accepted=False, time_ns=10),
        TxMsg("m", "3", (1,), is_queued=True),
        TxMsg("m", "4", (1,), is_check=True, accepted=False),
    ]
    pipe = PipeMsg("add", "m", "A", "n", "A")
    for message in (SchemaMsg("m", ("A",), {}), *kinds, pipe, GapMsg(2, "x"), GapMsg(3, "y")):
        summary.take(message)
    machine = summary.machines["m"]
    counts = (machine.executed, machine.canceled, machine.queued, machine.checks)
    assert counts == (1, 1, 1, 1)
    assert (machine.count, summary.count, summary.pipes, summary.lost) == (4, 4, 1, 5)
    assert (machine.first_ns, machine.last_ns) == (20, 20)
    assert (summary.first_ns, summary.last_ns) == (10, 20)


def test_the_end_of_a_machine_is_known() -> None:
    summary = Summary()
    for message in (lamp().schema("lamp"), *lamp().transitions()):
        summary.take(message)
    machine = summary.machines["lamp"]
    assert machine.active == ("Plugged", "On", "Warm")
    summary.take(GoneMsg("lamp", 5))
    summary.take(GoneMsg("unknown", 5))
    assert machine.gone_ns == 5
    summary.take(lamp().schema("lamp"))
    assert machine.gone_ns == 0


def test_a_new_schema_moves_what_is_active() -> None:
    summary = Summary()
    for message in (
        SchemaMsg("m", ("A", "B"), {}),
        TxMsg("m", "1", (1, 0)),
        SchemaMsg("m", ("B", "A"), {}),
    ):
        summary.take(message)
    assert summary.machines["m"].active == ("A",)


def test_the_facts_are_told_in_words() -> None:
    summary = Summary({"name": "x"})
    assert summary.name == "x"
    assert dict(summary.facts())["lasted"] == "-"
    for message in (
        SchemaMsg("m", ("A",), {}),
        TxMsg("m", "1", (1,), time_ns=BEGAN),
        TxMsg("m", "2", (1,), is_check=True, time_ns=BEGAN + 10**9),
    ):
        summary.take(message)
    assert summary.facts() == [
        ("began", "2023-11-14 22:13:20.123 UTC"),
        ("lasted", "1.000000 s"),
        ("machines", "1"),
        ("transitions", "2"),
        ("of them", "1 executed, 1 check"),
    ]


def test_a_gap_is_a_line_and_many_are_counted() -> None:
    summary = Summary(gaps=[GapMsg(1, "full", "m"), *(GapMsg(0, "cut") for _ in range(24))])
    told = [*summary.gap_texts()]
    assert told[:2] == ["1 message of m: full", "an unknown number of messages: cut"]
    assert told[20:] == ["and 5 more gaps"]


def test_times_read_as_utc() -> None:
    assert time_text(BEGAN) == "2023-11-14 22:13:20.123 UTC"
    assert [time_text(at) for at in (0, -5, 2**80)] == ["-"] * 3


def test_seconds_have_six_digits() -> None:
    assert [seconds_text(ns) for ns in (0, 1_234_567_899, -2_000_000)] == [
        "0.000000", "1.234567", "-0.002000",
    ]  # fmt: skip
