"""Where recordings part."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from amctl.dump._aligning import aligned
from amctl.dump.diff import DumpDiff, diff
from amctl.dump.memory import MemoryDump
from amctl.machine import StateDef
from amctl.telemetry.messages import GapMsg, Message, SchemaMsg, TxMsg
from tests.dump.strategies import recordings
from tests.support.shared import SHARED, needs_shared

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = ("A", "B", "C")


class Item:
    def __init__(self, key: str) -> None:
        self.key = key


def pairs(one: str, other: str) -> str:
    """Columns of two texts under each other, a gap as a dot."""
    found = list(aligned(map(Item, one), map(Item, other), lambda *_: None))
    lines = ["".join(p[side].key if p[side] else "." for p in found) for side in (0, 1)]
    return " ".join(lines)


def machine(
    id: str, calls: Iterable[str], start: int = 0, names: tuple[str, ...] = NAMES
) -> list[Message]:
    """A machine whose states tick once when they are called; a digit is a pause of so many ms."""
    messages: list[Message] = [SchemaMsg(id, names, {name: StateDef() for name in names})]
    clocks = [0] * len(names)
    now = 1_000_000 + start
    for call in calls:
        now += 1000
        if call.isdigit():
            now += int(call) * 1_000_000
            continue
        accepted = call.isupper()
        at = names.index(call.upper())
        clocks[at] += accepted
        tx_id = f"{random.random()}"  # ids are never the same
        tx = TxMsg(id, tx_id, tuple(clocks), called=(at,), accepted=accepted, time_ns=now)
        messages.append(tx)
    return messages


def dump_of(*parts: list[Message]) -> MemoryDump:
    """Machines side by side, in the order of time."""
    messages = [message for part in parts for message in part]
    schemas = [m for m in messages if not isinstance(m, TxMsg)]
    txs = sorted((m for m in messages if isinstance(m, TxMsg)), key=lambda m: m.time_ns)
    return MemoryDump("d", messages=[*schemas, *txs])


def of(one: list[Message], other: list[Message]) -> DumpDiff:
    return diff(dump_of(one), dump_of(other))


@pytest.mark.parametrize(
    ("one", "other", "columns"),
    [
        ("abc", "abc", "abc abc"),
        ("", "", " "),
        ("abcdef", "abcXdef", "abc.def abcXdef"),
        ("abcXdef", "abcdef", "abcXdef abc.def"),
        ("abcXdef", "abcYdef", "abcX.def abc.Ydef"),
        ("abc", "", "abc ..."),
        ("abcdef", "abc", "abcdef abc..."),
        ("abcXYZ", "abcPQ", "abcXYZ.. abc...PQ"),
        ("abcXef", "abcef", "abcXef abc.ef"),
    ],
)
def test_sequences_meet_again_at_the_nearest_place(one: str, other: str, columns: str) -> None:
    assert pairs(one, other) == columns


def test_sequences_that_never_meet_end_all_the_same() -> None:
    found = list(aligned([Item("x")] * 3000, [Item("y")] * 2000, lambda *_: None))
    assert sum(a is not None for a, _ in found) == 3000
    assert sum(b is not None for _, b in found) == 2000


def test_far_insertions_are_bridged() -> None:
    tail = [Item(f"t{i}") for i in range(10)]
    found = list(aligned([Item("x") for _ in range(300)] + tail, tail, lambda *_: None))
    assert sum(a is not None and b is not None for a, b in found) == 10


@pytest.mark.slow
@settings(max_examples=60)
@given(recordings(), recordings())
def test_every_transition_is_accounted_for(a: MemoryDump, b: MemoryDump) -> None:
    assert diff(a, a).is_equal
    found = diff(a, b)
    for each in found.machines:
        for dump, only in ((a, each.only_a), (b, each.only_b)):
            happened = sum(not tx.is_queued for tx in dump.transitions(each.machine))
            assert each.same + only == happened
    turned = diff(b, a)
    assert sorted((m.machine, m.same, m.only_b, m.only_a) for m in turned.machines) == sorted(
        (m.machine, m.same, m.only_a, m.only_b) for m in found.machines
    )


def test_ids_times_and_what_was_queued_are_not_compared() -> None:
    schema, *txs = machine("m", "AB", start=5000)
    early = TxMsg("m", "-0", (0, 0, 0), called=(0,), is_queued=True, time_ns=1)
    late = TxMsg("m", "q", (9, 9, 9), called=(0,), is_queued=True, time_ns=10**9)
    found = of(machine("m", "AB"), [schema, early, *txs, late])
    assert found.is_equal
    assert (found.same_machines, found.same, found.first) == (1, 2, None)


@pytest.mark.parametrize(
    ("one", "other", "what", "a", "b"),
    [
        ("ABA", "ABB", "another mutation", "+A  -> -A", "+B  -> -B"),
        ("AB", "Ab", "the same mutation, with another outcome", "+B  -> +B", "+B  canceled"),
        ("AB", "A", "only A goes on", "+B  -> +B", None),
        ("A", "AB", "only B goes on", None, "+B  -> +B"),
    ],
)
def test_the_first_divergence_of_a_machine_shows_both_sides(
    one: str, other: str, what: str, a: str | None, b: str | None
) -> None:
    first = of(machine("m", one), machine("m", other)).first
    assert first is not None
    assert first.what == what
    assert (first.a and first.a.text, first.b and first.b.text) == (a, b)
    assert first.machine == "m"


def test_an_insertion_shows_what_stands_there_in_both() -> None:
    found = of(machine("m", "ABCABC"), machine("m", "ABBCABC"))
    (m,) = found.machines
    assert (m.same, m.only_a, m.only_b) == (6, 0, 1)
    assert m.first is not None
    assert m.first.a is not None
    assert m.first.b is not None
    assert (m.first.a.text, m.first.b.text) == ("+C  -> +C", "+B  -> -B")
    assert (m.first.a.position, m.first.since_ns) == (2, 2000)


def test_other_clocks_are_told() -> None:
    other = machine("m", "A")
    last = other[-1]
    assert isinstance(last, TxMsg)
    last.clocks = (1, 1, 0)
    first = of(machine("m", "A"), other).first
    assert first is not None
    assert first.what == "the same mutation, but other clocks"


def test_the_first_of_all_is_first_in_the_first_ones_time() -> None:
    a = dump_of(machine("m1", "AAA9AB"), machine("m2", "A3AB"))
    b = dump_of(machine("m1", "AAA1AC"), machine("m2", "A3AC"))
    found = diff(a, b)
    assert [m.machine for m in found.machines] == ["m2", "m1"]
    assert found.first is not None
    assert found.first.machine == "m2"


def test_an_end_counts_by_the_seconds_time() -> None:
    """m1 goes on in the second only much later; m2 parts before that."""
    a = dump_of(machine("m1", "A"), machine("m2", "A3B"))
    b = dump_of(machine("m1", "A9A"), machine("m2", "A3C"))
    first = diff(a, b).first
    assert first is not None
    assert first.machine == "m2"


def test_machines_of_one_only_are_named() -> None:
    found = diff(dump_of(machine("m", ""), machine("x", "A")), dump_of(machine("m", "")))
    assert (found.machines_only_a, found.machines_only_b, found.same_machines) == (("x",), (), 1)
    assert not found.is_equal


def test_states_are_compared_by_name() -> None:
    turned = machine("m", "AB", names=("C", "B", "A"))
    assert of(machine("m", "AB"), turned).is_equal
    more = machine("m", "AB", names=("A", "B", "D"))
    schema = more[0]
    assert isinstance(schema, SchemaMsg)
    schema.states = {**schema.states, "A": StateDef(auto=True)}
    (m,) = of(machine("m", "AB"), more).machines
    assert (m.states_only_a, m.states_only_b, m.states_changed) == (("C",), ("D",), ("A",))
    assert m.first is None


def test_what_is_active_at_the_end_is_compared() -> None:
    (m,) = of(machine("m", "AB"), machine("m", "AC")).machines
    assert (m.active_only_a, m.active_only_b) == (("B",), ("C",))


def test_what_is_missing_is_told() -> None:
    a, b = dump_of(machine("m", "A")), dump_of(machine("m", "A"))
    a.write(GapMsg(3, "x"))
    found = diff(a, b)
    assert (found.lost_a, found.lost_b, found.is_equal) == (3, 0, True)


def test_progress_is_told() -> None:
    said: list[tuple[int, int]] = []
    dump = dump_of(machine("m", "A"), machine("n", "A"))
    diff(dump, dump, progress=lambda done, total: said.append((done, total)))
    assert said == [(1, 2), (2, 2)]


@needs_shared
def test_a_real_recording_is_equal_to_itself() -> None:
    from amctl.dump.gob import read_gob

    dump = read_gob(SHARED / "data" / "wasm-workflow.gob.br")
    found = diff(dump, dump)
    assert found.is_equal
    assert (found.same_machines, found.same) == (27, 405)
