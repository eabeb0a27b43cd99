"""Recordings made one: what two hold stands there once, and the order of naming never matters."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.dump.copying import copy, messages_of
from amctl.dump.memory import MemoryDump
from amctl.dump.merge import Conflict, MergeReport, merge
from amctl.machine import StateDef
from amctl.machine.lines import LogLine
from amctl.telemetry.messages import GapMsg, GoneMsg, Message, PipeMsg, SchemaMsg, TxMsg
from tests.dump.same import assert_same
from tests.dump.strategies import recordings
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

A = SchemaMsg("a", ("X", "Y"), {})
B = SchemaMsg("b", ("X",), {})


def dump_of(*messages: Message) -> MemoryDump:
    return MemoryDump(messages=messages)


def merged(*dumps: MemoryDump) -> MemoryDump:
    return told(*dumps)[0]


def told(*dumps: MemoryDump) -> tuple[MemoryDump, MergeReport]:
    out = MemoryDump()
    return out, merge(dumps, out)


def tx(machine: str, id: str, at: int, *clocks: int, **more: object) -> TxMsg:
    return TxMsg(machine, id, clocks, time_ns=at, **more)  # type: ignore[arg-type]


def ids(dump: MemoryDump) -> list[str]:
    return [each.id for each in dump.transitions()]


def split(dump: MemoryDump, shares: Iterable[set[int]], parts: int) -> list[MemoryDump]:
    """Each message in one or more of the parts; schemas, which must come first, in all."""
    out = [MemoryDump() for _ in range(parts)]
    for message in messages_of(dump):
        share = set(range(parts)) if isinstance(message, SchemaMsg) else next(iter(shares))
        for part in share:
            out[part].write(message)
    return out


@st.composite
def split_ones(draw: st.DrawFn) -> tuple[MemoryDump, list[MemoryDump]]:
    whole = draw(recordings())
    parts = draw(st.integers(1, 3))
    share = st.sets(st.integers(0, parts - 1), min_size=1)
    shares = iter([draw(share) for _ in range(whole.count() + len(whole.pipes()))])
    return whole, split(whole, shares, parts)


def without_order_of_pipes(dump: MemoryDump) -> MemoryDump:
    """Pipes of one moment, which nothing orders, in the order of their texts."""
    out = MemoryDump()
    copy(dump, out)
    out._pipes.sort(key=lambda pipe: (pipe.time_ns, repr(pipe)))
    return out


@pytest.mark.slow
@settings(max_examples=60)
@given(split_ones())
def test_parts_make_the_whole(both: tuple[MemoryDump, list[MemoryDump]]) -> None:
    whole, parts = both
    assert_same(without_order_of_pipes(merged(*parts)), without_order_of_pipes(merged(whole)))


@pytest.mark.slow
@settings(max_examples=60)
@given(split_ones())
def test_the_order_of_naming_doesnt_matter(both: tuple[MemoryDump, list[MemoryDump]]) -> None:
    first, *others = [merged(*order) for order in permutations(both[1])]
    for other in others:
        assert_same(other, first)


@pytest.mark.slow
@settings(max_examples=60)
@given(split_ones())
def test_once_is_enough(both: tuple[MemoryDump, list[MemoryDump]]) -> None:
    _, parts = both
    out, report = told(*parts)
    assert report.conflicts == []
    assert_same(merged(out), out)
    assert_same(merged(out, out), out)
    for part in parts:
        assert_same(merged(out, part), out)


@pytest.mark.slow
@given(recordings())
def test_one_alone_is_only_sorted(dump: MemoryDump) -> None:
    out, report = told(dump)
    assert report == MergeReport(len(dump.machines()), dump.count(), 0, [])
    assert sorted(map(repr, out.transitions())) == sorted(map(repr, dump.transitions()))
    for machine in dump.machines():
        assert list(out.transitions(machine)) == list(dump.transitions(machine))
    times = [each.time_ns for each in out.transitions()]
    assert times == sorted(times)


def test_copies_are_counted() -> None:
    one, two = tx("a", "1", 10, 1, 0), tx("a", "2", 20, 1, 1)
    out, report = told(dump_of(A, one, two), dump_of(A, two))
    assert ids(out) == ["1", "2"]
    assert (report.transitions, report.duplicates, report.machines) == (2, 1, 1)


def test_of_two_copies_the_one_that_tells_more_stays() -> None:
    bare = tx("a", "1", 10, 1, 0, received_ns=11)
    full = tx("a", "1", 10, 1, 0, received_ns=99, logs=(LogLine(1, "x"),))
    for dumps in permutations([dump_of(A, bare), dump_of(A, full)]):
        assert list(merged(*dumps).transitions()) == [full]


def test_copies_that_tell_as_much_are_told_apart_by_their_texts() -> None:
    one = tx("a", "1", 10, 1, 0, args={"k": "1"})
    two = tx("a", "1", 10, 1, 0, args={"k": "2"})
    for dumps in permutations([dump_of(A, one), dump_of(A, two)]):
        assert list(merged(*dumps).transitions()) == [one]


def test_copies_with_other_times_are_copies() -> None:
    """The original's collectors stamp what arrives."""
    early, late = tx("a", "1", 10, 1, 0), tx("a", "1", 15, 1, 0)
    other = tx("a", "2", 12, 1, 1)
    for dumps in permutations([dump_of(A, early, other), dump_of(A, late)]):
        out, report = told(*dumps)
        assert list(out.transitions()) == [early, other]
        assert (report.duplicates, report.conflicts) == (1, [])


def test_a_machines_own_order_beats_a_clock_that_stepped_back() -> None:
    out = merged(dump_of(A, tx("a", "1", 50, 1, 0), tx("a", "2", 10, 1, 1)), dump_of(B))
    assert ids(out) == ["1", "2"]


def test_what_stands_still_keeps_the_order_that_any_recording_knows() -> None:
    """Coarse clocks: the ids alone would say x < y, the second recording knows better."""
    y, x = tx("a", "y", 5, 1, 0), tx("a", "x", 5, 1, 0)
    z = tx("a", "z", 5, 1, 0)
    for dumps in permutations([dump_of(A, y, z), dump_of(A, y, x, z), dump_of(A, x)]):
        assert ids(merged(*dumps)) == ["y", "x", "z"]


def test_recordings_that_contradict_each_other_are_sorted() -> None:
    x, y = tx("a", "x", 5, 1, 0), tx("a", "y", 5, 1, 0)
    for dumps in permutations([dump_of(A, x, y), dump_of(A, y, x)]):
        assert ids(merged(*dumps)) == ["x", "y"]


def test_what_one_recording_has_twice_stays_twice() -> None:
    same = tx("a", "", 5, 1, 0)
    one = dump_of(A, same, same)
    assert merged(one).count() == 2
    assert merged(one, one).count() == 2
    assert merged(one, dump_of(A, same)).count() == 2
    assert merged(one, dump_of(A, same, same, same)).count() == 3


def test_many_equal_ones_are_quick() -> None:
    same = [tx("a", "", 0, 1, 0)] * 5000
    assert merged(dump_of(A, *same), dump_of(A, *same)).count() == 5000


def test_files_of_a_rotation_follow_each_other() -> None:
    more = SchemaMsg("a", ("X", "Y", "Z"), {}, time_ns=25)
    first = dump_of(A, tx("a", "1", 10, 1, 0), tx("a", "2", 20, 1, 1), more)
    second = dump_of(more, tx("a", "3", 30, 1, 1, 1))
    for dumps in permutations([first, second]):
        out, report = told(*dumps)
        assert out.schemas("a") == ((0, A), (2, more))
        assert ids(out) == ["1", "2", "3"]
        assert report.conflicts == []


def test_a_schema_that_no_transition_reached_is_kept() -> None:
    more = SchemaMsg("a", ("X", "Y", "Z"), {}, time_ns=25)
    for dumps in permutations([dump_of(A, tx("a", "1", 10, 1, 0), more), dump_of(A)]):
        assert merged(*dumps).schemas("a") == ((0, A), (1, more))


def test_machines_stand_in_the_order_of_their_age() -> None:
    old = SchemaMsg("old", (), {}, time_ns=1)
    seen = SchemaMsg("seen", (), {})
    new = SchemaMsg("new", (), {}, time_ns=9)
    never = SchemaMsg("never", (), {})
    for dumps in permutations([dump_of(new, never), dump_of(seen, tx("seen", "1", 5), old)]):
        assert merged(*dumps).machines() == ("old", "seen", "new", "never")


def test_pipes_gaps_and_ends_are_joined() -> None:
    pipes = [PipeMsg("add", "a", "X", "b", "X", False, at) for at in (5, 15)]
    gaps = [GapMsg(1, "x", "a", 1, 2), GapMsg(2, "y")]
    one = dump_of(A, B, pipes[0], gaps[0], GoneMsg("a", 30), GoneMsg("b", 5), tx("b", "1", 4, 1))
    two = dump_of(A, B, *pipes, gaps[1], gaps[0], GoneMsg("a", 20), tx("b", "2", 9, 2))
    for dumps in permutations([one, two]):
        out = merged(*dumps)
        assert list(out.pipes()) == pipes
        assert sorted(out.gaps(), key=repr) == sorted(gaps, key=repr)
        assert out.gone() == {"a": 30}  # b was heard of after its end


def test_an_id_of_two_transitions_is_told() -> None:
    one = dump_of(A, tx("a", "1", 10, 1, 0), tx("a", "2", 20, 1, 1))
    two = dump_of(A, tx("a", "1", 11, 3, 0), tx("a", "2", 21, 3, 1))
    out, report = told(one, two)
    assert out.count() == 4
    assert Conflict("a", "an id stands for different transitions", 2, "1") in report.conflicts
    assert str(report.conflicts[0]) == (
        "machine 'a': an id stands for different transitions, 2 times (first at 1)"
    )


def test_an_id_may_come_again_within_a_recording() -> None:
    one = dump_of(A, tx("a", "1", 10, 1, 0), tx("a", "1", 20, 1, 1))
    assert told(one, one)[1].conflicts == []


def test_two_machines_of_one_id_are_told_by_their_schemas() -> None:
    other = SchemaMsg("a", ("P",), {"P": StateDef(auto=True)})
    one = dump_of(A, tx("a", "1", 10, 1, 0), tx("a", "2", 30, 1, 1))
    two = dump_of(other, tx("a", "8", 20, 1), tx("a", "9", 40, 2))
    problems = [each.problem for each in told(one, two)[1].conflicts]
    assert "its schema changes to and fro, as if two machines had this id" in problems


def test_another_run_is_told_by_its_clocks() -> None:
    one = dump_of(A, tx("a", "1", 10, 5, 0), tx("a", "2", 20, 6, 1))
    two = dump_of(A, tx("a", "3", 30, 1, 0))
    assert told(one, two)[1].conflicts == [
        Conflict("a", "its clocks step back between recordings, as if of another run", 1, "3")
    ]


def test_machines_are_read_a_few_transitions_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """All machines are read at once, and a reader may hold all that it was asked for."""
    monkeypatch.setattr("amctl.dump.merge._AHEAD", 3)
    spans: list[int] = []

    class Watched(MemoryDump):
        def transitions(
            self, machine: str | None = None, start: int = 0, stop: int | None = None
        ) -> Iterator[TxMsg]:
            spans.append((self.count(machine) if stop is None else stop) - start)
            return super().transitions(machine, start, stop)

    messages = [A, *(tx("a", str(i), i, i, 0) for i in range(8))]
    assert_same(merged(Watched(messages=messages)), dump_of(*messages))
    assert max(spans) == 3


def test_progress_is_told() -> None:
    said: list[tuple[int, int]] = []
    dump = dump_of(A, *(tx("a", f"{i}", i, i, 0) for i in range(6000)))
    merge([dump, dump], MemoryDump(), progress=lambda done, total: said.append((done, total)))
    assert said[-1] == (12_000, 12_000)
    assert len(said) == 2


@needs_shared
@pytest.mark.slow
def test_a_real_recording_merges_with_its_half() -> None:
    from amctl.dump.gob import read_gob

    whole = read_gob(SHARED / "data" / "wasm-workflow.gob.br")
    half = MemoryDump()
    copy(whole, half, machines=whole.machines()[::2])
    out, report = told(whole, half)
    assert report.conflicts == []
    assert (report.transitions, report.duplicates) == (751, half.count())
    assert_same(out, merged(whole))
