"""What is looked up, and that it equals a look at every message."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amctl.debugger import _columns as columns
from amctl.debugger.index import DumpIndex, Place, id_key
from amctl.telemetry.messages import SourceRef
from tests.debugger.histories import NAMES, executed, history, machine, recorded, tx, walks


def grown(dump: object) -> DumpIndex:
    index = DumpIndex(dump)  # type: ignore[arg-type]
    assert index.grow()
    return index


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(walks(), st.integers(1, 7))
def test_the_index_equals_a_naive_scan_however_it_grows(dump: object, slice: int) -> None:
    index = DumpIndex(dump)  # type: ignore[arg-type]
    while not index.grow(slice):
        assert index.share < 1
    for id, held in index.machines.items():
        clocks = list(executed(dump, id))  # type: ignore[arg-type]
        assert held.size == len(clocks) - 1
        assert [held.time_sum(at) for at in range(held.end)] == [sum(c) for c in clocks]
        for at, name in enumerate(NAMES):
            track = held.tracks[name]
            active = track.active(held.end)
            assert [active >> c & 1 for c in range(held.end)] == [c[at] & 1 for c in clocks]
            assert [track.tick(c) for c in range(held.end)] == [c[at] for c in clocks]
            changed = [c for c in range(1, held.end) if clocks[c][at] != clocks[c - 1][at]]
            assert [c for c in range(held.end) if track.changed >> c & 1] == changed
            least = track.at_least(3, held.end)
            assert [least >> c & 1 for c in range(held.end)] == [int(c[at] >= 3) for c in clocks]
    assert [index.at(n) for n in range(index.done)] == list(places(dump))
    assert index.nbytes > 0 or not index.done


def places(dump: object) -> list[Place]:
    """Every transition in the order of arrival."""
    counts: dict[str, int] = {}
    found = []
    for one in dump.transitions():  # type: ignore[attr-defined]
        counts[one.machine_id] = counts.get(one.machine_id, 0) + 1
        found.append(Place(one.machine_id, counts[one.machine_id]))
    return found


@given(st.sets(st.integers(0, 70)), st.integers(0, 72))
def test_sets_of_positions(chosen: set[int], at: int) -> None:
    found, ordered = sum(1 << one for one in chosen), sorted(chosen)
    bits = columns.Bits()
    for one in chosen:
        bits.add(one)
    assert bits.value == found
    assert list(columns.members(found)) == ordered
    assert [columns.nth(found, n) for n in range(len(ordered))] == ordered
    assert columns.nth(found, len(ordered)) == columns.nth(found, -1) == -1
    few = [*range(0, len(ordered), 3)]
    assert columns.nths(found, few) == [ordered[n] for n in few]
    bounds = [*sorted({ordered[n] for n in few}), 2000]
    assert [part.bit_count() for part in columns.cut(found, bounds)] == [
        sum(start <= one < end for one in ordered) for start, end in pairwise(bounds)
    ]
    assert columns.following(found, at) == min((one for one in ordered if one > at), default=-1)
    assert columns.preceding(found, at) == max((one for one in ordered if one < at), default=-1)
    assert list(columns.flags(found, at)) == [int(one in chosen) for one in range(at)]
    assert columns.packed(columns.flags(found, 72)) == found
    odd = [one for one in range(at) if sum(each <= one for each in chosen) % 2]
    assert list(columns.members(columns.filled(found, at))) == odd


@given(st.lists(st.integers(-3, 1 << 70), max_size=12), st.integers(0, 1 << 66))
def test_rows_of_numbers_of_any_width(given: list[int], wanted: int) -> None:
    row = columns.Numbers()
    for one in given:
        row.append(one)
    cut = [min(max(one, 0), (1 << 64) - 1) for one in given]
    assert list(row) == cut
    assert row.first_at_least(wanted) == next(
        (at for at, one in enumerate(cut) if one >= wanted), len(cut)
    )
    for start in range(len(cut)):
        assert row.index(cut[-1], start) == cut.index(cut[-1], start)
    assert row.index(7, 0) == (cut.index(7) if 7 in cut else -1)


def test_a_growing_recording_is_taken_in_where_it_was_left() -> None:
    dump = history(tx("a", 0, (1, 0, 0, 0)))
    index = grown(dump)
    dump.write(tx("a", 1, (1, 1, 0, 0)))
    assert index.machines["a"].size == 1
    assert index.grow()
    assert index.machines["a"].tracks["Ready"].active(3) == 0b100


def test_a_new_schema_moves_clocks_with_their_names() -> None:
    dump = history(tx("a", 0, (1, 0, 1, 0)))
    dump.write(machine("a", ("New", "Working", "Start")))
    dump.write(tx("a", 1, (1, 1, 1)))
    held = grown(dump).machines["a"]
    assert held.tracks["Working"].changed == 0b010
    assert held.tracks["New"].changed == 0b100
    assert held.tracks["Start"].active(held.end) == 0b110


def test_ids_are_found_by_their_beginning_and_odd_ones_as_a_whole() -> None:
    dump = history()
    ids = ("semlogger", "semlogger-0", "00000000000000ab", "00000000000000ab-1", "f" * 32)
    for number, id in enumerate(ids):
        one = tx("a", number, (1, 0, 0, 0))
        one.id = id
        dump.write(one)
    held = grown(dump).machines["a"]
    for cursor, id in enumerate(ids, 1):
        assert cursor in list(held.candidates(id))
    assert list(held.candidates("ffff")) == [5]
    assert list(held.candidates("nope")) == []
    assert len({id_key(id) for id in ids}) == len(ids)


def test_queued_mutations_are_paired_with_their_executions() -> None:
    asked = tx("a", 0, (), is_queued=True, queue_tick=1, mut_queue_tick=2)
    first = tx("a", 1, (), is_queued=True, queue_tick=1, mut_queue_token=7, is_auto=True)
    ran = tx("a", 2, (), queue_tick=1, mut_queue_token=7, is_auto=True, accepted=False)
    done = tx("a", 3, (1, 0, 0, 0), queue_tick=2)
    held = grown(history(asked, first, ran, done)).machines["a"]
    assert held.execution(asked, 1) == 4
    assert held.execution(first, 2) == 3
    assert held.queueing(done, 4) == 1
    assert held.queueing(ran, 3) == 2
    assert held.queueing(first, 2) == 0
    assert held.auto_canceled.value == 0b1100  # the queued one too


def test_forks_are_found_by_their_source() -> None:
    source = SourceRef("b", "0" * 15 + "5")
    dump = history(tx("a", 0, (1,)), tx("a", 1, (2,), source=source), machines=("a", "b"))
    held = grown(dump).machines["a"]
    assert list(held.forks_of("b", source.tx_id)) == [2]
    assert list(held.forks_of("a", source.tx_id)) == []


def test_errors_are_states_by_their_name() -> None:
    held = grown(
        history(tx("a", 0, (1, 0, 0, 1)), tx("a", 1, (2, 0, 0, 1)), tx("a", 2, (2, 0, 0, 3)))
    ).machines["a"]
    assert held.error_bits == 0b1110
    assert held.new_errors == 0b1010


def test_the_recorded_run_is_in_as_a_whole() -> None:
    index = grown(recorded())
    assert index.done == 1762
    assert index.machines["orchestrator"].size == 806
    assert index.machines["orchestrator"].queued.value.bit_count() == 127
    assert index.machines["orchestrator"].canceled.value.bit_count() == 322
    assert index.nbytes < 1762 * 400
