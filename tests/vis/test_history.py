"""The moments that a time slider moves over."""

from __future__ import annotations

import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from amctl.dump.gob import read_gob
from amctl.dump.memory import MemoryDump
from amctl.telemetry.messages import GapMsg, TxMsg
from amctl.vis import history as module
from amctl.vis.history import History, history
from tests.support.recordings import BEGAN, recording, schema, tx
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterator


def ticks(found: History) -> list[tuple[str, tuple[int, ...]]]:
    return [(found.machines[m.machine], m.ticks) for m in found.moments]


def end(found: History) -> dict[str, list[int]]:
    now: dict[str, list[int]] = {}
    for _, clocks in found.clocks():
        now = {name: list(values) for name, values in clocks.items()}
    return now


def test_moments_are_what_changed_in_time_order() -> None:
    found = history(
        recording(
            schema("b", ("X", "Y")),
            schema("a", ("X",)),
            tx("b", 3, (1, 0), called=(0,), type=2, is_auto=True),
            tx("b", 4, (1, 0), called=(1,), accepted=False),
            tx("a", 1, (1,)),
            tx("b", 5, (1, 0), is_queued=True),
            tx("b", 6, (2, 1)),
        )
    )
    assert found.machines == ("b", "a")
    assert ticks(found) == [("a", (1, 0, 1)), ("b", (0, 0, 1)), ("b", (0, 0, 2, 0, 1, 1))]
    assert [moment.time_ns - BEGAN for moment in found.moments] == [1_000_000, 3_000_000, 6_000_000]
    second = found.moments[1]
    assert (second.tx_id, second.called, second.type) == (f"{3:016x}", (0,), 2)
    assert (second.accepted, second.is_auto, second.joined) == (True, True, 1)
    assert (found.total, found.is_thinned) == (3, False)
    assert end(found) == {"a": [1], "b": [2, 1]}


def test_only_the_wanted_machines_count_and_unknown_ones_are_left_out() -> None:
    dump = recording(
        schema("a", ("X",)),
        schema("b", ("X",)),
        tx("a", 1, (1,)),
        tx("b", 2, (1,)),
        tx("a", 3, (2,)),
    )
    assert ticks(history(dump, ["nope", "b"])) == [("b", (0, 0, 1))]
    assert ticks(history(dump, ["b", "b", "a"])) == [
        ("a", (1, 0, 1)),
        ("b", (0, 0, 1)),
        ("a", (1, 0, 2)),
    ]
    assert history(dump, []) == History()
    assert history(MemoryDump()) == History()


def test_the_times_of_a_machine_never_run_backwards() -> None:
    """Its clock decides, not that of the wall."""
    dump = recording(
        schema("a", ("X",)),
        tx("a", 5, (1,)),
        tx("a", 2, (2,)),
        tx("a", 0, (3,), time_ns=0, received_ns=BEGAN + 9),
        tx("a", 8, (4,)),
    )
    found = history(dump)
    assert [moment.ticks[2] for moment in found.moments] == [1, 2, 3, 4]
    times = [moment.time_ns for moment in found.moments]
    assert times == sorted(times)


def test_indexes_are_those_of_the_newest_schema() -> None:
    dump = recording(
        schema("m", ("A", "Gone", "B")),
        tx("m", 1, (1, 1, 1), called=(1, 2)),
        schema("m", ("B", "A", "New")),
        tx("m", 2, (1, 1, 0)),
        tx("m", 3, (2, 1, 1), called=(2,)),
    )
    found = history(dump)
    assert ticks(found) == [("m", (0, 1, 1, 0, 0, 1)), ("m", (0, 0, 2, 0, 2, 1))]
    assert [moment.called for moment in found.moments] == [(0,), (2,)]
    assert found.names == {"m": ("B", "A", "New")}


def test_a_machine_that_began_anew_falls_back() -> None:
    dump = recording(schema("m", ("A", "B")), tx("m", 1, (5, 4)), tx("m", 2, (1, 0)))
    assert end(history(dump)) == {"m": [1, 0]}


def test_a_short_or_long_vector_does_no_harm() -> None:
    dump = recording(schema("m", ("A", "B")), tx("m", 1, (1,)), tx("m", 2, (1, 1, 7)))
    dump.write(tx("m", 3, (1, 1, 8)))
    assert ticks(history(dump)) == [("m", (0, 0, 1)), ("m", (0, 1, 1))]


def test_lost_messages_are_counted() -> None:
    dump = MemoryDump(messages=[GapMsg(3, "outbox full"), GapMsg(4, "outbox full")])
    assert history(dump).lost == 7


def walk(machines: int, steps: int) -> MemoryDump:
    dice = random.Random(7)
    names = [f"S{i}" for i in range(6)]
    dump = MemoryDump(messages=[schema(f"m{i}", names) for i in range(machines)])
    clocks = [[0] * 6 for _ in range(machines)]
    for number in range(steps):
        who = dice.randrange(machines)
        clocks[who][dice.randrange(6)] += 1
        dump.write(tx(f"m{who}", number + dice.randrange(9), clocks[who]))
    return dump


@pytest.mark.parametrize("limit", [1, 2, 7, 100, 999, 1000])
def test_thinning_joins_neighbours_and_every_moment_left_is_exact(limit: int) -> None:
    dump = walk(5, 1000)
    whole, thin = history(dump), history(dump, limit=limit)
    assert whole.total == thin.total == len(whole.moments) == 1000
    assert len(thin.moments) <= limit
    assert len(thin.moments) > limit // 2 or limit == 1
    assert thin.is_thinned is (limit < 1000)
    assert sum(moment.joined for moment in thin.moments) == 1000
    exact: dict[str, dict[str, list[int]]] = {}
    for moment, clocks in whole.clocks():
        exact[moment.tx_id + str(moment.machine)] = {k: list(v) for k, v in clocks.items()}
    seen = 0
    for (moment, clocks), whole_moment in zip(thin.clocks(), _ends(whole, thin), strict=True):
        assert moment.tx_id == whole_moment.tx_id
        seen += 1
        if limit >= 100:
            continue
        assert {k: list(v) for k, v in clocks.items()} == _at(whole, whole_moment)
    assert seen == len(thin.moments)
    assert end(thin) == end(whole)


def _ends(whole: History, thin: History) -> Iterator[object]:
    at = 0
    for moment in thin.moments:
        at += moment.joined
        yield whole.moments[at - 1]


def _at(whole: History, wanted: object) -> dict[str, list[int]]:
    for moment, clocks in whole.clocks():
        if moment is wanted:
            return {k: list(v) for k, v in clocks.items()}
    raise AssertionError("no such moment")


def test_the_limit_has_to_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        history(MemoryDump(), limit=0)


class Endless(MemoryDump):
    """Makes its transitions up while it is read."""

    def __init__(self, size: int) -> None:
        super().__init__(messages=[schema(f"m{i}", ("A", "B")) for i in range(9)])
        self.size = size

    def transitions(self, *_: object) -> Iterator[TxMsg]:  # type: ignore[override]
        for i in range(self.size):
            yield TxMsg(f"m{i % 9}", f"{i:x}", (i // 9, 1), time_ns=BEGAN + i)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WINDOW", 200)
    peaks = []
    for size in (4_000, 8_000):
        tracemalloc.start()
        found = history(Endless(size), limit=50)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert 25 < len(found.moments) <= 50
    assert peaks[1] < peaks[0] * 1.3


def test_many_ticks_are_thinned_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST_TICKS", 20)
    found = history(walk(5, 100))
    assert found.is_thinned is False
    found = history(walk(5, 100), limit=20)
    assert sum(len(moment.ticks) for moment in found.moments) <= 3 * 8 * 20


def test_stragglers_beyond_the_window_are_not_put_before_the_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_WINDOW", 1)
    dump = recording(schema("a", ("X",)), schema("b", ("X",)))
    for number, (name, tick) in enumerate([("a", 1), ("a", 2), ("a", 3), ("b", 1)]):
        dump.write(tx(name, 9 - number if name == "b" else 20 + number, (tick,)))
    times = [moment.time_ns for moment in history(dump).moments]
    assert times == sorted(times)


@needs_shared
@pytest.mark.slow
@pytest.mark.parametrize(("name", "total"), [("wasm-workflow", 281), ("am-dbg-sim", None)])
def test_the_originals_recordings_end_where_their_machines_end(
    name: str, total: int | None
) -> None:
    dump = read_gob(SHARED / "data" / f"{name}.gob.br")
    found = history(dump)
    assert total in (None, found.total)
    last = end(found)
    for machine in dump.machines():
        clocks = [*dump.transitions(machine)][-1].clocks
        assert tuple(last[machine][: len(clocks)]) == clocks
    assert end(history(dump, limit=50)) == last
